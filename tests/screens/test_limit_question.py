"""The question at a limit: it comes by itself, each answer reaches the engine, and it goes when it is settled."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from agents import control
from agents import events as ev
from agents.vocabulary import BUILTIN_MODEL, Limit, RunStatus
from screens.dashboard import DashboardScreen
from screens.limit_question import LimitScreen
from screens.notes import SayScreen
from tests.support import journals
from tests.support.watching import app_on, dashboard_of, opened, settled, text_of, until, with_engine

RUNS = Path("runs")


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def _asked(pilot: Pilot[str]) -> LimitScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, LimitScreen), "the question")
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, LimitScreen)
    return screen


async def _commands(pilot: Pilot[str], run: journals.StagedRun, count: int) -> list[control.Command]:
    await until(pilot, lambda: len(control.pending(run.folder)) == count, "the command files")
    commands = [control.load(path) for path in control.pending(run.folder)]
    assert not any(isinstance(command, str) for command in commands)
    return commands


@pytest.mark.parametrize(
    ("limit", "words", "given"),
    [
        (Limit.USD, "$0.41 used of $0.45 allowed", {"usd": 0.45}),
        (Limit.TOKENS, "198,400 tokens used of 200,000 tokens allowed", {"tokens": 200_000}),
        (Limit.TIME, "55m00s used of 1h00m allowed", {"seconds": 3_600.0}),
    ],
)
async def test_it_opens_by_itself_and_raises_by_as_much_again(limit: Limit, words: str, given: dict) -> None:
    run = with_engine(journals.limit_run(RUNS, limit=limit))
    async with opened(run) as pilot:
        await _asked(pilot)
        assert words in text_of(pilot)
        await pilot.press("r", "enter")
        (raised,) = await _commands(pilot, run, 1)
        assert isinstance(raised, control.RaiseLimit)
        assert (
            raised.model_dump(exclude_none=True, exclude={"command_id", "by", "command", "session", "take_control"})
            == given
        )
        assert pilot.app.screen is dashboard_of(pilot)


async def test_another_amount_is_typed_and_one_that_is_none_is_not_taken() -> None:
    run = with_engine(journals.limit_run(RUNS))
    async with opened(run) as pilot:
        screen = await _asked(pilot)
        field = screen.query_one(Input)
        await pilot.press("down", "enter")
        assert field.has_focus
        field.value = "much [/"
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.screen is screen
        assert "type an amount such as 5 or 2.50" in text_of(pilot)
        field.value = "12.5"
        await pilot.pause()
        assert "allows $12.95 in all" in text_of(pilot)
        await pilot.press("enter")
        (raised,) = await _commands(pilot, run, 1)
        assert isinstance(raised, control.RaiseLimit)
        assert raised.usd == 12.5


@pytest.mark.parametrize(
    ("keys", "evaluate"), [(["f"], True), (["e"], False), (["down", "down", "enter"], True), (["up", "enter"], False)]
)
async def test_it_ends_the_run_with_and_without_an_evaluation(keys: list[str], evaluate: bool) -> None:
    run = with_engine(journals.limit_run(RUNS))
    async with opened(run) as pilot:
        await _asked(pilot)
        await pilot.press(*keys)
        (command,) = await _commands(pilot, run, 1)
        assert isinstance(command, control.Stop)
        assert (command.now, command.evaluate) == (True, evaluate)


async def test_a_run_without_a_model_is_not_offered_to_have_one_tested() -> None:
    run = journals.first_training_run(RUNS)
    run.emit(ev.LimitReached(limit=Limit.USD, used=1, allowed=1, message="m"))
    run.emit(ev.Held(reason="m"))
    with_engine(run)
    async with opened(run) as pilot:
        screen = await _asked(pilot)
        shown = text_of(pilot)
        assert "End: no model yet to test; resume later" in shown
        assert "Finish now" not in shown
        await pilot.press("f")
        await pilot.pause()
        assert pilot.app.screen is screen
        await pilot.press("e")
        (command,) = await _commands(pilot, run, 1)
        assert isinstance(command, control.Stop)
        assert (command.now, command.evaluate) == (True, False)


@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_later_lets_the_run_stand_and_p_asks_again(key: str) -> None:
    run = with_engine(journals.limit_run(RUNS))
    async with opened(run) as pilot:
        await _asked(pilot)
        await pilot.press(key)
        await pilot.pause(0.6)
        dashboard = dashboard_of(pilot)
        assert pilot.app.screen is dashboard
        shown = text_of(pilot)
        assert "The run stands at its limit: the next model call may cost $0.12" in shown
        assert "Press p to decide" in shown
        assert "‖ at limit" in shown
        await pilot.press("p")
        await _asked(pilot)
        assert not control.pending(run.folder)


async def test_it_goes_when_somebody_else_has_answered_and_comes_again_at_the_next_limit() -> None:
    run = with_engine(journals.limit_run(RUNS))
    async with opened(run) as pilot:
        await _asked(pilot)
        run.emit(ev.LimitRaised(limit=Limit.USD, allowed=0.9, by="ana@lab"), 60)
        await until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen), "it has gone")
        await until(pilot, lambda: "Limit raised by ana@lab: $0.90 in all." in text_of(pilot), "the toast")
        assert "$0.41 of $0.90" in text_of(pilot)
        run.emit(ev.Released())
        run.emit(ev.LimitReached(limit=Limit.USD, used=0.89, allowed=0.9, message="again"), 60)
        run.emit(ev.Held(reason="again"))
        assert (await _asked(pilot)).limit.used == 0.89
        run.emit(ev.CommandReceived(command_id="s", command="stop", by="ana@lab", outcome="accepted"))
        run.emit(ev.Released())
        run.finish(RunStatus.STOPPED, "stopped by ana@lab")
        await until(pilot, lambda: isinstance(pilot.app.screen, DashboardScreen), "it has gone")
        assert not control.pending(run.folder)


async def test_it_waits_until_a_note_is_written_and_goes_once_nothing_lies_over_it() -> None:
    run = with_engine(journals.asking_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("h")
        run.emit(ev.LimitReached(limit=Limit.USD, used=1, allowed=1, message="m"))
        run.emit(ev.Held(reason="m"))
        await until(pilot, lambda: dashboard_of(pilot).state.status is RunStatus.HELD, "the hold is known")
        await pilot.pause(0.5)
        assert isinstance(pilot.app.screen, SayScreen)
        await pilot.press("escape")
        await _asked(pilot)
        await pilot.press("ctrl+p")
        run.emit(ev.LimitRaised(limit=Limit.USD, allowed=2))
        await until(pilot, lambda: dashboard_of(pilot).state.limit is None, "the answer is known")
        await pilot.pause(0.5)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is dashboard_of(pilot), "it has gone")


async def test_a_run_whose_engine_is_gone_is_resumed_and_not_asked_about() -> None:
    run = journals.limit_run(RUNS)
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.pause(0.6)
        assert pilot.app.screen is dashboard
        assert "Press p to resume it" in text_of(pilot)


async def test_a_paused_run_is_not_asked_about() -> None:
    run = with_engine(journals.held_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.pause(0.6)
        assert pilot.app.screen is dashboard
        assert dashboard.state.model == BUILTIN_MODEL


@pytest.mark.parametrize("text", ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+", "\x1b[31mred"])
async def test_what_was_reached_is_text_and_no_markup(text: str) -> None:
    run = with_engine(journals.asking_run(RUNS))
    run.emit(ev.LimitReached(limit=Limit.USD, used=1, allowed=1, message=f"It: {text}"))
    run.emit(ev.Held(reason=text))
    async with opened(run, (80, 24)) as pilot:
        await _asked(pilot)
        assert ("It: red" if "red" in text else text) in text_of(pilot)


async def test_leaving_says_how_to_decide() -> None:
    app = app_on(with_engine(journals.limit_run(RUNS)))
    async with app.run_test() as pilot:
        await _asked(pilot)
        await pilot.press("escape", "q")
        await pilot.pause()
    words = "The run stands at its limit; decide how it goes on with: agentomics-tui watch peptides-demo"
    assert app.return_value == words
