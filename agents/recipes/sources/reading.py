"""Read the inputs and labels of a split: CSV, TSV or FASTA."""

import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "?")
TABLE_SUFFIXES = (".csv", ".tsv")
FASTA_SUFFIXES = (".fa", ".fasta", ".faa", ".fna")
NOT_INPUTS = ("labels.csv", "groups.csv")


def fail(message: str) -> NoReturn:
    """End the script with one line on stderr."""
    sys.exit(f"error: {message}")


def read_inputs(path: Path, columns: dict[str, list[str]]) -> pd.DataFrame:
    """The inputs at ``path`` with their ids as index (text), in file order.

    ``path`` is a CSV, TSV or FASTA file, or a folder that has one, itself or in ``input/``. ``columns`` names the
    columns to read: ``text`` (sequences: taken literally, "NA" is asparagine-alanine), ``numeric``, ``categorical``.
    """
    files = find_inputs(path)
    if files[0].suffix.lower() in FASTA_SUFFIXES:
        frame = pd.concat([read_fasta(file) for file in files])
        text = columns["text"]
        if len(text) == 1:
            frame = frame.rename(columns={"sequence": text[0]})
    else:
        frame = read_table(files[0], columns)
    wanted = [*columns["text"], *columns["numeric"], *columns["categorical"]]
    absent = [column for column in wanted if column not in frame.columns]
    if absent:
        fail(f"{files[0]}: column {absent[0]!r} is missing; the model needs {', '.join(wanted[:8])}")
    return frame[wanted]


def find_inputs(path: Path) -> list[Path]:
    """The one table, or all FASTA files, at ``path``."""
    if path.is_file():
        return [path]
    for folder in (path / "input", path):
        if (folder / "data.csv").is_file():
            return [folder / "data.csv"]
        files = sorted(file for file in folder.glob("*") if file.is_file() and file.name not in NOT_INPUTS)
        tables = [file for file in files if file.suffix.lower() in TABLE_SUFFIXES]
        if len(tables) > 1:
            fail(f"{folder}: more than one table ({', '.join(file.name for file in tables[:4])}); name it data.csv")
        found = tables or [file for file in files if file.suffix.lower() in FASTA_SUFFIXES]
        if found:
            return found
    fail(f"{path}: {names_there(path)}, neither a table (CSV, TSV) nor FASTA; nothing else can be read")


def names_there(path: Path) -> str:
    """What lies where inputs are looked for, in words."""
    folder = path / "input" if (path / "input").is_dir() else path
    names = sorted(entry.name for entry in folder.glob("*") if entry.name not in NOT_INPUTS)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{folder.name}/ holds {', '.join(names[:3]) or 'nothing'}{more}"


def read_table(path: Path, columns: dict[str, list[str]]) -> pd.DataFrame:
    """The columns ``columns`` of a CSV or TSV file, its ``id`` column as index; rows without ids are ``row-0``, …"""
    measured = [*columns["numeric"], *columns["categorical"]]
    wanted = {"id", *columns["text"], *measured}
    frame = pd.read_csv(
        path,
        sep="\t" if path.suffix.lower() == ".tsv" else ",",
        usecols=lambda name: name in wanted,
        dtype=dict.fromkeys(["id", *columns["text"], *columns["categorical"]], str),
        keep_default_na=False,
        na_values={name: list(MISSING) for name in measured},
    )
    present = [name for name in columns["numeric"] if name in frame.columns]
    numbers = {name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in present}
    frame = frame.drop(columns=present).join(pd.DataFrame(numbers, index=frame.index))
    if "id" not in frame.columns:
        frame["id"] = [f"row-{row}" for row in range(len(frame))]
    return frame.set_index("id")


def read_fasta(path: Path) -> pd.DataFrame:
    """A FASTA file as a table with the column ``sequence``; the first word of each header is the id."""
    ids: list[str] = []
    parts: list[list[str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(">"):
            words = line[1:].split()
            ids.append(words[0] if words else f"row-{len(ids)}")
            parts.append([])
        elif line.strip():
            if not ids:
                fail(f"{path}: the first line of a FASTA file starts with '>'")
            parts[-1].append(line.strip())
    return pd.DataFrame({"sequence": ["".join(part) for part in parts]}, index=pd.Index(ids, name="id", dtype=str))


def read_labels(folder: Path, ids: pd.Index, *, is_classification: bool) -> np.ndarray:
    """``numeric_label`` of labels.csv for ``ids``: whole numbers for classes, else floats.

    Labels are looked up by id and never merged with the inputs, which may have a column of the same name.
    """
    path = folder / "labels.csv"
    table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values={"numeric_label": list(MISSING)})
    label_of = dict(zip(table["id"], pd.to_numeric(table["numeric_label"], errors="coerce"), strict=True))
    labels = np.array([label_of.get(name, np.nan) for name in ids], dtype=float)
    unlabelled = np.flatnonzero(~np.isfinite(labels))
    if unlabelled.size:
        fail(f"{path}: no numeric_label for id {ids[unlabelled[0]]!r}")
    return labels.astype(np.int64) if is_classification else labels


def read_groups(folder: Path, ids: pd.Index) -> np.ndarray | None:
    """Group of each id from groups.csv (``id,group``); None where the split has no such file or it lacks an id."""
    path = folder / "groups.csv"
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    group_of = dict(zip(table["id"], table["group"], strict=True))
    if any(name not in group_of for name in ids):
        return None
    return np.unique([group_of[name] for name in ids], return_inverse=True)[1]
