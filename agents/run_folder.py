"""The folder of a run: where each thing lies, how runs are made, listed and named."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import UserError
from agents.files import remove_tree, write_json
from agents.program import to_type
from agents.settings import RunSettings
from agents.vocabulary import StepName

RUNS_DIR_VARIABLE = "AGENTOMICS_RUNS_DIR"
LAST = "last"
"""What a person may say for the newest run; no run can be called so."""
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class RunRecord(BaseModel):
    """``run.json``: what is fixed when the run starts."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    created: datetime
    dataset: str
    version: str
    settings: RunSettings
    shared_events: int = 0
    """With how many events of the run that it was forked from its journal begins."""


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run. Nothing here reads or writes but :meth:`record`."""

    root: Path

    @property
    def run_id(self) -> str:
        return self.root.name

    @property
    def run_json(self) -> Path:
        return self.root / "run.json"

    @property
    def journal(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def control(self) -> Path:
        return self.root / "control"

    @property
    def lock(self) -> Path:
        return self.root / "engine.lock"

    @property
    def pulse(self) -> Path:
        """What the engine last measured of the call that runs; absent while nothing was measured."""
        return self.root / "pulse.json"

    @property
    def engine_log(self) -> Path:
        """What the engine's process printed: empty unless something went wrong."""
        return self.root / "engine.log"

    @property
    def model_calls(self) -> Path:
        return self.root / "model_calls"

    @property
    def tool_calls(self) -> Path:
        return self.root / "tool_calls"

    @property
    def approvals(self) -> Path:
        """What a person was asked to approve, a numbered folder each."""
        return self.root / "approvals"

    @property
    def control_lock(self) -> Path:
        """Who holds control (see ``agents/holder.py``)."""
        return self.root / "control.lock"

    @property
    def data(self) -> Path:
        """The dataset as the agent may see it, in folder form, without any test split."""
        return self.root / "data"

    @property
    def environment(self) -> Path:
        return self.root / "environment"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    @property
    def iterations(self) -> Path:
        return self.root / "iterations"

    @property
    def best(self) -> Path:
        """A link to the best snapshot, for programs; what a person takes home is :meth:`snapshot`."""
        return self.root / "best"

    def snapshot(self, iteration: int) -> Path:
        return self.root / "snapshots" / f"{iteration:03d}"

    @property
    def test(self) -> Path:
        return self.root / "test"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def split(self, version: int) -> Path:
        return self.splits / f"v{version}"

    def iteration(self, index: int) -> Path:
        return self.iterations / f"{index:03d}"

    def step(self, index: int, step: StepName) -> Path:
        return self.iteration(index) / step.value

    def relative(self, path: Path) -> str:
        """``path`` as events name it."""
        return path.relative_to(self.root).as_posix()

    def shown(self, text: str) -> str:
        """``text`` for people, in which paths of this run stand without what leads to its folder."""
        return text.replace(f"{self.root}/", "")

    def record(self) -> RunRecord:
        """Read ``run.json``; raises :class:`UserError` where it is missing or no run record."""
        try:
            return RunRecord.model_validate_json(self.run_json.read_bytes())
        except OSError as error:
            raise UserError(
                f"{self.root} is not a run: {self.run_json.name} cannot be read ({error.strerror})"
            ) from None
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"])
            raise UserError(f"{self.run_json}: {where}: {problem['msg']}") from None


def default_runs_dir() -> Path:
    """``AGENTOMICS_RUNS_DIR``, else the user's data folder."""
    named = os.environ.get(RUNS_DIR_VARIABLE)
    return Path(named).expanduser().absolute() if named else user_data_path("agentomics-tui") / "runs"


def create_run(runs_dir: Path, settings: RunSettings, version: str, run_id: str | None = None) -> RunFolder:
    """Make the folder of a new run with its ``run.json``; raises :class:`UserError` where the id is taken or no id."""
    created = datetime.now(UTC)
    folder = RunFolder(claim_root(runs_dir, settings.dataset.name, created, run_id))
    record = RunRecord(
        run_id=folder.run_id, created=created, dataset=settings.dataset.name, version=version, settings=settings
    )
    try:
        make_folders(folder)
        write_json(folder.run_json, record.model_dump(mode="json"))
    except BaseException as error:
        remove_tree(folder.root)  # half a run is none
        if isinstance(error, OSError):
            raise UserError(f"{folder.root}: the run's folder cannot be made ({error.strerror})") from None
        raise
    return folder


def make_folders(folder: RunFolder) -> None:
    """Make the folders that every run has from the start."""
    for path in (folder.control / "done", folder.model_calls, folder.tool_calls, folder.iterations, folder.splits):
        path.mkdir(parents=True)


def claim_root(runs_dir: Path, dataset: str, created: datetime, run_id: str | None) -> Path:
    """Make an empty folder that is to become a run, named by its id or by time and dataset.

    Raises :class:`UserError` where the id is taken or no id, or no folder can be made.
    """
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise UserError(
            f"--run-id {run_id!r}: use letters, digits, '.', '_' and '-', at most 80, first a letter or digit"
        )
    if run_id == LAST:
        raise UserError(f"--run-id {run_id}: '{LAST}' means the newest run; choose another id")
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        return _claim(runs_dir, run_id) if run_id else _claim_new(runs_dir, dataset, created)
    except OSError as error:
        raise UserError(f"{runs_dir}: the run's folder cannot be made there ({error.strerror})") from None


def _claim(runs_dir: Path, run_id: str) -> Path:
    root = runs_dir / run_id
    try:
        root.mkdir()
    except FileExistsError:
        raise UserError(f"--run-id {run_id}: {root} exists already; choose another id") from None
    return root


def _claim_new(runs_dir: Path, dataset: str, created: datetime) -> Path:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", dataset).strip("-").lower()[:40] or "run"
    for count in range(1, 1000):
        root = runs_dir / f"{created:%Y%m%d-%H%M%S}-{stem}{'' if count == 1 else f'-{count}'}"
        try:
            root.mkdir()
        except FileExistsError:
            continue
        return root
    raise UserError(f"{runs_dir}: no free run id for {stem}")


def list_runs(runs_dir: Path) -> list[RunFolder]:
    """All runs under ``runs_dir``, newest first; folders that are no run are passed over."""
    return [folder for _, folder in sorted(_dated_runs(runs_dir), key=lambda pair: pair[0], reverse=True)]


def _dated_runs(runs_dir: Path) -> Iterator[tuple[tuple[datetime, str], RunFolder]]:
    if not runs_dir.is_dir():
        return
    for root in runs_dir.iterdir():
        folder = RunFolder(root)
        if folder.run_json.is_file():
            try:
                yield (folder.record().created, root.name), folder
            except UserError:
                continue


def resolve_run(reference: str, runs_dir: Path) -> RunFolder:
    """The run that a person means by an id, a unique prefix, a path or ``last``; raises :class:`UserError`."""
    as_path = Path(reference).expanduser()
    if (as_path / "run.json").is_file():
        return RunFolder(as_path.absolute())
    runs = list_runs(runs_dir)
    if not runs:
        raise UserError(f"no runs in {runs_dir}; start one with: {to_type('demo')}")
    if reference == LAST:
        return runs[0]
    exact = [run for run in runs if run.run_id == reference]
    matches = exact or [run for run in runs if run.run_id.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        some = ", ".join(run.run_id for run in matches[:4])
        raise UserError(f"run {reference!r} is not unique in {runs_dir}: {some}{' …' if len(matches) > 4 else ''}")
    raise UserError(f"no run {reference!r} in {runs_dir}; see: {to_type('runs')}")
