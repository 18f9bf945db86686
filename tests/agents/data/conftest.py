"""Small datasets on disk."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

Rows = Sequence[Sequence[object]]
MakeCsv = Callable[..., Path]
MakeFolder = Callable[..., Path]

SHARED = Path(__file__).parents[4] / "shared" / "datasets"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real datasets beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"no datasets in {SHARED}")
    return SHARED


def write_csv(path: Path, header: Sequence[str], rows: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([list(header), *rows])
    return path


def binary_rows(count: int, start: int = 0) -> list[list[object]]:
    """Rows ``id,x,kind,label`` whose order, x and kind do not tell the label."""
    return [[f"s{n:03d}", f"{n % 7}.50", "ab"[n // 3 % 2], ("ill", "well")[n % 2]] for n in range(start, start + count)]


@pytest.fixture
def make_csv(tmp_path: Path) -> MakeCsv:
    """Writes a dataset in CSV form; without arguments a sound binary one of 40 + 10 rows."""

    def make(
        header: Sequence[str] = ("id", "x", "kind", "label"),
        metadata: Mapping[str, Any] | None = None,
        name: str = "toy",
        **splits: Rows,
    ) -> Path:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for split, rows in (splits or {"train": binary_rows(40), "test": binary_rows(10, 40)}).items():
            write_csv(root / f"{split}.csv", header, rows)
        default = {"label_column": "label"} | ({} if splits else {"positive_class": "well"})
        (root / "metadata.json").write_text(json.dumps(default if metadata is None else metadata))
        return root

    return make


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Writes a dataset in folder form: one text file a row, or one table where ``table`` is true."""

    def make(table: bool = False, sizes: Mapping[str, int] | None = None, name: str = "folders") -> Path:
        root, start = tmp_path / name, 0
        for split, size in (sizes or {"train": 20, "test": 6}).items():
            rows = binary_rows(size, start)
            start += size
            write_csv(root / split / "labels.csv", ["id", "label"], [[row[0], row[3]] for row in rows])
            if table:
                write_csv(root / split / "input" / "data.csv", ["id", "x", "kind"], [row[:3] for row in rows])
            else:
                (root / split / "input").mkdir(parents=True)
                for row in rows:
                    (root / split / "input" / f"{row[0]}.txt").write_text(f"{row[1]} {row[2]}")
        return root

    return make
