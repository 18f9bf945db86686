"""Terminal escape sequences, found and taken out of text from outside."""

import re
from typing import Final

_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x9c|\x1b\\)"  # OSC and the other strings
    r"|\x1b[ -/]*[0-~]"  # two-character sequences
)


def without_escapes(text: str) -> str:
    """``text`` without escape sequences.

    One that is never closed loses only its first characters, so that it cannot hide what follows.
    """
    return _ESCAPES.sub("", text)
