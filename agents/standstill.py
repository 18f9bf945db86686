"""Where a run stands still: before its next call, while a person wants it to."""

import asyncio

from agents.events import Held, Released
from agents.recorder import Recorder


class Standstill:
    """Lets the work pass, or holds it and tells so."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._may_go = asyncio.Event()
        self._may_go.set()
        self._told = False

    @property
    def is_wanted(self) -> bool:
        """Whether the next call waits, or one waits already."""
        return not self._may_go.is_set()

    @property
    def is_reached(self) -> bool:
        """Whether the run stands."""
        return self._told

    def want(self) -> None:
        """Let the next call wait."""
        self._may_go.clear()

    async def pass_by(self, reason: str) -> None:
        """Return at once, or when the run may go on; ``reason`` says why it stands."""
        if not self._may_go.is_set() and not self._told:
            self._tell(reason)
        await self._may_go.wait()

    async def hold(self, reason: str) -> None:
        """Stand still for ``reason`` until somebody lets the run go on."""
        self._may_go.clear()
        self._tell(reason)
        await self._may_go.wait()

    def end(self) -> None:
        """Go on."""
        self._may_go.set()
        if self._told:
            self._told = False
            self._recorder.emit(Released())

    def _tell(self, reason: str) -> None:
        self._told = True
        self._recorder.emit(Held(reason=reason), durable=True)
