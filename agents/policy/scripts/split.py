"""Split a dataset's training table into train, validation and a small mini_train.

Usage: split.py --data DIR --output DIR --task binary|multiclass|regression --seed N
DIR has train/ (input/ with data.csv or FASTA, labels.csv, maybe groups.csv) and maybe validation/, which is then used
as it is.
Rows of one group and rows with equal inputs stay on one side. Classes, or the label's tenths, are in proportion.
"""

# ruff: noqa: T201 - a program that is read by its output
import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from agents.recipes.sources.reading import FASTA_SUFFIXES, find_inputs
from agents.recipes.sources.whole_inputs import read_whole

FOLDS = 5
"""Validation is one of five folds: 20 %."""
MINI = 200
QUANTILES = 10
TOO_LARGE = 0.4
"""Share of the rows in one block above which no even split is left."""


@dataclass
class Part:
    """Rows of a split, all values as the text that stood in the file."""

    inputs: pd.DataFrame
    labels: pd.DataFrame
    groups: pd.DataFrame | None
    is_fasta: bool = False

    def rows(self, positions: np.ndarray) -> "Part":
        chosen = self.groups.iloc[positions] if self.groups is not None else None
        return Part(self.inputs.iloc[positions], self.labels.iloc[positions], chosen, self.is_fasta)

    def write(self, folder: Path) -> None:
        (folder / "input").mkdir(parents=True, exist_ok=True)
        if self.is_fasta:
            records = (f">{row.id}\n{row.sequence}\n" for row in self.inputs.itertuples())
            (folder / "input" / "sequences.fasta").write_text("".join(records), encoding="utf-8")
        else:
            self.inputs.to_csv(folder / "input" / "data.csv", index=False)
        self.labels.to_csv(folder / "labels.csv", index=False)
        if self.groups is not None:
            self.groups.to_csv(folder / "groups.csv", index=False)


def read_part(folder: Path) -> Part:
    """A split's folder, its files brought into one order of ids."""

    def read(path: Path) -> pd.DataFrame:
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    labels = read(folder / "labels.csv")
    inputs = read_whole(folder, labels["id"], dtype=str, keep_default_na=False).reset_index(names="id")

    def in_order(table: pd.DataFrame) -> pd.DataFrame:
        return table.set_index("id").loc[inputs["id"]].reset_index()

    groups = folder / "groups.csv"
    is_fasta = find_inputs(folder)[0].suffix.lower() in FASTA_SUFFIXES
    return Part(inputs, in_order(labels), in_order(read(groups)) if groups.is_file() else None, is_fasta)


def blocks(part: Part) -> tuple[np.ndarray, bool]:
    """The block of each row, and whether equal inputs share one: groups go first where both would tie most rows."""
    block = related(part)
    if part.groups is not None and np.bincount(block).max() > TOO_LARGE * len(block):
        return pd.factorize(part.groups["group"].to_numpy())[0], False
    return block, True


def related(part: Part) -> np.ndarray:
    """A number for each row; rows of one group, or with equal inputs, have the same one, also through third rows."""
    inputs = pd.util.hash_pandas_object(part.inputs.drop(columns="id"), index=False).to_numpy()
    keys = [pd.factorize(inputs)[0]]
    if part.groups is not None:
        keys.append(pd.factorize(part.groups["group"].to_numpy())[0])
    if len(keys) == 1:
        return keys[0]
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in zip(*keys, strict=True):
        parent[root((0, int(one)))] = root((1, int(other)))
    return pd.factorize(pd.Series([root((0, int(one))) for one in keys[0]]))[0]


def strata(labels: pd.Series, task: str) -> np.ndarray:
    """What is kept in proportion: the class, or the label's tenth."""
    numbers = pd.to_numeric(labels)
    if task != "regression":
        return numbers.astype(int).to_numpy()
    bins = min(QUANTILES, max(2, len(numbers) // 20))
    return pd.qcut(numbers.rank(method="first"), bins, labels=False).to_numpy()


def folds(stratum: np.ndarray, block: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Five ways to split, all with blocks on one side."""
    empty = np.zeros((len(stratum), 1))
    if len(np.unique(block)) == len(block):
        return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(empty, stratum))
    return list(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(empty, stratum, block))


def unevenness(stratum: np.ndarray, train: np.ndarray, validation: np.ndarray) -> float:
    """How far a split is from 20 % of each stratum; a stratum that is missing on one side counts most."""
    total = np.bincount(stratum)
    kept, held = (np.bincount(stratum[rows], minlength=len(total)) for rows in (train, validation))
    present = total > 0
    missing = int(((kept == 0) | (held == 0))[present].sum())
    return 10.0 * missing + float(np.abs(held[present] / total[present] - 1 / FOLDS).mean())


def best_split(stratum: np.ndarray, block: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The most even of the splits that the seed gives."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with fewer than five rows: judged by unevenness instead
        tried = folds(stratum, block, seed) + folds(stratum, block, seed + 1)
    return min(tried, key=lambda split: unevenness(stratum, *split))


def mini_rows(stratum: np.ndarray, seed: int, task: str) -> np.ndarray:
    """Positions of a small sample, every class in it, at most a fifth of the rows where that is enough to train on."""
    random = np.random.default_rng(seed)
    size = min(len(stratum), max(min(MINI, len(stratum) // 5), 20))
    order = random.permutation(len(stratum))
    if task == "regression":
        return np.sort(order[:size])
    chosen: list[int] = []
    for value in np.unique(stratum):
        rows = order[stratum[order] == value]
        chosen += rows[: max(round(size * len(rows) / len(stratum)), min(5, len(rows)))].tolist()
    return np.sort(np.array(chosen))


def summary(part: Part, task: str) -> dict[str, Any]:
    """Rows, and how the label is spread."""
    numbers = pd.to_numeric(part.labels["numeric_label"])
    if task == "regression":
        return {"rows": len(numbers), "median": float(f"{numbers.median():.6g}")}
    shares = numbers.astype(int).value_counts(normalize=True).sort_index()
    return {"rows": len(numbers), "shares": {str(name): round(float(share), 4) for name, share in shares.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Split a training table.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--task", choices=["binary", "multiclass", "regression"], required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    whole = read_part(options.data / "train")
    stratum = strata(whole.labels["numeric_label"], options.task)
    block, equal_together = blocks(whole)
    if (options.data / "validation").is_dir():
        train, validation = whole, read_part(options.data / "validation")
    else:
        kept, held = best_split(stratum, block, options.seed)
        train, validation, stratum = whole.rows(kept), whole.rows(held), stratum[kept]
    mini = train.rows(mini_rows(stratum, options.seed, options.task))
    parts = {"train": train, "validation": validation, "mini_train": mini}
    for name, part in parts.items():
        part.write(options.output / name)
    result: dict[str, Any] = {name: summary(part, options.task) for name, part in parts.items()}
    sizes = np.bincount(block)
    result["blocks"] = {"count": len(sizes), "rows_in_shared": int(sizes[sizes > 1].sum()), "largest": int(sizes.max())}
    result["equal_inputs_together"] = equal_together
    for name, part in result.items():
        print(f"{name}: {part}")
    print("RESULT: " + json.dumps(result))


if __name__ == "__main__":
    main()
