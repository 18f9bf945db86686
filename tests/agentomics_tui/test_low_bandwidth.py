"""Little goes over a link that is slow or said to be; it is told, and a person can switch it."""

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Static

from agentomics_tui import app as app_module
from agentomics_tui.app import AgentomicsApp
from agentomics_tui.thin_driver import Link, ThinDriver
from tests.support import journals
from tests.support.watching import settled, text_of, until, with_engine


class FakeLink(Link):
    """A link whose slowness and rate the test decides."""

    def __init__(self, *, slow: bool) -> None:
        self.slow = slow

    def is_slow(self) -> bool:
        return self.slow

    def rate(self) -> float:
        return 812.0


def test_a_link_counts_its_bytes_and_is_slow_while_the_other_side_does_not_read() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        link = Link(file)
        link.write("é")
        link.flush()
        assert not link.is_slow()
        assert link.rate() == pytest.approx(2 / 5)
        writer = threading.Thread(target=lambda: (link.write("x" * 300_000), link.flush()))
        writer.start()
        while not link.is_slow():
            pass
        left = len("é".encode()) + 300_000
        while left:  # not one read more: with nothing left to come it would wait for ever
            left -= len(os.read(reading, 65_536))
        writer.join()
    os.close(reading)


def _app(run: journals.StagedRun, **more: bool) -> AgentomicsApp:
    return AgentomicsApp(run.folder, Path("runs"), now=lambda: run.clock.now, **more)


async def test_a_slow_terminal_switches_it_on_says_so_and_a_person_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "_LINK_SECONDS", 0.05)
    run = with_engine(journals.running_run(tmp_path))
    app = _app(run)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        assert not app.low_bandwidth
        assert [c.title for c in app.get_system_commands(app.screen) if "bandwidth" in c.title] == ["Low bandwidth"]
        app._driver.link = FakeLink(slow=True)  # type: ignore[union-attr]
        await until(pilot, lambda: app.low_bandwidth)
        await until(pilot, lambda: "812 B/s" in text_of(pilot))
        assert "The terminal is slow" in " ".join(str(toast.message) for toast in app._notifications)
        assert app.animation_level == "none"
        [switch] = [c for c in app.get_system_commands(app.screen) if "bandwidth" in c.title]
        assert switch.title == "High bandwidth"
        switch.callback()
        await until(pilot, lambda: "812 B/s" not in text_of(pilot))
        await pilot.pause(0.2)
        assert not app.low_bandwidth
        assert app.animation_level != "none"


async def test_the_clock_ticks_every_ten_seconds(tmp_path: Path) -> None:
    run = with_engine(journals.running_run(tmp_path))
    app = _app(run, low_bandwidth=True)
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = await settled(pilot)
        seen = set()
        for _ in range(20):
            run.clock.pass_(1)
            dashboard._tick()
            seen.add(str(dashboard.query_one("#clock", Static).content))
        assert len(seen) <= 3
        before = dashboard.state.elapsed(dashboard._now_for_clock())
        run.clock.pass_(10)
        assert dashboard.state.elapsed(dashboard._now_for_clock()) - before == timedelta(seconds=10)


def test_a_terminal_of_this_host_is_counted(tmp_path: Path) -> None:
    app = _app(journals.running_run(tmp_path))
    assert app.get_driver_class() is ThinDriver
