"""Where a run stands still: before its next call, while a person wants it to."""

import asyncio
from typing import Final

from agents.events import Held, Released
from agents.recorder import Recorder

_PAUSED: Final = "paused by a person"


class Standstill:
    """Lets the work pass, or holds it and tells so: for a person's pause, or until what it is held for is settled."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._may_go = asyncio.Event()
        self._may_go.set()
        self._told = False
        self._paused = False

    @property
    def is_wanted(self) -> bool:
        """Whether the next call waits, or one waits already."""
        return not self._may_go.is_set()

    @property
    def is_reached(self) -> bool:
        """Whether the run stands."""
        return self._told

    def want(self) -> None:
        """Let the next call wait: a person pauses the run."""
        self._paused = True
        self._may_go.clear()

    def forget(self) -> None:
        """No person pauses the run any more; what it is held for still has to be settled."""
        self._paused = False

    async def pass_by(self) -> None:
        """Return at once, or when the run may go on."""
        while not self._may_go.is_set():  # again, where a pause came before this task was woken
            if not self._told:
                self._tell(_PAUSED)
            await self._may_go.wait()

    async def hold(self, reason: str) -> None:
        """Stand still for ``reason`` until it is settled, and no person pauses the run."""
        self._may_go.clear()
        self._tell(reason)
        await self.pass_by()

    def settle(self) -> None:
        """What the run was held for is settled: go on, unless a person has paused it before it came to that."""
        if self._paused:
            self._tell(_PAUSED)
        else:
            self.end()

    def end(self) -> None:
        """Go on."""
        self._paused = False
        self._may_go.set()
        if self._told:
            self._told = False
            self._recorder.emit(Released())

    def _tell(self, reason: str) -> None:
        self._told = True
        self._recorder.emit(Held(reason=reason), durable=True)
