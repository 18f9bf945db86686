"""Every command gets exactly one receipt, and leaves a state that makes sense."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import control
from agents.approvals import Subject
from agents.events import EventBase, LimitRaised, NoteReceived, RunStarted
from agents.interruptions import IterationInterrupted, RunInterrupted
from agents.journal import JournalReader
from agents.recorder import Recorder
from agents.state import RunState
from agents.steering import Steering
from agents.vocabulary import Gate, Limit, RunStatus, StepName
from tests.support.steered import steering_of

KINDS = [control.Pause, control.Resume, control.SkipStep, control.SkipIteration, control.Stop]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*KINDS, None]), max_size=12))
def test_each_command_in_any_order_gets_exactly_one_receipt(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[type[control.CommandBase] | None]
) -> None:
    run, recorder, steering = steering_of(tmp_path_factory.mktemp("runs"))
    ids = []
    for kind in kinds:
        if kind is None:
            run.control.joinpath("99-spoilt.json").write_text("{")
        else:
            command = kind()
            ids.append(command.command_id)
            control.submit(run, command)  # type: ignore[arg-type]
        steering.look()
    given_receipts = [r.command_id for r in recorder.state.receipts if r.command != "unknown"]
    assert given_receipts == ids
    assert control.pending(run) == []
    assert not recorder.state.status.is_over


async def test_nothing_running_means_nothing_can_be_skipped(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    control.submit(run, control.SkipStep())
    steering.look()
    assert [(r.outcome, r.detail) for r in recorder.state.receipts] == [("refused", "no step is running right now")]


async def test_the_kind_of_interruption_follows_the_command(tmp_path: Path) -> None:
    for command, kind in ((control.SkipIteration(), IterationInterrupted), (control.Stop(now=True), RunInterrupted)):
        run, _, steering = steering_of(tmp_path)
        work = asyncio.create_task(steering.interruptible(asyncio.sleep(1000)))
        await asyncio.sleep(0)
        control.submit(run, command)
        steering.look()
        with pytest.raises(kind):
            await work


async def test_a_cancellation_that_no_command_asked_for_stays_a_cancellation(tmp_path: Path) -> None:
    _, _, steering = steering_of(tmp_path)
    work = asyncio.create_task(steering.interruptible(asyncio.sleep(1000)))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_a_command_that_an_earlier_engine_answered_is_not_applied_again(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    pause = control.Pause()
    control.submit(run, pause)
    steering.look()
    control.submit(run, pause)
    steering.look()
    assert len(recorder.state.receipts) == 1


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_file_that_an_earlier_engine_answered_gets_no_second_receipt(tmp_path: Path, is_over: bool) -> None:
    run, recorder, steering = steering_of(tmp_path)
    spoilt, stop = run.control / "0-spoilt.json", control.Stop()
    for _ in range(2):  # the second time as if that engine had died before it could move the files
        spoilt.write_text("{")
        control.submit(run, stop)
        steering.refuse_pending("the run is over") if is_over else steering.look()
    assert [receipt.command_id for receipt in recorder.state.receipts] == [spoilt.stem, stop.command_id]
    assert control.pending(run) == []


class Died(BaseException):
    """The engine is gone."""


def test_what_an_engine_did_before_it_died_and_gave_no_receipt_is_done_once(tmp_path: Path) -> None:
    run, recorder, _ = steering_of(tmp_path)
    say, more = control.Say(text="smaller"), control.RaiseLimit(tokens=500)
    recorder.emit(RunStarted(dataset="d", model="m", iterations=1, settings={"budget_tokens": 1_000}))
    recorder.close()

    def dies(event: EventBase, state: RunState) -> None:
        if isinstance(event, NoteReceived | LimitRaised):
            raise Died

    for command in (say, more):
        control.submit(run, command)
        recorder = Recorder(run.journal, run.run_id)
        recorder.listeners.append(dies)
        with pytest.raises(Died):
            Steering(run, recorder).look()
        recorder.close()
        recorder = Recorder(run.journal, run.run_id)
        Steering(run, recorder).look()
        recorder.close()
    assert [receipt.command_id for receipt in recorder.state.receipts] == [say.command_id, more.command_id]
    assert recorder.state.allowed(Limit.TOKENS) == 1_500
    told = [event for event in JournalReader(run.journal).read_all() if isinstance(event, NoteReceived | LimitRaised)]
    assert len(told) == 2


async def test_notes_that_were_not_delivered_are_taken_up_by_the_next_engine(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    for text in ("first", "second"):
        control.submit(run, control.Say(text=text))
    steering.look()
    recorder.close()
    recorder = Recorder(run.journal, run.run_id)
    steering = Steering(run, recorder)
    assert steering.take_notes() == ["first", "second"]
    assert steering.take_notes() == []
    assert all(note.delivered for note in recorder.state.notes.values())


async def test_a_command_that_comes_too_late_is_refused_with_the_reason(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    control.submit(run, control.Pause())
    steering.refuse_pending("the run is over")
    assert [(r.command, r.outcome, r.detail) for r in recorder.state.receipts] == [
        ("pause", "refused", "the run is over")
    ]


async def test_what_ends_more_replaces_what_ends_less_while_its_tools_are_still_going(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.05)

    work = asyncio.create_task(steering.interruptible(slow_to_end()))
    await asyncio.sleep(0.01)
    for command in (control.SkipStep(), control.Stop(now=True), control.SkipIteration()):
        control.submit(run, command)
        steering.look()
        await asyncio.sleep(0)
    with pytest.raises(RunInterrupted):
        await work
    assert [receipt.outcome for receipt in recorder.state.receipts] == ["accepted", "accepted", "refused"]


async def test_what_lies_in_the_control_folder_by_mistake_does_not_hold_up_commands(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    (run.control / "0.json").mkdir()
    (run.control / "1.json").symlink_to("nowhere")
    control.submit(run, control.Pause())
    steering.look()
    assert [receipt.command for receipt in recorder.state.receipts] == ["pause"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (control.SkipStep(iteration=1, step=StepName.DATA_SPLIT), "step Data split is over already"),
        (control.SkipStep(iteration=0, step=StepName.MODEL_TRAINING), "iteration 0 is over already"),
        (control.SkipIteration(iteration=0), "iteration 0 is over already"),
        (control.SkipStep(iteration=1, step=StepName.MODEL_TRAINING), None),
        (control.SkipStep(), None),
    ],
)
async def test_a_skip_ends_only_what_the_person_saw(tmp_path: Path, command: control.Skip, said: str | None) -> None:
    run, recorder, steering = steering_of(tmp_path)
    recorder.iteration, recorder.step = 1, StepName.MODEL_TRAINING
    work = asyncio.create_task(steering.interruptible(asyncio.sleep(1000)))
    await asyncio.sleep(0)
    control.submit(run, command)  # type: ignore[arg-type]
    steering.look()
    await asyncio.sleep(0)
    (receipt,) = recorder.state.receipts
    if said is None:
        assert receipt.outcome == "accepted"
    else:
        assert (receipt.outcome, receipt.detail) == ("refused", said)
        work.cancel()
    await asyncio.wait([work])
    assert work.exception() is not None if said is None else work.cancelled()


@pytest.mark.parametrize(("answer", "held"), [("approve", True), ("reject", True), (None, True), ("stop", False)])
async def test_a_pause_outlasts_an_approval_that_came_before_it_was_reached(
    tmp_path: Path, answer: str | None, held: bool
) -> None:
    run, recorder, steering = steering_of(tmp_path)
    recorder.emit(RunStarted(dataset="d", model="m", iterations=1))

    async def asks() -> None:
        await steering.approvals.ask(Subject(Gate.PLAN, "a plan", "plan.yaml", "x", lambda text: []))
        await steering.pass_gate()

    def gives(command: control.Command) -> None:
        control.submit(run, command)
        steering.look()

    gives(control.Pause())
    work = asyncio.create_task(steering.interruptible(asks()))
    await asyncio.sleep(0.01)
    if answer is None:  # the step is ended, and the next one comes
        work.cancel()
        await asyncio.wait([work])
        work = asyncio.create_task(steering.pass_gate())
    elif answer == "stop":
        gives(control.Stop())
        gives(control.Answer(approval=1, verdict="approve"))
    else:
        gives(control.Answer(approval=1, verdict=answer, reason="too big"))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    assert (recorder.state.status is RunStatus.HELD) == held
    if held:
        assert recorder.state.reason == "paused by a person"
        gives(control.Resume())
    await asyncio.wait_for(work, 10)
    assert recorder.state.status is (RunStatus.RUNNING if held else RunStatus.STOPPING)
    assert all(receipt.outcome == "accepted" for receipt in recorder.state.receipts)


def test_a_gate_that_is_named_twice_is_one(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    control.submit(run, control.SetGates(gates=[Gate.TRAINING, Gate.PLAN, Gate.TRAINING]))
    steering.look()
    assert recorder.state.gates == [Gate.PLAN, Gate.TRAINING]
    assert recorder.state.receipts[-1].detail == "approval of plan and training"


@pytest.mark.parametrize("command", [control.Resume(), control.Stop()])
async def test_a_pause_right_after_what_lets_the_run_go_on_holds_it_again(
    tmp_path: Path, command: control.Command
) -> None:
    run, recorder, steering = steering_of(tmp_path)
    recorder.emit(RunStarted(dataset="d", model="m", iterations=1))
    control.submit(run, control.Pause())
    work = asyncio.create_task(steering.pass_gate())
    await asyncio.sleep(0.01)
    for one in (command, control.Pause()):  # both wait when the engine looks
        control.submit(run, one)
    steering.look()
    await asyncio.sleep(0.01)
    assert [receipt.outcome for receipt in recorder.state.receipts] == ["accepted"] * 3
    assert not work.done()
    assert recorder.state.status is RunStatus.HELD
    control.submit(run, control.Resume())
    steering.look()
    await asyncio.wait_for(work, 10)
