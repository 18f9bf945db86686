"""Using a snapshot: predictions for new data, by the snapshot's own script in the run's environment."""

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Final, TextIO

from agents.data.workspace import DatasetFacts, prepare_predict_input, read_facts
from agents.environment import make_environment
from agents.errors import UserError
from agents.evaluation.predictions import PredictionError, Predictions, read_predictions
from agents.files import remove_tree, write_result
from agents.processes import ProcessNotStarted, ProcessResult, run_process
from agents.run_folder import RunFolder
from agents.sandbox.choose import sandbox_for
from agents.settings import RunSettings
from agents.snapshot import Snapshot, open_snapshot
from agents.tasks import run_endable
from agents.wording import last_line

STANDARD_INPUT: Final = "standard input"
"""What a stream is called in messages."""


def predict(
    run: RunFolder,
    source: Path | IO[bytes],
    output: Path | TextIO,
    on_warning: Callable[[str], None] = lambda line: None,
) -> int:
    """Predict every row of ``source`` (a CSV, a FASTA file or a folder) into ``output``; the number of rows.

    A stream, a pipe or a device is read to its end first; it holds CSV or FASTA.
    ``on_warning`` hears of what the model has never seen, a line each.
    A link is followed to the file that it names; a device or a pipe is written to as it is. The output has
    ``id,prediction`` and for classifiers ``predicted_class`` and the probabilities. Raises
    :class:`UserError`; then ``output`` is as it was. However it ends, Ctrl-C included, no process and no temporary file
    is left.
    """
    snapshot = open_snapshot(run)
    settings = run.record().settings
    if isinstance(output, Path) and isinstance(source, Path):
        _check_output(source, output)
    scratch = Path(tempfile.mkdtemp(prefix="agentomics-predict-")).resolve()
    try:
        with _as_file(source, scratch / "input.csv", on_warning) as (path, warn):
            rows, text = run_endable(_predict(snapshot, settings, path, scratch, warn))
    finally:
        remove_tree(scratch)
    if isinstance(output, Path):
        write_result(output, text)
    else:
        output.write(text)
    return rows


@contextmanager
def _as_file(
    source: Path | IO[bytes], copy: Path, on_warning: Callable[[str], None]
) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """``source`` as what can be read twice, and whom to warn; what is said of the copy names the source."""
    if isinstance(source, Path) and (source.is_file() or source.is_dir() or not source.exists()):
        yield source, on_warning
        return
    name = str(source) if isinstance(source, Path) else STANDARD_INPUT
    try:
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as read, copy.open("wb") as write:
            shutil.copyfileobj(read, write)
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror or error})") from None
    try:
        yield copy, lambda line: on_warning(line.replace(str(copy), name))
    except UserError as error:
        raise UserError(str(error).replace(str(copy), name)) from None


def _check_output(source: Path, output: Path) -> None:
    if output.is_dir():
        raise UserError(f"--output {output}: is a folder; name the CSV file to write")
    if not output.parent.is_dir():
        raise UserError(f"--output {output}: the folder {output.parent} does not exist")
    if output.exists() and output.resolve().is_relative_to(source.resolve()):
        raise UserError(f"--output {output}: is part of the input and would be overwritten; name another file")


async def _predict(
    snapshot: Snapshot,
    settings: RunSettings,
    source: Path,
    scratch: Path,
    on_warning: Callable[[str], None],
) -> tuple[int, str]:
    """The number of rows, and the predictions as CSV."""
    facts = read_facts(snapshot.root)
    ids = prepare_predict_input(source, facts, scratch / "input", on_warning=on_warning)
    sandbox = sandbox_for(settings.sandbox)
    environment = make_environment(scratch / "environment", scratch / "home", settings.cpus, settings.seed, sandbox)
    raw = scratch / "predictions.csv"
    script = snapshot.inference_script
    arguments = ("--input", scratch / "input", "--output", raw, "--artifacts-dir", snapshot.artifacts)
    try:
        done = await run_process(
            [str(argument) for argument in (environment.python, script, *arguments)],
            cwd=script.parent,
            environment=environment.variables,
            log=scratch / "inference.log",
            timeout=settings.run_python_tool_timeout,
            cell=environment.cell(read=(snapshot.root, scratch / "input"), write=(scratch,)),
        )
    except ProcessNotStarted as error:
        raise UserError(f"{script}: cannot be started: {error}") from None
    if done.exit_status != 0 or done.timed_out or not raw.is_file():
        raise UserError(f"{script}: {_failure(done)} on {source}")
    try:
        predictions = read_predictions(raw, ids, facts.task_type, max(1, len(facts.classes)))
    except PredictionError as error:
        raise UserError(f"{script}: its predictions for {source} are not valid: {error}") from None
    return len(ids), _as_csv(ids, predictions, facts)


def _failure(done: ProcessResult) -> str:
    last = last_line(done.excerpt) or "it printed nothing"
    if done.timed_out:
        return f"not done after {done.seconds:.0f} seconds ({last})"
    if done.exit_status != 0:
        return f"exit status {done.exit_status} ({last})"
    return f"wrote no predictions ({last})"


def _as_csv(ids: list[str], predictions: Predictions, facts: DatasetFacts) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if predictions.probabilities is None:
        writer.writerow(["id", "prediction"])
        writer.writerows((row, float(value)) for row, value in zip(ids, predictions.values, strict=True))
        return text.getvalue()
    names = [f"probability_{number}" for number in range(len(facts.classes))]
    writer.writerow(["id", "prediction", "predicted_class", *names])
    for row, number, probabilities in zip(ids, predictions.values, predictions.probabilities, strict=True):
        writer.writerow([row, int(number), facts.classes[int(number)], *(float(value) for value in probabilities)])
    return text.getvalue()
