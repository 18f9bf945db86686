"""Each kind of fault really appears on the wire, as a plain HTTP client sees it."""

import json
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from agents.models.gateway import ModelReply
from tests.llm_server.asking import (
    PATH,
    Always,
    ask,
    body,
    client,
    events,
    faulty,
    message_of,
    names,
    received,
    replied,
)
from tests.llm_server.faults import HOSTILE, HTML
from tests.llm_server.serving import serve
from tests.llm_server.wire import NOT_UTF8


@pytest.mark.parametrize("code", [400, 401, 403, 404, 408, 429, 500, 502, 503, 529])
def test_a_status_comes_with_an_error_in_openais_form(code: int) -> None:
    response = ask({"kind": "status", "code": code})
    assert response.status_code == code
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}
    assert "retry-after" not in response.headers


def test_a_status_says_what_it_is_told_to_say() -> None:
    fault = {"kind": "status", "code": 429, "message": "slow", "error_code": "c", "error_type": "t", "parameter": "p"}
    assert ask(fault).json()["error"] == {"message": "slow", "type": "t", "param": "p", "code": "c"}
    assert ask({"kind": "status", "code": 502, "html": True}).content == HTML
    assert ask({"kind": "status", "code": 503, "body": "busy"}).text == "busy"


def test_retry_after_is_seconds_or_a_date() -> None:
    assert ask({"kind": "status", "code": 429, "retry_after": 1.5}).headers["retry-after"] == "1.5"
    given = ask({"kind": "status", "code": 429, "retry_after": 2, "retry_after_is_date": True}).headers["retry-after"]
    assert parsedate_to_datetime(given).tzinfo is not None


@pytest.mark.parametrize("stream", [True, False])
def test_html_comes_with_status_200(stream: bool) -> None:
    response = ask({"kind": "html"}, body(stream=stream))
    assert (response.status_code, response.content) == (200, HTML)
    assert response.headers["content-type"].startswith("text/html")


def test_an_empty_response_has_nothing_or_only_its_end() -> None:
    assert ask({"kind": "empty"}).content == b""
    assert ask({"kind": "empty", "done": True}).content == b"data: [DONE]\n\n"


@pytest.mark.parametrize(("how", "error"), [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_a_connection_ends_without_a_byte(how: str, error: type[Exception]) -> None:
    with serve(Always(), faulty({"kind": "refuse", "how": how})) as served, client(served) as http:
        with pytest.raises(error):
            http.post(PATH, json=body())
        assert http.post(PATH, json=body()).status_code == 200
        assert not served.disconnects, "it was not the client that left"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("how", "error"), [("end", type(None)), ("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)]
)
def test_a_response_ends_before_the_reply_does(how: str, error: type[Exception], stream: bool) -> None:
    fault = {"kind": "truncate", "how": how, "after": 2}
    with serve(Always(), faulty(fault)) as served, client(served) as http:
        data, raised = received(http, body(stream=stream))
    assert isinstance(raised, error)
    assert data.startswith(b"data: " if stream else b"{")
    assert b"[DONE]" not in data
    assert b'"finish_reason":"' not in data
    if stream and how == "end":
        assert data.count(b"\n\n") == 2


def test_a_response_never_breaks_off_after_the_reply_is_over() -> None:
    with serve(Always(), faulty({"kind": "truncate", "after": 10_000})) as served, client(served) as http:
        data, _ = received(http, body())
    assert b"ls -la" in data
    assert b'"finish_reason":"' not in data


def test_a_chunk_is_no_json() -> None:
    lines = ask({"kind": "bad_json", "after": 2}).content.split(b"\n\n")
    with pytest.raises(ValueError):
        json.loads(lines[2].removeprefix(b"data: "))
    assert lines[-2] == b"data: [DONE]"
    with pytest.raises(ValueError):
        ask({"kind": "bad_json"}, body(stream=False)).json()


@pytest.mark.parametrize("stream", [True, False])
def test_the_text_has_bytes_that_are_no_utf8(stream: bool) -> None:
    data = ask({"kind": "bad_utf8"}, body(stream=stream)).content
    assert data.count(NOT_UTF8) == 1
    with pytest.raises(UnicodeDecodeError):
        data.decode()


def test_an_error_comes_in_mid_stream() -> None:
    chunks = events(ask({"kind": "error_chunk", "after": 2, "message": "gone", "code": 503}).content)
    assert len(chunks) == 3
    assert chunks[-1]["error"]["message"] == "gone"
    assert ask({"kind": "error_chunk"}, body(stream=False)).json().keys() == {"error"}


def test_nothing_comes_at_all_until_the_client_leaves() -> None:
    impatient = httpx.Timeout(30, read=0.1)
    with serve(Always(), faulty({"kind": "hang", "where": "before_headers"})) as served:
        with httpx.Client(timeout=impatient, trust_env=False) as http, pytest.raises(httpx.ReadTimeout):
            http.post(served.address + PATH, json=body())
        served.wait(lambda served: served.disconnects)


@pytest.mark.parametrize("where", ["after_headers", "mid_stream"])
def test_a_response_that_has_begun_hangs_until_the_client_leaves(where: str) -> None:
    with serve(Always(), faulty({"kind": "hang", "where": where, "after": 1})) as served:
        with client(served) as http, http.stream("POST", PATH, json=body()) as response:
            pieces = response.iter_raw()
            if where == "mid_stream":
                assert next(pieces).startswith(b"data: ")
            for _ in range(3):
                assert http.get("/models").status_code == 200
            [request] = served.requests
            assert not request.is_over, "a whole reply would have come by now"
        served.wait(lambda served: served.disconnects)
        assert request.fault == "hang"


def test_a_reply_drips_one_character_a_chunk() -> None:
    with serve(Always(ModelReply("abc")), faulty({"kind": "drip", "seconds": 0.001})) as served, client(served) as http:
        texts = [
            chunk["choices"][0]["delta"].get("content") for chunk in events(http.post(PATH, json=body()).content)[:4]
        ]
    assert texts == ["", "a", "b", "c"]


def test_a_client_that_leaves_a_dripping_reply_is_noticed() -> None:
    with serve(Always(), faulty({"kind": "drip", "seconds": 0.05})) as served:
        with client(served) as http, http.stream("POST", PATH, json=body()) as response:
            next(response.iter_raw())
        served.wait(lambda served: served.disconnects)


def test_the_reply_can_be_text_only_or_call_what_it_should_not() -> None:
    message = message_of(replied(text="Hm.", tool_calls=[]))
    assert (message["content"], message["tool_calls"]) == ("Hm.", [])
    [call] = message_of(replied(tool_calls=[{"name": "nothing", "arguments": '{"a": '}]))["tool_calls"]
    assert call["function"] == {"name": "nothing", "arguments": '{"a": '}
    both = message_of(replied(prepend=[{"name": "before"}], append=[{"name": "after", "id": "mine"}]))
    assert names(both) == ["before", "bash", "after"]
    assert len({call["id"] for call in both["tool_calls"]}) == 3
    assert both["tool_calls"][2]["id"] == "mine"


def test_ids_can_be_all_the_same() -> None:
    message = message_of(replied(append=[{"name": "after"}], duplicate_ids=True))
    assert len(message["tool_calls"]) == 2
    assert len({call["id"] for call in message["tool_calls"]}) == 1


def test_arguments_can_be_huge_and_are_still_few_chunks() -> None:
    data = replied(huge_arguments=300_000)
    arguments = message_of(data)["tool_calls"][0]["function"]["arguments"]
    assert len(arguments) > 300_000
    assert json.loads(arguments)["command"].startswith("ls -la | head\n# xxx")
    assert len(events(data)) < 100


def test_escapes_come_in_text_and_reasoning_and_arguments() -> None:
    data = replied(escapes=True)
    message = message_of(data)
    assert message["content"].endswith(HOSTILE)
    command = json.loads(message["tool_calls"][0]["function"]["arguments"])["command"]
    assert "\x1b]52" in command
    assert "x[/" in command
    thoughts = [chunk["choices"][0]["delta"].get("reasoning_content", "") for chunk in events(data)[:-2]]
    assert "".join(thoughts) == HOSTILE


def test_finish_reason_and_usage_and_reasoning_are_as_told() -> None:
    chunks = events(replied(finish_reason="length", usage="missing", reasoning="Well."))
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert chunks[1]["choices"][0]["delta"] == {"reasoning_content": "Well."}
    assert events(replied(usage="zero"))[-1]["usage"] == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
    }


def test_calls_can_lack_their_index_and_come_whole() -> None:
    made = [call for chunk in events(replied(no_index=True))[:-1] for call in _made(chunk)]
    assert len(made) == 1
    assert "index" not in made[0]
    assert json.loads(made[0]["function"]["arguments"])


def test_a_reply_can_come_in_one_chunk_or_in_characters() -> None:
    assert len(events(replied(split="whole"))) == 3
    assert len(events(replied(split="characters"))) > len("I look around first." + '{"command": "ls -la | head"}')


def _made(chunk: dict[str, Any]) -> list[dict[str, Any]]:
    return chunk["choices"][0]["delta"].get("tool_calls", [])
