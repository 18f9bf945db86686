"""Small synthetic datasets and runs of a candidate's scripts as real processes."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from agents.recipes.catalogue import Candidate, InputKind, InputProfile, scripts
from agents.vocabulary import TaskType
from tests.support.scripts import run_script

METRIC = {TaskType.BINARY: "AUROC", TaskType.MULTICLASS: "MCC", TaskType.REGRESSION: "SPEARMAN"}
CLASSES = {TaskType.BINARY: 2, TaskType.MULTICLASS: 3, TaskType.REGRESSION: 0}


@dataclass
class Dataset:
    """Inputs with their labels; ids are the index."""

    profile: InputProfile
    inputs: pd.DataFrame
    labels: np.ndarray

    def write(self, folder: Path, rows: slice, *, labels: bool = True) -> Path:
        """A split folder with these rows."""
        (folder / "input").mkdir(parents=True)
        self.inputs.iloc[rows].to_csv(folder / "input" / "data.csv", index_label="id")
        if labels:
            table = pd.DataFrame({"id": self.inputs.index, "numeric_label": self.labels}).iloc[rows]
            table.iloc[::-1].to_csv(folder / "labels.csv", index=False)  # the order of labels means nothing
        return folder


def make(kind: InputKind, task: TaskType, alphabet: str = "protein", rows: int = 90, seed: int = 1) -> Dataset:
    """A dataset whose labels follow from its inputs."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=rows)
    builder: dict[InputKind, Callable[..., pd.DataFrame]] = {
        InputKind.TABLE: _table,
        InputKind.EXPRESSION: _expression,
        InputKind.SEQUENCE: _sequences,
        InputKind.SEQUENCE_PAIR: _pairs,
    }
    inputs = builder[kind](rng, signal, alphabet)
    inputs.index = pd.Index([f"{row:04d}" for row in range(rows)])
    text = tuple(name for name in inputs.columns if name.startswith("seq"))
    categorical = tuple(name for name in inputs.columns if name.startswith("cat"))
    profile = InputProfile(
        kind=kind,
        sequence_columns=text,
        alphabet=dict.fromkeys(text, alphabet),
        numeric_columns=tuple(name for name in inputs.columns if name not in (*text, *categorical)),
        categorical_columns=categorical,
        rows=rows,
        task_type=task,
        classes=CLASSES[task],
    )
    return Dataset(profile, inputs, _labels(task, signal))


def _labels(task: TaskType, signal: np.ndarray) -> np.ndarray:
    if task is TaskType.BINARY:
        return (signal > 0).astype(int)
    if task is TaskType.MULTICLASS:
        return np.digitize(signal, [-0.5, 1.2])  # the last class is small
    return signal * 10 + 3


def _table(rng: np.random.Generator, signal: np.ndarray, _: str) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "near": signal + rng.normal(scale=0.3, size=len(signal)),
            "numeric_label": rng.normal(size=len(signal)),  # a feature with the name of the label column
            "label": rng.normal(size=len(signal)),
            "constant": 1.0,
            "never measured": np.nan,
            "cat": np.where(signal > 0.5, "high", np.where(rng.random(len(signal)) < 0.2, None, "low")),
        }
    )
    frame.loc[rng.random(len(frame)) < 0.2, "label"] = np.nan
    return frame


def _expression(rng: np.random.Generator, signal: np.ndarray, _: str) -> pd.DataFrame:
    values = rng.lognormal(3, 1.5, size=(len(signal), 60))
    values[:, :5] *= np.exp(signal)[:, None]
    values[:, 7] = 3.0
    frame = pd.DataFrame(values, columns=[f"gene {number}" for number in range(60)])
    frame.iloc[3, 2] = np.nan
    return frame


def _sequences(rng: np.random.Generator, signal: np.ndarray, alphabet: str) -> pd.DataFrame:
    letters = {"protein": "ACDEFGHIKLMNPQRSTVWY", "dna": "ACGT", "rna": "ACGU"}[alphabet]
    special = "K" if alphabet == "protein" else "G"
    sequences = []
    for value in signal:
        weight = np.ones(len(letters))
        weight[letters.index(special)] += 3 / (1 + np.exp(-2 * value)) * len(letters) / 4
        sequences.append("".join(rng.choice(list(letters), size=rng.integers(8, 40), p=weight / weight.sum())))
    sequences[:6] = ["", "NA", "nan", "acgt-*nx", "X", "NNNN"]
    return pd.DataFrame({"seq": sequences})


def _pairs(rng: np.random.Generator, signal: np.ndarray, alphabet: str) -> pd.DataFrame:
    complement = str.maketrans("ACGT", "TGCA")
    guides, targets = [], []
    for value in signal:
        guide = "".join(rng.choice(list("ACGT"), size=rng.integers(18, 25)))
        target = "".join(rng.choice(list("ACGT"), size=50))
        if value > 0:
            target = target[:30] + guide[1:8].translate(complement)[::-1] + target[37:]
        guides.append(guide)
        targets.append(target)
    guides[0], targets[1] = "", ""
    return pd.DataFrame({"seq guide": guides, "seq target": targets})


@dataclass
class Workspace:
    """The folders of one iteration with the scripts of a candidate, and how those are run."""

    root: Path
    run: Callable[..., subprocess.CompletedProcess[str]] = run_script

    @property
    def artifacts(self) -> Path:
        return self.root / "model_training" / "training_artifacts"

    @staticmethod
    def write(root: Path, dataset: Dataset, candidate: Candidate, seed: int = 5) -> "Workspace":
        metric = METRIC[dataset.profile.task_type]
        for name, text in scripts(dataset.profile, candidate, seed=seed, metric=metric).items():
            folder = root / ("model_inference" if name == "inference.py" else "model_training")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        return Workspace(root)

    def train(self, train: Path, validation: Path, artifacts: Path | None = None) -> str:
        """Standard output of train.py, started in another folder."""
        script = self.root / "model_training" / "train.py"
        folders = ["--train-data", train, "--validation-data", validation]
        done = self.run(script, *folders, "--artifacts-dir", artifacts or self.artifacts)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def predict(self, source: Path, output: Path, *options: object) -> pd.DataFrame:
        done = self.run(self.root / "model_inference" / "inference.py", "--input", source, "--output", output, *options)
        assert done.returncode == 0, done.stderr
        return pd.read_csv(output, dtype={"id": str}, keep_default_na=False)


def assert_is_a_prediction(table: pd.DataFrame, ids: list[str], classes: int) -> None:
    """One finite prediction for every id in order and, for classes, probabilities that sum to 1."""
    assert list(table["id"]) == ids
    assert np.isfinite(table["prediction"].to_numpy(dtype=float)).all()
    names = [f"probability_{label}" for label in range(classes)]
    assert list(table.columns) == ["id", "prediction", *names]
    if classes:
        probabilities = table[names].to_numpy(dtype=float)
        assert np.allclose(probabilities.sum(axis=1), 1)
        assert (probabilities >= 0).all()
        assert (table["prediction"].to_numpy(dtype=int) == probabilities.argmax(axis=1)).all()
