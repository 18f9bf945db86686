"""Text from outside can do nothing to the terminal or to the layout."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.plain import harmless, one_line


@given(st.text())
def test_no_control_character_but_the_newline_gets_through(text: str) -> None:
    assert not [char for char in harmless(text) if unicodedata.category(char) in {"Cc", "Cs"} and char != "\n"]


@given(st.text())
def test_making_text_harmless_twice_changes_nothing(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_a_line_for_a_cell_has_no_line_break(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07after", "after"),
        ("\x1b]52;c;ZXZpbA==\x1b\\after", "after"),
        ("\x1bPq payload\x1b\\after", "after"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("\x1b]never closed\nnext line", "never closed\nnext line"),
        ("cut\x1b[", "cut"),
        (" 10%\r 50%\r100%", "100%"),
        ("dos\r\nlines\r\n", "dos\nlines\n"),
        ("a\tb", "a       b"),
        ("bell\x07", "bell␇"),
        ("\x9b31mc1", "c1"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("[b]not markup[/b]", "[b]not markup[/b]"),
        ("日本語", "日本語"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_or_dropped(text: str, shown: str) -> None:
    assert harmless(text) == shown
