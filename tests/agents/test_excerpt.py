"""The head and tail that a model gets to see."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.excerpt import Excerpt, clean, excerpt, one_line

LEFT_OUT = re.compile(r"(?:^|\n)… ([\d,]+) bytes \(([\d,]+) lines?\) left out …\n")


def fed(*chunks: bytes, head: int = 8_000, tail: int = 4_000) -> str:
    shortened = Excerpt(head, tail)
    for chunk in chunks:
        shortened.feed(chunk)
    return shortened.text()


def parts(text: str, size: int) -> tuple[str, int, int, str]:
    """Head, bytes and lines left out, and tail of the excerpt of an ASCII text of ``size`` bytes."""
    match = LEFT_OUT.search(text)
    assert match, text
    left_bytes, left_lines, last = int(match[1].replace(",", "")), int(match[2].replace(",", "")), text[match.end() :]
    first = text[: size - left_bytes - len(last)]
    # A newline that is not of the text stands before the mark only where a line was cut.
    assert text[len(first) : text.index("…")] == ("\n" if first and not first.endswith("\n") else "")
    return first, left_bytes, left_lines, last


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n\t"), max_size=200))
def test_a_short_text_stays_as_it_is(text: str) -> None:
    assert fed(text.encode()) == text


@given(st.binary(max_size=3_000), st.lists(st.integers(0, 10_000), max_size=6))
def test_where_the_bytes_were_cut_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    assert fed(*chunked(data, cuts), head=200, tail=100) == fed(data, head=200, tail=100)


LINES = st.lists(st.text("abcdefgh ", max_size=30), min_size=40, max_size=200)


@given(LINES, st.booleans(), st.integers(30, 200), st.integers(30, 200))
def test_head_tail_and_what_is_left_out_make_up_the_whole(lines: list[str], ended: bool, head: int, tail: int) -> None:
    whole = "\n".join(lines) + ("\n" if ended else "")
    text = fed(whole.encode(), head=head, tail=tail)
    if len(whole) <= head + tail:
        assert text == whole
        return
    first, _, left_lines, last = parts(text, len(whole))
    assert whole.startswith(first)
    assert whole.endswith(last)
    assert len(first) <= head
    assert len(last) <= tail
    middle = whole[len(first) : len(whole) - len(last)]
    assert left_lines == middle.count("\n") + (not middle.endswith("\n") and not last and not ended)


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(6_500, 9_000))
def test_counts_are_right_where_most_has_been_forgotten(width: int, lines: int) -> None:
    whole = b"".join(b"%0*d\n" % (width, number) for number in range(lines))
    first, _, left_lines, last = parts(fed(*chunked(whole, list(range(0, len(whole), 4_096)))), len(whole))
    assert whole.startswith(first.encode())
    assert whole.endswith(last.encode())
    assert first.count("\n") + left_lines + last.count("\n") == lines


@given(st.binary(max_size=5_000))
def test_whatever_comes_the_text_is_bounded_and_harmless(data: bytes) -> None:
    text = fed(data, head=300, tail=200)
    assert len(text) <= 300 + 200 + 80
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    text.encode()


def test_one_endless_line_is_cut_inside_at_whole_characters() -> None:
    text = fed(*(["é".encode() * 1_000] * 500), head=101, tail=101)
    assert text == "é" * 50 + "\n… 999,800 bytes (1 line) left out …\n" + "é" * 50


def test_memory_does_not_grow_with_the_input() -> None:
    shortened = Excerpt()
    sizes = set()
    for _ in range(300):
        shortened.feed(b"x" * 10_007 + b"\n" * 3)
        sizes.add(len(shortened._head) + len(shortened._tail) + len(shortened._line))
    assert max(sizes) < 300_000
    assert (shortened.bytes, shortened.newlines) == (3_003_000, 900)


def test_a_progress_bar_shows_its_last_state() -> None:
    bar = b"".join(b"\r%3d%%|%s|" % (percent, b"#" * percent) for percent in range(101))
    assert fed(b"start\n", bar[:1000], bar[1000:], b"\nend\n") == f"start\n100%|{'#' * 100}|\nend\n"


def test_a_progress_bar_of_hours_leaves_the_lines_before_it_in_sight() -> None:
    shortened = Excerpt()
    shortened.feed(b"epoch 1 done\n")
    for step in range(100_000):
        shortened.feed(b"\rstep %d" % step)
    assert shortened.text() == "epoch 1 done\nstep 99999"


def test_lines_that_end_with_carriage_return_and_newline_stay() -> None:
    assert fed(b"a\r", b"\nb\r\n") == "a\nb\n"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b1;31mred\x9b0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never closed\nnext", "0;never closed\nnext"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b(Bcharset\x1b=", "charset"),
        ("bell\x07 back\x08space nul\x00", "bell backspace nul"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("not an escape: \\x1b[31m ^[[0m [31m", "not an escape: \\x1b[31m ^[[0m [31m"),
        ("\ud800", ""),
    ],
)
def test_terminal_control_is_taken_out(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@given(st.text())
def test_a_title_is_one_line_of_at_most_200_characters(text: str) -> None:
    title = one_line(text)
    assert len(title) <= 200
    assert len(title.splitlines()) <= 1
    title.encode()


def test_a_title_cannot_turn_the_direction_of_writing() -> None:
    assert one_line("a\u202eb\u2066c\u2028d") == "abc d"


def test_a_cut_title_says_that_it_is_cut() -> None:
    assert one_line("x" * 201) == "x" * 199 + "…"


def test_a_text_of_moderate_length_is_not_cut() -> None:
    assert excerpt("x\n" * 6_000) == "x\n" * 6_000
    assert "left out" in excerpt("x\n" * 6_001)
