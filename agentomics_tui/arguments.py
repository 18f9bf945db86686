"""How the command line reads what a person types, and tells a slip in one line."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, Final, NoReturn

from agentomics_tui.commands.out import complain
from agentomics_tui.user_settings import OFF

BAD_INPUT: Final = 2
_CLOSE: Final = 0.7
"""Likeness from which a flag is suggested: a slip of the pen has it, another word has not."""


class Parser(argparse.ArgumentParser):
    """Tells a slip in one line, as every other error is told."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message} (see: {self.prog} --help)")
        raise SystemExit(BAD_INPUT)


class CommandParser(Parser):
    """Of one command: it refuses itself what it does not know, so that its own help is named."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._refuse_unknown(_flags(args or ()))  # before argparse misses what was taken for another flag's value
        options, unknown = super().parse_known_args(args, namespace)
        self._refuse_unknown(unknown)
        return options, unknown

    def _refuse_unknown(self, words: Iterable[str]) -> None:
        known = self._option_string_actions
        for word in words:
            name = word.split("=", 1)[0] if word.startswith("--") else word
            if name in known:
                continue
            close = get_close_matches(name, known, 1, _CLOSE)
            self.error(f"unknown argument {name}" + (f"; did you mean {close[0]}?" if close else ""))


def _flags(words: Sequence[str]) -> Iterable[str]:
    """The long flags among ``words``, by the rules of argparse: what holds a blank is a text, and ``--`` ends them."""
    for word in takewhile(lambda word: word != "--", words):
        if word.startswith("--") and " " not in word:
            yield word


def or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argument of ``kind``, or the word that switches it off, which the settings understand."""

    def read(text: str) -> Any:
        return OFF if text.strip().lower() == OFF else kind(text)

    read.__name__ = getattr(kind, "__name__", "")  # argparse tells it where the text is none
    return read
