"""How the command line reads what a person types."""

from collections.abc import Callable
from typing import Any

from agentomics_tui.user_settings import OFF


def or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argument of ``kind``, or the word that switches it off, which the settings understand."""

    def read(text: str) -> Any:
        return OFF if text.strip().lower() == OFF else kind(text)

    read.__name__ = getattr(kind, "__name__", "")  # argparse tells it where the text is none
    return read
