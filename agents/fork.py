"""Forking a run: a new run that shares the finished work of another, its parent, and goes on with other settings.

The parent is only read, and may be running: its journal is read first, then nothing but files that the shared events
name, of steps that are over. Files are copied, not linked: code that an agent writes runs as the person who started the
fork and could write through a hard link into the parent. Where the file system can (btrfs, XFS), a copy takes no room
until one of the two is written.
"""

import json
import os
import re
import shutil
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Final

from agents.clock import utc_now
from agents.data.workspace import read_facts
from agents.environment import RunEnvironment
from agents.errors import UserError, words_of
from agents.events import (
    ApprovalAsked,
    EnvironmentReady,
    Event,
    ModelCallFinished,
    ModelCallStarted,
    RunForked,
    ToolCallStarted,
)
from agents.files import clone_file, digest_of, remove_tree, write_atomically, write_json
from agents.fold import fold
from agents.fork_point import ForkPoint, find_fork_point
from agents.fork_request import ForkRequest
from agents.journal import JournalReader, JournalWriter
from agents.model_files import ModelFiles
from agents.run_folder import RunFolder, RunRecord, claim_root, make_folders
from agents.settings import RunSettings
from agents.snapshot import SnapshotRecord, install_snapshot, stage_candidate
from agents.state import BestState, RunState
from agents.vocabulary import IterationStatus, SplitName, StepName, StepStatus

_OPEN: Final = (StepStatus.PENDING, StepStatus.RUNNING)
_OUTPUT: Final = "output.json"


def fork_run(
    parent: RunFolder,
    runs_dir: Path,
    settings: RunSettings,
    version: str,
    *,
    run_id: str | None = None,
    iteration: int | None = None,
    step: StepName | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> RunFolder:
    """Make a run below ``runs_dir`` that goes on from ``step`` of ``iteration`` of ``parent`` with ``settings``.

    See :func:`find_fork_point` for what the place means where it is not given. Raises :class:`UserError` where it
    cannot be; then nothing of it is left. It appears whole, by one rename. No engine is started.
    """
    events, lines = _read_journal(parent)
    try:
        point = find_fork_point(events, iteration, step, settings.iterations)
    except UserError as error:
        raise UserError(f"run {parent.run_id}: {error}") from None
    root = claim_root(runs_dir, settings.dataset.name, clock(), run_id)
    beside = root.with_name(f".{root.name}.part")
    try:
        remove_tree(beside)
        beside.mkdir()
        _Fork(parent, RunFolder(beside), root.resolve(), settings, version, point, clock).build(events, lines)
        beside.rename(root)
    except BaseException as error:
        remove_tree(beside)
        remove_tree(root)
        if isinstance(error, OSError | shutil.Error):
            raise UserError(f"run {parent.run_id} cannot be forked: {words_of(error)}") from None
        raise
    return RunFolder(root)


def _read_journal(parent: RunFolder) -> tuple[list[Event], list[bytes]]:
    """The parent's events, and its whole lines, which hold those of newer versions too."""
    reader = JournalReader(parent.journal)
    events = list(reader.read_all())
    if reader.damage:
        raise UserError(f"{reader.damage}; run {parent.run_id} cannot be forked")
    if not events:
        raise UserError(f"run {parent.run_id} has no events yet")
    with parent.journal.open("rb") as file:
        return events, file.read(reader.offset).splitlines()


@dataclass(frozen=True)
class _Fork:
    """One fork while it is made."""

    parent: RunFolder
    run: RunFolder
    """Where it is made."""
    root: Path
    """Where it will lie: what its files name."""
    settings: RunSettings
    version: str
    point: ForkPoint
    clock: Callable[[], datetime]

    def build(self, events: list[Event], lines: list[bytes]) -> None:
        make_folders(self.run)
        state = self.point.state
        self._copy_data(state)
        shared = [event for event in events if event.seq <= self.point.seq]
        self._copy_calls(shared)
        self._copy_steps(state)
        self._write_journal(lines, fold(events))
        if state.best is not None:
            self._restore_best(state, state.best, shared)
        record = RunRecord(
            run_id=self.root.name,
            created=self.clock(),
            dataset=self.parent.record().dataset,
            version=self.version,
            settings=self.settings,
            shared_events=self.point.seq + 1,
        )
        write_json(self.run.run_json, record.model_dump(mode="json"))

    # --- the journal -------------------------------------------------------------------------------------------------

    def _write_journal(self, lines: list[bytes], parent: RunState) -> None:
        """The shared events under this run's id, then that it was forked. ``parent`` is its state by now."""
        shared = b"".join(self._own(line, seq) for seq, line in enumerate(lines[: self.point.seq + 1]))
        write_atomically(self.run.journal, shared)
        settings = self.settings.model_dump(mode="json", exclude={"dataset"})
        before = self.parent.record().settings.model_dump(mode="json", exclude={"dataset"})
        writer = JournalWriter(self.run.journal, self.root.name, self.clock)
        writer.write(
            RunForked(
                iteration=self.point.iteration,
                step=self.point.step,
                parent=self.parent.run_id,
                parent_path=str(self.parent.root.resolve()),
                parent_seq=self.point.seq,
                settings=settings,
                changed={name: value for name, value in settings.items() if before.get(name) != value},
                test_evaluations=parent.test_evaluations,
            ),
            durable=True,
        )
        writer.close()

    def _own(self, line: bytes, seq: int) -> bytes:
        event = json.loads(line) | {"run_id": self.root.name}
        if event["seq"] != seq:
            raise UserError(f"{self.parent.journal}, line {seq + 1}: an event is missing, so it cannot be forked")
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass") + b"\n"

    # --- files -------------------------------------------------------------------------------------------------------

    def _copy_data(self, state: RunState) -> None:
        """The dataset and the splits; what is not what the engine wrote cannot be scored by, so it is not shared."""
        if state.task_type is None:
            return
        self._copy_folder(self.parent.data, self.run.data)
        self._verify(self.run.data, state.data_digest)
        for version, digests in state.split_digests.items():
            self._copy_folder(self.parent.split(version), self.run.split(version))
            for name in SplitName:
                self._verify(self.run.split(version) / name, digests.get(name, ""))

    def _verify(self, folder: Path, digest: str) -> None:
        if digest and digest_of(folder) != digest:
            where = self.parent.root / self.run.relative(folder)
            raise UserError(f"{where} was changed since the engine wrote it, so nothing can be forked from it")

    def _copy_calls(self, shared: list[Event]) -> None:
        """What calls printed, were given, asked and answered, and what was approved, as far as it is still there."""
        for event in shared:
            match event:
                case ToolCallStarted():
                    self._copy_file(event.log)
                    self._copy_text(event.arguments)
                case ModelCallStarted(stream=str(name)) | ModelCallFinished(record=str(name)):
                    self._copy_text(name)
                case ApprovalAsked():
                    self._copy_text(event.subject)
                    if event.change:
                        self._copy_text(event.change)
                case _:
                    pass

    def _copy_steps(self, state: RunState) -> None:
        for iteration in state.iterations:
            for name, step in iteration.steps.items():
                source = self.parent.step(iteration.index, name)
                if step.status not in _OPEN and source.is_dir():
                    self._copy_folder(source, self.run.step(iteration.index, name))
                if step.output:
                    self._copy_text(step.output)
            if iteration.status is not IterationStatus.RUNNING and iteration.report:
                self._copy_text(iteration.report)

    def _copy_folder(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target, symlinks=True, copy_function=_clone_regular)
        for path in target.rglob("*"):
            if path.is_symlink():
                self._turn_link(path)

    def _turn_link(self, link: Path) -> None:
        """A link to somewhere in the parent leads to the same place of the fork."""
        named = os.readlink(link)  # noqa: PTH115 - any text, also no path
        own = self._retold(os.fsencode(named))
        if own != os.fsencode(named):
            link.unlink()
            link.symlink_to(os.fsdecode(own))

    def _copy_file(self, name: str) -> None:
        source = self.parent.root / name
        if source.is_file():
            (self.run.root / name).parent.mkdir(parents=True, exist_ok=True)
            clone_file(source, self.run.root / name)

    def _copy_text(self, name: str) -> None:
        """A file that prompts, screens or a replay read; where it names places of the parent, it names the fork's."""
        source, target = self.parent.root / name, self.run.root / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, self._retold(source.read_bytes()), durable=False)
            target.chmod(stat.S_IMODE(source.stat().st_mode))

    def _retold(self, text: bytes) -> bytes:
        parent, own = self.parent.root.resolve(), self.root
        for before, after in ((str(parent), str(own)), (_in_json(parent), _in_json(own))):
            # Not where the path only begins or ends like the parent's: /runs/a is no part of /runs/a-2 or /mnt/runs/a.
            pattern = rb"(?<![\w./-])" + re.escape(before.encode()) + rb"(?![\w-]|\.\w)"
            text = re.sub(pattern, lambda _, after=after: after.encode(), text)  # type: ignore[misc]
        return text

    # --- the snapshot ------------------------------------------------------------------------------------------------

    def _restore_best(self, state: RunState, best: BestState, events: list[Event]) -> None:
        """Make the snapshot of what was the best by then again, from the files of its iteration.

        The parent may have replaced it by a better one long ago, and what it has kept bears its test scores.
        """
        staged = self._staged(best)
        iteration = state.iterations[best.iteration]
        trained = (
            event.model
            for event in reversed(events)
            if isinstance(event, ModelCallFinished)
            and (event.iteration, event.step) == (best.iteration, StepName.MODEL_TRAINING)
        )
        ready = next(
            event for event in reversed(events) if isinstance(event, EnvironmentReady) and event.time <= best.time
        )
        dataset = read_facts(self.run.data)
        record = SnapshotRecord(
            run_id=self.root.name,
            iteration=best.iteration,
            created=best.time,
            dataset=dataset.name,
            combination=best.combination,
            metric=best.metric,
            higher_is_better=state.higher_is_better,
            split_version=iteration.split_version or best.split_version,
            train=iteration.scores[SplitName.TRAIN],
            validation=iteration.scores[SplitName.VALIDATION],
            python=ready.python,
            model=next(trained, state.model),
        )
        environment = RunEnvironment(Path(), {}, ready.packages, ready.python)
        install_snapshot(self.run, staged, record, dataset, environment)

    def _staged(self, best: BestState) -> ModelFiles:
        try:
            staged = stage_candidate(self.run, best.iteration)
        except (OSError, shutil.Error):
            raise UserError(f"{self._of_parent(best)} are not there any more, so its snapshot cannot be made") from None
        if best.digest and staged.digest() != best.digest:
            raise UserError(
                f"{self._of_parent(best)} were changed since they were scored, so its snapshot cannot be made; "
                f"an earlier place can be forked: --iteration {best.iteration}"
            )
        return staged

    def _of_parent(self, best: BestState) -> str:
        return f"{self.parent.iteration(best.iteration)}: the scripts or artifacts of the best iteration by then"


def _in_json(path: Path) -> str:
    return json.dumps(str(path))[1:-1]


def _clone_regular(source: str, target: str) -> None:
    """Files only: an agent may leave pipes and sockets, which hold nothing."""
    if stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116 - what copytree hands over is text
        clone_file(Path(source), Path(target))


def main() -> int:
    """``python -m agents.fork``: make the fork that a :class:`ForkRequest` on standard input asks for; print where.

    Exit status 2 where it cannot be made. SIGTERM ends it, and leaves nothing.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one must not disturb the cleaning up
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    request = ForkRequest.model_validate_json(sys.stdin.read())
    try:
        run = fork_run(
            RunFolder(request.parent),
            request.runs_dir,
            request.settings,
            request.version,
            run_id=request.run_id,
            iteration=request.iteration,
            step=request.step,
        )
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is made: whoever does not want it any more is told where it lies
    print(run.root)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
