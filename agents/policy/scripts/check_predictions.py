"""Check a file of predictions against the inputs that it is for.

Usage: check_predictions.py --input DIR --predictions CSV --classes N     (N is 0 for regression)
"""

# ruff: noqa: T201 - a program that is read by its output
import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from agents.recipes.sources.whole_inputs import read_whole


def problems(ids: pd.Series, predictions: pd.DataFrame, classes: int) -> list[str]:
    """What is wrong, a sentence each; empty where there is one finite prediction for every id and none else."""
    wanted = ["id", "prediction", *(f"probability_{number}" for number in range(classes))]
    missing = [name for name in wanted if name not in predictions.columns]
    if missing:
        return [f"columns are missing: {', '.join(missing)}"]
    found = []
    if predictions["id"].duplicated().any():
        found.append(f"{int(predictions['id'].duplicated().sum())} ids are predicted more than once")
    lacking, extra = set(ids) - set(predictions["id"]), set(predictions["id"]) - set(ids)
    if lacking:
        found.append(f"{len(lacking)} ids have no prediction, such as {min(lacking)}")
    if extra:
        found.append(f"{len(extra)} ids were not asked for, such as {min(extra)}")
    numbers = predictions[wanted[1:]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(numbers).all():
        found.append(f"{int((~np.isfinite(numbers)).any(axis=1).sum())} predictions are not finite numbers")
    elif classes and np.abs(numbers[:, 1:].sum(axis=1) - 1).max() > 1e-3:
        found.append("the probabilities of a row do not sum to 1")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Check predictions.")
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--classes", type=int, required=True)
    options = parser.parse_args()
    ids = read_whole(options.input, dtype=str).index.to_series()
    labels = options.input.parent / "labels.csv"
    if labels.is_file():  # a FASTA file may hold sequences that nobody has labelled
        ids = ids[ids.isin(pd.read_csv(labels, dtype=str)["id"])]
    predictions = pd.read_csv(options.predictions, dtype={"id": str})
    found = problems(ids, predictions, options.classes)
    spread = float(pd.to_numeric(predictions.iloc[:, -1], errors="coerce").std()) if len(predictions) > 1 else 0.0
    print("\n".join(found) or f"{len(predictions)} predictions, one for each id, all finite.")
    print("RESULT: " + json.dumps({"rows": len(predictions), "problems": found, "constant": spread == 0.0}))


if __name__ == "__main__":
    main()
