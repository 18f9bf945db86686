"""Keeping keys out of what a run leaves behind: their values are known, and each becomes the name of its variable."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, Self, TextIO
from urllib.parse import quote, quote_plus

SHORTEST: Final = 8
"""Characters of a value that is kept out; a shorter one would be found in the middle of ordinary words."""
_SECRET_NAME: Final = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD)$|API_KEY|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")


def is_secret_name(name: str) -> bool:
    """Whether an environment variable of this name holds what nobody else may read."""
    return _SECRET_NAME.search(name) is not None


class Redactor:
    """Puts ``[NAME]`` in the place of each secret, also where it was escaped for JSON, for Python or for a URL.

    The result is valid JSON where the text was. ``secrets`` maps names to values.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names: dict[str, str] = {}
        for name, value in secrets.items():
            for form in _forms(value.strip()):
                self._names.setdefault(_key(form), name)
        # The longest first: where one secret begins with another, the whole of it goes.
        forms = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(_literal(form) for form in forms)) if forms else None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """For the variables of ``environ`` whose names look secret and whose values are no ordinary words."""
        return cls({name: value for name, value in environ.items() if is_secret_name(name)})

    def __call__(self, text: str) -> str:
        """``text`` without any of the secrets."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: f"[{self._names[_key(found[0])]}]", text)

    def unsafe_tail(self, text: str) -> int:
        """How many of the last characters of ``text`` may be the beginning of a secret whose rest is still to come."""
        longest = 0
        for form in self._names:
            for size in range(min(len(form) - 1, len(text)), longest, -1):
                if text.endswith(form[:size]):
                    longest = size
                    break
        return longest


class Redacted(io.TextIOBase):
    """What a process prints, without secrets: stands in the place of its standard output or error."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact

    def write(self, text: str) -> int:
        self._stream.write(self._redact(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


def _forms(value: str) -> Iterator[str]:
    """``value`` and what it looks like inside other text."""
    if len(value) < SHORTEST:
        return
    yield value
    for ascii_only in (True, False):
        in_json = _in_json(value, ascii_only=ascii_only)
        yield in_json
        yield _in_json(in_json, ascii_only=ascii_only)  # a tool's arguments are JSON inside of JSON
    yield repr(value)[1:-1]
    yield quote(value, errors="replace")
    yield quote(value, "", errors="replace")
    yield quote_plus(value, errors="replace")


def _in_json(text: str, *, ascii_only: bool) -> str:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1]


def _key(form: str) -> str:
    """One spelling for all that :func:`_literal` matches: ``%2f`` and ``%2F`` are the same."""
    return _PERCENT.sub(lambda found: found[0].upper(), form)


def _literal(form: str) -> str:
    """A pattern that matches ``form``, in percent codes whatever case the digits have."""
    parts, start = [], 0
    for found in _PERCENT.finditer(form):
        parts.append(re.escape(form[start : found.start()]))
        parts.append("%" + "".join(f"[{digit.upper()}{digit.lower()}]" for digit in found[0][1:]))
        start = found.end()
    return "".join((*parts, re.escape(form[start:])))
