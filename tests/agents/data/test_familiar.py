"""What train's cells look like, and which cells of new data do not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.familiar import MOST_CATEGORIES, ColumnFacts, Familiarity, describe_columns
from agents.data.kinds import Kind
from agents.errors import UserError

NEW = Path("new.csv")


def facts(cells: list[object]) -> ColumnFacts:
    shape = describe_columns(pd.DataFrame({"c": cells}))["c"]
    assert isinstance(shape, ColumnFacts)
    return shape


def familiar(**columns: list[object]) -> Familiarity:
    return Familiarity(NEW, list(columns), list(describe_columns(pd.DataFrame(columns)).values()))


def test_numbers_are_told_by_one_word_and_a_column_without_any_by_its_kind() -> None:
    shapes = describe_columns(pd.DataFrame({"x": [1.5, np.nan], "none": [np.nan, np.nan]}))
    assert shapes["x"] == "numeric"
    assert isinstance(shapes["none"], ColumnFacts) and shapes["none"].kind is Kind.EMPTY


def test_the_values_of_a_category_are_listed_with_the_empty_one() -> None:
    assert facts(["b", "a", "a", None, "b", "a"]).values == ["", "a", "b"]


def test_letters_that_train_has_are_known_whatever_the_alphabet_says() -> None:
    shape = facts(["ACGTACGTAC"] * 60 + ["ACGTACGT!C"])
    assert shape.kind is Kind.DNA and "!" in (shape.alphabet or "")
    assert not shape.has_empty


@pytest.mark.parametrize("cell", ["1", " 2.5 ", "-1e-9", "NA", "", "nan", "inf"])
def test_what_pandas_reads_as_a_number_is_one(cell: str) -> None:
    familiar(x=[1.0, 2.0]).check(2, [cell])


@pytest.mark.parametrize("cell", ["1_000", "１", "1,5", "high", "0x1F"])
def test_anything_else_among_numbers_is_refused_with_line_column_and_cell(cell: str) -> None:
    with pytest.raises(UserError) as caught:
        familiar(z=[1.0, 2.0], x=[1.0, 2.0]).check(7, ["1", cell])
    assert str(caught.value) == f"new.csv, line 7, column 'x': expected a number, found {cell!r}"


def test_a_letter_that_no_sequence_has_is_refused_with_its_place() -> None:
    checked = familiar(s=["ACGTACGTAC", "GGGTACGTAC"])
    checked.check(2, ["acgtn-ACGT"])
    with pytest.raises(UserError, match=r"column 's': expected a DNA sequence .* with '7' at position 4"):
        checked.check(3, ["ACG7ACGT"])
    with pytest.raises(UserError, match="found an empty cell; train has none"):
        checked.check(4, [" "])


def test_an_empty_sequence_is_fine_where_train_has_some() -> None:
    familiar(s=["ACGTACGTAC", "GGGTACGTAC", None]).check(2, [""])


def test_unseen_categories_are_counted_and_told_once_a_column() -> None:
    checked = familiar(tissue=["liver", "brain"] * 5, sex=["f", "m"] * 5)
    for line, cells in enumerate([("liver", "f"), ("lung", "f"), ("skin", "x")], 2):
        checked.check(line, cells)
    assert checked.warnings() == [
        "new.csv, column 'tissue': 2 rows have a value that no row of train has, such as 'lung'; "
        "train has: brain, liver",
        "new.csv, column 'sex': 1 row has a value that no row of train has, such as 'x'; train has: f, m",
    ]


def test_where_train_has_too_many_values_or_is_not_known_nothing_is_unseen() -> None:
    many = ColumnFacts(kind=Kind.CATEGORY, values=None, alphabet=None)
    checked = Familiarity(NEW, ["many", "unknown"], [many, None])
    checked.check(2, ["anything", "at all"])
    assert checked.warnings() == []
    assert MOST_CATEGORIES >= 50


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5))
def test_no_number_is_ever_refused(values: list[float]) -> None:
    columns = {f"c{place}": [1.0] for place in range(len(values))}
    familiar(**columns).check(2, [repr(value) for value in values])  # type: ignore[arg-type]
