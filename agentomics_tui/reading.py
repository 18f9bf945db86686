"""Reading that goes on when it fails: a worker tells of it once, and once more when it works again."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual.message import Message

from screens.messages import ReadingSeen

Post = Callable[[Message], object]
_logger: Final = logging.getLogger(__name__)


class Reading:
    """Tells once when reading begins to fail, and once when it works again."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._told = ""

    def attempt(self, read: Callable[[], bool]) -> bool:
        """What ``read`` returns; False where it failed. No failure of it ends a worker."""
        problem, more = "", False
        try:
            more = read()
        except OSError as error:
            problem = _words_of(error)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            if problem != self._told:
                _logger.exception("a worker of the screens failed; it goes on")
        if problem != self._told:
            self._told = problem
            self._post(ReadingSeen(problem))
        return more


def _words_of(error: OSError) -> str:
    """File and reason in one short phrase."""
    name = Path(error.filename).name if isinstance(error.filename, str) else ""
    return f"{name}: {error.strerror or error}" if name else error.strerror or str(error)
