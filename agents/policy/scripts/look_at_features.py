"""Compute the features of a representation on a small sample and say what they are like.

Usage: look_at_features.py --data DIR      with features.py and train.py of the candidate beside this file
"""

# ruff: noqa: T201 - a program that is read by its output
import argparse
import importlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np


def figures(matrix: np.ndarray) -> dict[str, Any]:
    """Shape and health of a feature matrix (rows, features)."""
    values = np.asarray(matrix, dtype=float)
    constant = np.nanmax(values, axis=0) == np.nanmin(values, axis=0) if len(values) else np.ones(values.shape[1], bool)
    return {
        "rows": values.shape[0],
        "features": values.shape[1],
        "zeros": round(float((values == 0).mean()), 4),
        "missing": round(float(np.isnan(values).mean()), 4),
        "infinite": int(np.isinf(values).sum()),
        "constant": int(constant.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Look at the features of a small sample.")
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    features, settings = importlib.import_module("features"), importlib.import_module("train").CONFIG
    frame = features.read_inputs(options.data, settings["columns"])
    found = []
    for member in settings["members"]:
        started = time.monotonic()
        fitted = features.Features(member["features"]).fit(frame)
        seen = figures(fitted.transform(frame))
        seen["seconds"] = round(time.monotonic() - started, 3)
        seen["examples"] = [str(name)[:40] for name in fitted.names[:6]]
        print(
            f"{seen['features']:,} features of {seen['rows']:,} rows in {seen['seconds']} s, {seen['zeros']:.0%} zeros"
        )
        found.append(seen)
    print("RESULT: " + json.dumps({"members": found}))


if __name__ == "__main__":
    main()
