"""Fit the model to a training split and save it.

python train.py --train-data DIR --validation-data DIR --artifacts-dir DIR
"""

# ruff: noqa: T201
import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from agents.recipes.sources.blocks import Features
from agents.recipes.sources.prediction import predicted
from agents.recipes.sources.problem import Problem, fit_model
from agents.recipes.sources.reading import read_groups, read_inputs, read_labels

CONFIG: dict[str, Any] = {
    "classes": 2,
    "metric": "AUROC",
    "seed": 0,
    "columns": {"text": [], "numeric": ["x"], "categorical": []},
    "members": [
        {
            "title": "",
            "features": [{"block": "TableFeatures", "options": {"numeric": ["x"], "categorical": []}}],
            "preprocessing": {"scale": "standard"},
            "family": "logistic",
            "settings": {},
        }
    ],
}


def main() -> None:
    arguments = parse_arguments()
    started = time.monotonic()
    threads = max(int(os.environ.get("OMP_NUM_THREADS") or 1), 1)
    frames = [read_inputs(folder, CONFIG["columns"]) for folder in (arguments.train_data, arguments.validation_data)]
    is_classification = CONFIG["classes"] > 0
    labels = [
        read_labels(folder, frame.index, is_classification=is_classification)
        for folder, frame in zip((arguments.train_data, arguments.validation_data), frames, strict=True)
    ]
    groups = read_groups(arguments.train_data, frames[0].index)
    warnings.filterwarnings("ignore", message=r"Features \[|invalid value encountered")
    with threadpool_limits(threads):
        members, reports, saved = fit_members(frames, labels, groups, threads)
    fitted = {"rows": len(frames[0]), "seconds": round(time.monotonic() - started, 2), "final": saved}
    save(arguments.artifacts_dir, members, {**fitted, "reports": reports})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit the model to a training split and save it.")
    split = "folder with input/ and labels.csv"
    parser.add_argument("--train-data", type=Path, required=True, help=split)
    parser.add_argument("--validation-data", type=Path, required=True, help=f"{split}, to stop early and to report")
    parser.add_argument("--artifacts-dir", type=Path, required=True, help="folder to write the fitted model to")
    return parser.parse_args()


def fit_members(
    frames: list[Any], labels: list[np.ndarray], groups: np.ndarray | None, threads: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Fit every member; several are averaged. Gives them, all reports, and the figures of what is saved."""
    members: list[dict[str, Any]] = []
    predictions: list[list[np.ndarray]] = []
    reports: list[dict[str, Any]] = []
    for member in CONFIG["members"]:
        features = Features(member["features"]).fit(frames[0])
        raw = [features.transform(frame) for frame in frames]
        prepare = preprocessing(member["preprocessing"])
        steps = prepare(raw[0].shape).fit(raw[0], labels[0]) if prepare else None
        train, validation = [steps.transform(matrix) if steps else matrix for matrix in raw]
        problem = Problem(
            x_train=train,
            y_train=labels[0],
            x_validation=validation,
            y_validation=labels[1],
            raw_train=raw[0],
            prepare=prepare,
            classes=CONFIG["classes"],
            metric=CONFIG["metric"],
            seed=CONFIG["seed"],
            threads=threads,
            groups=groups,
            title=member["title"],
            reports=reports,
            epochs_before=reports[-1]["epoch"] if reports else 0,
        )
        model = fit_model(problem, member["family"], member["settings"])
        members.append({"features": features, "steps": steps, "model": model})
        predictions.append([predicted(model, matrix, CONFIG["classes"]) for matrix in (train, validation)])
    saved = problem.figures(*(np.mean(split, axis=0) for split in zip(*predictions, strict=True)))
    print(f"SAVED: {json.dumps(saved)}", flush=True)  # no report: the last epoch has its point already
    return members, reports, saved


def preprocessing(wanted: dict[str, Any]) -> Callable[[tuple[int, int]], Any] | None:
    """A maker of the steps between features of a (rows, columns) shape and model, or None where there are none.

    The steps learn (scales, selection, components), so they are fitted on training rows alone.
    """

    def make(shape: tuple[int, int]) -> Any:
        rows, columns = shape
        steps: list[Any] = []
        if wanted.get("select"):
            columns = min(wanted["select"], columns)
            steps.append(SelectKBest(f_classif if CONFIG["classes"] else f_regression, k=columns))
        if wanted.get("scale") == "standard":
            steps.append(StandardScaler())
        elif wanted.get("scale") == "quantile":
            quantiles = min(200, rows)
            steps.append(
                QuantileTransformer(n_quantiles=quantiles, output_distribution="normal", random_state=CONFIG["seed"])
            )
        if wanted.get("components"):
            steps.append(PCA(min(wanted["components"], rows, columns), random_state=CONFIG["seed"]))
        return make_pipeline(*steps)

    return make if any(wanted.values()) else None


def save(folder: Path, members: list[dict[str, Any]], training: dict[str, Any]) -> None:
    """Write the model, the module that it needs to be loaded, and what was fitted."""
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(
        {"classes": CONFIG["classes"], "columns": CONFIG["columns"], "members": members}, folder / "model.joblib"
    )
    source = Path(sys.modules[Features.__module__].__file__ or "").read_text(encoding="utf-8")
    (folder / "features.py").write_text(source, encoding="utf-8")
    fitted = {
        "config": CONFIG,
        "features": [len(member["features"].names) for member in members],
        "scikit_learn": sklearn.__version__,
        **training,
    }
    (folder / "training.json").write_text(json.dumps(fitted, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
