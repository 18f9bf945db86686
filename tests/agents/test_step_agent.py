"""The step agent leads a conversation to an accepted output, or says why there is none."""

import asyncio
import json
from pathlib import Path

import pytest

from agents import control
from agents.interruptions import StepInterrupted
from agents.models.gateway import ModelError, ModelReply
from agents.steps.agent import StepFailed
from agents.vocabulary import RunStatus, ToolOutcome
from tests.support.models import calls
from tests.support.step_bench import GOOD, Bench


async def test_tools_run_in_order_and_their_output_goes_back_to_the_model(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        calls(
            ("write_python", {"path": "a.py", "content": "print(6 * 7)"}),
            ("run_python", {"path": "a.py", "arguments": []}),
        ),
        calls(("final_result", GOOD)),
    )
    output = await bench.work()
    assert output.representation == "3-mers"
    roles = [message["role"] for message in bench.gateway.requests[-1]]
    assert roles == ["system", "user", "assistant", "tool", "tool"]
    assert "42" in bench.last_answer()
    assert [call.outcome for call in bench.recorder.state.tool_calls] == [ToolOutcome.OK, ToolOutcome.OK]
    assert "42" in (bench.run.root / bench.recorder.state.tool_calls[1].log).read_text()


async def test_an_output_that_breaks_its_schema_comes_back_with_field_and_problem(tmp_path: Path) -> None:
    bad = {"summary": "x", "representation": "", "fitted_on_train_only": "none", "mood": 1}
    bench = Bench(tmp_path, calls(("final_result", bad)), calls(("final_result", GOOD)))
    await bench.work()
    answer = bench.last_answer()
    for field in ("representation", "fitted_on_train_only", "mood"):
        assert f"- {field}: " in answer
    assert bench.rejections == 1


async def test_arguments_that_are_no_json_are_rejected_and_not_fatal(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("final_result", "{oops")), calls(("final_result", GOOD)))
    assert (await bench.work()).summary == "k-mers"
    assert bench.rejections == 1


async def test_the_engines_own_check_sends_its_reasons_back(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path, calls(("final_result", GOOD)), calls(("final_result", GOOD)), problems=[["groups straddle the split"]]
    )
    await bench.work()
    assert "- groups straddle the split" in bench.last_answer()


async def test_too_many_rejections_fail_the_step_with_the_last_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[calls(("final_result", {}))] * 3, max_validation_retries=2)
    with pytest.raises(StepFailed, match=r"rejected 3 times(.|\n)*summary"):
        await bench.work()


async def test_nothing_behind_an_accepted_output_is_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("final_result", GOOD), ("bash", {"command": "touch late"})))
    await bench.work()
    assert bench.recorder.state.tool_calls == []


async def test_replies_without_a_tool_are_answered_and_three_in_a_row_end_the_attempt(tmp_path: Path) -> None:
    patient = Bench(tmp_path / "a", ModelReply("hm"), ModelReply("well"), calls(("final_result", GOOD)))
    await patient.work()
    assert "final_result" in patient.last_answer()
    assert patient.gateway.must_call == [False, True, True], "a provider that can make a model call a tool is told to"
    silent = Bench(tmp_path / "b", *[ModelReply("I cannot do this")] * 3)
    with pytest.raises(StepFailed, match="I cannot do this"):
        await silent.work()


async def test_a_step_has_a_limited_number_of_model_calls(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[calls(("bash", {"command": "true"}))] * 4, max_steps=3)
    with pytest.raises(StepFailed, match="after 3 model calls"):
        await bench.work()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("fly", {}), ("bash", "{"), ("bash", {"cmd": "ls"}), ("bash", {"command": 3}), ("write_python", "[]")],
)
async def test_an_impossible_tool_call_is_answered_and_recorded(tmp_path: Path, name: str, arguments: object) -> None:
    bench = Bench(tmp_path, calls((name, arguments)), calls(("final_result", GOOD)))  # type: ignore[arg-type]
    await bench.work()
    assert name in bench.last_answer()
    assert [call.outcome for call in bench.recorder.state.tool_calls] == [ToolOutcome.ERROR]


async def test_the_planner_has_no_tools_but_its_result(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("final_result", GOOD)))
    await bench.agent.run(bench.request(with_tools=False))
    assert bench.gateway.tools == [["final_result"]]


async def test_a_failed_model_call_is_recorded_and_raised(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ModelError("scripted: no reply"))
    with pytest.raises(ModelError):
        await bench.work()
    assert bench.recorder.state.model_calls[0].error == "scripted: no reply"


async def test_records_of_model_calls_hold_each_message_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("bash", {"command": "echo one"})), calls(("final_result", GOOD)))
    await bench.work()
    records = [json.loads(path.read_text()) for path in sorted(bench.run.model_calls.glob("*.json"))]
    assert [len(record["new_messages"]) for record in records] == [2, 2]
    assert [record["messages_before"] for record in records] == [0, 2]
    assert "one" in records[1]["new_messages"][-1]["content"]


async def test_a_note_reaches_the_model_once_with_its_next_call(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("bash", {"command": "true"})), calls(("final_result", GOOD)))
    control.submit(bench.run, control.Say(text="try extra trees"))
    bench.steering.look()
    await bench.work()
    told = [message["content"] for message in bench.gateway.requests[-1] if "try extra trees" in message["content"]]
    assert len(told) == 1
    assert all(note.delivered for note in bench.recorder.state.notes.values())


async def test_a_pause_holds_the_step_before_its_next_call_until_it_is_resumed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("final_result", GOOD)))
    control.submit(bench.run, control.Pause())
    bench.steering.look()
    working = asyncio.create_task(bench.work())
    while bench.recorder.state.status is not RunStatus.HELD:
        await asyncio.sleep(0.01)
    assert bench.gateway.requests == []
    control.submit(bench.run, control.Resume())
    bench.steering.look()
    assert (await working).summary == "k-mers"


async def test_skipping_a_step_ends_the_tool_that_is_running(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("bash", {"command": "echo $$ > pid; sleep 1000"})))
    working = asyncio.create_task(bench.steering.interruptible(bench.work()))
    pid = bench.step_dir / "pid"
    while not (pid.exists() and pid.read_text().strip()):
        await asyncio.sleep(0.01)
    control.submit(bench.run, control.SkipStep())
    bench.steering.look()
    with pytest.raises(StepInterrupted, match="skipped by"):
        await working
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
    assert bench.recorder.state.tool_calls[0].outcome is ToolOutcome.CANCELLED
