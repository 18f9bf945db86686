"""What a log of 100 MB costs on the screen: first lines, count, end, search, scrolling, waiting keys, memory."""

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from agentomics_tui.log_source import LogSource
from agents.log_file import LogFile, Search
from screens.widgets.log_pane import LogPane

SIZE = 100_000_000
_PAGES = 200
_GLANCE = 0.001
"""Seconds between two looks at what is measured."""
Figure = tuple[str, float, str]


def write_log(path: Path, size: int = SIZE) -> int:
    """A log of ``size`` bytes whose last line alone holds a needle; the number of its lines."""
    block = b"".join(b"%08d  fold %d  train_loss 0.%04d\n" % (line, line % 5, line % 9973) for line in range(100_000))
    lines = 0
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block)
            lines += 100_000
        file.write(b"needle at the end\n")
    return lines + 1


class Host(App[None]):
    """Nothing but the log."""

    def __init__(self, path: Path, following: bool) -> None:
        super().__init__()
        self.path = path
        self.pane = LogPane("Output", following=following)
        self.opened = 0.0

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.opened = time.perf_counter()
        view = self.pane.log_view
        view.connect(LogSource(self.path, view.post_message).start())
        view.focus()


async def seconds_until(true: Callable[[], bool], since: float) -> float:
    # Never sleep(0): a loop that does not rest takes the interpreter lock back before the reading thread gets it.
    while not true():  # noqa: ASYNC110 - what is measured has no event to wait for
        await asyncio.sleep(_GLANCE)
    return time.perf_counter() - since


async def longest_wait(waits: list[float]) -> None:
    """Add to ``waits``, until cancelled, how much later than it asked to this task was woken: so late is a key."""
    while True:
        due = time.perf_counter() + _GLANCE
        await asyncio.sleep(_GLANCE)
        waits.append(time.perf_counter() - due)


def resident() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def on_screen(path: Path, *, following: bool) -> list[Figure]:
    app = Host(path, following)
    where = "end" if following else "start"
    before = resident()
    async with app.run_test(size=(120, 40)) as pilot:
        view = app.pane.log_view
        first = await seconds_until(lambda: bool(view.render_line(0).text.strip()), app.opened)
        waits: list[float] = []
        watch = asyncio.create_task(longest_wait(waits))
        counted = await seconds_until(lambda: view.counted, app.opened)
        figures: list[Figure] = [
            (f"first lines shown, opened at the {where}", first, "s"),
            (f"all lines counted, opened at the {where}", counted, "s"),
            ("a key waits, at most, while lines are counted", max(waits, default=0.0), "s"),
        ]
        if not following:
            figures += await _moves(pilot, app)
            figures += await _searches(pilot, app, waits)
        watch.cancel()
        await pilot.pause()
        figures.append((f"more memory, opened at the {where}", resident() - before, "MB"))
    return figures


async def _moves(pilot: Pilot[None], app: Host) -> list[Figure]:
    view = app.pane.log_view
    height = view.size.height

    def shown() -> bool:
        return all(view.render_line(row).text.strip() for row in range(height))

    since = time.perf_counter()
    view.action_last()
    end = await seconds_until(lambda: "needle" in view.render_line(height - 1).text, since)
    view.action_first()
    await pilot.pause()
    pages = []
    for _ in range(_PAGES):
        since = time.perf_counter()
        view.action_page(1)
        pages.append(await seconds_until(shown, since))
    return [
        ("to the end (G)", end, "s"),
        ("one page down, median", sorted(pages)[_PAGES // 2], "s"),
        ("one page down, slowest", max(pages), "s"),
    ]


async def _searches(pilot: Pilot[None], app: Host, waits: list[float]) -> list[Figure]:
    view = app.pane.log_view
    figures: list[Figure] = []
    for name, search in (("search", Search("needle")), ("regular expression", Search(r"need\w+", regex=True))):
        view.action_first()
        await pilot.pause()
        waits.clear()
        since = time.perf_counter()
        view.look_for(search)
        taken = await seconds_until(lambda: view.outcome is not None, since)
        figures += [
            (f"{name} for the last line", taken, "s"),
            (f"a key waits, at most, during the {name}", max(waits), "s"),
        ]
    return figures


def off_screen(path: Path) -> list[Figure]:
    log = LogFile(path)
    since = time.perf_counter()
    log.look()
    while log.grow():
        pass
    counted = time.perf_counter() - since
    since = time.perf_counter()
    for line in range(0, log.lines, max(1, log.lines // 1000)):
        log.read_lines(line, 240)
    reads = (time.perf_counter() - since) / 1000
    log.close()
    return [
        ("count alone", counted, "s"),
        ("index", log.index.nbytes / 1000, "kB"),
        ("240 lines anywhere", reads, "s"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "000001.log"
        lines = write_log(path)
        print(f"log view: {path.stat().st_size / 1e6:.0f} MB, {lines:,} lines")
        small = Path(folder) / "000002.log"
        small.write_text("a line\n" * 100)
        first = asyncio.run(on_screen(small, following=True))[0]
        figures = [("first lines shown of a log of 100 lines", *first[1:]), *off_screen(path)]
        for following in (False, True):
            figures += asyncio.run(on_screen(path, following=following))
    for name, value, unit in figures:
        print(f"  {name:<48} {value:>9.4f} {unit}" if unit == "s" else f"  {name:<48} {value:>9.1f} {unit}")


if __name__ == "__main__":
    main()
