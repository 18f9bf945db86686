"""The snapshot of the best iteration: scripts, artifacts, metrics, environment and how to use them.

Each snapshot is a folder below ``snapshots/``; ``best`` is a link to the newest, turned over in one rename, so that
nobody ever meets half a snapshot. A candidate lies there as ``.NNN.part`` while it is scored, and what was scored is
what is kept: the journal holds the digest of its files, and a snapshot that differs from it is refused.
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.data.workspace import DatasetFacts
from agents.environment import RunEnvironment
from agents.errors import UserError
from agents.events import BestChanged
from agents.files import remove_tree, sha256_of, sync_folder, sync_tree, write_atomically, write_json
from agents.journal import JournalReader
from agents.model_files import ModelFiles, gather
from agents.run_folder import RunFolder
from agents.templating import markdown
from agents.vocabulary import StepName

METRICS: Final = "metrics.json"
DATASET: Final = "dataset.json"
CHECKSUMS: Final = "SHA256SUMS"
_PART: Final = ".part"


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
    test_findings: list[str] = Field(default_factory=list, description="What was found in the test splits.")
    python: str
    model: str = Field(description="The model that wrote the scripts.")


class Snapshot(ModelFiles):
    """A snapshot folder as its users need it."""

    def record(self) -> SnapshotRecord:
        return SnapshotRecord.model_validate_json((self.root / METRICS).read_bytes())

    def dataset(self) -> DatasetFacts:
        return DatasetFacts.model_validate_json((self.root / DATASET).read_bytes())

    def verify(self, digest: str) -> None:
        """Raise :class:`UserError` where the files are not those that were scored.

        An empty ``digest`` is that of a run whose journal holds none yet: there is nothing to compare with.
        """
        if digest and self.digest() != digest:
            raise UserError(
                f"{self.root}: its scripts or artifacts were changed since they were scored, so its scores say nothing "
                "about them"
            )


def open_snapshot(run: RunFolder) -> Snapshot:
    """The best snapshot of a run; raises :class:`UserError` where there is none or it is not what was scored."""
    snapshot = Snapshot(run.best)
    try:
        snapshot.record()
    except OSError:
        raise UserError(f"run {run.run_id} has no snapshot: no iteration was finished with a valid score") from None
    except ValidationError:
        raise UserError(f"{run.best / METRICS}: not the metrics of a snapshot") from None
    snapshot.verify(_scored_digest(run))
    return snapshot


def _scored_digest(run: RunFolder) -> str:
    changes = [event.digest for event in JournalReader(run.journal).read_all() if isinstance(event, BestChanged)]
    return changes[-1] if changes else ""


# --- how one is made -------------------------------------------------------------------------------------------------


def candidate_place(run: RunFolder, iteration: int) -> Path:
    """Where the files of a candidate lie while it is scored."""
    return run.root / "snapshots" / f".{iteration:03d}{_PART}"


def stage_candidate(run: RunFolder, iteration: int) -> ModelFiles:
    """Copy the iteration's scripts and artifacts to :func:`candidate_place`."""
    place = candidate_place(run, iteration)
    remove_tree(place)
    place.mkdir(parents=True)
    training, inference = (run.step(iteration, step) for step in (StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE))
    return gather(inference, ModelFiles(training.parent).artifacts, place)


def install_snapshot(
    run: RunFolder, staged: ModelFiles, record: SnapshotRecord, dataset: DatasetFacts, environment: RunEnvironment
) -> Snapshot:
    """Make a staged candidate a snapshot, whole or not at all, and the best one."""
    write_atomically(staged.root / "requirements.txt", environment.requirements())
    write_atomically(staged.root / ".python-version", f"{environment.python_version}\n")
    write_atomically(staged.root / DATASET, dataset.model_dump_json(indent=2))
    _write_record(staged.root, record, dataset)
    target = run.snapshot(record.iteration)
    remove_tree(target)
    staged.root.rename(target)
    sync_tree(target)
    point_best_at(run, record.iteration)
    return Snapshot(run.best)


def add_test_scores(
    snapshot: Snapshot, scores: dict[str, dict[str, float | None]], findings: Sequence[str] = ()
) -> None:
    """Write the final evaluation, and what was found in the test splits, into the snapshot's metrics and README."""
    record = snapshot.record().model_copy(update={"test": scores, "test_findings": list(findings)})
    _write_record(snapshot.root.resolve(), record, snapshot.dataset())


def _write_record(root: Path, record: SnapshotRecord, dataset: DatasetFacts) -> None:
    write_json(root / METRICS, record.model_dump(mode="json"))
    write_atomically(root / "README.md", markdown("snapshot.md.j2", record=record, dataset=dataset))
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    sums = "".join(f"{sha256_of(path)}  {path.relative_to(root).as_posix()}\n" for path in files)
    write_atomically(root / CHECKSUMS, sums)


def point_best_at(run: RunFolder, iteration: int | None) -> None:
    """Let ``best`` lead to the snapshot of ``iteration``, or to nothing."""
    if iteration is None:
        run.best.unlink(missing_ok=True)
        return
    link = run.root / f".best{_PART}"
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(run.snapshot(iteration), run.root))
    link.replace(run.best)
    sync_folder(run.root)


# --- how one goes ----------------------------------------------------------------------------------------------------


def drop_unannounced(run: RunFolder, iteration: int) -> None:
    """Remove what an engine that died has installed for ``iteration`` and never announced as the best."""
    remove_tree(run.snapshot(iteration))


def drop_candidates(run: RunFolder) -> None:
    """Remove what engines that died have left half made."""
    for part in (run.root / "snapshots").glob(f".*{_PART}"):
        remove_tree(part)
    (run.root / f".best{_PART}").unlink(missing_ok=True)
