"""Snapshots: made whole from what was scored, and refused where they are not that any more."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.environment import RunEnvironment
from agents.errors import UserError
from agents.events import BestChanged
from agents.journal import JournalWriter
from agents.model_files import ModelFiles
from agents.run_folder import RunFolder
from agents.snapshot import (
    Snapshot,
    SnapshotRecord,
    add_test_scores,
    candidate_place,
    drop_candidates,
    drop_unannounced,
    install_snapshot,
    open_snapshot,
    point_best_at,
    stage_candidate,
)
from agents.vocabulary import StepName
from tests.support.facts import toy_facts

ENVIRONMENT = RunEnvironment(Path("python"), {}, {"numpy": "2.0"}, "3.11.9")
FACTS = toy_facts()


class Bench:
    """A run's folder whose iterations have trained something."""

    def __init__(self, root: Path) -> None:
        self.run = RunFolder(root)
        root.mkdir()

    def train(self, iteration: int, weights: str = "w") -> None:
        training, inference = (
            self.run.step(iteration, step) for step in (StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE)
        )
        for folder in (training / "training_artifacts" / "__pycache__", inference / "features"):
            folder.mkdir(parents=True)
        (training / "train.py").write_text("train")
        (training / "notes.txt").write_text("mine")
        (training / "training_artifacts" / "weights").write_text(weights)
        (training / "training_artifacts" / "__pycache__" / "x.pyc").touch()
        (inference / "inference.py").write_text("infer")
        (inference / "features" / "__init__.py").touch()
        for path in self.run.root.rglob("*.py"):
            path.chmod(0o444)  # as the archive leaves it

    def stage(self, iteration: int) -> ModelFiles:
        self.train(iteration)
        return stage_candidate(self.run, iteration)

    def keep(self, iteration: int, version: int = 1, combination: str = "k-mers") -> Snapshot:
        record = SnapshotRecord(
            run_id="r",
            iteration=iteration,
            created=datetime(2026, 1, 1, tzinfo=UTC),
            dataset="toy",
            combination=combination,
            metric="AUROC",
            higher_is_better=True,
            split_version=version,
            train={"AUROC": 1.0},
            validation={"AUROC": None},
            python="3.11",
            model="builtin/omics",
        )
        return install_snapshot(self.run, self.stage(iteration), record, FACTS, ENVIRONMENT)

    def announce(self, digest: str) -> None:
        writer = JournalWriter(self.run.journal, "r")
        writer.write(BestChanged(iteration=0, metric="AUROC", value=1, split_version=1, digest=digest))
        writer.close()

    @property
    def snapshots(self) -> list[str]:
        return sorted(path.name for path in (self.run.root / "snapshots").iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "run")


def test_a_candidate_holds_code_and_artifacts_and_nothing_else(bench: Bench) -> None:
    assert sorted(bench.stage(0).checksums()) == [
        "model_inference/features/__init__.py",
        "model_inference/inference.py",
        "model_training/train.py",
        "model_training/training_artifacts/weights",
    ]
    assert bench.snapshots == [".000.part"]


def test_a_copy_is_the_same_model_and_read_only(bench: Bench, tmp_path: Path) -> None:
    staged = bench.stage(0)
    (staged.artifacts / "__pycache__").mkdir()
    (staged.artifacts / "__pycache__" / "weights.pyc").touch()
    copy = staged.copy_to(tmp_path / "copy")
    assert copy.digest() == staged.digest()
    assert not list(copy.root.rglob("__pycache__"))
    assert all(path.stat().st_mode & 0o222 == 0 for path in copy.root.rglob("*") if path.is_file())


@pytest.mark.parametrize("deed", ["edit", "add", "remove", "rename", "link"])
def test_the_digest_tells_every_change_of_a_model(bench: Bench, deed: str) -> None:
    files = bench.stage(0)
    before, weights = files.digest(), files.artifacts / "weights"
    match deed:
        case "edit":
            weights.write_text("W")
        case "add":
            (files.root / "model_inference" / "numpy.py").touch()
        case "remove":
            weights.unlink()
        case "rename":
            weights.rename(files.artifacts / "heights")
        case "link":
            (files.root / "model_inference" / "numpy").symlink_to(bench.run.root)
    assert files.digest() != before


def test_a_copy_of_the_folder_that_is_named_works_anywhere(bench: Bench, tmp_path: Path) -> None:
    bench.keep(2)
    named = bench.run.snapshot(2)
    assert bench.run.best.resolve() == named.resolve()
    taken = shutil.copytree(named, tmp_path / "elsewhere", symlinks=True)
    assert not taken.is_symlink()
    assert Snapshot(taken).record().iteration == 2
    assert "snapshots/002" in (taken / "README.md").read_text()


def test_a_kept_candidate_is_the_staged_one_with_what_is_needed_to_use_it(bench: Bench) -> None:
    digest = bench.stage(7).digest()
    snapshot = bench.keep(0)
    assert snapshot.digest() == digest
    assert (snapshot.root / "requirements.txt").read_text() == "numpy==2.0\n"
    assert snapshot.dataset() == FACTS


def test_the_best_leads_to_the_snapshot_that_was_kept_last(bench: Bench) -> None:
    first = bench.keep(0)
    assert first.record().iteration == 0
    assert bench.keep(1).record().iteration == 1
    assert bench.run.best.resolve().name == "001"
    point_best_at(bench.run, 0)
    assert open_snapshot(bench.run).record().iteration == 0
    point_best_at(bench.run, None)
    with pytest.raises(UserError, match="no snapshot"):
        open_snapshot(bench.run)


def test_a_snapshot_that_was_changed_since_it_was_scored_is_refused(bench: Bench) -> None:
    snapshot = bench.keep(0)
    bench.announce(snapshot.digest())
    add_test_scores(snapshot, {"test": {"AUROC": 0.5}})
    assert open_snapshot(bench.run).record().test == {"test": {"AUROC": 0.5}}, "its scores may grow"
    (snapshot.artifacts / "weights").write_text("W")
    with pytest.raises(UserError, match="were changed since they were scored"):
        open_snapshot(bench.run)


def test_a_snapshot_of_a_run_without_digests_can_still_be_opened(bench: Bench) -> None:
    bench.keep(0)
    bench.announce("")
    assert open_snapshot(bench.run).record().iteration == 0


def test_what_dead_engines_left_half_made_goes(bench: Bench) -> None:
    bench.keep(0)
    bench.stage(1)
    bench.keep(2)
    drop_candidates(bench.run)
    drop_unannounced(bench.run, 2)
    assert bench.snapshots == ["000"]
    assert not candidate_place(bench.run, 1).exists()


def test_no_text_of_a_model_breaks_out_of_its_place_in_the_readme(bench: Bench) -> None:
    snapshot = bench.keep(0, combination="k-mers\x1b[2J\n\n# Forged")
    text = (snapshot.root / "README.md").read_text()
    assert text.splitlines()[0] == "# k-mers # Forged for toy"
    assert "\x1b" not in text
    assert "| validation (split v1) | – |" in text


def test_the_readme_says_what_was_found_in_the_test_splits_and_how_labels_are_numbered(bench: Bench) -> None:
    snapshot = bench.keep(0)
    found = "7 groups of test also in train, such as a"
    assert found not in (snapshot.root / "README.md").read_text()
    add_test_scores(snapshot, {"test": {"AUROC": 0.9}}, [found])
    text = (snapshot.root / "README.md").read_text()
    assert f"\n- {found}\n" in text
    assert snapshot.record().test_findings == [found]
    assert "    id,numeric_label\n    row-1,1\n" in text
    numbered = ", ".join(f"{number} for {name}" for number, name in enumerate(FACTS.classes))
    assert f"`numeric_label` is the number of the class: {numbered}.\n" in text
