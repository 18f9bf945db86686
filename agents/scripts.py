"""Running the agent's train.py and inference.py by their contract, on the engine's behalf."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.calls import Calls
from agents.environment import RunEnvironment
from agents.evaluation.predictions import Predictions, read_predictions
from agents.excerpt import one_line
from agents.files import remove_tree
from agents.model_files import ModelFiles
from agents.processes import ProcessNotStarted, ProcessResult
from agents.sandbox.fence import Cell
from agents.vocabulary import TaskType
from agents.wording import last_line

_TAIL: Final = 1500
_SHOWN: Final = 3


class ScriptFailed(Exception):
    """A script broke its contract; the message holds the last line that it printed, and below it more of the end."""


@dataclass(frozen=True)
class Scripts:
    """Starts scripts in the run's environment, each recorded as a call of the engine."""

    calls: Calls
    environment: RunEnvironment
    work: Path
    """Folder for scratch folders; nothing in it outlives the call that made it."""
    task_type: TaskType
    n_classes: int

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards."""
        self.work.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.work))
        try:
            yield folder.resolve()
        finally:
            remove_tree(folder)

    async def train(self, script: Path, *, train: Path, validation: Path, artifacts: Path, title: str) -> None:
        """Run ``train.py``; raises :class:`ScriptFailed`."""
        arguments = ("--train-data", train, "--validation-data", validation, "--artifacts-dir", artifacts)
        cell = self.environment.cell(read=(script.parent, train, validation), write=(artifacts.parent,))
        _demand_success(await self._run(script, arguments, title, cell))

    async def predict(
        self, model: ModelFiles, inputs: Path, ids: Sequence[str], *, title: str, keep: Path | None = None
    ) -> Predictions:
        """Run ``inference.py`` on inputs without labels; predictions in the order of ``ids``.

        ``model`` is a copy made for this; a script that changes any of it would not be the model that is kept.
        ``keep`` is where the predictions file goes. Raises :class:`ScriptFailed` or ``PredictionError``.
        """
        script = model.inference_script
        before = await asyncio.to_thread(model.checksums)
        with self.scratch() as scratch:
            output = scratch / "predictions.csv"
            arguments = ("--input", inputs, "--output", output, "--artifacts-dir", model.artifacts)
            cell = self.environment.cell(read=(model.root, inputs), write=(scratch,))
            _demand_success(await self._run(script, arguments, title, cell))
            _demand_unchanged(script, before, await asyncio.to_thread(model.checksums))
            if not output.is_file():
                raise ScriptFailed(f"{script.name} ended well but wrote no {output.name} at --output")
            predictions = read_predictions(output, ids, self.task_type, self.n_classes)
            if keep is not None:
                shutil.move(output, keep)
        return predictions

    async def _run(self, script: Path, arguments: Sequence[str | Path], title: str, cell: Cell) -> ProcessResult:
        argv = [str(self.environment.python), str(script), *(str(argument) for argument in arguments)]
        try:
            return await self.calls.engine(title, argv, script.parent, self.environment.variables, cell)
        except ProcessNotStarted as error:
            raise ScriptFailed(str(error)) from None


def _demand_success(done: ProcessResult) -> None:
    if done.timed_out:
        raise ScriptFailed(f"no end after {done.limit.words if done.limit else f'{done.seconds:.0f} s'}")
    if done.stopped_because:
        raise ScriptFailed(done.stopped_because)
    if done.exit_status != 0:
        last = one_line(last_line(done.excerpt))
        shown = f": {last}\nIt printed last:\n{done.excerpt[-_TAIL:]}" if last else "; it printed nothing"
        raise ScriptFailed(f"exit status {done.exit_status}{shown}")


def _demand_unchanged(script: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise ScriptFailed(
            f"{script.name} changed files of its own model ({', '.join(changed[:_SHOWN])}{more}); "
            "it may write nothing but --output"
        )
