"""Makes the three folders of a split: every fourth row of each class validates."""

import csv
import sys
from pathlib import Path

data, fold = Path(sys.argv[1]) / "train", int(sys.argv[2])
with (data / "labels.csv").open() as file:
    labels = list(csv.reader(file))[1:]
with (data / "input" / "data.csv").open() as file:
    header, *rows = csv.reader(file)
seen: dict[str, int] = {}
parts: dict[str, list[list[str]]] = {"train": [], "validation": [], "mini_train": []}
for row in labels:
    seen[row[1]] = seen.get(row[1], 0) + 1
    validates = seen[row[1]] % 4 == fold
    parts["validation" if validates else "train"].append(row)
    if not validates and seen[row[1]] < 20:
        parts["mini_train"].append(row)
for name, part in parts.items():
    (Path(name) / "input").mkdir(parents=True)
    ids = {row[0] for row in part}
    with (Path(name) / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "numeric_label"], *part])
    with (Path(name) / "input" / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in rows if row[0] in ids)])
