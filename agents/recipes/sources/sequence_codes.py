"""Sequences as arrays of small numbers."""

import re
from collections.abc import Sequence

import numpy as np

LETTERS = {"dna": "ACGT", "rna": "ACGT", "protein": "ACDEFGHIKLMNPQRSTVWY"}
"""The letters of each alphabet; U is read as T."""

READ_AS = {"dna": {"U": "T"}, "rna": {"U": "T"}, "protein": {"U": "C", "O": "K"}}
"""Selenocysteine is read as cysteine and pyrrolysine as lysine, the residues that they are made from or like."""

NO_RESIDUE = re.compile(r"[^A-Z]+")
"""Gaps, stops, spaces and numbers are dropped; other letters (N, X, B, …) keep their place as unknown."""

UNKNOWN = -1


def clean(text: object, alphabet: str) -> str:
    """``text`` in capital letters without gaps; a missing value is the empty sequence."""
    if not isinstance(text, str):
        return ""
    residues = NO_RESIDUE.sub("", text.upper())
    for letter, read_as in READ_AS[alphabet].items():
        residues = residues.replace(letter, read_as)
    return residues


def encode(sequences: Sequence[str], alphabet: str, width: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Letter numbers, shape (rows, width), with ``UNKNOWN`` for other letters and beyond the end; and lengths.

    ``width`` defaults to the longest sequence; longer ones are cut.
    """
    widest = max((len(text) for text in sequences), default=0) if width is None else width
    lengths = np.array([min(len(text), widest) for text in sequences], dtype=np.int64)
    number_of = np.full(256, UNKNOWN, dtype=np.int8)
    for number, letter in enumerate(LETTERS[alphabet]):
        number_of[ord(letter)] = number
    padded = "".join(text[:widest].ljust(widest, "\0") for text in sequences).encode("ascii", "replace")
    codes = number_of[np.frombuffer(padded, dtype=np.uint8)].reshape(len(sequences), widest)
    return codes, lengths


def word_counts(codes: np.ndarray, letters: int, offsets: Sequence[int]) -> np.ndarray:
    """How often each word occurs, shape (rows, letters ** len(offsets)).

    A word is the letters at ``offsets`` from a start, so (0, 1, 2) counts 3-mers and (0, 3) pairs with a gap of two.
    Words with an unknown letter are not counted.
    """
    rows, width = codes.shape
    size = letters ** len(offsets)
    starts = width - max(offsets)
    if starts <= 0:
        return np.zeros((rows, size))
    word = np.zeros((rows, starts), dtype=np.int64)
    known = np.ones((rows, starts), dtype=bool)
    for offset in offsets:
        letter = codes[:, offset : offset + starts]
        known &= letter >= 0
        word = word * letters + letter
    index = (np.arange(rows)[:, None] * size + word)[known]
    return np.bincount(index, minlength=rows * size).reshape(rows, size).astype(float)
