"""Reading and writing CSV text without changing or losing anything."""

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.data.tables import open_table, read_columns, read_header, table_stem, write_table
from agents.errors import UserError

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "train.csv"


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught, open_table(path) as (_, rows):
        list(rows)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz"])
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL.filter(str.strip)), max_size=8))
def test_what_was_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("tables") / name
    assert write_table(path, ["a", "b,c"], rows) == len(rows)
    found = read_columns(path, ["b,c", "a"])
    assert found.values == {"a": [a for a, _ in rows], "b,c": [b for _, b in rows]}


def test_words_that_look_missing_and_zeros_in_front_are_kept(file: Path) -> None:
    file.write_text("id,x\n007,NA\n008,\n009,1e5\n")
    assert read_columns(file, ["id", "x"]).values == {"id": ["007", "008", "009"], "x": ["NA", "", "1e5"]}


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfid,x\r\na,1\r\n")
    assert read_columns(file, ["id", "x"]).values == {"id": ["a"], "x": ["1"]}


def test_lines_are_counted_as_an_editor_does_with_line_ends_inside_cells_and_blank_lines(file: Path) -> None:
    file.write_text('id,x\na,"one\ntwo"\n\nb,3\n')
    assert read_columns(file, ["id"]).lines == [2, 5]


def test_a_cell_of_a_million_letters_is_read(file: Path) -> None:
    file.write_text(f"id,genome\na,{'ACGT' * 250_000}\n")
    assert len(read_columns(file, ["genome"]).values["genome"][0]) == 1_000_000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "train.csv: the file is empty; its first line must name the columns"),
        (b"\n \n", "train.csv: the file is empty; its first line must name the columns"),
        (b"a,b\n1,2\n1,2,3\n", "train.csv, line 3: 3 cells; the header has 2 columns"),
        (b"a,b\n1\n", "train.csv, line 2: 1 cells; the header has 2 columns"),
        (b"a,a\n", "train.csv, line 1: columns 1 and 2 are both called 'a'"),
        (b",a\n", "train.csv, line 1: column 1 has no name; name it (a row index is usually the id)"),
        (b"a,b\n1,caf\xe9\n", "train.csv, line 2: not UTF-8 text; save the file as UTF-8"),
        (b"a,b\n1,2\n\n3,x\0y\n", "train.csv, line 4, column 'b': a NUL byte, which is no text; take it out"),
        (b'a,b\n"1\n\0",2\n', "train.csv, line 2, column 'a': a NUL byte, which is no text; take it out"),
        (b"a,b\0\n1,2\n", "train.csv, line 1, column 2: a NUL byte, which is no text; take it out"),
        (
            b"a;b\n1;2,5\n",
            "train.csv, line 2: 2 cells; the header has 1 columns (it looks as if columns were separated by ';', not "
            "by commas)",
        ),
        (b"\xff\xfea\0,\0b\0\n\0", "train.csv, line 1: not UTF-8 text; save the file as UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: Path, content: bytes, told: str) -> None:
    file.write_bytes(content)
    assert refusal(file) == told


def test_the_line_of_a_bad_byte_is_found_far_behind_the_first_read(file: Path) -> None:
    file.write_bytes(b"a,b\n" + b"1,2\n" * 50_000 + b"1,\xe9\n")
    assert "line 50002" in refusal(file)


def test_a_quote_that_is_never_closed_is_told_where_it_opens(file: Path) -> None:
    file.write_text('a,b\n1,2\n3,"4\n5,6\n')
    assert refusal(file).startswith("train.csv, line 3: the row cannot be read")


BROKEN = {
    "not compressed": b"a,b\n",
    "cut": gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9],
    "no stream": b"\x1f\x8b\x08\x00broken",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_gzip_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.csv.gz"
    path.write_bytes(content)
    assert "broken gzip file" in refusal(path)


def test_a_missing_column_is_answered_with_those_there_are(file: Path) -> None:
    file.write_text("a,b\n")
    with pytest.raises(UserError, match="no column 'c'; the columns are: a, b"):
        read_columns(file, ["c"])


@pytest.mark.parametrize(
    ("name", "header", "told"),
    [
        ("t.csv", "id;a, b;y", "it looks as if columns were separated by ';', not by commas"),
        (
            "t.csv",
            "id\ta\ty",
            "it looks as if columns were separated by tabs, not by commas; save the file anew, or with the ending .tsv",
        ),
        ("t.tsv", "id,a,y", "it looks as if columns were separated by commas, not by tabs"),
        ("t.csv", "id|a|y", "it looks as if columns were separated by '|', not by commas"),
        ("t.csv", "id,a;1,y", "the columns are: id, a;1, y"),
    ],
)
def test_a_missing_column_is_answered_with_the_separator_that_seems_to_be_meant(
    tmp_path: Path, name: str, header: str, told: str
) -> None:
    (tmp_path / name).write_text(f"{header}\n")
    with pytest.raises(UserError) as caught:
        read_columns(tmp_path / name, ["label"])
    assert str(caught.value) == f"{tmp_path / name}, line 1: no column 'label'; {told}"


def test_twenty_thousand_columns_are_listed_in_part(file: Path) -> None:
    with file.open("w", newline="") as out:
        csv.writer(out).writerow([f"g{n}" for n in range(20_000)])
    assert len(read_header(file)) == 20_000
    with pytest.raises(UserError, match="g7 and 19992 more"):
        read_columns(file, ["label"])


def test_only_tables_have_a_table_name() -> None:
    names = ["train.csv.gz", "test_b.tsv", "a.b.csv", "train.txt", ".csv", "train.csv.bak"]
    assert [table_stem(name) for name in names] == ["train", "test_b", "a.b", None, None, None]
