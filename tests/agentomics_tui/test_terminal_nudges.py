"""Calling a person who looks elsewhere."""

from pathlib import Path

import pytest
from textual.events import AppBlur, AppFocus
from textual.pilot import Pilot

from agentomics_tui.app import AgentomicsApp
from agentomics_tui.terminal_nudges import Pacing, sequence, tell_desktop, wants_desktop
from agentomics_tui.user_settings import Nudge
from agents import events as ev
from agents.vocabulary import RunStatus
from tests.support import journals
from tests.support.watching import settled, until, with_engine

TEXT = "peptides: new best AUROC 0.931"


@pytest.mark.parametrize(
    ("environ", "codes"),
    [
        ({"TERM": "xterm-256color"}, f"\a\x1b]9;agentomics: {TEXT}\a"),
        ({"TERM": "xterm-kitty", "DISPLAY": ":0"}, f"\a\x1b]9;agentomics: {TEXT}\a"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, f"\a\x1b]9;agentomics: {TEXT}\a"),
        ({"TERM": "foot"}, f"\a\x1b]777;notify;agentomics;{TEXT}\a"),
        ({"TERM": "rxvt-unicode-256color"}, f"\a\x1b]777;notify;agentomics;{TEXT}\a"),
        ({"TERM": "tmux-256color", "TMUX": "x"}, f"\a\x1bPtmux;\x1b\x1b]9;agentomics: {TEXT}\a\x1b\\"),
        ({"TERM": "screen", "STY": "x"}, f"\a\x1bP\x1b]9;agentomics: {TEXT}\a\x1b\\"),
        ({"TERM": "linux"}, "\a"),
        ({}, "\a"),
    ],
)
def test_each_terminal_is_told_in_its_own_words(environ: dict[str, str], codes: str) -> None:
    assert sequence(TEXT, "all", environ) == codes
    assert sequence(TEXT, "bell", environ) == "\a"
    assert sequence(TEXT, "off", environ) == ""


def test_a_text_from_outside_cannot_end_the_sequence() -> None:
    for term in ("xterm", "foot"):
        codes = sequence("x\a\x1b]52;c;AAAA\x1b\\\n; y", "all", {"TERM": term})
        assert codes.count("\a") == 2
        assert codes.count("\x1b") == 1


def test_the_desktop_is_told_where_it_is_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f"#!/bin/sh\nprintf '%s|' \"$@\" > {tmp_path}/told\n")
    program.chmod(0o755)
    here = {"PATH": str(tmp_path), "DISPLAY": ":0", "TERM": "xterm-256color"}
    assert wants_desktop(here)
    assert sequence(TEXT, "all", here) == "\a"
    assert not wants_desktop(here | {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    assert not wants_desktop(here | {"TERM": "xterm-ghostty"})
    assert not wants_desktop(here | {"PATH": "/nowhere"})
    assert not wants_desktop({"PATH": str(tmp_path)})
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    tell_desktop("--x <b>&\n")
    assert (tmp_path / "told").read_text().startswith("--app-name=agentomics|--|agentomics|--x &lt;b&gt;&amp;")
    monkeypatch.setenv("PATH", "/nowhere")
    tell_desktop(TEXT)


def test_the_same_kind_of_news_does_not_call_again_and_again() -> None:
    pacing = Pacing()
    assert pacing.allows("best", 0)
    assert not pacing.allows("best", 59)
    assert pacing.allows("finished", 59)
    assert pacing.allows("best", 60)


# --- in the app ------------------------------------------------------------------------------------------------------


class Heard(AgentomicsApp):
    """An app whose terminal is a list."""

    def __init__(self, run: journals.StagedRun, nudge: Nudge) -> None:
        super().__init__(run.folder, Path("runs"), now=lambda: run.clock.now, nudge=nudge)
        self.codes: list[str] = []

    def write_to_terminal(self, codes: str) -> None:
        self.codes.append(codes)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> journals.StagedRun:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    return with_engine(journals.running_run(Path("runs")))


def _new_best(run: journals.StagedRun, value: float = 0.97) -> None:
    run.emit(ev.BestChanged(iteration=3, metric="AUROC", value=value, previous=0.931, split_version=1))


async def _read(pilot: Pilot[str], run: journals.StagedRun) -> None:
    """Until the dashboard knows of everything, and the app of the dashboard's messages."""
    dashboard = await settled(pilot)
    await until(pilot, lambda: dashboard.state.last_seq == run.written[-1].seq, "the news")
    await pilot.pause(0.1)


async def test_news_call_once_and_what_was_there_before_does_not(run: journals.StagedRun) -> None:
    app = Heard(run, "all")
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.codes == []
        _new_best(run)
        _new_best(run, 0.98)
        run.emit(ev.Held(reason="the budget is used up"))
        await _read(pilot, run)
        best, held = app.codes
        assert "peptides-demo: new best AUROC 0.97, before 0.931" in best
        assert "peptides-demo: waits for you: the budget is used up" in held


async def test_who_looks_is_left_in_peace_where_the_terminal_reports_it(run: journals.StagedRun) -> None:
    app = Heard(run, "bell")
    async with app.run_test() as pilot:
        await settled(pilot)
        app.post_message(AppBlur())
        app.post_message(AppFocus())
        await pilot.pause()
        _new_best(run)
        await _read(pilot, run)
        assert app.codes == []
        app.post_message(AppBlur())
        await pilot.pause()
        run.finish(RunStatus.FINISHED)
        await _read(pilot, run)
        assert app.codes == ["\a"]


async def test_nothing_calls_who_has_switched_it_off(run: journals.StagedRun) -> None:
    app = Heard(run, "off")
    async with app.run_test() as pilot:
        await settled(pilot)
        _new_best(run)
        await _read(pilot, run)
        assert app.codes == []


async def test_what_was_asked_for_here_is_no_news(run: journals.StagedRun) -> None:
    app = Heard(run, "all")
    async with app.run_test() as pilot:
        dashboard = await settled(pilot)
        await pilot.press("p")
        (mine,) = dashboard._mine
        run.emit(ev.CommandReceived(command_id=mine, command="pause", outcome="accepted"))
        run.emit(ev.Held(reason="paused by a person"))
        await _read(pilot, run)
        assert app.codes == []
