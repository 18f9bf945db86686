"""The analysis scripts that the policy writes into a run, imported as they stand and run as programs."""

import ast
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agents.figure_words import in_words, meaning
from agents.policy.scripts import check_predictions, explore, explore_errors, source, split
from tests.agents.policy.driver import measurements, peptides, write_split
from tests.support.scripts import run_script

FOLDER = Path(explore.__file__).parent
NAMES = sorted(path.name for path in FOLDER.glob("*.py") if path.name != "__init__.py")


def run(name: str, *arguments: object, cwd: Path) -> dict[str, Any]:
    """Run the script as it is delivered."""
    (cwd / name).write_text(source(name))
    done = run_script(cwd / name, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[-1]
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT: "))
    return result


@pytest.mark.parametrize("name", NAMES)
def test_a_script_needs_nothing_of_this_package(name: str) -> None:
    tree = ast.walk(ast.parse(source(name)))
    modules = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(ast.parse(source(name))) if isinstance(node, ast.ImportFrom)}
    foreign = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    assert foreign <= {"numpy", "pandas", "sklearn"}


# --- kinds of columns ------------------------------------------------------------------------------------------------


def dna(rows: int, length: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(random.choice(list("ACGT"), length)) for _ in range(rows)]


def all_kinds(rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "site": dna(rows, 50),
            "guide": dna(5, 22, seed=1) * (rows // 5),
            "rna": [word.replace("T", "U") for word in dna(rows, 30, seed=2)],
            "peptide": peptides(rows)[0]["peptide"],
            "expression": random.normal(size=rows),
            "tissue": random.choice(["LIVER", "LUNG", "SKIN", "MUSCLE"], rows),
            "feature": random.choice(["exon", "intron", "three_prime_utr"], rows),
            "flag": random.choice([True, False], rows),
            "accession": [f"ENSG{number:011d}" for number in random.permutation(rows)],
            "constant": 1,
        }
    )


def kinds(table: pd.DataFrame) -> dict[str, str]:
    sequences, numeric, categorical, ignored = explore.kinds_of(table)
    found = dict(sequences)
    found |= dict.fromkeys(numeric, "numeric") | dict.fromkeys(categorical, "categorical")
    return found | dict.fromkeys(ignored, "ignored")


EXPECTED = {
    "site": "dna",
    "guide": "dna",
    "rna": "rna",
    "peptide": "protein",
    "expression": "numeric",
    "tissue": "categorical",
    "feature": "categorical",
    "flag": "categorical",
    "accession": "ignored",
    "constant": "ignored",
}


@pytest.mark.parametrize("seed", range(5))
def test_kinds_are_told_by_the_values_whatever_the_columns_are_called(seed: int) -> None:
    random = np.random.default_rng(seed)
    table = all_kinds()
    order = random.permutation(list(table.columns))
    names = dict(zip(table.columns, random.permutation([*table.columns[1:], "sequence"]), strict=True))
    shuffled = table[order].sample(frac=1, random_state=seed).rename(columns=names)
    assert kinds(shuffled) == {names[name]: kind for name, kind in EXPECTED.items()}


def test_words_of_a_language_are_no_protein() -> None:
    words = ["TUMOUR", "NORMAL TISSUE", "BLOOD", "METASTASIS", "UNKNOWN"] * 20
    assert explore.alphabet_of(pd.Series([f"{word}{number}" for number, word in enumerate(words)])) is None
    assert explore.alphabet_of(pd.Series(words)) is None


@pytest.mark.parametrize(("columns", "kind"), [(20, "table"), (60, "expression")])
def test_many_measurements_of_few_rows_are_expression(columns: int, kind: str, tmp_path: Path) -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(80, columns))).add_prefix("c")
    write_split(tmp_path / "train", table, np.arange(80) % 2)
    found = run("explore.py", "--data", tmp_path, "--task", "binary", "--classes", '["a", "b"]', cwd=tmp_path)
    assert found["profile"]["kind"] == kind
    assert len(found["profile"]["numeric_columns"]) == columns


def test_a_long_list_of_columns_is_paged(tmp_path: Path) -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 1500))).add_prefix("gene_number_")
    write_split(tmp_path / "train", table, np.arange(30) % 2)
    found = run("explore.py", "--data", tmp_path, "--task", "binary", "--classes", '["a", "b"]', cwd=tmp_path)
    lines = (tmp_path / "numeric_columns.jsonl").read_text().splitlines()
    assert len(lines) == found["pages"] > 1
    assert [name for line in lines for name in json.loads(line)] == list(table.columns)
    assert max(map(len, lines)) < 8000 and len(json.dumps(found)) < 12_000


def test_problems_are_named_with_their_evidence(tmp_path: Path) -> None:
    table, labels = measurements(100)
    table.loc[99] = table.loc[98]
    table["copy"] = labels
    write_split(tmp_path / "train", table, (labels > 2).astype(int))
    found = run("explore.py", "--data", tmp_path, "--task", "binary", "--classes", '["a", "b"]', cwd=tmp_path)
    text = " ".join(found["findings"])
    assert "Missing values in 1 of 7 columns: c 6.0%" in text
    assert "copy alone tells the label" in text
    assert "Only 100 rows" in text


# --- splitting -------------------------------------------------------------------------------------------------------


def read_ids(folder: Path) -> set[str]:
    return set(pd.read_csv(folder / "labels.csv", dtype=str)["id"])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_split_is_disjoint_complete_and_keeps_related_rows_together(task: str, tmp_path: Path) -> None:
    table, values = measurements(300)
    table.loc[295:] = table.loc[:4].to_numpy()  # equal inputs
    labels = values if task == "regression" else pd.qcut(values, 2 if task == "binary" else 3, labels=False)
    groups = np.random.default_rng(0).integers(0, 60, 300)
    write_split(tmp_path / "data" / "train", table, labels, groups)
    run("split.py", "--data", tmp_path / "data", "--output", ".", "--task", task, "--seed", 0, cwd=tmp_path)
    train, validation, mini = (read_ids(tmp_path / name) for name in ("train", "validation", "mini_train"))
    assert not train & validation
    assert len(train | validation) == 300
    assert mini < train
    assert 0.1 < len(validation) / 300 < 0.3
    parts = {name: split.read_part(tmp_path / name) for name in ("train", "validation", "mini_train")}
    inputs = {name: {tuple(row) for row in part.inputs.drop(columns="id").to_numpy()} for name, part in parts.items()}
    assert not inputs["train"] & inputs["validation"]
    of_groups = {name: set(part.groups["group"]) for name, part in parts.items() if part.groups is not None}
    assert not of_groups["train"] & of_groups["validation"]
    if task != "regression":
        classes = [set(part.labels["numeric_label"]) for part in parts.values()]
        assert classes[0] == classes[1] == classes[2]


def test_groups_go_before_equal_inputs_where_both_would_tie_most_rows_together(tmp_path: Path) -> None:
    table, labels = measurements(300)
    table.loc[150:] = table.loc[:149].to_numpy()
    groups = np.random.default_rng(0).integers(0, 60, 300)
    write_split(tmp_path / "data" / "train", table, labels, groups)
    arguments = ("--data", tmp_path / "data", "--output", ".", "--task", "regression", "--seed", 0)
    found = run("split.py", *arguments, cwd=tmp_path)
    assert not found["equal_inputs_together"]
    assert 30 < found["validation"]["rows"] < 90
    sides = [split.read_part(tmp_path / name).groups for name in ("train", "validation")]
    kept, held = (set(side["group"]) for side in sides if side is not None)
    assert not kept & held


def test_the_same_seed_gives_the_same_split_and_values_stay_as_written(tmp_path: Path) -> None:
    table, labels = peptides(100)
    table["code"] = [f"{number:04d}" for number in range(100)]
    write_split(tmp_path / "data" / "train", table, labels)
    for name in ("one", "two"):
        run("split.py", "--data", tmp_path / "data", "--output", name, "--task", "binary", "--seed", 3, cwd=tmp_path)
    for part in ("train", "validation", "mini_train"):
        file = Path(part) / "input" / "data.csv"
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert set(pd.read_csv(tmp_path / "one" / "train" / "input" / "data.csv", dtype=str)["code"]) <= set(table["code"])


def test_a_validation_split_of_the_dataset_is_used_as_it_is(tmp_path: Path) -> None:
    for name, seed in (("train", 0), ("validation", 1)):
        write_split(tmp_path / "data" / name, *peptides(60, seed))
    found = run("split.py", "--data", tmp_path / "data", "--output", ".", "--task", "binary", "--seed", 0, cwd=tmp_path)
    assert (found["train"]["rows"], found["validation"]["rows"]) == (60, 60)
    inputs = Path("validation") / "input" / "data.csv"
    assert (tmp_path / inputs).read_text() == (tmp_path / "data" / inputs).read_text()


def test_a_class_with_a_few_rows_is_on_both_sides_and_in_the_small_sample(tmp_path: Path) -> None:
    table, _ = measurements(200)
    labels = np.zeros(200, int)
    labels[[3, 50, 120]] = 1
    write_split(tmp_path / "data" / "train", table, labels)
    found = run("split.py", "--data", tmp_path / "data", "--output", ".", "--task", "binary", "--seed", 0, cwd=tmp_path)
    assert all(set(found[name]["shares"]) == {"0", "1"} for name in ("train", "validation", "mini_train"))


# --- predictions -----------------------------------------------------------------------------------------------------


def predicted(ids: list[str], probability: "np.ndarray") -> pd.DataFrame:
    classes = (probability > 0.5).astype(int)
    return pd.DataFrame(
        {"id": ids, "prediction": classes, "probability_0": 1 - probability, "probability_1": probability}
    )


def test_predictions_in_order_have_no_problem_and_each_fault_is_named() -> None:
    ids = [f"r{number}" for number in range(10)]
    good = predicted(ids, np.linspace(0.1, 0.9, 10))
    asked = pd.Series(ids)
    assert check_predictions.problems(asked, good, 2) == []
    assert "no prediction" in check_predictions.problems(asked, good.iloc[:9], 2)[0]
    assert "not asked for" in check_predictions.problems(asked.iloc[:9], good, 2)[0]
    assert "more than once" in check_predictions.problems(asked, pd.concat([good, good.iloc[:1]]), 2)[0]
    assert "sum to 1" in check_predictions.problems(asked, good.assign(probability_0=1.0), 2)[0]
    assert "not finite" in check_predictions.problems(asked, good.assign(probability_1=np.nan), 2)[0]
    assert "columns are missing" in check_predictions.problems(asked, good, 3)[0]


def test_errors_that_gather_in_a_part_of_the_rows_are_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(10, 60, 400)
    labels = random.integers(0, 2, 400)
    table = pd.DataFrame({"s": ["A" * length for length in lengths]})
    write_split(tmp_path / "validation", table, labels)
    wrong = (lengths > 48) & (random.random(400) < 0.6)
    ids = [f"train-{number}" for number in range(400)]
    predicted(ids, np.where(wrong, 0.9 - 0.8 * labels, 0.1 + 0.8 * labels)).to_csv(tmp_path / "p.csv", index=False)
    found = run(
        "explore_errors.py",
        *("--split", tmp_path / "validation", "--predictions", "p.csv"),
        *("--classes", '["no", "yes"]', "--sequences", '{"s": "protein"}'),
        cwd=tmp_path,
    )
    statistics = found["statistics"]
    assert statistics["errors"] == wrong.sum()
    assert statistics["worst_part_by"] == "length:s"
    assert statistics["worst_part_ratio"] > 2
    assert found["examples"]
    assert all(f"(s {'A' * 30}…)" in example for example in found["examples"])
    assert all(meaning(name) != name for name in statistics)
    assert len(in_words(statistics)) == len(statistics)


def test_errors_that_are_spread_evenly_name_no_part() -> None:
    random = np.random.default_rng(1)
    inputs = pd.DataFrame({"x": random.normal(size=400)})
    label = pd.Series(random.normal(size=400))
    judged = explore_errors.Judged(inputs, label, label + random.normal(size=400), None, None, [])
    parts = explore_errors.parts(judged, explore_errors.views(judged, {}, ["x"]))
    assert len(parts) == explore_errors.PARTS
    assert (parts["above"] < explore_errors.CLEAR).all()


def test_counts_have_thousands_separators_and_the_number_of_their_noun() -> None:
    inputs = pd.DataFrame({"x": np.arange(8193.0), "y": [None, *np.zeros(8192)]})
    label = pd.Series(np.arange(8193.0) % 2)
    table = explore.Table(inputs, label, None, "binary", ["a", "b"], {}, ["x", "y"], [], {})
    assert explore.describe(table).startswith(
        "8,193 rows, 2 input columns: 2 numeric columns. Classes: a 4,097 (50.0%)"
    )
    assert explore.counted(1, "row repeats", "rows repeat") == "1 row repeats"
