"""Where nothing goes wrong the server answers as a provider does, and it ends when it is told to."""

import json
import threading
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from agents.models.gateway import ModelReply
from tests.llm_server.asking import PATH, Always, ask, body, client, events, faulty, message_of
from tests.llm_server.conversation import problem, strict_problem
from tests.llm_server.serving import serve


def test_a_reply_is_streamed_in_pieces_with_its_end_and_its_usage() -> None:
    data = ask().content
    chunks = events(data)
    assert len(chunks) > 5
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert chunks[-1]["choices"] == []
    usage = chunks[-1]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 10
    message = message_of(data)
    assert message["content"] == "I look around first."
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"command": "ls -la | head"}


def test_without_stream_the_reply_is_one_object() -> None:
    value = ask(asked=body(stream=False)).json()
    assert value["choices"][0]["message"]["content"] == "I look around first."
    assert value["choices"][0]["finish_reason"] == "tool_calls"
    assert value["usage"]["total_tokens"] > 10


def test_usage_is_streamed_only_to_whoever_asks_for_it() -> None:
    chunks = events(ask(asked=body(stream_options=None)).content)
    assert all("usage" not in chunk for chunk in chunks)


def test_the_models_are_listed_and_no_other_one_answers() -> None:
    with serve(Always(), models=("one", "two")) as served, client(served) as http:
        assert [model["id"] for model in http.get("/models").json()["data"]] == ["one", "two"]
        refused = http.post(PATH, json=body(model="three"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")
        assert http.post(PATH, json=body(model="two")).status_code == 200
        assert http.get("/nothing").status_code == 404
        assert [request.number for request in served.requests] == [1, 2]
        assert served.app.seen[0].path == "/v1/models"


def test_every_request_is_kept_with_headers_and_body() -> None:
    with serve(Always()) as served, client(served) as http:
        http.post(PATH, json=body(temperature=0.3), headers={"Authorization": "Bearer sk-x"})
        [request] = served.requests
    assert request.headers["authorization"] == "Bearer sk-x"
    assert request.body["temperature"] == 0.3
    assert (request.fault, request.hung_up) == (None, False)


def test_what_the_brain_raises_is_the_tests_failure() -> None:
    class Confused:
        def answer(self, messages: Any, tools: Any, model: str) -> ModelReply:
            raise LookupError("no idea")

    with pytest.raises(LookupError), serve(Confused()) as served, client(served) as http:
        assert http.post(PATH, json=body()).status_code == 500


def test_a_conversation_that_a_provider_would_refuse_is_refused() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": "{"}}
    said = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "a", "content": ""}
    user = {"role": "user", "content": "go on"}
    assert problem([user, said, result, user]) is None
    assert "did not have response messages: a" in (problem([user, said, user]) or "")
    assert "must be a response" in (problem([user, result]) or "")
    assert "no JSON object" in (strict_problem([user, said, result]) or "")
    call["function"]["arguments"] = "{}"  # type: ignore[index]
    assert strict_problem([user, said, result]) is None
    assert "unique" in (strict_problem([user, said, result, said, result]) or "")
    with serve(Always(), faulty(strict_history=True)) as served, client(served) as http:
        assert http.post(PATH, json=body([user, said, user])).status_code == 400
        assert http.post(PATH, json=body([user, said, result])).status_code == 200
        assert http.post(PATH, json=body([user, said, result, said, result])).status_code == 400


def test_the_server_ends_with_hanging_and_with_idle_clients_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    hang = faulty({"kind": "hang", "where": "mid_stream", "after": 1, "when": {"call": 2}})
    with ExitStack() as clients:
        http = clients.enter_context(httpx.Client(timeout=30, trust_env=False))
        with serve(Always(), hang) as served:
            http.post(served.address + PATH, json=body())
            response = clients.enter_context(http.stream("POST", served.address + PATH, json=body()))
            pieces = response.iter_raw()
            assert next(pieces)
        with pytest.raises(httpx.HTTPError):
            next(pieces)
    assert not served.disconnects, "it was not the client that left"
    assert set(threading.enumerate()) == before
