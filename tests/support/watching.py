"""The app over a staged run, with a clock that stands still."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

from textual.pilot import Pilot

from agentomics_tui.app import AgentomicsApp
from agents.lock import EngineLock
from agents.pulse import Pulse
from screens.dashboard import DashboardScreen
from tests.support.journals import StagedRun


def with_engine(run: StagedRun) -> StagedRun:
    """``run`` with an engine that lives: this process holds its lock."""
    EngineLock.acquire(run.folder.lock)
    return run


def with_pulse(run: StagedRun, kind: Literal["tool", "model"], seconds: float, silent: float, **more: Any) -> StagedRun:
    """``run`` with an engine that has just measured its running call."""
    with_engine(run)
    call = run.tools if kind == "tool" else run.models
    pulse = Pulse(time=time.time(), kind=kind, call=call, seconds=seconds, silent=silent, **more)
    run.folder.pulse.write_text(pulse.model_dump_json())
    return run


def app_on(run: StagedRun) -> AgentomicsApp:
    return AgentomicsApp(run.folder, Path("runs"), now=lambda: run.clock.now)


def opened(run: StagedRun, size: tuple[int, int] = (120, 40)) -> AbstractAsyncContextManager[Pilot[str]]:
    """A pilot of the app on ``run``; see :func:`settled`."""
    return app_on(run).run_test(size=size, notifications=True)


async def until(pilot: Pilot[str], true: Callable[[], bool], what: str = "") -> None:
    """Let the app work until ``true()``; fails after far more time than it can need."""
    for _ in range(400):
        await pilot.pause(0.025)
        if true():
            return
    raise AssertionError(f"it never came true: {what or true}")


def dashboard_of(pilot: Pilot[str]) -> DashboardScreen:
    return next(screen for screen in pilot.app.screen_stack if isinstance(screen, DashboardScreen))


async def settled(pilot: Pilot[str]) -> DashboardScreen:
    """The dashboard once it shows everything that the run's files hold."""

    def shown() -> bool:
        screens = [screen for screen in pilot.app.screen_stack if isinstance(screen, DashboardScreen)]
        return bool(screens) and screens[0].is_current_with_its_run

    await until(pilot, shown, "the dashboard has read the run")
    await pilot.pause()
    dashboard_of(pilot).draw()
    await pilot.pause()
    return dashboard_of(pilot)


def text_of(pilot: Pilot[str]) -> str:
    """What the screen shows, as text."""
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in pilot.app.screen._compositor.render_strips()
    )
