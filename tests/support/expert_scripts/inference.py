"""Predicts by the cut that train.py has learned."""

import argparse
import csv
import json
import math
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("--input", "--output", "--artifacts-dir"):
    parser.add_argument(name, type=Path)
options = parser.parse_args()
model = json.loads((options.artifacts_dir / "model.json").read_text())
with (options.input / "data.csv").open() as source, options.output.open("w", newline="") as target:
    writer = csv.writer(target)
    writer.writerow(["id", "prediction", "probability_0", "probability_1"])
    for row in csv.DictReader(source):
        one = 1 / (1 + math.exp(-model["slope"] * (float(row[model["column"]]) - model["cut"])))
        writer.writerow([row["id"], int(one > 0.5), 1 - one, one])
