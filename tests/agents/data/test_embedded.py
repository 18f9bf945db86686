"""The dataset that ships with the package."""

import gzip
import json
import struct
from pathlib import Path

import agents.data
from agents.data.check import main
from agents.data.dataset import load_dataset
from agents.data.tables import read_columns
from agents.vocabulary import TaskType

PEPTIDES = Path(agents.data.__file__).parent / "embedded" / "antimicrobial_peptides"


def test_it_is_sound_and_has_a_test_split() -> None:
    found = load_dataset(PEPTIDES)
    assert (found.task_type, found.metric.name, found.classes) == (TaskType.BINARY, "AUPRC", ("non-AMP", "AMP"))
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 3688, "test": 932}
    assert [*found.findings, *found.test_findings] == []
    assert main([str(PEPTIDES)]) == 0


def test_its_licence_and_source_are_with_it() -> None:
    licence = (PEPTIDES / "LICENSE.txt").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
    assert "ETH Zurich, Switzerland; Alex Müller, Gisela Gabernet, Gisbert Schneider" in licence
    source = (PEPTIDES / "SOURCE.md").read_text(encoding="utf-8")
    assert "modlAMP 4.3.3" in source
    assert "duplicates removed" in source


def test_its_files_carry_no_time_and_no_name() -> None:
    for name in ("train.csv.gz", "test.csv.gz"):
        flags, time = struct.unpack("<3xBI", (PEPTIDES / name).read_bytes()[:8])
        assert (flags, time) == (0, 0)
        assert gzip.decompress((PEPTIDES / name).read_bytes()).startswith(b"sequence,label\n")


def test_it_is_the_shared_set_in_another_order(shared: Path) -> None:
    names = ["sequence", "label"]
    for split in ("train", "test"):
        ours = read_columns(PEPTIDES / f"{split}.csv.gz", names).values
        theirs = read_columns(shared / "antimicrobial_peptides" / f"{split}.csv", names).values
        assert sorted(zip(*ours.values(), strict=True)) == sorted(zip(*theirs.values(), strict=True))
    assert json.loads((PEPTIDES / "metadata.json").read_text()) == json.loads(
        (shared / "antimicrobial_peptides" / "metadata.json").read_text()
    )
