"""Look at a training table: what kind of inputs, what is missing, what differs with the label.

Usage: explore.py --data DIR --task binary|multiclass|regression --classes JSON [--focus VIEW] [--brief]
DIR has train/input/ (data.csv with id and inputs, or FASTA), train/labels.csv (id, numeric_label) and maybe
train/groups.csv (id, group).
Columns are told apart by their values, never by their names.
"""

# ruff: noqa: T201 - a program that is read by its output
import argparse
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from agents.recipes.sources.reading import find_inputs
from agents.recipes.sources.whole_inputs import read_whole

NUCLEOTIDES = set("ACGTUN")
AMINO_ACIDS = set("ACDEFGHIKLMNPQRSTVWY")
MANY_COLUMNS = 50
SUSPICIOUS = 0.99
SHOWN = 6
LONG_LIST = 2000
PAGE = 7000
LINE = 300


@dataclass
class Table:
    """The inputs with their labels, and each column's kind."""

    inputs: pd.DataFrame
    label: pd.Series
    group: pd.Series | None
    task: str
    classes: list[str]
    sequences: dict[str, str]
    numeric: list[str]
    categorical: list[str]
    ignored: dict[str, str]

    @property
    def kind(self) -> str:
        if self.sequences:
            return "sequence" if len(self.sequences) == 1 else "sequence_pair"
        wide = len(self.numeric) >= MANY_COLUMNS and 4 * len(self.numeric) >= len(self.inputs)
        return "expression" if wide else "table"


@dataclass
class Profile:
    """What a recipe is chosen by."""

    kind: str
    sequence_columns: list[str]
    alphabet: dict[str, str]
    numeric_columns: list[str]
    categorical_columns: list[str]
    rows: int
    task_type: str
    classes: int
    fixed_length: bool


# --- kinds of columns ------------------------------------------------------------------------------------------------


def alphabet_of(values: pd.Series) -> str | None:
    """dna, rna or protein where the values are sequences; None otherwise."""
    text = values.dropna().astype(str).str.strip()
    if text.empty or text.str.len().mean() < 5:
        return None
    joined = "".join(text)
    letters = joined.upper().replace("-", "").replace("*", "")
    if not letters or not letters.isascii() or not letters.isalpha() or len(letters) < 0.9 * len(joined):
        return None
    counts = pd.Series(list(letters)).value_counts(normalize=True)
    distinct = text.nunique()
    if counts.reindex(sorted(NUCLEOTIDES)).sum() >= 0.98 and distinct >= min(3, len(text)):
        return "rna" if "U" in counts and "T" not in counts else "dna"
    looks_like_protein = (
        counts.reindex(sorted(AMINO_ACIDS)).sum() >= 0.98  # words of a language have B, J, O, U, X and Z much oftener
        and len(counts) >= 10
        and (text == text.str.upper()).mean() >= 0.95
        and distinct >= min(20, len(text) / 2)
    )
    return "protein" if looks_like_protein else None


def kinds_of(inputs: pd.DataFrame) -> tuple[dict[str, str], list[str], list[str], dict[str, str]]:
    """Sequence columns with their alphabet (the longest sequences first), numeric, categorical and ignored columns."""
    sequences: dict[str, str] = {}
    numeric: list[str] = []
    categorical: list[str] = []
    ignored: dict[str, str] = {}
    for name in inputs.columns:
        values = inputs[name]
        if values.nunique(dropna=True) <= 1:
            ignored[name] = "always the same"
        elif pd.api.types.is_bool_dtype(values):
            categorical.append(name)
        elif pd.api.types.is_numeric_dtype(values):
            numeric.append(name)
        elif found := alphabet_of(values):
            sequences[name] = found
        elif values.nunique() > max(50, len(values) / 5):
            ignored[name] = f"{values.nunique()} different texts, no sequence"
        else:
            categorical.append(name)
    lengths = {name: -inputs[name].astype(str).str.len().mean() for name in sequences}
    ordered = {name: sequences[name] for name in sorted(sequences, key=lambda name: lengths[name])}
    return ordered, numeric, categorical, ignored


def read_training(data: Path, task: str, classes: list[str]) -> Table:
    """The training split of a dataset's folder."""
    train = data / "train"
    labels = pd.read_csv(train / "labels.csv", dtype={"id": str}).set_index("id")["numeric_label"]
    frame = read_whole(train, labels.index, low_memory=False)
    group = None
    if (train / "groups.csv").is_file():
        group = pd.read_csv(train / "groups.csv", dtype=str).set_index("id")["group"].reindex(frame.index)
    return Table(frame, labels.reindex(frame.index), group, task, classes, *kinds_of(frame))


def profile_of(table: Table) -> Profile:
    """The table in the terms of the recipes."""
    fixed = all(table.inputs[name].dropna().str.len().nunique() == 1 for name in table.sequences)
    return Profile(
        kind=table.kind,
        sequence_columns=list(table.sequences),
        alphabet=table.sequences,
        numeric_columns=table.numeric,
        categorical_columns=table.categorical,
        rows=len(table.inputs),
        task_type=table.task,
        classes=len(table.classes),
        fixed_length=bool(table.sequences) and fixed,
    )


# --- signal ----------------------------------------------------------------------------------------------------------


def signal(values: pd.DataFrame, label: pd.Series, task: str) -> pd.Series:
    """How strongly each column goes with the label, alone.

    Binary: AUROC. Regression: Spearman's correlation. Multiclass: the share of the ranks' variance between classes.
    """
    ranks = values.fillna(values.median()).rank()
    if task == "binary":
        positive = (label == 1).to_numpy()
        ones, zeros = int(positive.sum()), int((~positive).sum())
        return (ranks[positive].sum() - ones * (ones + 1) / 2) / max(ones * zeros, 1)
    if task == "regression":
        return ranks.corrwith(label.rank()).fillna(0.0)
    means = ranks.groupby(label.to_numpy()).transform("mean")
    return (means.var() / ranks.var()).fillna(0.0)


def strength(found: pd.Series, task: str) -> pd.Series:
    """Signal as a number from 0 (none) to 1 (complete)."""
    return (2 * (found - 0.5)).abs() if task == "binary" else found.abs()


def signal_words(found: pd.Series, task: str, shown: int = SHOWN) -> str:
    """The strongest columns with their figures."""
    word = {"binary": "AUROC", "regression": "Spearman", "multiclass": "variance between classes"}[task]
    order = strength(found, task).sort_values(ascending=False, kind="stable").index[:shown]
    return ", ".join(f"{name} ({word} {found[name]:.3f})" for name in order)


def sequence_figures(text: pd.Series, alphabet: str) -> pd.DataFrame:
    """Length and composition of each sequence, and GC for nucleic acids."""
    text = text.fillna("").astype(str).str.upper()
    length = text.str.len()
    letters = sorted(AMINO_ACIDS) if alphabet == "protein" else ["A", "C", "G", "U" if alphabet == "rna" else "T"]
    figures = {"length": length.astype(float)}
    figures |= {f"share of {letter}": text.str.count(letter) / length.clip(lower=1) for letter in letters}
    if alphabet != "protein":
        figures["GC"] = text.str.count("[GC]") / length.clip(lower=1)
    return pd.DataFrame(figures)


def seed_sites(longer: pd.Series, shorter: pd.Series) -> pd.Series:
    """Whether the reverse complement of letters 2 to 7 of the shorter strand stands in the longer one."""
    pairs = str.maketrans("ACGTU", "TGCAA")
    seeds = shorter.fillna("").astype(str).str.upper().str[1:7].map(lambda seed: seed.translate(pairs)[::-1])
    targets = longer.fillna("").astype(str).str.upper().str.replace("U", "T")
    return pd.Series([len(s) == 6 and s in t for s, t in zip(seeds, targets, strict=True)], index=longer.index)


# --- sentences -------------------------------------------------------------------------------------------------------


def label_words(table: Table) -> str:
    if table.task == "regression":
        low, middle, high = table.label.quantile([0.05, 0.5, 0.95])
        return f"The label is a number: median {middle:.4g}, 90 % between {low:.4g} and {high:.4g}."
    counts = Counter(table.label.astype(int))
    named = [f"{table.classes[number]} {n:,} ({n / len(table.label):.1%})" for number, n in sorted(counts.items())]
    return f"Classes: {', '.join(named)}."


def counted(count: int, one: str, many: str = "") -> str:
    """``count`` with its noun: "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def describe(table: Table) -> str:
    """Rows, columns and kinds."""
    parts = [f"{kind} sequences in {name!r}" for name, kind in table.sequences.items()]
    if table.numeric:
        parts.append(counted(len(table.numeric), "numeric column"))
    if table.categorical:
        parts.append(counted(len(table.categorical), "categorical column"))
    if table.ignored:
        parts.append(counted(len(table.ignored), "unusable column"))
    columns = counted(table.inputs.shape[1], "input column")
    return f"{counted(len(table.inputs), 'row')}, {columns}: {', '.join(parts)}. {label_words(table)}"


def sequence_sentences(table: Table) -> list[str]:
    said = []
    for name, alphabet in table.sequences.items():
        figures = sequence_figures(table.inputs[name], alphabet)
        low, middle, high = figures["length"].quantile([0.05, 0.5, 0.95])
        said.append(f"{name}: lengths {low:.0f} to {high:.0f} (5 % to 95 %), median {middle:.0f}.")
        if "GC" in figures:
            said.append(f"{name}: GC {figures['GC'].mean():.1%} on average.")
        varying = figures.loc[:, figures.nunique() > 1]
        said.append(
            f"{name}, strongest single figures: {signal_words(signal(varying, table.label, table.task), table.task)}."
        )
    if table.kind == "sequence_pair" and "protein" not in table.sequences.values():
        longer, shorter = list(table.sequences)[:2]
        seeds = seed_sites(table.inputs[longer], table.inputs[shorter])
        if table.task == "binary":
            shares = [f"{table.classes[c]} {seeds[table.label == c].mean():.1%}" for c in (0, 1)]
            said.append(f"Letters 2 to 7 of {shorter} pair perfectly somewhere in {longer}: {', '.join(shares)}.")
        else:
            said.append(f"Letters 2 to 7 of {shorter} pair perfectly in {longer} in {seeds.mean():.1%} of the rows.")
    return said


def table_sentences(table: Table) -> list[str]:
    said = []
    if table.numeric:
        values = table.inputs[table.numeric]
        said.append(f"Strongest numeric columns: {signal_words(signal(values, table.label, table.task), table.task)}.")
        skewed = int((values.skew().abs() > 2).sum())
        are = "is" if skewed == 1 else "are"
        among = counted(len(table.numeric), "numeric column")
        said.append(f"{skewed:,} of {among} {are} strongly skewed (skewness above 2).")
        some = values[values.var().sort_values(ascending=False, kind="stable").index[:300]]
        matrix = np.abs(np.nan_to_num(np.corrcoef(some.fillna(some.median()).to_numpy(float), rowvar=False)))
        pairs = int((np.triu(np.atleast_2d(matrix), 1) > 0.95).sum())
        among = f" among the {some.shape[1]} most variable" if some.shape[1] < len(table.numeric) else ""
        paired = counted(
            pairs, f"pair of numeric columns{among} correlates", f"pairs of numeric columns{among} correlate"
        )
        said.append(f"{paired} above 0.95.")
    for name in table.categorical[:SHOWN]:
        levels = table.inputs[name].astype(str)
        means = table.label.groupby(levels).agg(["mean", "size"]).query("size >= 10")["mean"]
        spread = f"; mean label by level from {means.min():.3g} to {means.max():.3g}" if len(means) > 1 else ""
        said.append(
            f"{name}: {counted(levels.nunique(), 'level')}, most often {levels.value_counts().index[0]!r}{spread}."
        )
    return said


def findings(table: Table) -> list[str]:
    """What may harm a model or its evaluation, each with its evidence."""
    found = []
    missing = table.inputs.isna().mean()
    worst = missing[missing > 0].sort_values(ascending=False)
    if len(worst):
        named = ", ".join(f"{name} {share:.1%}" for name, share in worst.head(SHOWN).items())
        found.append(f"Missing values in {len(worst):,} of {counted(len(missing), 'column')}: {named}.")
    found += [f"{name} is left out: {why}." for name, why in list(table.ignored.items())[:SHOWN]]
    keys = pd.util.hash_pandas_object(table.inputs.fillna("").astype(str), index=False)
    repeated = int(keys.duplicated().sum())
    if repeated:
        labels = table.label.groupby(keys.to_numpy()).nunique()
        found.append(
            f"{counted(repeated, 'row repeats', 'rows repeat')} the inputs of another one; "
            f"{counted(int((labels > 1).sum()), 'input has', 'inputs have')} several labels."
        )
    found += _label_findings(table) + _leak_findings(table)
    for name, alphabet in table.sequences.items():
        usual = "ACGTU" if alphabet != "protein" else "".join(sorted(AMINO_ACIDS))
        odd = table.inputs[name].fillna("").str.upper().str.contains(f"[^{usual}]", regex=True).mean()
        if odd:
            found.append(f"{odd:.1%} of {name} have other letters than {usual}.")
    return found


def _label_findings(table: Table) -> list[str]:
    found = []
    if table.task != "regression":
        shares = table.label.value_counts(normalize=True)
        if shares.min() < 0.2 / max(len(shares) / 2, 1):
            found.append(f"The rarest class has {shares.min():.1%} of the rows.")
    elif abs(skewness := float(pd.to_numeric(table.label).to_frame().skew().iloc[0])) > 2:
        found.append(f"The label is strongly skewed (skewness {skewness:.1f}).")
    if table.group is not None:
        sizes = table.group.value_counts()
        found.append(
            f"{counted(len(sizes), 'group')} of related rows, the largest with {counted(int(sizes.iloc[0]), 'row')}; "
            "none may straddle a split."
        )
    if len(table.inputs) < 300:
        found.append(f"Only {counted(len(table.inputs), 'row')}: scores on validation are uncertain.")
    return found


def _leak_findings(table: Table) -> list[str]:
    """Single figures that tell the label suspiciously well."""
    frames = {name: sequence_figures(table.inputs[name], kind)[["length"]] for name, kind in table.sequences.items()}
    found = []
    for name, frame in frames.items():
        if frame["length"].nunique() > 1:
            value = strength(signal(frame, table.label, table.task), table.task).iloc[0]
            if value > 0.6:
                found.append(
                    f"The length of {name} alone tells much about the label; it may be an artefact of sampling."
                )
    if table.numeric:
        strong = strength(signal(table.inputs[table.numeric], table.label, table.task), table.task)
        found += [
            f"{name} alone tells the label almost completely; it may leak it."
            for name in strong[strong > SUSPICIOUS].index[:SHOWN]
        ]
    return found


def insights(table: Table) -> str:
    """What the kind of data suggests, in general terms."""
    said = {
        "sequence": "A single sequence: composition and short motifs (k-mers) carry what the letters alone can tell.",
        "sequence_pair": "Two sequences that may bind: the pairing of their letters says more than either alone.",
        "expression": "Many continuous measurements for few rows: strong regularisation and selection on train only.",
        "table": "A table of measurements: scaling, missing values and interactions matter more than depth.",
    }[table.kind]
    if "protein" in table.sequences.values():
        said += " For proteins, charge and hydrophobicity of the residues matter."
    return said


def focus_sentence(table: Table, view: str) -> str | None:
    """How the label goes with one view of the rows: ``length:COLUMN``, ``GC:COLUMN``, a column, or ``group size``."""
    what, _, name = view.partition(":")
    if name in table.sequences and what in ("length", "GC"):
        values = sequence_figures(table.inputs[name], table.sequences[name])
        column = values.get(what)
    elif view in table.numeric:
        column = table.inputs[view]
    elif view == "group size" and table.group is not None:
        column = table.group.map(table.group.value_counts()).astype(float)
    else:
        column = None
    if column is None or column.nunique() < 2:
        return None
    bins = pd.qcut(column, 4, duplicates="drop")
    by = table.label.groupby(bins, observed=True).agg(["mean", "size"])
    rows = "; ".join(
        f"{bin_}: {counted(int(row['size']), 'row')}, mean label {row['mean']:.3g}" for bin_, row in by.iterrows()
    )
    return f"A closer look at {view}: {rows}."


def short(sentence: str) -> str:
    """A sentence as one line, so short that the whole report fits into a tool's answer."""
    line = re.sub(r"\s+", " ", sentence)
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


def write_pages(profile: dict[str, Any], path: Path) -> int:
    """Move a long list of numeric columns into a file, a JSON list a line; the number of lines, 0 for a short list.

    A tool's output is cut in the middle where it is long, so the names are asked for line by line.
    """
    names = profile["numeric_columns"]
    if len(json.dumps(names)) <= LONG_LIST:
        return 0
    pages: list[list[str]] = [[]]
    for name in names:
        if len(json.dumps([*pages[-1], name])) > PAGE and pages[-1]:
            pages.append([])
        pages[-1].append(name)
    path.write_text("".join(json.dumps(page) + "\n" for page in pages), encoding="utf-8")
    profile["numeric_columns"] = []
    return len(pages)


def main() -> None:
    parser = argparse.ArgumentParser(description="Look at a training table.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=["binary", "multiclass", "regression"], required=True)
    parser.add_argument("--classes", type=json.loads, default=[])
    parser.add_argument("--focus", default="")
    parser.add_argument("--brief", action="store_true", help="kinds and problems only, without the signals")
    options = parser.parse_args()
    try:
        find_inputs(options.data / "train")
    except SystemExit as unreadable:
        print("RESULT: " + json.dumps({"unreadable": str(unreadable).removeprefix("error: ")}))
        return
    table = read_training(options.data, options.task, options.classes)
    analysis = [] if options.brief else sequence_sentences(table) + table_sentences(table)
    focus = focus_sentence(table, options.focus) if options.focus else None
    analysis += [focus] if focus else []
    result: dict[str, Any] = {
        "description": short(describe(table)),
        "analysis": [short(line) for line in analysis[:12]],
        "findings": [short(line) for line in findings(table)[:10]],
        "insights": insights(table),
        "profile": asdict(profile_of(table)),
    }
    for line in (result["description"], *result["analysis"], *result["findings"], result["insights"]):
        print(line)
    result["pages"] = write_pages(result["profile"], Path("numeric_columns.jsonl"))
    print("RESULT: " + json.dumps(result))


if __name__ == "__main__":
    main()
