"""What the engine accepts as a split."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.data.dataset import load_dataset
from agents.data.splits import check_split, install_split
from agents.data.tables import read_columns
from agents.data.workspace import DatasetFacts, import_dataset, read_labels
from agents.errors import UserError
from agents.files import digest_of
from agents.vocabulary import SplitName

from .conftest import MakeCsv, MakeFolder, binary_rows, write_csv

Candidate = dict[SplitName, Path]
TRAIN, VALIDATION, MINI = SplitName


class Bench:
    """A workspace of 40 rows (or as given) and the means to propose splits of it."""

    def __init__(self, root: Path, place: Path) -> None:
        self.data = place / "data"
        self.place = place / "step"
        self.facts: DatasetFacts = import_dataset(load_dataset(root), self.data)
        self.ids, labels = read_labels(self.data / "train")
        self.labels = dict(zip(self.ids, labels, strict=True))

    def write(self, name: SplitName, ids: Iterable[str], origin: str = "train") -> Path:
        """A split folder as an agent writes it: with pandas, ids read as text."""
        folder = self.place / name.value
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "input").mkdir(parents=True)
        wanted = list(ids)
        for table in ("labels.csv", "input/data.csv"):
            frame = pd.read_csv(self.data / origin / table, dtype={"id": str})
            frame[frame["id"].isin(wanted)].to_csv(folder / table, index=False)
        return folder

    def propose(self, train: Iterable[str], validation: Iterable[str], mini: Iterable[str]) -> Candidate:
        return {
            TRAIN: self.write(TRAIN, train),
            VALIDATION: self.write(VALIDATION, validation),
            MINI: self.write(MINI, mini),
        }

    def sound(self) -> Candidate:
        cut = len(self.ids) * 3 // 4
        return self.propose(self.ids[:cut], self.ids[cut:], self.ids[:6])

    def problems(self, candidate: Candidate) -> list[str]:
        return check_split(candidate, self.data, self.facts)


@pytest.fixture
def bench(make_csv: MakeCsv, tmp_path: Path) -> Bench:
    return Bench(make_csv(), tmp_path)


def edit(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def only(problems: list[str]) -> str:
    assert len(problems) == 1, problems
    assert "\n" not in problems[0]
    return problems[0]


def test_a_sound_split_has_no_problems(bench: Bench) -> None:
    assert bench.problems(bench.sound()) == []


def test_a_missing_folder_input_or_labels_is_told(bench: Bench) -> None:
    candidate = bench.sound()
    (candidate[TRAIN] / "labels.csv").unlink()
    shutil.rmtree(candidate[VALIDATION] / "input")
    shutil.rmtree(candidate[MINI])
    assert bench.problems(candidate) == [
        "train: labels.csv is missing; it has the columns id,numeric_label",
        "validation: input/ is missing or empty",
        "mini_train: there is no such folder",
    ]
    assert "train: there is no such folder" in bench.problems({})


def test_labels_that_cannot_be_read_are_told_without_host_paths(bench: Bench) -> None:
    candidate = bench.sound()
    (candidate[TRAIN] / "labels.csv").write_text("id,label\na,1\n")
    told = only(bench.problems(candidate))
    assert told == "train: labels.csv, line 1: no column 'numeric_label'; the columns are: id, label"


def test_unknown_and_repeated_ids_are_told(bench: Bench) -> None:
    candidate = bench.sound()
    edit(candidate[TRAIN] / "labels.csv", lambda t: t.replace({"id": {"s001": "t001"}}))
    assert only(bench.problems(candidate)) == "train: 1 ids are not in the dataset (t001)"
    edit(candidate[TRAIN] / "labels.csv", lambda t: t.replace({"id": {"t001": "s000"}}))
    assert only(bench.problems(candidate)) == "train: 1 ids stand in labels.csv more than once (s000)"


def test_ids_that_lost_their_zeros_are_recognised(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [[f"{n:03d}", n % 5, "ab"[n % 2]] for n in range(40)]
    bench = Bench(make_csv(("id", "x", "label"), train=rows), tmp_path)
    candidate = bench.sound()
    for folder in candidate.values():
        edit(folder / "labels.csv", lambda t: t.assign(id=t["id"].str.lstrip("0").replace("", "0")))
    assert "read the id column as text" in bench.problems(candidate)[0]


def test_changed_labels_are_told(bench: Bench) -> None:
    candidate = bench.sound()
    edit(candidate[VALIDATION] / "labels.csv", lambda t: t.assign(numeric_label="1"))
    assert "validation: 5 labels are not those of the dataset" in only(bench.problems(candidate))


def test_overlapping_train_and_validation_are_told(bench: Bench) -> None:
    candidate = bench.propose(bench.ids[:32], bench.ids[30:], bench.ids[:6])
    assert only(bench.problems(candidate)) == "2 ids are in train and in validation (s030, s031)"


def test_some_rows_may_be_left_out_but_not_many(bench: Bench) -> None:
    assert bench.problems(bench.propose(bench.ids[2:30], bench.ids[30:], bench.ids[2:8])) == []
    candidate = bench.propose(bench.ids[3:30], bench.ids[30:], bench.ids[3:9])
    assert only(bench.problems(candidate)) == "3 of 40 rows are left out; at most 5% may be"


def test_a_class_that_is_missing_is_named(bench: Bench) -> None:
    ill = [identity for identity in bench.ids if bench.labels[identity] == 0]
    rest = [identity for identity in bench.ids if identity not in ill[:10]]
    assert only(bench.problems(bench.propose(rest, ill[:10], rest[-8:]))) == "validation: no row of class well"
    problems = bench.problems(bench.propose(rest, ill[:10], [i for i in rest if bench.labels[i] == 1]))
    assert "mini_train: no row of class ill" in problems


def test_a_validation_split_that_is_too_small_to_score_is_told(make_csv: MakeCsv, tmp_path: Path) -> None:
    bench = Bench(make_csv(train=binary_rows(100)), tmp_path)
    candidate = bench.propose(bench.ids[:96], bench.ids[96:], bench.ids[:6])
    assert only(bench.problems(candidate)) == "validation: 4 rows; at least 5 are needed for a score"


def test_mini_train_must_lie_in_train_and_be_small(make_csv: MakeCsv, tmp_path: Path) -> None:
    bench = Bench(make_csv(train=binary_rows(1400)), tmp_path)
    ids = bench.ids
    assert bench.problems(bench.propose(ids[:1200], ids[1200:], ids[:1000])) == []
    assert only(bench.problems(bench.propose(ids[:1200], ids[1200:], ids[:1001]))) == (
        "mini_train: 1001 rows; at most 1000 keep it quick"
    )
    assert only(bench.problems(bench.propose(ids[:1200], ids[1200:], ids[1199:1202]))) == (
        "mini_train: 2 ids are not in train (s1200, s1201)"
    )


def test_regression_asks_for_no_classes_but_for_two_rows_of_mini_train(make_csv: MakeCsv, tmp_path: Path) -> None:
    bench = Bench(make_csv(("x", "label"), train=[[n * 7 % 11, n / 7] for n in range(40)]), tmp_path)
    assert bench.problems(bench.propose(bench.ids[:30], bench.ids[30:], bench.ids[:2])) == []
    problems = bench.problems(bench.propose(bench.ids[:30], bench.ids[30:], bench.ids[:1]))
    assert only(problems) == "mini_train: 1 rows; at least 2 are needed"


def test_a_group_on_both_sides_is_told(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [[n * 3 % 7, f"g{n // 4}", "ab"[n % 2]] for n in range(40)]
    root = make_csv(("x", "g", "label"), {"label_column": "label", "group_column": "g"}, train=rows)
    bench = Bench(root, tmp_path)
    assert bench.problems(bench.propose(bench.ids[:32], bench.ids[32:], bench.ids[:4])) == []
    candidate = bench.propose(bench.ids[:30], bench.ids[30:], bench.ids[:4])
    assert only(bench.problems(candidate)) == "1 groups straddle train and validation (g7)"


def test_a_class_of_one_group_need_not_be_in_validation(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [[n * 3 % 7, f"g{n // 4}", "c" if n < 4 else "ab"[n % 2]] for n in range(40)]
    root = make_csv(("x", "g", "label"), {"label_column": "label", "group_column": "g"}, train=rows)
    bench = Bench(root, tmp_path)
    assert bench.problems(bench.propose(bench.ids[:32], bench.ids[32:], bench.ids[:8])) == []


def test_a_validation_split_on_which_the_metric_has_no_value_is_told(make_csv: MakeCsv, tmp_path: Path) -> None:
    metadata = {"label_column": "label", "task_type": "regression", "metric": "MAPE"}
    rows = [[n * 7 % 11, 0 if n == 35 else n + 0.5] for n in range(40)]
    bench = Bench(make_csv(("x", "label"), metadata, train=rows), tmp_path)
    undefined = "validation: MAPE is not defined: a label is 0, so no model could be chosen by it"
    assert only(bench.problems(bench.propose(bench.ids[:30], bench.ids[30:], bench.ids[:4]))) == undefined
    assert bench.problems(bench.propose(bench.ids[10:], bench.ids[:10], bench.ids[10:14])) == []


def test_a_validation_split_of_the_dataset_is_used_as_it_is(make_csv: MakeCsv, tmp_path: Path) -> None:
    bench = Bench(make_csv(train=binary_rows(40), validation=binary_rows(10, 50)), tmp_path)
    own, _ = read_labels(bench.data / "validation")

    def candidate(validation: list[str]) -> Candidate:
        return {
            TRAIN: bench.write(TRAIN, bench.ids),
            VALIDATION: bench.write(VALIDATION, validation, "validation"),
            MINI: bench.write(MINI, bench.ids[:6]),
        }

    assert bench.problems(candidate(own)) == []
    assert "2 rows are missing" in only(bench.problems(candidate(own[2:])))
    wrong = candidate(own) | {VALIDATION: bench.write(VALIDATION, bench.ids[:10])}
    assert "validation: 10 ids are not in the dataset" in only(bench.problems(wrong))


def test_an_input_table_must_have_the_rows_of_the_labels(bench: Bench) -> None:
    candidate = bench.sound()
    edit(candidate[TRAIN] / "input" / "data.csv", lambda t: t[1:])
    assert only(bench.problems(candidate)) == (
        "train: input/data.csv and labels.csv must have the same ids, once (s000)"
    )


def test_a_label_that_is_hidden_among_the_inputs_is_told(bench: Bench) -> None:
    candidate = bench.sound()
    edit(candidate[VALIDATION] / "input" / "data.csv", lambda t: t.assign(hint="1").drop(columns="x"))
    assert only(bench.problems(candidate)) == (
        "validation: input/data.csv lacks x and has new columns hint; keep the dataset's columns"
    )


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("x", "99", "column 'x': 10 values are not those of the dataset"), ("kind", "c", "column 'kind': 10 values")],
)
def test_changed_inputs_are_told(bench: Bench, column: str, value: str, told: str) -> None:
    candidate = bench.sound()
    edit(candidate[VALIDATION] / "input" / "data.csv", lambda t: t.assign(**{column: value}))
    assert told in only(bench.problems(candidate))


def test_other_spellings_of_one_value_are_no_change(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [
        [f"{n}.50", ["TRUE", "FALSE"][n % 2], ["NA", "7", ""][n % 3], ["x y", "NA", "None"][n % 3], "ab"[n // 2 % 2]]
        for n in range(40)
    ]
    bench = Bench(make_csv(("x", "flag", "count", "note", "label"), train=rows), tmp_path)
    assert bench.problems(bench.sound()) == []


def test_links_out_of_the_data_are_refused(bench: Bench, tmp_path: Path) -> None:
    candidate = bench.sound()
    secret = write_csv(tmp_path / "secret" / "test.csv", ["id"], [])
    (candidate[TRAIN] / "input" / "more.csv").symlink_to(secret)
    assert only(bench.problems(candidate)) == f"train: input/more.csv is a link to {secret}; copy the data instead"
    (candidate[TRAIN] / "input" / "more.csv").unlink()
    os.mkfifo(candidate[TRAIN] / "input" / "pipe")
    assert only(bench.problems(candidate)) == "train: input/pipe is neither a file nor a folder"


def test_files_of_the_folder_form_are_not_looked_into(make_folder: MakeFolder, tmp_path: Path) -> None:
    data = tmp_path / "data"
    facts = import_dataset(load_dataset(make_folder()), data)
    ids, labels = read_labels(data / "train")
    candidate: Candidate = {}
    for name, chosen in ((TRAIN, ids[:15]), (VALIDATION, ids[15:]), (MINI, ids[:4])):
        folder = candidate[name] = tmp_path / "step" / name.value
        (folder / "input").mkdir(parents=True)
        for identity in chosen:
            shutil.copy(data / "train" / "input" / f"{identity}.txt", folder / "input")
        write_csv(folder / "labels.csv", ["id", "numeric_label"], [[i, labels[ids.index(i)]] for i in chosen])
    assert check_split(candidate, data, facts) == []


def test_an_installed_split_is_whole_read_only_and_without_anything_else(bench: Bench, tmp_path: Path) -> None:
    candidate = bench.sound()
    (candidate[TRAIN] / "notes.txt").write_text("mine")
    edit(candidate[TRAIN] / "labels.csv", lambda t: t.assign(extra="1"))
    target = tmp_path / "splits" / "v1"
    (target.parent / ".v1.part" / "train").mkdir(parents=True)
    rows = install_split(candidate, target, bench.data, bench.facts)
    assert rows == {"train": 30, "validation": 10, "mini_train": 6}
    assert sorted(path.name for path in target.parent.iterdir()) == ["v1"]
    assert sorted(path.name for path in (target / "train").iterdir()) == ["input", "labels.csv"]
    assert set(read_columns(target / "train" / "labels.csv", ["id"]).values["id"]) == set(bench.ids[:30])
    writable = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
    assert not [path for path in target.rglob("*") if path.is_file() and path.stat().st_mode & writable]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_normal_user_can_delete_an_installed_split(bench: Bench, tmp_path: Path) -> None:
    target = tmp_path / "splits" / "v1"
    install_split(bench.sound(), target, bench.data, bench.facts)
    with tempfile.TemporaryDirectory() as within_reach:
        theirs = Path(within_reach) / "v1"
        shutil.copytree(target, theirs)
        for path in (Path(within_reach), theirs, *theirs.rglob("*")):
            os.chown(path, 65534, 65534)
        subprocess.run(["rm", "-r", "-f", theirs], check=True, user=65534, group=65534, extra_groups=[])
        assert not theirs.exists()


def test_neither_extra_files_nor_the_order_of_rows_can_carry_labels_into_an_installed_split(
    bench: Bench, tmp_path: Path
) -> None:
    plain, sly = bench.sound(), tmp_path / "splits" / "v2"
    install_split(plain, tmp_path / "splits" / "v1", bench.data, bench.facts)
    for folder in plain.values():
        shutil.copyfile(folder / "labels.csv", folder / "input" / "notes.csv")
        order = sorted(read_labels(folder)[0], key=lambda identity: bench.labels[identity])
        for table in ("labels.csv", "input/data.csv"):
            edit(folder / table, lambda t, order=order: t.set_index("id").loc[order].reset_index())
    install_split(plain, sly, bench.data, bench.facts)
    assert digest_of(sly) == digest_of(tmp_path / "splits" / "v1")


def test_a_split_that_breaks_off_leaves_no_version(bench: Bench, tmp_path: Path) -> None:
    candidate = bench.sound()
    shutil.rmtree(candidate[MINI])
    target = tmp_path / "splits" / "v1"
    with pytest.raises(UserError, match="mini_train"):
        install_split(candidate, target, bench.data, bench.facts)
    assert not target.exists()


@settings(max_examples=30, deadline=None)
@given(places=st.lists(st.integers(0, 3), min_size=40, max_size=40), seed=st.integers(0, 999))
def test_a_split_is_accepted_exactly_when_it_keeps_the_rules(bench_once: Bench, places: list[int], seed: int) -> None:
    """``places``: 0 and 1 train, 2 validation, 3 both, by row; the rules are counted here in their own way."""
    bench = bench_once
    train = [identity for identity, place in zip(bench.ids, places, strict=True) if place != 2]
    validation = [identity for identity, place in zip(bench.ids, places, strict=True) if place >= 2]
    mini = list(np.random.default_rng(seed).permutation(train)[:8])
    if not (train and validation and mini):
        return
    both_classes = all(len({bench.labels[i] for i in part}) == 2 for part in (train, validation, mini))
    sound = 3 not in places and both_classes and len(validation) >= 2
    assert (bench.problems(bench.propose(train, validation, mini)) == []) == sound


@pytest.fixture(scope="module")
def bench_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    place = tmp_path_factory.mktemp("once")
    write_csv(place / "toy" / "train.csv", ["id", "x", "kind", "label"], binary_rows(40))
    (place / "toy" / "metadata.json").write_text('{"label_column": "label"}')
    return Bench(place / "toy", place)


def test_real_data_can_be_split_by_their_groups(shared: Path, tmp_path: Path) -> None:
    bench = Bench(shared / "AGO2_CLASH_Hejret", tmp_path)
    groups = read_columns(bench.data / "train" / "groups.csv", ["id", "group"]).values
    chosen = {identity for identity, group in zip(groups["id"], groups["group"], strict=True) if hash_of(group) == 0}
    train = [identity for identity in bench.ids if identity not in chosen]
    assert bench.problems(bench.propose(train, chosen, train[:500])) == []
    cut = len(bench.ids) * 4 // 5
    problems = bench.problems(bench.propose(bench.ids[:cut], bench.ids[cut:], bench.ids[:500]))
    assert any("groups straddle train and validation" in problem for problem in problems)


def hash_of(group: str) -> int:
    return sum(map(ord, group)) % 5
