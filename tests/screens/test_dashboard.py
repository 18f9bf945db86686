"""The dashboard in a real app over a real run folder: every key, and what it tells."""

import asyncio
import builtins
import io
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, Static

from agents import control
from agents import events as ev
from agents.fold import fold
from agents.models.gateway import Delta
from agents.vocabulary import RunStatus, StepName, ToolOutcome
from screens.notes import SayScreen
from screens.questions import StopScreen
from screens.widgets.metrics_chart import MetricsChart
from screens.widgets.pane import set_border
from screens.widgets.steps import Steps, running_words
from tests.support import journals
from tests.support.watching import app_on, opened, settled, text_of, until, with_engine


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


RUNS = Path("runs")


async def _command_left(pilot: Pilot[str], run: journals.StagedRun) -> control.Command:
    """The command that the worker has left for the engine."""
    await until(pilot, lambda: bool(control.pending(run.folder)), "a command file")
    command = control.load(control.pending(run.folder)[0])
    assert not isinstance(command, str)
    return command


# --- keys ------------------------------------------------------------------------------------------------------------


def _exploring_errors() -> journals.StagedRun:
    """A run in a step without which its iteration can go on."""
    run = journals.running_run(RUNS)
    step = StepName.PREDICTION_EXPLORATION
    run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
    run.end_step(3, StepName.MODEL_TRAINING)
    run.emit(ev.StepStarted(iteration=3, step=step))
    return with_engine(run)


@pytest.mark.parametrize(("key", "name"), [("p", "pause"), ("s", "skip_step")])
async def test_a_key_leaves_its_command_for_the_engine_and_says_so(key: str, name: str) -> None:
    run = _exploring_errors()
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press(key)
        assert (await _command_left(pilot, run)).command == name
        assert "asked for" in text_of(pilot)


async def test_p_resumes_a_run_that_stands_still() -> None:
    run = with_engine(journals.held_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "Press p to go on" in text_of(pilot)
        await pilot.press("p")
        assert (await _command_left(pilot, run)).command == "resume"


@pytest.mark.parametrize(
    ("keys", "now"),
    [(["f"], False), (["n"], True), (["down", "enter"], False), (["down", "down", "enter"], True)],
)
async def test_x_asks_how_to_stop(keys: list[str], now: bool) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("x")
        assert isinstance(pilot.app.screen, StopScreen)
        await pilot.press(*keys)
        command = await _command_left(pilot, run)
        assert isinstance(command, control.Stop)
        assert command.now is now


@pytest.mark.parametrize(("key", "name"), [("n", "skip_iteration"), ("s", "skip_step")])
@pytest.mark.parametrize("answer", [["same"], ["down", "enter"]], ids=["the key again", "the list"])
async def test_what_ends_an_iteration_asks_first(key: str, name: str, answer: list[str]) -> None:
    run = with_engine(journals.running_run(RUNS))  # it trains, and nothing after that could run without
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: "End iteration 3?" in text_of(pilot), "the question")
        assert "Its work so far is lost." in text_of(pilot)
        assert not control.pending(run.folder)
        await pilot.press(*[key if one == "same" else one for one in answer])
        command = await _command_left(pilot, run)
        assert (command.command, command.iteration) == (name, 3)


@pytest.mark.parametrize("key", ["n", "s"])
@pytest.mark.parametrize("answer", ["escape", "q", "enter"])
async def test_an_iteration_whose_end_is_not_confirmed_goes_on(key: str, answer: str) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.press(key, answer, "p")
        assert (await _command_left(pilot, run)).command == "pause"
        assert len(control.pending(run.folder)) == 1
        assert pilot.app.screen is dashboard


@pytest.mark.parametrize("answer", ["escape", "enter"])
async def test_a_stop_that_is_not_confirmed_stops_nothing(answer: str) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.press("x", answer)
        await pilot.press("p")
        assert (await _command_left(pilot, run)).command == "pause"
        assert len(control.pending(run.folder)) == 1
        assert pilot.app.screen is dashboard


@pytest.mark.parametrize("key", ["h", "colon"])
async def test_a_note_is_typed_and_left_for_the_agent(key: str) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press(key)
        assert isinstance(pilot.app.screen, SayScreen)
        pilot.app.screen.query_one(Input).value = "mind [b]charge[/"
        await pilot.press("enter")
        command = await _command_left(pilot, run)
        assert isinstance(command, control.Say)
        assert command.text == "mind [b]charge[/"


async def test_an_empty_note_is_not_sent() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.press("h", "enter")
        await pilot.pause()
        assert pilot.app.screen is dashboard
        assert not control.pending(run.folder)


def _live(stage: Callable[[Path], journals.StagedRun]) -> Callable[[Path], journals.StagedRun]:
    return lambda runs: with_engine(stage(runs))


@pytest.mark.parametrize(
    ("stage", "status", "words"),
    [
        (_live(journals.running_run), 0, "The run goes on. Watch it again with: agentomics-tui watch peptides-demo"),
        (journals.running_run, 0, "No engine is running; go on with: agentomics-tui resume peptides-demo"),
        (
            _live(journals.held_run),
            0,
            "The run is paused; it goes on when you resume it: agentomics-tui resume peptides-demo",
        ),
        (journals.held_run, 0, "No engine is running; go on with: agentomics-tui resume peptides-demo"),
        (journals.finished_run, 0, "The run is over. Look at it again with: agentomics-tui watch peptides-demo"),
        (journals.failed_run, 1, "The run is over. Look at it again with: agentomics-tui watch peptides-demo"),
    ],
)
async def test_q_leaves_with_the_status_of_the_run(stage, status: int, words: str) -> None:
    run = stage(RUNS)
    app = app_on(run)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert (app.return_value, app.return_code) == (words, status)


async def test_a_refused_dataset_ends_the_app_with_its_reason() -> None:
    app = app_on(journals.refused_run(RUNS))
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.return_value is not None, "the app has left")
    assert app.return_value == "agentomics-tui: train.csv: row 7: no label"
    assert app.return_code == 2


async def test_enter_opens_the_inspector_on_the_selected_call_and_escape_returns() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await pilot.press("up", "enter")
        await until(pilot, lambda: pilot.app.screen is not dashboard, "the inspector")
        assert pilot.app.screen.call.call == run.tools - 1
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is dashboard, "the dashboard again")


async def test_c_puts_the_chart_where_a_small_screen_has_the_tool_calls() -> None:
    async with opened(with_engine(journals.running_run(RUNS)), size=(80, 24)) as pilot:
        dashboard = await settled(pilot)
        chart = dashboard.query_one(MetricsChart)
        assert not chart.region
        await pilot.press("c")
        await pilot.pause()
        assert chart.region
        assert "validation" in text_of(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert not chart.region


@pytest.mark.parametrize("stage", [lambda runs: with_engine(journals.running_run(runs)), journals.finished_run])
async def test_a_chart_that_is_asked_for_gets_the_room_of_a_small_screen_and_gives_it_back(stage) -> None:
    async with opened(stage(RUNS), size=(80, 24)) as pilot:
        dashboard = await settled(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert dashboard.query_one(MetricsChart).content_size.height >= 10
        assert "c goes back" in text_of(pilot)
        assert "●" in text_of(pilot).split("validation")[1], "points, and not the legend alone"
        await pilot.press("c", "enter")
        await until(pilot, lambda: pilot.app.screen is not dashboard, "the keys of the tool calls work again")


async def test_the_result_of_a_run_with_many_metrics_fits_into_a_small_screen() -> None:
    run = with_engine(journals.running_run(RUNS))
    names = ["AUPRC", "ACCURACY", "F1", "MCC", "BALANCED_ACCURACY", "BRIER", "LOG_LOSS"]
    values = {"AUROC": 0.9, **dict.fromkeys(names, 0.5)}
    run.emit(ev.MetricsComputed(split="test", is_test=True, metric="AUROC", values=values, rows=800))
    run.finish(RunStatus.FINISHED, best_iteration=1)
    async with opened(run, size=(80, 24)) as pilot:
        await settled(pilot)
        shown = text_of(pilot)
        assert all(words in shown for words in ("AUROC 0.9000", "LOG_LOSS 0.5000", "report/report.md"))
        assert "Tool calls" in shown


async def test_the_palette_offers_what_works_now() -> None:
    async with opened(with_engine(journals.running_run(RUNS))) as pilot:
        dashboard = await settled(pilot)
        titles = [command.title for command in pilot.app.get_system_commands(dashboard)]
        assert {"Pause", "Skip step", "Next iteration", "Stop", "Say", "Runs", "Leave"} <= set(titles)
        assert "Resume" not in titles
    async with opened(journals.finished_run(RUNS, "over")) as pilot:
        dashboard = await settled(pilot)
        titles = [command.title for command in pilot.app.get_system_commands(dashboard)]
        assert not {"Pause", "Stop", "Say"} & set(titles)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (lambda runs: with_engine(journals.running_run(runs)), "Close the app; the run goes on"),
        (lambda runs: with_engine(journals.held_run(runs)), "Close the app; the run stays paused"),
        (journals.running_run, "Close the app"),
        (journals.finished_run, "Close the app"),
    ],
    ids=["running", "paused", "engine gone", "over"],
)
async def test_what_leaving_does_is_said_as_it_is(stage: Callable[[Path], journals.StagedRun], words: str) -> None:
    async with opened(stage(RUNS)) as pilot:
        dashboard = await settled(pilot)
        palette = {command.title: command.help for command in pilot.app.get_system_commands(dashboard)}
        assert palette["Leave"] == words
        await pilot.press("question_mark")
        await pilot.pause()
        assert f"{words} " in text_of(pilot)
        assert ("goes on" in text_of(pilot)) == ("goes on" in words)


@pytest.mark.parametrize("action", ["pause", "skip_step", "skip_iteration", "stop", "say"])
async def test_keys_that_steer_are_hidden_when_the_run_is_over_and_grey_when_its_engine_is_gone(action: str) -> None:
    async with opened(journals.finished_run(RUNS)) as pilot:
        assert (await settled(pilot)).check_action(action, ()) is False
    async with opened(journals.running_run(RUNS, "deserted")) as pilot:
        deserted = await settled(pilot)
        assert deserted.check_action(action, ()) is (False if action == "pause" else None)
        assert deserted.check_action("resume", ()) is True, "p starts another engine"


# --- what it tells ---------------------------------------------------------------------------------------------------


async def test_a_run_whose_engine_died_says_how_to_go_on_and_nothing_of_it_seems_to_run() -> None:
    run = journals.running_run(RUNS)
    run.folder.engine_log.write_text("Traceback\nMemoryError: [/] no room\n")
    async with opened(run) as pilot:
        await settled(pilot)
        shown = text_of(pilot)
        assert "engine not running" in shown
        assert "Press p to resume it" in shown
        assert "cut off" in shown
        assert "● running" not in shown
        assert "MemoryError: [/] no room" in shown


async def test_a_receipt_is_told_when_it_arrives_and_never_again() -> None:
    run = with_engine(journals.running_run(RUNS))
    run.emit(ev.CommandReceived(command_id="old", command="skip_step", by="ana@lab", outcome="applied"))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "Skip step" not in "".join(text_of(pilot).split("\n")[:-1])
        run.emit(
            ev.CommandReceived(command_id="x", command="pause", by="ana@lab", outcome="refused", detail="no [/why")
        )
        await until(pilot, lambda: "Pause by ana@lab refused: no [/why" in text_of(pilot), "the receipt")


async def test_the_receipt_takes_the_place_of_what_the_key_said() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.press("x", "f")
        command = await _command_left(pilot, run)
        await until(pilot, lambda: "Stop asked for." in text_of(pilot), "the word of the key")
        run.emit(ev.CommandReceived(command_id=command.command_id, command="stop", by=command.by, outcome="accepted"))
        await until(pilot, lambda: "Stop accepted." in text_of(pilot), "the receipt")
        await until(pilot, lambda: "Stop asked for." not in text_of(pilot), "one toast a command")


async def test_two_toasts_stand_at_the_same_time_at_most_and_none_twice() -> None:
    async with opened(with_engine(journals.running_run(RUNS))) as pilot:
        dashboard = await settled(pilot)
        for words in ("first", "second", "third", "third"):
            dashboard.notify(f"{words} toast", markup=False)
        await until(pilot, lambda: "third toast" in text_of(pilot), "the newest")
        await pilot.pause()
        assert "first toast" not in text_of(pilot)
        assert "second toast" in text_of(pilot)
        assert text_of(pilot).count("third toast") == 1


async def test_what_is_appended_appears() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        log = run.folder.tool_calls / f"{run.tools:06d}.log"
        with log.open("a") as file:
            file.write("a line from the tool\n")
        await until(pilot, lambda: "a line from the tool" in text_of(pilot), "the new line")
        run.end_tool(3, StepName.MODEL_TRAINING, "run_python", outcome=ToolOutcome.TIMEOUT, exit_status=None)
        await until(pilot, lambda: "timeout" in text_of(pilot), "the end of the call")
        run.finish(RunStatus.STOPPED, "stopped by ana@lab", best_iteration=1)
        await until(pilot, lambda: "The run was stopped: stopped by ana@lab" in text_of(pilot), "the end")
        assert dashboard.state.status is RunStatus.STOPPED


async def test_a_run_that_has_just_been_made_is_shown_as_starting() -> None:
    run = journals.stage(RUNS)
    run.folder.journal.unlink()
    async with opened(run) as pilot:
        await settled(pilot)
        assert "starting" in text_of(pilot)
        run.clock.pass_(60)
        await until(pilot, lambda: "engine not running" in text_of(pilot), "nobody came")


async def test_a_folder_that_cannot_be_reached_says_so_until_it_can() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        run.folder.root.rename("elsewhere")
        await until(pilot, lambda: "cannot be read right now (peptides-demo: No such file" in text_of(pilot), "it")
        Path("elsewhere").rename(run.folder.root)
        await until(pilot, lambda: "right now" not in text_of(pilot), "the folder is back")


async def test_the_running_step_ticks_in_its_border_without_drawing_the_steps_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        drawn: list[object] = []
        draw = Steps.draw
        monkeypatch.setattr(Steps, "draw", lambda self, *given: drawn.append(given) or draw(self, *given))
        run.clock.pass_(75)
        await until(pilot, lambda: "train for 1m" in text_of(pilot), "the ticking duration")
        assert not drawn


async def test_what_the_steps_came_to_fills_the_room_below_a_short_output() -> None:
    run = with_engine(journals.running_run(RUNS))
    async with opened(run, (200, 60)) as pilot:
        await settled(pilot)
        assert "Validation AUROC rises by 0.01." in text_of(pilot)


async def test_markup_in_a_title_stays_text() -> None:
    class Titled(App[None]):
        CSS = "Static { border: round white; }"

        def compose(self) -> ComposeResult:
            yield Static()

    async with Titled().run_test(size=(60, 5)) as pilot:
        set_border(pilot.app.query_one(Static), Content("[b]x[/b] [/"), Content("[@click=app.bell]y[/]"))
        await pilot.pause()
        shown = "\n".join(
            "".join(segment.text for segment in strip) for strip in pilot.app.screen._compositor.render_strips()
        )
        assert "[b]x[/b] [/" in shown
        assert "[@click=app.bell]y[/]" in shown


async def test_a_run_looks_the_same_watched_from_the_start_and_attached_to_at_the_end() -> None:
    run = journals.finished_run(RUNS)
    journal = run.folder.journal
    whole = journal.read_bytes()
    journal.write_bytes(b"")
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        for start in range(0, len(whole), 20_011):  # pieces end within a line
            with journal.open("ab") as file:
                file.write(whole[start : start + 20_011])
            await pilot.pause(0.05)
        await until(pilot, lambda: dashboard.state.status is RunStatus.FINISHED, "the end of the run")
        await settled(pilot)
        live = text_of(pilot)
    async with opened(run) as pilot:
        await settled(pilot)
        assert text_of(pilot) == live


# --- text from outside -----------------------------------------------------------------------------------------------

HOSTILE = [
    "x[/",
    "a [/etc/x] b",
    "list[int]",
    "[task1]",
    r"\[0-9\]+",
    "[@click=app.bell]x[/]",
    "\x1b[31mred\x1b]0;t\x07",
    "日本語" * 40,
    "e\u0301" * 90,
    "tab\tbell\x07",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_text_from_outside_is_shown_and_never_obeyed(text: str, size: tuple[int, int]) -> None:
    run = with_engine(journals.stage(RUNS))
    _fill_with(run, text)
    async with opened(run, size) as pilot:
        await settled(pilot)
        shown = text_of(pilot)
        assert "\x1b" not in shown
        if text.isascii() and text.isprintable():
            assert text in shown
        await pilot.press("enter")
        await pilot.pause()


def _fill_with(run: journals.StagedRun, text: str) -> None:
    step = StepName.MODEL_TRAINING
    run.emit(ev.RunStarted(dataset=text, model=text, iterations=2))
    run.emit(ev.IterationStarted(iteration=0))
    plan = {"combination": text, "change": text, "reason": text, "expectation": text}
    run.emit(ev.IterationPlanned(iteration=0, mode="baseline", **plan))
    run.emit(ev.StepStarted(iteration=0, step=step))
    run.model_call(0, step, text)
    run.emit(ev.MetricsComputed(split="validation", metric=text, values={text: 0.5}, rows=3, iteration=0))
    run.emit(ev.BestChanged(metric=text, value=0.5, split_version=1, combination=text, iteration=0))
    run.emit(ev.MetricsComputed(split=text, is_test=True, metric=text, values={text: 0.5}, rows=3))
    run.start_tool(0, step, text, text, f"{text}\n")
    run.emit(ev.TrainingProgress(call=1, epoch=1, of=3, values={text: 0.4}, iteration=0, step=step))
    run.emit(ev.TrainingWarned(call=1, rule="silent", message=text, iteration=0, step=step))
    run.emit(ev.NoteReceived(note_id="n", text=text, by=text))
    run.emit(ev.Held(reason=text))


class _MainThreadFiles:
    """Notes each file below a folder that the main thread opens, lists or looks at while it is watched."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self._folder = str(folder.absolute())
        self._main = threading.get_ident()
        for module, name in ((builtins, "open"), (io, "open"), *((os, name) for name in _TOUCH)):
            monkeypatch.setattr(module, name, self._noting(name, getattr(module, name)))

    def _noting(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def noting(path: object = ".", *args: object, **options: object) -> object:
            here = isinstance(path, str | os.PathLike) and str(Path(path).absolute()).startswith(self._folder)
            if here and threading.get_ident() == self._main:
                self.seen.append(f"{name} {path}")
            return real(path, *args, **options)

        return noting


_TOUCH = ("open", "stat", "lstat", "scandir", "listdir", "mkdir", "rename", "replace", "unlink")


async def test_the_event_loop_touches_no_file_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_engine(journals.running_run(RUNS))
    files = _MainThreadFiles(run.folder.root, monkeypatch)
    run.folder.run_json.read_text()
    assert len(files.seen) >= 1  # the watch works
    files.seen.clear()
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        await asyncio.to_thread(run.end_tool, 3, StepName.MODEL_TRAINING, "run_python")
        await until(pilot, lambda: dashboard.state.running_tool_call is None, "the end of the call")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is not dashboard, "the inspector")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is dashboard, "the dashboard again")
        await pilot.press("p")
        await until(pilot, lambda: "Pause asked for" in text_of(pilot), "the toast")
        await pilot.press("question_mark", "question_mark")
        await pilot.resize_terminal(200, 60)
        await settled(pilot)
    assert files.seen == []


async def test_the_event_loop_reads_no_reply_and_writes_no_answer_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_engine(journals.asking_run(RUNS))
    files = _MainThreadFiles(run.folder.root, monkeypatch)
    async with opened(run) as pilot:
        await settled(pilot)
        await asyncio.to_thread(run.stream, Delta("text", "I write a script."))
        await until(pilot, lambda: "I write a script." in text_of(pilot), "the reply")
        await pilot.press("a")
        reached = ev.LimitReached(limit="usd", used=1, allowed=1, message="m")
        await asyncio.to_thread(run.emit, reached)
        await asyncio.to_thread(run.emit, ev.Held(reason="m"))
        await until(pilot, lambda: "The run stands at its limit" in text_of(pilot), "the question")
        await pilot.press("r", "enter")
        await until(pilot, lambda: "Raise of the limit asked for" in text_of(pilot), "the toast")
    assert files.seen == []


def test_the_clock_of_a_step_leaves_out_the_time_on_hold() -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    told = [
        ev.RunStarted(dataset="d", model="m", iterations=1),
        ev.IterationStarted(iteration=0),
        ev.StepStarted(iteration=0, step=StepName.DATA_SPLIT),
        ev.Held(reason="paused by a person"),
    ]
    state = fold(
        event.model_copy(update={"seq": number, "time": start + timedelta(minutes=number)})
        for number, event in enumerate(told)
    )
    assert running_words(state, start + timedelta(hours=5)) == "split for 1m00s", "it stands still at the hold"
