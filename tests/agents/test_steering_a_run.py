"""A person steers a whole run: scripted model, real tools, real training, real scores."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents import control
from agents.events import ApprovalAnswered, NoteDelivered, StepRepeated, StepStarted, ToolCallStarted
from agents.models.gateway import Message, ModelReply
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.steps.facts import StepFacts
from agents.vocabulary import Gate, NoteTime, RunStatus, StepName, StepStatus, ToolOutcome
from tests.support.expert import Expert, competent
from tests.support.leading import Ended, lead
from tests.support.models import calls
from tests.support.person import Person
from tests.support.shell import write_dataset

PLAN, REPRESENTATION, ARCHITECTURE, TRAINING = (
    StepName.ITERATION_PLAN,
    StepName.DATA_REPRESENTATION,
    StepName.MODEL_ARCHITECTURE,
    StepName.MODEL_TRAINING,
)
FIRST = (0, REPRESENTATION)
ONCE = "touch begun; [ -e ../again-$(basename $PWD) ] && exit; touch ../again-$(basename $PWD); sleep 1000"
"""Runs without end the first time: a step that was paused is given the same reply again."""


def new_run(folder: Path, **settings: object) -> RunFolder:
    write_dataset(folder / "toxicity")
    values = {"iterations": 1, "max_validation_retries": 1, **settings}
    return create_run(folder / "runs", RunSettings(dataset=folder / "toxicity", **values), "1.0")  # type: ignore[arg-type]


async def led(run: RunFolder, expert: Expert, person: Callable[[Person], Awaitable[None]]) -> tuple[Ended, Person]:
    """The run after its end, and the person, who did ``person`` meanwhile."""
    watcher = Person(run)
    ended, _ = await asyncio.gather(lead(run.root.parent, expert, run=run), person(watcher))
    watcher.look()
    return ended, watcher


def busy_once(reply: ModelReply = calls(("bash", {"command": ONCE}))):  # noqa: B008
    """Runs a tool without end the first time, and does the step well the second."""
    asked = []

    def turn(facts: StepFacts, turn: int) -> ModelReply:
        asked.append(turn)
        return reply if len(asked) == 1 else competent(facts, 0)

    return turn


def starts(person: Person, step: StepName) -> int:
    return sum(isinstance(event, StepStarted) and event.step is step for event in person.seen)


# --- pause at once, and redo -----------------------------------------------------------------------------------------


async def test_a_pause_at_once_ends_the_tool_and_the_step_begins_again_after_it(tmp_path: Path) -> None:
    run = new_run(tmp_path)

    async def pauses(person: Person) -> None:
        await person.sees(lambda state: (run.step(*FIRST) / "begun").exists())
        receipt = await person.gives(control.Pause(now=True))
        assert (receipt.outcome, receipt.detail) == (
            "accepted",
            "the tool is ended, and its step begins again after the pause",
        )
        await person.sees(lambda state: state.status is RunStatus.HELD)
        assert person.state.tool_calls[-1].outcome is ToolOutcome.CANCELLED
        assert (await person.gives(control.Pause(now=True))).outcome == "refused"
        assert (await person.gives(control.Resume())).outcome == "accepted"

    ended, person = await led(run, Expert({FIRST: busy_once()}), pauses)
    assert ended.state.status is RunStatus.FINISHED
    assert starts(person, REPRESENTATION) == 2
    assert (run.iteration(0) / "interrupted" / "data_representation-1" / "begun").exists()
    assert ended.state.iterations[0].steps[REPRESENTATION].status is StepStatus.DONE
    assert len(ended.state.idle) == 1


async def test_a_pause_while_a_tool_finishes_can_be_made_a_pause_at_once(tmp_path: Path) -> None:
    run = new_run(tmp_path)

    async def pauses(person: Person) -> None:
        await person.sees(lambda state: (run.step(*FIRST) / "begun").exists())
        await person.gives(control.Pause())
        assert person.state.status is RunStatus.PAUSING
        assert (await person.gives(control.Pause())).outcome == "refused"
        assert (await person.gives(control.Pause(now=True))).outcome == "accepted"
        await person.sees(lambda state: state.status is RunStatus.HELD)
        await person.gives(control.Resume())

    ended, _ = await led(run, Expert({FIRST: busy_once()}), pauses)
    assert ended.state.status is RunStatus.FINISHED


async def test_redo_goes_back_to_an_earlier_step_with_a_note(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    expert = Expert({(0, ARCHITECTURE): busy_once()})

    async def redoes(person: Person) -> None:
        await person.sees(lambda state: (run.step(0, ARCHITECTURE) / "begun").exists())
        late = await person.gives(control.Redo(back_to=TRAINING))
        assert (late.outcome, late.detail) == ("refused", "step Model training has not begun yet")
        seen = control.Redo.seen(person.state).model_copy(update={"back_to": REPRESENTATION, "note": "use the length"})
        assert (await person.gives(seen)).detail == "step Data representation begins again"

    ended, person = await led(run, expert, redoes)
    assert ended.state.status is RunStatus.FINISHED
    assert (starts(person, REPRESENTATION), starts(person, ARCHITECTURE)) == (2, 2)
    [repeated] = [event for event in person.seen if isinstance(event, StepRepeated)]
    assert repeated.step is REPRESENTATION
    [note] = ended.state.notes.values()
    assert (note.text, note.delivered, note.step) == ("use the length", True, REPRESENTATION)
    assert note.followed.startswith("output: ")
    kept = run.iteration(0) / "interrupted"
    assert {path.name for path in kept.iterdir()} == {"data_representation-1", "model_architecture-1"}
    assert json.loads((kept / "data_representation-1" / "output.json").read_text())


async def test_a_step_that_is_over_is_not_begun_again_by_a_late_redo(tmp_path: Path) -> None:
    run = new_run(tmp_path)

    async def redoes(person: Person) -> None:
        await person.sees(lambda state: (run.step(*FIRST) / "begun").exists())
        receipt = await person.gives(control.Redo(iteration=0, step=PLAN))
        assert (receipt.outcome, receipt.detail) == ("refused", "step Iteration plan is over already")
        await person.gives(control.SkipStep.seen(person.state))

    ended, _ = await led(run, Expert({FIRST: busy_once()}), redoes)
    assert ended.state.status is RunStatus.FINISHED


# --- notes -----------------------------------------------------------------------------------------------------------


async def test_a_note_goes_out_when_its_time_has_come_and_can_be_changed_until_then(tmp_path: Path) -> None:
    run = new_run(tmp_path, iterations=2)
    told: dict[tuple[int, StepName], str] = {}

    class Listening(Expert):
        def answer(self, messages: list[Message]) -> ModelReply:  # type: ignore[override]
            reply = super().answer(messages)
            told.setdefault(self.asked[-1], json.dumps(messages))
            return reply

    first, second, third = (
        control.Say(text="for the plan", when=NoteTime.PLAN),
        control.Say(text="for the step", when=NoteTime.STEP),
        control.Say(text="xyzzy"),
    )

    async def says(person: Person) -> None:
        await person.sees(lambda state: (run.step(*FIRST) / "begun").exists())
        for note in (first, second, third):
            assert (await person.gives(note)).outcome == "accepted"
        await person.gives(control.WithdrawNote(note_id=third.command_id))
        changed = control.EditNote(note_id=second.command_id, text="for the next step")
        assert (await person.gives(changed)).detail == "goes to the agent when its next step begins"
        gone = await person.gives(control.EditNote(note_id=third.command_id, text="x"))
        assert (gone.outcome, gone.detail) == ("refused", "it was withdrawn already")
        await person.gives(control.SkipStep.seen(person.state))
        await person.sees(lambda state: state.notes[second.command_id].delivered)
        late = await person.gives(control.WithdrawNote(note_id=second.command_id))
        assert late.outcome == "refused"
        assert late.detail.startswith("the agent has it already, since step ")

    ended, person = await led(run, Listening({FIRST: busy_once()}), says)
    assert ended.state.status is RunStatus.FINISHED
    delivered = {
        event.note_id: (event.iteration, event.step) for event in person.seen if isinstance(event, NoteDelivered)
    }
    assert delivered == {second.command_id: (0, ARCHITECTURE), first.command_id: (1, PLAN)}
    assert "for the next step" in told[0, ARCHITECTURE]
    assert "for the plan" not in told[0, TRAINING]
    assert "for the plan" in told[1, PLAN]
    assert all("xyzzy" not in text for text in told.values())
    assert ended.state.notes[first.command_id].followed == "plan: the column length"


async def test_a_note_for_a_plan_that_never_comes_is_told_so(tmp_path: Path) -> None:
    run = new_run(tmp_path)

    async def says(person: Person) -> None:
        await person.sees(lambda state: (run.step(*FIRST) / "begun").exists())
        receipt = await person.gives(control.Say(text="x", when=NoteTime.PLAN))
        assert receipt.detail == "waits for a next plan, and none is planned any more"
        await person.gives(control.SkipStep.seen(person.state))

    ended, _ = await led(run, Expert({FIRST: busy_once()}), says)
    assert [note.waits for note in ended.state.notes.values()] == [True]


# --- approvals -------------------------------------------------------------------------------------------------------


async def test_a_plan_is_rejected_then_edited_and_the_edited_one_is_carried_out(tmp_path: Path) -> None:
    run = new_run(tmp_path, approve=(Gate.PLAN,))
    told = []

    def plans(facts: StepFacts, turn: int) -> ModelReply:
        told.append(turn)
        return competent(facts, turn)

    async def decides(person: Person) -> None:
        await person.sees(lambda state: state.status is RunStatus.HELD)
        assert person.state.approval is not None
        assert person.state.approval.gate is Gate.PLAN
        assert (await person.gives(control.Resume())).detail == "the run waits for an approval: approve or reject it"
        await person.gives(control.Answer(approval=1, verdict="reject", reason="too dull"))
        await person.sees(lambda state: state.approval is not None and state.approval.approval == 2)
        asked = person.state.approval
        text = (run.root / asked.subject).read_text()
        late = await person.gives(control.Answer(approval=1, verdict="approve"))
        assert late.detail == "approval 1 is settled already; approval 2 waits now"
        for spoilt, why in (
            ("[", "this is no YAML"),
            (text.replace("mode: baseline", "mode: wild"), "mode: "),
            (text.replace("mode: baseline", "mode: refine"), "baseline"),
        ):
            receipt = await person.gives(control.Answer(approval=2, verdict="edit", text=spoilt))
            assert receipt.outcome == "refused"
            assert why in receipt.detail
        edited = text.replace("change: the column noise", "change: the column that I want")
        assert (await person.gives(control.Answer(approval=2, verdict="edit", text=edited))).outcome == "accepted"

    ended, person = await led(run, Expert({(0, PLAN): plans}), decides)
    assert ended.state.status is RunStatus.FINISHED
    assert told == [0, 1], "a rejection is answered in the same conversation"
    assert ended.state.iterations[0].change == "the column that I want"
    plan = json.loads((run.step(0, PLAN) / "output.json").read_text())
    assert plan["change"] == "the column that I want"
    verdicts = [event.verdict for event in person.seen if isinstance(event, ApprovalAnswered)]
    assert verdicts == ["reject", "edit"]
    assert ended.state.iterations[0].steps[PLAN].rejections == 0, "a person's no is not the model's mistake"


async def test_a_training_waits_with_its_script_and_what_changed_in_it(tmp_path: Path) -> None:
    run = new_run(tmp_path, approve=(Gate.TRAINING,), iterations=2)

    async def decides(person: Person) -> None:
        await person.sees(lambda state: state.approval is not None)
        first = person.state.approval
        assert first is not None
        assert first.title.startswith("train.py --train-data")
        assert first.change is None
        assert not any(isinstance(e, ToolCallStarted) and e.title == first.title for e in person.seen)
        script = (run.root / first.subject).read_text()
        bad = await person.gives(control.Answer(approval=1, verdict="edit", text="def"))
        assert "this is no Python" in bad.detail
        edited = script + "\nprint('as a person wants it')\n"
        await person.gives(control.Answer(approval=1, verdict="edit", text=edited))
        await person.sees(lambda state: state.approval is not None and state.approval.approval == 2)
        second = person.state.approval
        assert second is not None
        assert second.change is not None
        change = (run.root / second.change).read_text()
        assert change.startswith("--- train.py of iteration 0\n+++ train.py\n")
        assert "-print('as a person wants it')" in change
        await person.gives(control.Answer(approval=2, verdict="approve"))

    expert = Expert()
    ended, _ = await led(run, expert, decides)
    assert ended.state.status is RunStatus.FINISHED
    assert "as a person wants it" in (run.step(0, TRAINING) / "train.py").read_text()
    training = next(call for call in ended.state.tool_calls if call.title.startswith("train.py --train"))
    assert "as a person wants it" in (run.root / training.log).read_text()


async def test_a_rejected_training_goes_back_to_the_model_with_the_reason(tmp_path: Path) -> None:
    run = new_run(tmp_path, approve=(Gate.TRAINING,))
    answers: list[str] = []

    class Listening(Expert):
        def answer(self, messages: list[Message]) -> ModelReply:  # type: ignore[override]
            answers.extend(str(message["content"]) for message in messages if message["role"] == "tool")
            reply = super().answer(messages)
            return competent(self.seen[self.asked[-1]], 0) if any("did not let" in a for a in answers[-2:]) else reply

    async def decides(person: Person) -> None:
        await person.sees(lambda state: state.approval is not None)
        await person.gives(control.Answer(approval=1, verdict="reject", reason="a smaller one"))
        await person.sees(lambda state: state.approval is not None and state.approval.approval == 2)
        await person.gives(control.SetGates(gates=[]))

    ended, person = await led(run, Listening(), decides)
    assert ended.state.status is RunStatus.FINISHED
    assert "The person who watches did not let this run: a smaller one" in answers
    verdicts = [event.verdict for event in person.seen if isinstance(event, ApprovalAnswered)]
    assert verdicts == ["reject", "approve"], "what waits at a gate that is taken away goes on"


@pytest.mark.parametrize("how", [control.SkipIteration, control.Redo])
async def test_what_ends_a_step_settles_its_approval(tmp_path: Path, how: type[control.Skip]) -> None:
    run = new_run(tmp_path, approve=(Gate.PLAN,))

    async def ends(person: Person) -> None:
        await person.sees(lambda state: state.status is RunStatus.HELD)
        await person.gives(how.seen(person.state))  # type: ignore[arg-type]
        if how is control.Redo:
            await person.sees(lambda state: state.approval is not None and state.approval.approval == 2)
            await person.gives(control.SetGates(gates=[]))

    ended, person = await led(run, Expert(), ends)
    assert ended.state.status.is_over
    assert ended.state.approval is None
    assert next(event for event in person.seen if isinstance(event, ApprovalAnswered)).verdict is None
