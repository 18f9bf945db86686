"""What a column holds."""

import pandas as pd
import pytest

from agents.data.kinds import Kind, kind_of, length_range

AMINO = ["GLWSKIKEVGK", "YVPLPNVPQPG", "DGVKLCDVPSG", "FLPIIAKLLSGLL"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1.5, None, 2], Kind.NUMERIC),
        (["ACGTACGTAA", "TTGACNACGT", "acgtacgtac"], Kind.DNA),
        (["ACGUACGUAA", "UUGACGACGU"], Kind.RNA),
        (AMINO, Kind.PROTEIN),
        (["AAHARFVAA", "AAIGLAWIP", "AAYHPQQFI"], Kind.PROTEIN),
        (["CC(=O)Oc1ccccc1", "CN1C=NC2=C1C(=O)N", "C[C@H](N)C(=O)O"], Kind.SMILES),
        (["let-7", "mir-10", "let-7", "mir-10"], Kind.CATEGORY),
        (["+", "-"] * 5, Kind.CATEGORY),
        (["1", "2", "X"] * 5, Kind.CATEGORY),
        (["TALL", "SMALL"] * 5, Kind.CATEGORY),
        (["a long remark", "another one here", "no more"], Kind.TEXT),
        ([None, None], Kind.EMPTY),
    ],
)
def test_kinds(cells: list[object], kind: Kind) -> None:
    series = pd.Series(cells, dtype=None if isinstance(cells[0], float) else "str")
    assert kind_of(series) is kind


def test_lengths_leave_empty_cells_out() -> None:
    assert length_range(pd.Series(["AC", None, "ACGT"], dtype="str")) == (2, 4)
    assert length_range(pd.Series([None], dtype="str")) == (0, 0)
