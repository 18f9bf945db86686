"""What a column holds, in a biologist's words."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

_SAMPLE: Final = 2000
_DNA: Final = re.compile(r"[ACGTN]+", re.IGNORECASE)
_RNA: Final = re.compile(r"[ACGUN]+", re.IGNORECASE)
_PROTEIN: Final = re.compile(r"[ACDEFGHIKLMNPQRSTVWYXBZUO]+\*?", re.IGNORECASE)
_SMILES: Final = re.compile(r"(?=.*[=#()\[\]])[A-Za-z0-9@+\-\[\]()=#$:/\\.%*]+")
_SHORTEST_NUCLEIC: Final = 8
_SHORTEST_PROTEIN: Final = 5
_MOST_CATEGORIES: Final = 50


class Kind(StrEnum):
    """Kinds of input columns."""

    NUMERIC = "numeric"
    CATEGORY = "category"
    DNA = "DNA sequence"
    RNA = "RNA sequence"
    PROTEIN = "protein sequence"
    SMILES = "SMILES"
    TEXT = "free text"
    EMPTY = "empty"

    @property
    def has_length(self) -> bool:
        return self in (Kind.DNA, Kind.RNA, Kind.PROTEIN, Kind.SMILES, Kind.TEXT)

    @property
    def letters(self) -> str | None:
        """Letters of a sequence, ambiguity codes of IUPAC, stop ``*`` and gaps among them; else None."""
        return _LETTERS.get(self)


_LETTERS: Final = {
    Kind.DNA: "ACGTRYSWKMBDHVN*-.",
    Kind.RNA: "ACGURYSWKMBDHVN*-.",
    Kind.PROTEIN: "ACDEFGHIKLMNPQRSTVWYBJOUXZ*-.",
}


def is_number(dtype: Any) -> bool:
    """Whether a column of this type holds numbers or truth values."""
    return dtype.kind in "iufcb"


def kind_of(series: "pd.Series[Any]") -> Kind:
    """Judge by the first :data:`_SAMPLE` filled cells; at least 95 % of them have to fit an alphabet."""
    present = series.dropna().head(_SAMPLE)
    if present.empty:
        return Kind.EMPTY
    if is_number(present.dtype):
        return Kind.NUMERIC
    cells = [str(cell).strip() for cell in present]
    length = sorted(map(len, cells))[len(cells) // 2]
    if length >= _SHORTEST_NUCLEIC:
        if _mostly(_DNA, cells):
            return Kind.DNA
        if _mostly(_RNA, cells):
            return Kind.RNA
    distinct = len(set(cells))
    if distinct <= _MOST_CATEGORIES and distinct <= max(2, len(cells) / 2):
        return Kind.CATEGORY
    if length >= _SHORTEST_PROTEIN and _mostly(_PROTEIN, cells) and _one_case(cells):
        return Kind.PROTEIN
    if length >= _SHORTEST_PROTEIN and _mostly(_SMILES, cells, share=0.7):
        return Kind.SMILES
    return Kind.TEXT if any(" " in cell for cell in cells) or distinct > len(cells) / 2 else Kind.CATEGORY


def length_range(series: "pd.Series[Any]") -> tuple[int, int]:
    """Shortest and longest filled cell, in characters."""
    lengths = series.dropna().astype(str).str.len()
    return (int(lengths.min()), int(lengths.max())) if len(lengths) else (0, 0)


def _mostly(pattern: re.Pattern[str], cells: list[str], share: float = 0.95) -> bool:
    return sum(pattern.fullmatch(cell) is not None for cell in cells) >= share * len(cells)


def _one_case(cells: list[str]) -> bool:
    """Sequences are written in capitals or in small letters; ``Alanine`` is a word."""
    return sum(cell.isupper() or cell.islower() for cell in cells) >= 0.95 * len(cells)
