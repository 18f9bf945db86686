"""The size of a conversation, and what is left out of it when the model's window is near."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agents.models.gateway import ModelReply, ToolRequest
from agents.steps.context import Output, Transcript


def conversation(*sizes: int, argument: int = 10) -> Transcript:
    """A turn for each size: a call with a long argument, and an output of that many characters."""
    transcript = Transcript([{"role": "system", "content": "s" * 100}, {"role": "user", "content": "u" * 100}])
    for number, size in enumerate(sizes, start=1):
        arguments = json.dumps({"path": "a.py", "content": "c" * argument})
        call = ToolRequest(f"call-{number}", "write_python", arguments)
        transcript.add(ModelReply("", (call,)).message())
        answer = {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": f"first\n{'o' * size}\nlast"}
        transcript.add(answer, Output(number, f"/run/tool_calls/{number:06d}.log"))
    return transcript


def test_the_oldest_outputs_become_pointers_that_say_what_they_were_and_the_newest_stays_whole() -> None:
    transcript = conversation(5000, 5000, 5000)
    before = transcript.tokens
    left_out = transcript.shrink_to(before // 2)
    assert left_out == [1, 2]
    assert transcript.tokens <= before // 2
    assert transcript.messages[3]["content"] == (
        "[left out to save room: 5,011 characters of tool call 1; whole in /run/tool_calls/000001.log; "
        "its first line: first; its last line: last]"
    )
    assert len(transcript.messages[-1]["content"]) > 5000
    assert transcript.messages[3]["tool_call_id"] == "call-1"


def test_nothing_is_left_out_twice_or_where_there_is_room() -> None:
    transcript = conversation(5000, 5000)
    assert transcript.shrink_to(transcript.tokens) == []
    assert transcript.shrink_to(0) == [1]
    assert transcript.shrink_to(0) == []


def test_long_arguments_of_old_calls_go_where_outputs_do_not_suffice_and_stay_valid_json() -> None:
    transcript = conversation(10, 10, 10, argument=9000)
    before = transcript.tokens
    assert transcript.shrink_to(before // 2) == []
    assert transcript.tokens < before
    arguments = json.loads(transcript.messages[2]["tool_calls"][0]["function"]["arguments"])
    assert arguments["path"] == "a.py"
    assert arguments["content"].startswith("ccc")
    assert "left out" in arguments["content"]
    newest = json.loads(transcript.messages[6]["tool_calls"][0]["function"]["arguments"])
    assert newest["content"] == "c" * 9000


@given(st.lists(st.integers(0, 4000), max_size=8), st.integers(0, 4000), st.integers(0, 12_000))
def test_a_conversation_keeps_its_messages_its_order_and_its_newest_turn(
    sizes: list[int], argument: int, target: int
) -> None:
    transcript, whole = conversation(*sizes, argument=argument), conversation(*sizes, argument=argument)
    transcript.shrink_to(target)
    assert [m["role"] for m in transcript.messages] == [m["role"] for m in whole.messages]
    assert transcript.messages[-2:] == whole.messages[-2:]
    assert transcript.messages[:2] == whole.messages[:2]
    assert transcript.tokens <= whole.tokens
    asked = [call["id"] for m in transcript.messages for call in m.get("tool_calls") or ()]
    assert [m["tool_call_id"] for m in transcript.messages if m["role"] == "tool"] == asked


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=6), st.integers(1, 100_000))
def test_the_providers_count_corrects_the_estimate_within_bounds(sizes: list[int], counted: int) -> None:
    transcript = conversation(*sizes)
    estimate = transcript.tokens
    transcript.counted(counted)
    assert estimate / 3.1 <= transcript.tokens <= estimate * 3.1
    if estimate / 2.9 <= counted <= estimate * 2.9:
        assert abs(transcript.tokens - counted) <= 1
    corrected = transcript.tokens
    transcript.counted(0)
    assert transcript.tokens == corrected, "a provider that does not count says nothing"
