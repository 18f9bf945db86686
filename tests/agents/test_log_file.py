import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import log_file
from agents.errors import UserError
from agents.log_file import CHUNK, LINE_LIMIT, Found, LineIndex, LogFile, Search


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "000001.log"


def counted(path: Path) -> LogFile:
    log = LogFile(path)
    log.look()
    while log.grow():
        pass
    return log


def outcome(steps: Iterator[float | Found]) -> Found:
    *progress, last = steps
    assert all(isinstance(step, float) for step in progress)
    assert isinstance(last, Found)
    return last


# --- the index -------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40_000) | st.just(b"\n" * 5_000), max_size=6))
def test_an_index_fed_in_any_pieces_knows_the_lines_of_the_whole(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    index = LineIndex()
    for piece in pieces:
        index.feed(piece)
    assert index.size == len(whole)
    assert index.lines == whole.count(b"\n") + (whole != b"" and not whole.endswith(b"\n"))
    assert index.newlines == whole.count(b"\n")
    for newline in {1, index.newlines // 2, index.newlines} - {0}:
        if newline <= index.newlines:
            offset, before = index.block_of(newline)
            assert whole.count(b"\n", 0, offset) == before < newline <= whole.count(b"\n", 0, offset + (1 << 14))


def test_the_index_of_two_million_lines_takes_less_than_a_hundred_kilobytes() -> None:
    index = LineIndex()
    for _ in range(100):
        index.feed(b"0123456789012345678901234567890123456789012345678\n" * 20_000)
    assert index.lines == 2_000_000
    assert index.nbytes < 100_000


# --- lines -----------------------------------------------------------------------------------------------------------


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=200), max_size=60),
    whole=st.booleans(),
    start=st.integers(-3, 70),
    count=st.integers(0, 70),
)
def test_any_range_of_lines_reads_as_the_file_says(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], whole: bool, start: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    text = "\n".join(lines) + ("\n" if whole and lines else "")
    path.write_text(text, encoding="utf-8", newline="")
    expected = text.split("\n")
    if not expected[-1]:
        expected.pop()
    log = counted(path)
    assert log.lines == len(expected)
    assert log.read_lines(start, count) == expected[max(0, start) : max(0, start) + count]
    assert log.read_tail(5) == expected[-5:]
    log.close()


def test_lines_far_into_a_file_of_many_blocks_are_the_right_ones(path: Path) -> None:
    rng = random.Random(7)
    lines = [f"{number} " + "x" * rng.choice([0, 3, 40, 700]) for number in range(20_000)]
    path.write_text("\n".join(lines) + "\n")
    log = counted(path)
    assert log.lines == 20_000
    for start in (0, 1, 63, 64, 9_999, 19_998):
        assert log.read_lines(start, 3) == lines[start : start + 3]


def test_a_file_that_grows_shows_its_unfinished_line_and_then_the_whole_of_it(path: Path) -> None:
    path.write_text("one\ntw")
    log = counted(path)
    assert log.read_lines(0, 9) == ["one", "tw"]
    with path.open("a") as file:
        file.write("o\nthree\n")
    log.look()
    assert not log.is_counted
    assert log.grow()
    assert log.is_counted
    assert log.read_lines(0, 9) == ["one", "two", "three"]


def test_the_end_can_be_read_before_anything_is_counted(path: Path) -> None:
    path.write_text("".join(f"line {number}\n" for number in range(500_000)))
    log = LogFile(path)
    log.look()
    assert log.lines == 0
    assert log.read_tail(2) == ["line 499998", "line 499999"]


def test_of_a_progress_bar_only_its_last_state_is_shown(path: Path) -> None:
    path.write_bytes(b"start\r\n 10%|#  |\r 50%|## |\r100%|###|\ndone\n 1%\r 2%\r")
    assert counted(path).read_lines(0, 9) == ["start", "100%|###|", "done", " 2%"]


def test_a_progress_bar_of_megabytes_shows_its_last_state(path: Path) -> None:
    path.write_bytes(b"".join(b"\r%7d of 300000" % number for number in range(300_000)) + b"\nend\n")
    assert counted(path).read_lines(0, 2) == [" 299999 of 300000", "end"]


def test_a_line_of_a_megabyte_is_cut_and_says_how_long_it_is(path: Path) -> None:
    path.write_bytes(b"before\n" + b"x" * 3_000_000 + b"\nafter\n")
    log = counted(path)
    assert log.lines == 3
    before, long, after = log.read_lines(0, 3)
    assert (before, after) == ("before", "after")
    assert len(long) < LINE_LIMIT + 100
    assert long.endswith("… [line of 3,000,001 bytes, cut here]")


def test_bytes_that_are_no_text_are_replaced(path: Path) -> None:
    path.write_bytes(b"caf\xe9 \xff\xfe ok\n")
    assert counted(path).read_lines(0, 1) == ["caf\ufffd \ufffd\ufffd ok"]


def test_a_file_that_is_not_there_yet_has_no_lines_and_shows_them_once_it_is(path: Path) -> None:
    log = counted(path)
    assert (log.lines, log.read_lines(0, 5), log.read_tail(5)) == (0, [], [])
    path.write_text("hello\n")
    log.look()
    log.grow()
    assert log.read_lines(0, 5) == ["hello"]


def test_a_file_that_was_cut_is_counted_anew_as_another_generation(path: Path) -> None:
    path.write_text("a\nb\nc\n")
    log = counted(path)
    path.write_text("z\n")
    log.look()
    log.grow()
    assert log.generation == 1
    assert log.read_lines(0, 5) == ["z"]


def test_a_file_that_another_one_replaced_is_counted_anew(path: Path) -> None:
    path.write_text("a\nb\n")
    log = counted(path)
    other = path.with_name("other")
    other.write_text("1\n2\n3\n")
    other.replace(path)
    log.look()
    log.grow()
    assert log.generation == 1
    assert log.read_lines(0, 5) == ["1", "2", "3"]


def test_a_file_that_was_removed_stays_readable(path: Path) -> None:
    path.write_text("a\nb\n")
    log = counted(path)
    path.unlink()
    log.look()
    assert log.read_lines(0, 5) == ["a", "b"]


# --- search ----------------------------------------------------------------------------------------------------------


@given(
    lines=st.lists(st.text("abA \té", max_size=6), min_size=1, max_size=40),
    text=st.text("abA ", min_size=1, max_size=3),
    start=st.integers(0, 40),
    backwards=st.booleans(),
    chunk=st.integers(1, 50),
)
def test_a_search_finds_the_next_matching_line_round_the_end_whatever_the_chunks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], text: str, start: int, backwards: bool, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    start = min(start, len(lines) - 1)
    search = Search(text)
    pattern = search.compile()
    order = [*range(start, -1, -1), *range(len(lines) - 1, start, -1)] if backwards else []
    order = order or [*range(start, len(lines)), *range(start)]
    expected = next((line for line in order if pattern.search(lines[line])), None)
    log = counted(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_file, "CHUNK", max(chunk, max(len(line.encode()) + 1 for line in lines)))
        found = outcome(log.find(search, start, backwards=backwards))
    log.close()
    assert found.line == expected
    if expected is not None:
        assert found.wrapped == (expected > start if backwards else expected < start)


@pytest.mark.parametrize(
    ("search", "line"),
    [
        (Search("error"), 1),
        (Search("Error"), 1),
        (Search("ERROR"), 3),
        (Search("x[/"), 2),
        (Search(r"^ERR\w+ \d$", regex=True), 3),
        (Search("nowhere"), None),
    ],
)
def test_small_letters_find_any_case_a_capital_is_exact_and_brackets_are_text(
    path: Path, search: Search, line: int | None
) -> None:
    path.write_text("fine\nan Error here\nx[/ a\nERROR 5\n")
    assert outcome(counted(path).find(search, 0)).line == line


def test_a_search_sees_what_the_person_sees(path: Path) -> None:
    path.write_bytes(b"12%\rdone\n\x1b[31mre\x1b[0md\n")
    log = counted(path)

    def shown(line: str) -> str:
        return line.replace("\x1b[31m", "").replace("\x1b[0m", "")

    assert outcome(log.find(Search("12%"), 0, shown=shown)).line is None
    assert outcome(log.find(Search("red"), 0, shown=shown)).line == 1


def test_a_search_in_a_file_of_several_chunks_tells_how_far_it_is_and_can_be_dropped(path: Path) -> None:
    path.write_bytes(b"filler line\n" * (3 * CHUNK // 12) + b"needle\n")
    log = counted(path)
    steps = log.find(Search("needle"), 0)
    first = next(steps)
    assert isinstance(first, float)
    assert 0 < first < 1
    assert outcome(steps).line == log.lines - 1
    dropped = log.find(Search("needle"), 0)
    next(dropped)
    dropped.close()
    assert log.read_lines(log.lines - 1, 1) == ["needle"]


def test_a_bad_regular_expression_is_one_clear_line(path: Path) -> None:
    path.write_text("a\n")
    with pytest.raises(UserError, match=r"no regular expression: .*position 1") as raised:
        outcome(counted(path).find(Search("a(", regex=True), 0))
    assert "\n" not in str(raised.value)
