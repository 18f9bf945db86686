"""Predict with the fitted model.

python inference.py --input DIR|CSV|FASTA --output CSV [--artifacts-dir DIR]
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from agents.recipes.sources.prediction import predicted

ARTIFACTS = Path(__file__).resolve().parent.parent / "model_training" / "training_artifacts"


def main() -> None:
    arguments = parse_arguments()
    if not (arguments.artifacts_dir / "model.joblib").is_file():
        sys.exit(f"error: {arguments.artifacts_dir}: no model.joblib there; run train.py or name --artifacts-dir")
    sys.dont_write_bytecode = True  # the artifacts folder stays as it is
    sys.path.insert(0, str(arguments.artifacts_dir.resolve()))
    features = importlib.import_module("features")
    saved = joblib.load(arguments.artifacts_dir / "model.joblib")
    frame = features.read_inputs(arguments.input, saved["columns"])
    with threadpool_limits(max(int(os.environ.get("OMP_NUM_THREADS") or 1), 1)):
        prediction = predict(saved["members"], frame, saved["classes"])
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    as_table(frame.index, prediction).to_csv(arguments.output, index=False)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Predict with the fitted model.")
    parser.add_argument("--input", type=Path, required=True, help="a table or FASTA file, or a folder that has one")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write: id,prediction,probability_0,…")
    parser.add_argument("--artifacts-dir", type=Path, default=ARTIFACTS, help="folder that train.py wrote")
    return parser.parse_args()


def predict(members: list[dict[str, object]], frame: pd.DataFrame, classes: int) -> np.ndarray:
    """The mean of the members' predictions: probabilities of each class, or numbers."""
    if frame.empty:
        return np.zeros((0, classes)) if classes else np.zeros(0)
    predictions = []
    for member in members:
        matrix = member["features"].transform(frame)  # type: ignore[attr-defined]
        if member["steps"]:
            matrix = member["steps"].transform(matrix)  # type: ignore[attr-defined]
        predictions.append(predicted(member["model"], matrix, classes))
    return np.asarray(np.mean(predictions, axis=0))


def as_table(ids: pd.Index, prediction: np.ndarray) -> pd.DataFrame:
    """Predictions in the form ``id,prediction`` with, for classes, ``probability_0``, ``probability_1``, …"""
    if prediction.ndim == 1:
        return pd.DataFrame({"id": ids, "prediction": prediction})
    table = pd.DataFrame({"id": ids, "prediction": prediction.argmax(axis=1)})
    for label in range(prediction.shape[1]):
        table[f"probability_{label}"] = prediction[:, label]
    return table


if __name__ == "__main__":
    main()
