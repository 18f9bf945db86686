"""What a person is asked while steering: approvals, notes, steps to redo, and who holds control."""

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from agentomics_tui.app import AgentomicsApp
from agents import control
from agents import events as ev
from agents.holder import Control, holder_of
from agents.vocabulary import Gate, NoteTime, StepName
from screens.approval import ApprovalScreen
from screens.messages import ControlSeen
from tests.support import journals
from tests.support.watching import app_on, dashboard_of, opened, settled, text_of, until, with_engine

RUNS = Path("runs")
SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def left(pilot: Pilot[str], run: journals.StagedRun) -> control.Command:
    """The newest command that was left for the engine."""
    await until(pilot, lambda: bool(control.pending(run.folder)), "a command file")
    command = control.load(control.pending(run.folder)[-1])
    assert not isinstance(command, str)
    return command


async def asked(pilot: Pilot[str]) -> ApprovalScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, ApprovalScreen), "the question")
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, ApprovalScreen)
    return screen


# --- approvals -------------------------------------------------------------------------------------------------------


async def test_what_waits_opens_by_itself_and_is_approved_by_a_key() -> None:
    run = with_engine(journals.approval_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await asked(pilot)
        assert "The plan waits for your approval" in text_of(pilot)
        assert "3-mers instead of 2-mers" in text_of(pilot)
        await pilot.press("a")
        answer = await left(pilot, run)
        assert isinstance(answer, control.Answer)
        assert (answer.approval, answer.verdict) == (1, "approve")


async def test_a_plan_is_edited_and_approved() -> None:
    run = with_engine(journals.approval_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        screen = await asked(pilot)
        await pilot.press("e")
        area = screen.query_one(TextArea)
        area.load_text(area.text.replace("800", "400"))
        await pilot.press("ctrl+s")
        answer = await left(pilot, run)
        assert isinstance(answer, control.Answer)
        assert answer.verdict == "edit"
        assert answer.text == journals.PLAN_TEXT.replace("800", "400")


async def test_editing_can_be_given_up_and_keys_are_text_while_it_lasts() -> None:
    run = with_engine(journals.approval_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        screen = await asked(pilot)
        await pilot.press("e", "a", "r", "d")
        assert screen.query_one(TextArea).text != journals.PLAN_TEXT
        await pilot.press("escape")
        assert screen.query_one(TextArea).text == journals.PLAN_TEXT
        assert pilot.app.screen is screen
        assert not control.pending(run.folder)


async def test_a_rejection_needs_a_reason() -> None:
    run = with_engine(journals.approval_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        screen = await asked(pilot)
        await pilot.press("r", "enter")
        assert pilot.app.screen is screen
        await pilot.press(*"too big", "enter")
        answer = await left(pilot, run)
        assert isinstance(answer, control.Answer)
        assert (answer.verdict, answer.reason) == ("reject", "too big")


async def test_what_changed_in_a_script_is_a_key_away_and_later_lets_it_wait() -> None:
    run = with_engine(journals.approval_run(RUNS, gate=Gate.TRAINING))
    async with opened(run) as pilot:
        await settled(pilot)
        screen = await asked(pilot)
        await pilot.press("d")
        assert "-TREES = 400" in text_of(pilot)
        await pilot.press("d")
        assert "-TREES = 400" not in text_of(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)
        assert "waits for your approval" in text_of(pilot)
        await pilot.pause(0.6)
        assert pilot.app.screen is dashboard_of(pilot), "it does not open again by itself"
        await pilot.press("p")
        await asked(pilot)


async def test_a_question_that_somebody_else_has_answered_goes_away() -> None:
    run = with_engine(journals.approval_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await asked(pilot)
        run.emit(ev.ApprovalAnswered(approval=1, verdict="approve", by="bo@desk"))
        run.emit(ev.Released())
        await until(pilot, lambda: pilot.app.screen is dashboard)


async def test_gates_are_chosen_with_the_space_bar() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("A", "space", "enter")
        command = await left(pilot, run)
        assert isinstance(command, control.SetGates)
        assert command.gates == [Gate.PLAN]


# --- notes and redo --------------------------------------------------------------------------------------------------


async def test_tab_chooses_when_a_note_goes_out() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("h", *"smaller", "tab", "tab")
        assert "Enter sends it with the next plan" in text_of(pilot)
        await pilot.press("enter")
        command = await left(pilot, run)
        assert isinstance(command, control.Say)
        assert (command.text, command.when) == ("smaller", NoteTime.PLAN)


async def test_a_note_that_waits_is_changed_and_withdrawn_and_others_say_why_not() -> None:
    run = with_engine(journals.noted_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("o", "home")
        shown = text_of(pilot)
        assert "✓ delivered at step Data representation of iteration 3" in shown
        assert "→ output: Charge of both ends added." in shown
        assert "× withdrawn" in shown
        await pilot.press("w")
        await until(pilot, lambda: "The agent has this note already." in text_of(pilot))
        await pilot.press("down", "e")
        pilot.app.screen.query_one(Input).value = "no more than 1 GB"
        await pilot.press("enter")
        changed = await left(pilot, run)
        assert isinstance(changed, control.EditNote)
        assert (changed.note_id, changed.text, changed.when) == ("note-2", "no more than 1 GB", NoteTime.PLAN)
        run.emit(ev.NoteChanged(note_id="note-2", text="no more than 1 GB", when=NoteTime.PLAN))
        await until(pilot, lambda: "no more than 1 GB" in text_of(pilot), "the list follows the journal")
        await pilot.press("w")
        await until(pilot, lambda: len(control.pending(run.folder)) == 2)
        assert isinstance(await left(pilot, run), control.WithdrawNote)


@pytest.mark.parametrize(("keys", "back_to"), [([], None), (["down"], StepName.MODEL_ARCHITECTURE)])
async def test_r_asks_which_step_begins_again(keys: list[str], back_to: StepName | None) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("r", *keys, "enter", *"less", "enter")
        command = await left(pilot, run)
        assert isinstance(command, control.Redo)
        assert (command.step, command.back_to, command.note) == (StepName.MODEL_TRAINING, back_to, "less")


# --- control ---------------------------------------------------------------------------------------------------------


async def test_who_only_watches_takes_control_before_a_command_counts() -> None:
    run = with_engine(journals.running_run(RUNS))
    app = AgentomicsApp(run.folder, RUNS, now=lambda: run.clock.now, steers=False)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "You only watch; nobody steers. Press t to take control." in text_of(pilot))
        await pilot.press("p")
        command = await left(pilot, run)
        holder = holder_of(run.folder)
        assert holder is not None
        assert command.session == holder.session
        await until(pilot, lambda: "You only watch" not in text_of(pilot))
    for _ in range(200):  # the worker's thread outlives the app for a moment
        if holder_of(run.folder) is None:
            break
        await asyncio.sleep(0.02)
    assert holder_of(run.folder) is None, "whoever leaves lets control go"


async def test_control_is_taken_from_somebody_else_only_after_a_question() -> None:
    run = with_engine(journals.running_run(RUNS))
    other = Control(run.folder, "another watcher")
    other.take()
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await until(pilot, lambda: "steers. Press t to take control." in text_of(pilot))
        await pilot.press("p")
        assert "Take control?" in text_of(pilot)
        await pilot.press("escape")
        await pilot.pause(0.3)
        assert not control.pending(run.folder)
        await pilot.press("t", "t")
        await until(pilot, lambda: dashboard.may_steer)
        assert not other.beat(), "it is lost to whoever had it"
        other.take(from_others=True)
        await until(pilot, lambda: "you only watch now" in text_of(pilot), "the loss is told")


async def test_control_that_cannot_be_taken_is_told() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        dashboard.post_message(ControlSeen(False, problem="Permission denied"))
        await until(pilot, lambda: "Control cannot be taken: Permission denied." in text_of(pilot))


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", list(Gate))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_question_of_an_approval(snap_compare, size: tuple[int, int], gate: Gate) -> None:
    async def ready(pilot: Pilot[str]) -> None:
        await settled(pilot)
        (await asked(pilot)).query_one(TextArea).cursor_blink = False
        await pilot.pause()

    app = app_on(with_engine(journals.approval_run(RUNS, gate=gate)))
    assert snap_compare(app, terminal_size=size, run_before=ready)


@pytest.mark.parametrize("key", ["o", "r", "A", "h"])
def test_the_other_questions(snap_compare, key: str) -> None:
    async def ready(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press(key)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    app = app_on(with_engine(journals.noted_run(RUNS)))
    assert snap_compare(app, terminal_size=(80, 24), run_before=ready)


def test_only_watching(snap_compare) -> None:
    async def ready(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await until(pilot, lambda: "You only watch" in text_of(pilot))

    run = with_engine(journals.running_run(RUNS))
    app = AgentomicsApp(run.folder, RUNS, now=lambda: run.clock.now, steers=False)
    assert snap_compare(app, terminal_size=(80, 24), run_before=ready)
