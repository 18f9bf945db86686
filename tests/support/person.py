"""A person who watches a run and gives commands at the moments that a test names."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from agents import control
from agents.events import CommandReceived, Event
from agents.fold import apply
from agents.journal import JournalReader
from agents.run_folder import RunFolder
from agents.state import RunState

SECONDS = 60.0


@dataclass
class Person:
    """Follows the journal of ``run``."""

    run: RunFolder
    state: RunState = field(default_factory=RunState)
    seen: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = JournalReader(self.run.journal)

    def look(self) -> None:
        for event in self._reader.read_all():
            apply(self.state, event)
            self.seen.append(event)

    async def sees(self, what: Callable[[RunState], object]) -> None:
        """Wait until the state is as ``what`` says."""
        async with asyncio.timeout(SECONDS):
            while not what(self.state):
                await asyncio.sleep(0.005)
                self.look()

    async def gives(self, command: control.Command) -> CommandReceived:
        """Give a command and wait for its receipt."""
        control.submit(self.run, command)
        await self.sees(lambda state: command.command_id in {receipt.command_id for receipt in state.receipts})
        return next(receipt for receipt in self.state.receipts if receipt.command_id == command.command_id)
