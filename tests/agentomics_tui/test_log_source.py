import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from textual.message import Message

from agentomics_tui.log_source import LogSource, read_arguments
from agents.log_file import CHUNK, Found, Search
from screens.widgets.log_messages import LinesRead, LogGrew, SearchEnded, SearchProgressed

M = TypeVar("M", bound=Message)
_PATIENCE = 20


class Reader:
    """A view's place: what the source posts lies in a queue."""

    def __init__(self, path: Path) -> None:
        self.posts: queue.Queue[Message] = queue.Queue()
        self.source = LogSource(path, self.posts.put, poll_seconds=0.01).start()

    def next(self, kind: type[M], accept: Callable[[M], bool] = lambda _: True) -> M:
        """The next message of a kind that is acceptable; others are passed over."""
        while True:
            message = self.posts.get(timeout=_PATIENCE)
            if isinstance(message, kind) and accept(message):
                return message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


@pytest.fixture
def reading(path: Path) -> Iterator[Callable[[], Reader]]:
    started: list[Reader] = []

    def start() -> Reader:
        started.append(Reader(path))
        return started[-1]

    yield start
    for reader in started:
        reader.source.close()
        reader.source.join()


def test_the_first_report_of_a_small_log_says_all(path: Path, reading: Callable[[], Reader]) -> None:
    path.write_text("a\nb\n")
    assert reading().next(LogGrew) == LogGrew(2, 4, True, 0, ["a", "b"])


def test_a_log_that_is_not_there_is_reported_empty_and_then_as_it_grows(
    path: Path, reading: Callable[[], Reader]
) -> None:
    reader = reading()
    assert reader.next(LogGrew).lines == 0
    path.write_text("a\nb")
    assert reader.next(LogGrew, lambda grew: grew.lines == 2).tail == ["a", "b"]
    with path.open("a") as file:
        file.write("c\n")
    assert reader.next(LogGrew, lambda grew: grew.size == 5).tail == ["a", "bc"]


def test_the_end_of_a_long_log_is_reported_before_its_lines_are_counted(
    path: Path, reading: Callable[[], Reader]
) -> None:
    path.write_bytes(b"filler\n" * (3 * CHUNK) + b"the end\n")
    reader = reading()
    first = reader.next(LogGrew)
    assert not first.counted
    assert first.tail[-1] == "the end"
    last = reader.next(LogGrew, lambda grew: grew.counted)
    assert last.lines == 3 * CHUNK + 1
    assert last.tail[-1] == "the end"


def test_wanted_lines_are_read(path: Path, reading: Callable[[], Reader]) -> None:
    path.write_text("".join(f"{number}\n" for number in range(1_000)))
    reader = reading()
    reader.next(LogGrew, lambda grew: grew.counted)
    reader.source.want(500, 2)
    assert reader.next(LinesRead) == LinesRead(500, ["500", "501"], 0)


def test_a_search_ends_with_the_line_or_without(path: Path, reading: Callable[[], Reader]) -> None:
    path.write_bytes(b"filler\n" * CHUNK + b"a \x1b[31mnee\x1b[0mdle\n")
    reader = reading()
    reader.source.search(Search("needle"), 0, False)
    assert 0 < reader.next(SearchProgressed).fraction < 1
    assert reader.next(SearchEnded) == SearchEnded(Found(CHUNK))
    reader.source.search(Search("straw"), 0, True)
    assert reader.next(SearchEnded) == SearchEnded(Found(None))
    reader.source.search(Search("(", regex=True), 0, False)
    assert "no regular expression" in reader.next(SearchEnded).problem


def test_a_cancelled_search_says_nothing_more(path: Path, reading: Callable[[], Reader]) -> None:
    path.write_bytes(b"filler\n" * (8 * CHUNK))
    reader = reading()
    reader.next(LogGrew, lambda grew: grew.counted)
    reader.source.search(Search("straw"), 0, False)
    reader.next(SearchProgressed)
    reader.source.cancel_search()
    reader.source.want(0, 1)
    reader.next(LinesRead)
    while not reader.posts.empty():
        reader.posts.get()
    reader.source.want(1, 1)
    reader.next(LinesRead)
    assert reader.posts.empty()


def test_closing_ends_the_thread(path: Path, reading: Callable[[], Reader]) -> None:
    reader = reading()
    reader.source.close()
    reader.source.join()


def test_arguments_are_read_bounded_and_missing_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "000001.json"
    assert "cannot be read: No such file" in read_arguments(path)
    path.write_text('{"command": "ls"}')
    assert read_arguments(path) == '{"command": "ls"}'
    path.write_bytes(b"x" * 3_000_000)
    assert read_arguments(path).endswith("… cut at 1 MB")
    assert len(read_arguments(path)) < 1_100_000
