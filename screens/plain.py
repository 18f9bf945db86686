"""Text from outside, made safe to draw: no terminal escape and no control character gets through."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from agents.escapes import without_escapes

_TAB_STOP: Final = 8
_PLAIN: Final = re.compile(r"[\x20-\x7e\n]*")
_PICTURES: Final = 0x2400
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmless(text: str) -> str:
    """``text`` as it may be drawn: escapes dropped, control characters made visible, tabs expanded.

    Newlines stay, ``\\r\\n`` counts as one, and a bare carriage return overwrites its line as a terminal would, so a
    progress bar shows its last state. Characters that reverse the reading direction are dropped.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = without_escapes(text.replace("\r\n", "\n"))
    return "\n".join(_visible(_overwritten(line)) for line in text.split("\n"))


def one_line(text: str) -> str:
    """The harmless text with every run of white space made one blank: for a cell of one line."""
    return " ".join(harmless(text).split())


def as_sentence(text: str) -> str:
    """Harmless text on one line, with a capital at its beginning and a full stop at its end."""
    line = one_line(text).rstrip(".")
    return f"{line[:1].upper()}{line[1:]}."


def _overwritten(line: str) -> str:
    """What a line shows after its carriage returns, taken as whole rewrites of the line."""
    if "\r" not in line:
        return line
    parts = [part for part in line.split("\r") if part]
    return parts[-1] if parts else ""


def _visible(line: str) -> str:
    return "".join(map(_shown, line.expandtabs(_TAB_STOP)))


@lru_cache(maxsize=4_096)  # text has few different characters, and a live pane asks for many four times a second
def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(_PICTURES + code)
    if code == 0x7F:
        return "\u2421"
    if char in _BIDI:
        return ""
    category = unicodedata.category(char)
    if category in {"Cs", "Cc", "Zl", "Zp"}:
        return "\ufffd"
    return char
