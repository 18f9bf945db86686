"""A watcher's side of control: it takes it, keeps it by a heartbeat, notices when it is lost, and tells the screen."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from textual.message import Message

from agents.holder import BEAT_SECONDS, Control, ControlHeld, holder_of
from agents.run_folder import RunFolder
from screens.messages import ControlSeen

_LOOK_SECONDS: Final = 1.0


class Holding:
    """The control of one watcher over ``run``. With ``wanted`` it takes control at the first look, if it is free."""

    def __init__(self, run: RunFolder, post: Callable[[Message], object], *, wanted: bool) -> None:
        self.session: Final = uuid.uuid4().hex
        self._run = run
        self._control = Control(run, self.session)
        self._post = post
        self._wanted = wanted
        self._due = self._beat_due = 0.0
        self._told: ControlSeen | None = None

    @property
    def is_ours(self) -> bool:
        return self._told is not None and self._told.mine

    def look(self) -> None:
        """Renew the heartbeat and post who holds control, each when it is time. Raises ``OSError``."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _LOOK_SECONDS
        if self._wanted:
            self._wanted = False
            with suppress(ControlHeld, OSError):  # a person may watch what belongs to somebody else
                self._control.take()
        if self.is_ours and now >= self._beat_due:
            self._beat_due = now + BEAT_SECONDS
            self._control.beat()
        self._tell()

    def take(self) -> None:
        """Take control, also from somebody else."""
        problem = ""
        try:
            self._control.take(from_others=True)
        except OSError as error:
            problem = error.strerror or str(error)
        self._tell(problem)

    def give_up(self) -> None:
        """Let control go, where it is ours. Raises ``OSError``."""
        self._control.release()
        self._tell()

    def _tell(self, problem: str = "") -> None:
        holder = holder_of(self._run)
        mine = holder is not None and holder.session == self.session
        seen = ControlSeen(mine, holder.name if holder else "", problem)
        if problem or self._told is None or (seen.mine, seen.holder) != (self._told.mine, self._told.holder):
            self._told = seen
            self._post(seen)
