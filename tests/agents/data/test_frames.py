"""Input columns as data frames: the same types in every split, and no text taken for a gap."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agents.data.frames import read_frames, text_among_numbers
from agents.errors import UserError


def table(folder: Path, text: str, name: str = "train.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_words_for_a_missing_number_are_gaps_in_numbers_and_words_in_text(tmp_path: Path) -> None:
    path = table(tmp_path, "x,kind\n1,NA\nNA,grade 1\n,\n")
    [frame] = read_frames([path], ["x", "kind"])
    assert frame["x"].isna().tolist() == [False, True, True]
    assert frame["kind"].tolist()[:2] == ["NA", "grade 1"]
    assert pd.isna(frame["kind"].iloc[2])


def test_a_column_is_numeric_only_where_it_is_so_in_every_table(tmp_path: Path) -> None:
    train, test = table(tmp_path, "x,z\n007,1\n"), table(tmp_path, "x,z\nn/d,2\n", "test.csv")
    frames = read_frames([train, test], ["z", "x"])
    assert [frame["x"].tolist() for frame in frames] == [["007"], ["n/d"]]
    assert [list(frame.columns) for frame in frames] == [["z", "x"], ["z", "x"]]


def test_whole_numbers_here_and_fractions_there_are_of_one_type(tmp_path: Path) -> None:
    train, test = table(tmp_path, "x\n1\n2\n"), table(tmp_path, "x\n0.5\n\n3\n", "test.csv")
    assert [frame["x"].dtype for frame in read_frames([train, test], ["x"])] == [np.float64, np.float64]


def test_truth_values_are_text(tmp_path: Path) -> None:
    [frame] = read_frames([table(tmp_path, "x\nTrue\nFalse\n")], ["x"])
    assert frame["x"].tolist() == ["True", "False"]


def test_a_tab_separated_table_is_read_by_its_name(tmp_path: Path) -> None:
    [frame] = read_frames([table(tmp_path, "x\tz\n1,5\t2\n", "train.tsv")], ["x"])
    assert frame["x"].tolist() == ["1,5"]


def test_what_pandas_cannot_read_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.csv: cannot be read as a table \(.*\)$"):
        read_frames([table(tmp_path, "x\n1\n")], ["absent"])


def test_a_few_words_among_numbers_are_found_and_many_are_none(tmp_path: Path) -> None:
    rows = ["1,1,a"] * 18 + ["<5,x,b", "2,x,c", "3,x,d"]
    path = table(tmp_path, "\n".join(["few,many,text", *rows]) + "\n")
    assert text_among_numbers(path, ["few", "many", "text"]) == ["column 'few' holds numbers but 1 cell, such as '<5'"]
