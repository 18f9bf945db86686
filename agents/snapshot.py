"""The snapshot of the best iteration: scripts, artifacts, metrics, environment and how to use them.

Each snapshot is a folder below ``snapshots/``; ``best`` is a link to the newest, turned over in one rename, so that
nobody ever meets half a snapshot.
"""

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.data.workspace import DatasetFacts
from agents.environment import RunEnvironment
from agents.errors import UserError
from agents.files import sha256_of, write_atomically, write_json
from agents.run_folder import RunFolder
from agents.scripts import INFERENCE, copy_scripts
from agents.steps.checks import ARTIFACTS
from agents.vocabulary import StepName

METRICS: Final = "metrics.json"
DATASET: Final = "dataset.json"
CHECKSUMS: Final = "SHA256SUMS"


class SnapshotRecord(BaseModel):
    """``metrics.json`` of a snapshot."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    iteration: int
    created: datetime
    dataset: str
    combination: str
    metric: str
    higher_is_better: bool
    split_version: int
    train: dict[str, float | None]
    validation: dict[str, float | None]
    test: dict[str, dict[str, float | None]] = Field(default_factory=dict, description="Test split to metrics.")
    python: str
    model: str = Field(description="The model that wrote the scripts.")


class Snapshot:
    """A snapshot folder as its users need it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def inference_script(self) -> Path:
        return self.root / StepName.MODEL_INFERENCE / INFERENCE

    @property
    def artifacts(self) -> Path:
        return self.root / StepName.MODEL_TRAINING / ARTIFACTS

    def record(self) -> SnapshotRecord:
        return SnapshotRecord.model_validate_json((self.root / METRICS).read_bytes())

    def dataset(self) -> DatasetFacts:
        return DatasetFacts.model_validate_json((self.root / DATASET).read_bytes())


def open_snapshot(run: RunFolder) -> Snapshot:
    """The best snapshot of a run; raises :class:`UserError` where there is none."""
    snapshot = Snapshot(run.best)
    try:
        snapshot.record()
    except OSError:
        raise UserError(f"run {run.run_id} has no snapshot: no iteration was finished with a valid score") from None
    except ValidationError:
        raise UserError(f"{run.best / METRICS}: not the metrics of a snapshot") from None
    return snapshot


def take_snapshot(
    run: RunFolder, record: SnapshotRecord, dataset: DatasetFacts, environment: RunEnvironment
) -> Snapshot:
    """Copy the iteration's scripts and artifacts into a snapshot and make it the best."""
    target = _folder(run, record.iteration)
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for step in (StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE):
        copy_scripts(run.step(record.iteration, step), beside / step)
    shutil.copytree(
        run.step(record.iteration, StepName.MODEL_TRAINING) / ARTIFACTS,
        beside / StepName.MODEL_TRAINING / ARTIFACTS,
        ignore=shutil.ignore_patterns("__pycache__"),
        copy_function=shutil.copyfile,  # not the archive's read-only mode
    )
    write_atomically(beside / "requirements.txt", environment.requirements())
    write_atomically(beside / ".python-version", f"{environment.python_version}\n")
    write_atomically(beside / DATASET, dataset.model_dump_json(indent=2))
    _write_record(beside, record, dataset)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    point_best_at(run, record.iteration)
    return Snapshot(run.best)


def add_test_scores(snapshot: Snapshot, scores: dict[str, dict[str, float | None]]) -> None:
    """Write the final evaluation into the snapshot's metrics and README."""
    _write_record(snapshot.root.resolve(), snapshot.record().model_copy(update={"test": scores}), snapshot.dataset())


def _write_record(root: Path, record: SnapshotRecord, dataset: DatasetFacts) -> None:
    write_json(root / METRICS, record.model_dump(mode="json"))
    templates = Environment(  # noqa: S701 - Markdown, read by people
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    readme = templates.get_template("snapshot.md.j2").render(record=record, dataset=dataset)
    write_atomically(root / "README.md", readme)
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    sums = "".join(f"{sha256_of(path)}  {path.relative_to(root).as_posix()}\n" for path in files)
    write_atomically(root / CHECKSUMS, sums)


def point_best_at(run: RunFolder, iteration: int | None) -> None:
    """Let ``best`` lead to the snapshot of ``iteration``, or to nothing."""
    if iteration is None:
        run.best.unlink(missing_ok=True)
        return
    link = run.root / ".best.part"
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(_folder(run, iteration), run.root))
    link.replace(run.best)


def drop_superseded(run: RunFolder, best: int, split_version: int) -> None:
    """Older snapshots of the same split version lost; those of other versions were never compared, so they stay."""
    for folder in (run.root / "snapshots").iterdir():
        if folder.name.startswith(".") or folder == _folder(run, best):
            continue
        if Snapshot(folder).record().split_version == split_version:
            shutil.rmtree(folder)


def _folder(run: RunFolder, iteration: int) -> Path:
    return run.root / "snapshots" / f"{iteration:03d}"
