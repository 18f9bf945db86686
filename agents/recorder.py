"""The recorder: the engine's one way to write an event and to know the state that follows from it."""

from collections.abc import Callable
from pathlib import Path

from agents.checkpoint import CheckpointWriter, load_state
from agents.errors import UserError
from agents.events import EventBase
from agents.fold import apply, fold
from agents.journal import JournalWriter
from agents.secrets import Redactor
from agents.state import RunState
from agents.vocabulary import StepName


class Recorder:
    """Writes events to the journal, fills in iteration and step, and folds them into ``state``.

    Opening the journal of an earlier engine folds what it left. Now and then it leaves a checkpoint of the state.
    ``redact`` takes secrets out of what is written.
    """

    def __init__(self, journal: Path, run_id: str, redact: Redactor | None = None) -> None:
        self.redact = redact or Redactor({})
        """Takes the secrets that the engine knows out of a text that it writes."""
        # Mends a torn last line, so it comes before the reader.
        self._writer = JournalWriter(journal, run_id, redact=self.redact)
        self.state, reader = load_state(journal, whole=True)
        checkpointed = self.state.last_seq
        fold(reader.read_all(), self.state)
        if reader.damage:
            self._writer.close()
            raise UserError(f"{reader.damage}, and what follows cannot be relied upon")
        self._checkpoints = CheckpointWriter(journal, reader, self.state.last_seq, checkpointed)
        self._checkpoints.offer(self.state, self._writer.size)
        self.iteration: int | None = None
        self.step: StepName | None = None
        self.listeners: list[Callable[[EventBase, RunState], None]] = []
        """Each gets every event that was written, with the state after it. They must neither wait nor raise."""

    def emit(self, event: EventBase, *, durable: bool = False) -> None:
        """Record ``event``; ``durable`` puts it on the disk first."""
        placed = event.model_copy(
            update={
                "iteration": self.iteration if event.iteration is None else event.iteration,
                "step": self.step if event.step is None else event.step,
            }
        )
        written = self._writer.write(placed, durable=durable)
        apply(self.state, written)
        self._checkpoints.offer(self.state, self._writer.size)
        for listener in self.listeners:
            listener(written, self.state)

    def close(self) -> None:
        self._checkpoints.close(self.state, self._writer.size)
        self._writer.close()
