"""What the dashboard shows of a model call that streams, waits for a retry, or is asked again."""

import json
from pathlib import Path

import pytest

from agents import control
from agents import events as ev
from agents.models.gateway import Delta
from agents.models.stream import KEPT
from agents.vocabulary import Limit, StepName
from screens.widgets.live import Live
from tests.support import journals
from tests.support.watching import opened, settled, text_of, until, with_engine

RUNS = Path("runs")
HOSTILE = [
    "x[/",
    "a [/etc/x] b",
    "list[int]",
    "[task1]",
    r"\[0-9\]+",
    "[@click=app.bell]x[/]",
    "\x1b[31mred\x1b]0;t\x07",
    "日本語" * 40,
    "tab\tbell\x07",
]


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- a reply that streams --------------------------------------------------------------------------------------------


async def test_a_reply_appears_as_it_comes_and_gives_way_to_what_it_runs() -> None:
    run = with_engine(journals.asking_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        run.clock.pass_(12)
        await until(pilot, lambda: "asks for 12s" in text_of(pilot), "its age")
        assert "openai/gpt-5, call 41" in text_of(pilot)
        run.stream(Delta("reasoning", "Leaves of three rows "))
        await until(pilot, lambda: "thinks   Leaves of three rows" in text_of(pilot), "the reasoning")
        assert "answers for 12s" in text_of(pilot)
        run.stream(Delta("text", "I train\nit "), Delta("text", "now."))
        await until(pilot, lambda: "it now." in text_of(pilot), "the text")
        run.stream(Delta("tool", '{"command": "ls -l\\nwc', name="bash"))
        await until(pilot, lambda: "writes   bash" in text_of(pilot), "the tool call")
        assert "wc" in text_of(pilot)
        here = {"iteration": 3, "step": StepName.MODEL_TRAINING}
        run.emit(ev.ModelCallFinished(call=41, model=run.model, seconds=14, said="I train it now.", **here))
        await until(pilot, lambda: "writes" not in text_of(pilot), "the reply is over")
        assert "says     I train it now." in text_of(pilot)


async def test_the_newest_lines_of_a_long_script_stay_in_view_below_its_name() -> None:
    run = with_engine(journals.asking_run(RUNS))
    code = "".join(f"line_{number} = {number}\n" for number in range(KEPT // 4))
    arguments = json.dumps({"path": "train.py", "content": code})
    async with opened(run, (80, 24)) as pilot:
        await settled(pilot)
        run.stream(Delta("text", "Now."), Delta("tool", arguments[:-10], name="write_python"))
        await until(pilot, lambda: f"line_{KEPT // 4 - 2} = " in text_of(pilot), "the newest line")
        assert "writes   write_python train.py" in text_of(pilot)
        assert "\\n" not in text_of(pilot)


async def test_half_a_character_is_drawn_as_a_mark() -> None:
    run = with_engine(journals.asking_run(RUNS))
    run.stream(Delta("text", "a \ud800 b"), Delta("tool", '{"command": "c \\ud800 d', name="bash"))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "a \ufffd b" in text_of(pilot)
        assert "c \ufffd d" in text_of(pilot)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_a_model_writes_is_shown_and_never_obeyed(text: str, size: tuple[int, int]) -> None:
    run = with_engine(journals.asking_run(RUNS))
    run.stream(
        Delta("reasoning", text),
        Delta("text", text),
        Delta("tool", json.dumps({"path": text, "content": text}), 0, text),
    )
    run.emit(ev.ModelCallRetried(call=run.models, model=text, reason=text, retry=1, of=2, wait=1))
    async with opened(run, size) as pilot:
        await settled(pilot)
        shown = text_of(pilot)
        assert "\x1b" not in shown
        if text.isascii() and text.isprintable():
            assert text in shown
        run.stream(Delta("tool", text, 0))
        run.emit(ev.ModelChanged(call=run.models, model=text, fallback=text, reason=text))
        run.emit(ev.ReplayDiverged(call=run.models, recorded_call=1, diff=text))
        await until(pilot, lambda: len(_toasts(pilot)) == 2, "the toasts")
        assert "\x1b" not in text_of(pilot)
        before = _toasts(pilot)
        run.emit(ev.ParameterDropped(call=run.models, model=text, parameter=text, reason=text))
        await until(pilot, lambda: _toasts(pilot) != before, "the next one")
        assert "\x1b" not in text_of(pilot)


async def test_what_the_built_in_policy_does_looks_as_ever() -> None:
    run = with_engine(journals.running_run(RUNS))
    run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
    run.start_model_call(3, StepName.MODEL_TRAINING)
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        assert f"thinks   builtin/omics is answering call {run.models}" in text_of(pilot)
        assert "asks" not in text_of(pilot)
        assert dashboard.check_action("ask_again", ()) is False


# --- a call that waits -----------------------------------------------------------------------------------------------


async def test_the_countdown_to_a_retry_ticks_without_drawing_the_pane_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_engine(journals.retrying_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "retry    2 of 5: 429 Too Many Requests" in text_of(pilot)
        assert "I write the tra" not in text_of(pilot), "what came before is void"
        drawn: list[object] = []
        draw = Live.draw
        monkeypatch.setattr(Live, "draw", lambda self, *given: drawn.append(given) or draw(self, *given))
        assert "asks again in 12s" in text_of(pilot)
        run.clock.pass_(5)
        await until(pilot, lambda: "asks again in 7s" in text_of(pilot), "the countdown")
        run.clock.pass_(6.9)
        await until(pilot, lambda: "asks again in 1s" in text_of(pilot), "the last second")
        run.clock.pass_(3.1)
        await until(pilot, lambda: "asking again for 3s" in text_of(pilot), "its end")
        assert not drawn
        run.stream(Delta("text", "At last."))
        await until(pilot, lambda: "says     At last." in text_of(pilot), "the reply")
        assert "answers for" in text_of(pilot)


async def test_a_call_whose_engine_died_does_not_tick() -> None:
    run = journals.asking_run(RUNS)
    async with opened(run) as pilot:
        await settled(pilot)
        assert "openai/gpt-5, cut off during call 41" in text_of(pilot)
        assert "asks for" not in text_of(pilot)


# --- ask again -------------------------------------------------------------------------------------------------------


async def test_a_asks_again_while_a_model_is_asked() -> None:
    run = with_engine(journals.asking_run(RUNS))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "a Ask again" in text_of(pilot)
        await pilot.press("a")
        await until(pilot, lambda: bool(control.pending(run.folder)), "the command")
        assert isinstance(control.load(control.pending(run.folder)[0]), control.AskAgain)
        assert "Asked to cancel this model call" in text_of(pilot)
        other = ev.CommandReceived(command_id="x", command="ask_again", by="ana@lab", outcome="accepted", detail="41")
        run.emit(other)
        await until(pilot, lambda: "Ask again by ana@lab accepted: 41" in text_of(pilot), "another one's receipt")


async def test_a_does_nothing_while_a_tool_runs() -> None:
    run = with_engine(journals.asking_run(RUNS))
    step = StepName.MODEL_TRAINING
    run.emit(ev.ModelCallFinished(call=run.models, model=run.model, seconds=1, iteration=3, step=step))
    run.start_tool(3, step, "bash", "sleep 9")
    async with opened(run) as pilot:
        dashboard = await settled(pilot)
        assert dashboard.check_action("ask_again", ()) is None
        await pilot.press("a", "p")
        await until(pilot, lambda: bool(control.pending(run.folder)), "the other command")
        assert [control.load(path).command for path in control.pending(run.folder)] == ["pause"]


async def test_on_a_small_screen_the_footer_keeps_to_its_line_and_the_keys_name_it_all_the_same() -> None:
    run = with_engine(journals.asking_run(RUNS))
    async with opened(run, (80, 24)) as pilot:
        dashboard = await settled(pilot)
        footer = text_of(pilot).split("\n")[-1]
        assert "q Leave" in footer
        assert "Ask again" not in footer
        titles = [command.title for command in pilot.app.get_system_commands(dashboard)]
        assert "Ask again" in titles
        await pilot.press("question_mark")
        await until(pilot, lambda: "Ask again" in text_of(pilot), "the panel of keys")


# --- what happens to calls -------------------------------------------------------------------------------------------

NEWS = [
    (
        ev.ModelChanged(call=41, model="openai/gpt-5", fallback="openai/gpt-5-mini", reason="nothing in 900s.\nmore"),
        "No reply from openai/gpt-5 (nothing in 900s); openai/gpt-5-mini is asked instead.",
    ),
    (
        ev.ParameterDropped(call=41, model="openai/o3", parameter="temperature", reason="unsupported"),
        "Asked without temperature: openai/o3 does not take it (unsupported).",
    ),
    (
        ev.ContextCompacted(call=42, left_out=[3, 4], tokens_before=120_000, tokens_after=40_000, window=128_000),
        "the output of 2 tool calls left out",
    ),
    (
        ev.ReplayDiverged(call=41, recorded_call=40, diff="--- recorded\n+++ asked\n@@ -1 +1 @@\n-seed 1\n+seed 2\n"),
        "Replay: call 41 asks something else than recorded call 40: -seed 1.",
    ),
    (ev.LimitRaised(limit=Limit.TOKENS, allowed=300_000, by="ana@lab"), "Limit raised by ana@lab: 300,000 tokens"),
]


@pytest.mark.parametrize(("event", "words"), NEWS, ids=lambda value: getattr(value, "type", ""))
async def test_news_of_calls_are_told_when_they_come_and_never_again(event: ev.Event, words: str) -> None:
    run = with_engine(journals.asking_run(RUNS))
    async with opened(run, (200, 60)) as pilot:
        await settled(pilot)
        run.emit(event)
        squeezed = " ".join(words.split())
        await until(pilot, lambda: squeezed in " ".join(_toasts(pilot)), "the toast")
    async with opened(run, (200, 60)) as pilot:
        await settled(pilot)
        assert not _toasts(pilot)


def _toasts(pilot) -> list[str]:
    return [toast.message for toast in pilot.app._notifications]


async def test_a_fallback_is_named_while_it_is_asked() -> None:
    run = with_engine(journals.retrying_run(RUNS))
    run.emit(ev.ModelChanged(call=run.models, model=run.model, fallback="ollama/qwen3", reason="no reply"))
    async with opened(run) as pilot:
        await settled(pilot)
        assert "ollama/qwen3, call 41" in text_of(pilot)
        assert "retry" not in text_of(pilot)


async def test_what_an_iteration_costs_stands_where_there_is_room() -> None:
    run = with_engine(journals.asking_run(RUNS, settings={"budget_tokens": 100_000}))
    async with opened(run, (200, 60)) as pilot:
        await settled(pilot)
        assert "split v1 · $0.15" in text_of(pilot)
        assert "83.6k of 100.0k tokens · $0.50" in text_of(pilot)
    async with opened(run, (80, 24)) as pilot:
        await settled(pilot)
        assert "83.6k of 100.0k tokens · $0.50" in text_of(pilot)
