"""FASTA files: ids and sequences, what is wrong with them, and copies of some of them."""

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.fasta import Record, copy_fasta, fasta_files, header_ids, is_fasta, read_fasta
from agents.errors import UserError


def file(folder: Path, text: str, name: str = "seq.fa") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = text.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("name", ["seq.fa", "seq.fasta.gz", "noname"])
def test_an_id_is_the_first_word_and_a_sequence_may_stand_on_several_lines(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, "\ufeff>a one\r\nAC GT\r\n\r\nAC\r\n>b\n>c\nGG", name)
    assert list(read_fasta(path)) == [Record(1, "a", "ACGTAC"), Record(5, "b", ""), Record(6, "c", "GG")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ACGT\n>a\n", "seq.fa, line 1: not FASTA: expected a header such as '>name', found 'ACGT'"),
        (">a\nAC\n> \nGT\n", "seq.fa, line 3: a header without a name; expected '>' and the id of the row"),
    ],
)
def test_what_is_no_fasta_is_refused_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        list(read_fasta(file(tmp_path, text)))
    assert str(caught.value).endswith(told)


def test_bytes_that_are_no_text_and_a_broken_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.fa").write_bytes(b">a\nAC\n>\xff\n")
    with pytest.raises(UserError, match=r"latin\.fa, line 3: not UTF-8 text"):
        list(read_fasta(tmp_path / "latin.fa"))
    (tmp_path / "broken.fa.gz").write_bytes(b">a\nAC\n")
    with pytest.raises(UserError, match=r"broken\.fa\.gz: broken gzip file"):
        list(read_fasta(tmp_path / "broken.fa.gz"))
    with pytest.raises(UserError, match=r"absent\.fa: cannot be read"):
        list(read_fasta(tmp_path / "absent.fa"))


def test_fasta_is_known_by_name_or_by_its_first_character(tmp_path: Path) -> None:
    file(tmp_path, ">a\nAC\n", "b/strange.txt")
    file(tmp_path, "", "a.faa")
    file(tmp_path, "id,x\n", "data.csv")
    assert [path.name for path in fasta_files(tmp_path)] == ["a.faa", "strange.txt"]
    assert not is_fasta(tmp_path / "absent.txt")


def test_ids_that_every_file_has_are_those_of_rows_with_several_sequences(tmp_path: Path) -> None:
    one, same = file(tmp_path, ">a\n>b\n"), file(tmp_path, ">b\n>a\n", "same.fa")
    other = file(tmp_path, ">c\n", "other.fa")
    assert header_ids([one, same]) == ["a", "b"]
    assert header_ids([one, other]) == ["a", "b", "c"]


_RECORDS = st.lists(
    st.tuples(st.from_regex(r"[a-z]{1,4}", fullmatch=True), st.from_regex(r"[ACGT]{0,9}", fullmatch=True))
)


@given(records=_RECORDS, wanted=st.sets(st.from_regex(r"[a-z]{1,2}", fullmatch=True)), packed=st.booleans())
def test_a_copy_has_the_wanted_records_as_they_were(
    records: list[tuple[str, str]], wanted: set[str], packed: bool
) -> None:
    wanted |= {name for name, _ in records[::2]}
    with tempfile.TemporaryDirectory() as folder:
        source = file(Path(folder), "".join(f">{name} words\n{text}\n" for name, text in records))
        target = Path(folder) / ("some.fa.gz" if packed else "some.fa")
        copy_fasta(source, target, wanted)
        kept = [(record.id, record.sequence) for record in read_fasta(target)]
        assert kept == [record for record in records if record[0] in wanted]
        copy_fasta(source, target)
        assert [record.id for record in read_fasta(target)] == [name for name, _ in records]
