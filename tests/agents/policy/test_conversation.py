"""Replay: the same messages give the same next move, whatever happened in between."""

import asyncio
import json
from typing import Any

import pytest

from agents.policy.conversation import ConversationError, next_move, read
from agents.policy.moves import parse_run
from agents.policy.steps import POLICIES
from agents.recipes.catalogue import candidates
from agents.vocabulary import PERSON_REJECTS, StepName
from tests.agents.policy.driver import BUILTIN_MODEL, ask, litellm, register, tool_schemas
from tests.agents.policy.histories import facts_for, past, profile_for

PROFILE = profile_for()
BASE = candidates(PROFILE)[0]
PLAN = {"model_architecture_instructions": "", "combination": "simple baseline"}
EXPLORED = {StepName.DATA_EXPLORATION: past(0, BASE, 0.5, profile=PROFILE).outputs[StepName.DATA_EXPLORATION]}


def opening(step: StepName = StepName.ITERATION_PLAN, **facts: Any) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "You build models."},
        {"role": "user", "content": f"# Facts\n\n{facts_for(step, **facts).block()}\n\n# This step"},
    ]


def answered(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """The conversation with the policy's next message and what the tool gives back."""
    message = asyncio.run(ask(messages))
    (call,) = message["tool_calls"]
    return [*messages, message, {"role": "tool", "tool_call_id": call["id"], "content": text}]


def last_call(messages: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    return calls[-1]["function"]["name"], json.loads(calls[-1]["function"]["arguments"])


def training(*results: str) -> list[dict[str, Any]]:
    messages = opening(StepName.MODEL_TRAINING, plan=PLAN, outputs=EXPLORED)
    for result in results:
        messages = answered(messages, result)
    return messages


def test_the_same_messages_always_get_the_same_answer() -> None:
    messages = training("wrote features.py: 9 lines", "wrote train.py: 9 lines")
    assert asyncio.run(ask(messages)) == asyncio.run(ask(messages))
    assert asyncio.run(ask(messages))["tool_calls"][0]["function"]["name"] == "run_python"


def test_an_answer_depends_on_all_results_before_it() -> None:
    written = ("wrote features.py: 9 lines", "wrote train.py: 9 lines")
    went_well = training(*written, "exit status 0, 1.0 s, 3 bytes\nok")
    assert "whole training split" in asyncio.run(ask(went_well))["content"]
    failed = training(*written, "exit status 1, 1.0 s, 3 bytes\nMemoryError: too large")
    assert "MemoryError: too large" in asyncio.run(ask(failed))["content"]


def test_a_training_that_diverges_is_tried_again_smaller_and_told_of() -> None:
    from agents.policy.carried import candidate_line

    boosting = next(one for one in candidates(PROFILE) if one.family == "hist_gradient_boosting")
    plan = {"model_architecture_instructions": candidate_line(boosting), "combination": boosting.combination}
    messages = opening(StepName.MODEL_TRAINING, plan=plan, outputs=EXPLORED)
    diverged = "exit status 0, 1.0 s, 3 bytes\n(no output)\nWatch: train_loss is NaN at epoch 3 (not finite)"
    report = 'TRAINING_REPORT: {"epoch": 3, "of": 3, "train_loss": 0.4, "validation_loss": 0.5}'
    well = f"exit status 0, 1.0 s, 3 bytes\n{report}"
    for result in ("wrote f", "wrote t", well, diverged, "wrote f", "wrote t", well, well, "rejected"):
        messages = answered(messages, result)
    tool, arguments = last_call(messages)
    assert tool == "final_result"
    assert "NaN" in arguments["unresolved_issues"][0] and "learning_rate" in arguments["unresolved_issues"][0]
    assert "validation loss 0.5" in arguments["summary"]


def test_a_write_that_is_refused_ends_the_step_in_words() -> None:
    message = asyncio.run(ask(training("syntax error, nothing was written. line 3")))
    assert "tool_calls" not in message
    assert "syntax error" in message["content"]


def test_a_refused_plan_is_replaced_by_another_choice() -> None:
    history = [past(0, BASE, 0.7, profile=PROFILE)]
    messages = answered(opening(history=history, exploring=True), "Not accepted: was tried in iteration 0")
    first = last_call(messages)[1]
    second = last_call(answered(messages, "Not accepted: something else"))[1]
    assert first["combination"] != second["combination"]


def test_the_same_rejection_three_times_ends_in_words() -> None:
    messages = opening(history=[past(0, BASE, 0.7, profile=PROFILE)], exploring=True)
    for _ in range(3):
        messages = answered(messages, "Not accepted: no")
    message = asyncio.run(ask(messages))
    assert "tool_calls" not in message
    assert "rejected 3 times" in message["content"]
    nudged = [*messages, message, {"role": "user", "content": "You called no tool. Call one of: final_result."}]
    assert asyncio.run(ask(nudged)) == message


def test_a_note_is_acknowledged_once_and_followed_when_it_names_a_family() -> None:
    history = [past(0, BASE, 0.7, profile=PROFILE)]
    note = {"role": "user", "content": "A note from the person who watches: try a random forest"}
    messages = [*opening(history=history, exploring=True), note]
    message = asyncio.run(ask(messages))
    assert '"try a random forest"' in message["content"] and "not an LLM" in message["content"]
    after = answered(messages, "Not accepted: no")
    assert "random forest" in last_call(after)[1]["combination"]
    assert "not an LLM" not in asyncio.run(ask(after))["content"]


def test_a_note_in_the_middle_of_a_step_changes_no_recorded_move() -> None:
    messages = training("wrote features.py: 9 lines")
    before = asyncio.run(ask(messages))
    after = asyncio.run(ask([*messages, {"role": "user", "content": "hurry up"}]))
    assert before["tool_calls"] == after["tool_calls"]
    assert "hurry up" in after["content"]


def test_a_note_holds_for_the_iterations_after_it() -> None:
    history = [past(0, BASE, 0.7, profile=PROFILE, instructions="note: avoid gradient boosting")]
    for number in range(1, 5):
        _, plan = last_call(answered(opening(history=history, exploring=True), ""))
        assert "boosting" not in plan["combination"]
        chosen = next(one for one in candidates(PROFILE) if one.combination == plan["combination"])
        history.append(past(number, chosen, 0.6, profile=PROFILE))


def test_the_start_note_of_the_prompt_is_read() -> None:
    messages = opening(history=[past(0, BASE, 0.7, profile=PROFILE)], exploring=True)
    messages[1]["content"] = f"The person who started the run says: use a random forest\n\n{messages[1]['content']}"
    assert "random forest" in last_call(answered(messages, ""))[1]["combination"]


def test_a_plan_before_any_exploration_is_a_baseline_without_a_candidate() -> None:
    _, plan = last_call(answered(opening(may_split=True, has_split=False), ""))
    assert plan["mode"] == "baseline"
    assert "80 %" in plan["data_split_instructions"]
    later = opening(history=[past(0, None, reason="skipped")], exploring=True)
    _, plan = last_call(answered(later, ""))
    assert plan["mode"] == "explore"
    assert plan["data_split_instructions"] is None


def test_messages_that_are_no_step_are_refused_with_a_reason() -> None:
    with pytest.raises(Exception, match="<facts> block"):
        asyncio.run(ask([{"role": "user", "content": "Write a poem."}]))
    with pytest.raises(ConversationError, match="has no result"):
        read([*opening(), {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "bash"}}]}])


def test_a_conversation_of_another_policy_is_refused() -> None:
    record = read(training("wrote features.py: 9 lines"))
    record.made[0] = "bash"
    with pytest.raises(ConversationError, match="called bash"):
        next_move(record, POLICIES[StepName.MODEL_TRAINING])


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    register()

    async def answer() -> Any:
        tools = [tool for tool in tool_schemas() if tool["function"]["name"] == "bash"]
        return await litellm.acompletion(model=BUILTIN_MODEL, messages=opening(), tools=tools)

    message = asyncio.run(answer()).choices[0].message
    assert not message.tool_calls
    assert "final_result" in message.content


def test_the_answer_can_be_streamed() -> None:
    register()

    async def stream() -> list[Any]:
        answer = await litellm.acompletion(model=BUILTIN_MODEL, messages=opening(), tools=tool_schemas(), stream=True)
        return [chunk async for chunk in answer]

    whole = litellm.stream_chunk_builder(asyncio.run(stream()))
    message = whole.choices[0].message
    assert "baseline" in message.content or "simple model" in message.content
    assert json.loads(message.tool_calls[0].function.arguments)["mode"] == "baseline"


@pytest.mark.parametrize(
    ("text", "status", "ending"),
    [
        ("exit status 0, 3.2 s, 1,234 bytes\nout", 0, "exit status 0, 3.2 s"),
        ("timed out after 5 s; the whole process group was ended\nout", None, "timed out after 5 s"),
        ("ended by signal 9 (SIGKILL), 1.0 s, 0 bytes\n(no output)", None, "ended by signal 9"),
    ],
)
def test_a_runs_first_line_tells_how_it_ended(text: str, status: int | None, ending: str) -> None:
    run = parse_run(text)
    assert run.exit_status == status
    assert run.ending.startswith(ending)
    assert run.ok == (status == 0)


def test_what_a_person_says_against_a_plan_counts_as_a_note() -> None:
    history = [past(0, BASE, 0.7, profile=PROFILE)]
    said = f"{PERSON_REJECTS}try extra trees\nDo it again, and call final_result again."
    messages = answered(opening(history=history, exploring=True), said)
    plan = json.loads(asyncio.run(ask(messages))["tool_calls"][0]["function"]["arguments"])
    assert "extra trees" in plan["combination"]
    assert "try extra trees" in plan["model_architecture_instructions"]


def test_before_the_data_are_known_a_person_is_told_that_there_is_no_other_plan() -> None:
    message = asyncio.run(ask(answered(opening(), f"{PERSON_REJECTS}too dull\nDo it again")))
    assert json.loads(message["tool_calls"][0]["function"]["arguments"])["mode"] == "baseline"
    assert "Before I know the data I have no other plan." in message["content"]
