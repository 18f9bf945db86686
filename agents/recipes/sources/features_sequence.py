"""One biological sequence (DNA, RNA or protein) as numbers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from agents.recipes.sources.blocks import Block
from agents.recipes.sources.protein_scales import SCALES, hydrophobic_moment, isoelectric_point
from agents.recipes.sources.sequence_codes import LETTERS, clean, encode, word_counts

RESIDUE_CLASSES = {"protein": ("AGV", "FILP", "HNQW", "KR", "DE", "MSTY", "C")}
"""Seven classes by dipole and volume of the side chain (Shen et al., PNAS 104:4337, 2007)."""

ROWS_AT_ONCE = 2000
AROMATIC = "FWY"


class SequenceFeatures(Block):
    """The features of one column of sequences that ``parts`` names.

    composition  length, share of each letter and of unknown ones; for nucleic acids GC content, skews and CpG
    kmers        share of each word of ``k`` letters; with ``counts`` their numbers instead
    gapped       pairs of letters 2 to 6 apart, and triads; proteins in seven residue classes
    physicochemical  protein scales (mean, spread, both ends), charge, isoelectric point, hydrophobic moments
    positions    which letter stands at each place, from the start and, where lengths differ, also from the end
    """

    def __init__(
        self,
        column: str,
        alphabet: str,
        parts: list[str],
        *,
        k: int = 2,
        counts: bool = False,
        window: int = 15,
        max_positions: int = 100,
    ) -> None:
        self.column = column
        self.alphabet = alphabet
        self.letters = LETTERS[alphabet]
        self.parts = parts
        self.k = k
        self.counts = counts
        self.window = window
        self.max_positions = max_positions

    def fit(self, frame: pd.DataFrame) -> None:
        lengths = {len(text) for text in self._sequences(frame)}
        self.longest_ = max(lengths, default=0)
        self.same_length_ = len(lengths) <= 1
        whole = self.same_length_ and self.longest_ <= self.max_positions
        self.head_ = max(self.longest_ if whole else min(self.window, self.longest_), 1)
        self.tail_ = 0 if whole else self.head_
        codes, sequence_lengths = encode([""], self.alphabet, 1)
        self.names = [name for part in self.parts for name, _ in self._compute(part, codes, sequence_lengths, [""])]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        sequences = self._sequences(frame)
        result = np.zeros((len(sequences), len(self.names)))
        order = np.argsort([len(text) for text in sequences], kind="stable")  # equally long ones waste no padding
        for start in range(0, len(order), ROWS_AT_ONCE):
            rows = order[start : start + ROWS_AT_ONCE]
            chosen = [sequences[row] for row in rows]
            codes, lengths = encode(chosen, self.alphabet)
            columns = [column for part in self.parts for _, column in self._compute(part, codes, lengths, chosen)]
            result[rows] = np.column_stack(columns)
        return result

    def _sequences(self, frame: pd.DataFrame) -> list[str]:
        return [clean(text, self.alphabet) for text in frame[self.column]]

    def _compute(
        self, part: str, codes: np.ndarray, lengths: np.ndarray, sequences: list[str]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Name and values of each feature of ``part``."""
        if part == "composition":
            yield from self._composition(codes, lengths)
        elif part == "kmers":
            yield from self._words("k-mer", codes, [tuple(range(self.k))], self.letters)
        elif part == "gapped":
            yield from self._gapped(codes)
        elif part == "physicochemical":
            yield from self._physicochemical(codes, lengths)
        else:
            yield from self._positions(sequences)

    def _composition(self, codes: np.ndarray, lengths: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        total = np.maximum(lengths, 1)
        counts = word_counts(codes, len(self.letters), (0,))
        yield "length", lengths.astype(float)
        yield "log length", np.log1p(lengths)
        yield "unknown", 1 - counts.sum(axis=1) / total
        for number, letter in enumerate(self.letters):
            yield f"share of {letter}", counts[:, number] / total
        if self.alphabet != "protein":
            a, c, g, t = counts.T
            pairs = word_counts(codes, 4, (0, 1))
            yield "GC content", (g + c) / np.maximum(counts.sum(axis=1), 1)
            yield "GC skew", (g - c) / np.maximum(g + c, 1)
            yield "AT skew", (a - t) / np.maximum(a + t, 1)
            # observed over expected CpG: Gardiner-Garden and Frommer, J Mol Biol 196:261 (1987)
            yield "CpG", pairs[:, 4 * 1 + 2] * total / np.maximum(c * g, 1)

    def _words(
        self, title: str, codes: np.ndarray, shapes: list[tuple[int, ...]], letters: str
    ) -> Iterator[tuple[str, np.ndarray]]:
        for offsets in shapes:
            counts = word_counts(codes, len(letters), offsets)
            values = counts if self.counts else counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
            for number, word in enumerate(_spell(letters, offsets)):
                yield f"{title} {word}", values[:, number]

    def _gapped(self, codes: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        pairs: list[tuple[int, ...]] = [(0, distance) for distance in range(2, 7)]
        classes = RESIDUE_CLASSES.get(self.alphabet)
        if classes is None:
            yield from self._words("gapped", codes, [*pairs, (0, 1, 3), (0, 2, 3)], self.letters)
            return
        class_of = np.full(len(self.letters) + 1, -1, dtype=np.int8)  # the last entry serves the unknown, -1
        for number, members in enumerate(classes):
            for letter in members:
                class_of[self.letters.index(letter)] = number
        heads = "".join(members[0] for members in classes)
        yield from self._words("class", class_of[codes], [(0, 1), *pairs, (0, 1, 2)], heads)

    def _physicochemical(self, codes: np.ndarray, lengths: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        known = codes >= 0
        residues = np.maximum(known.sum(axis=1), 1)
        place = np.arange(codes.shape[1])[None, :]
        ends = {"start": known & (place < 8), "end": known & (place >= lengths[:, None] - 8)}
        for name, scale in SCALES.items():
            values = np.where(known, np.array([*scale, 0.0])[codes], 0.0)
            mean = values.sum(axis=1) / residues
            yield f"{name} mean", mean
            yield f"{name} spread", np.sqrt((np.where(known, values - mean[:, None], 0) ** 2).sum(axis=1) / residues)
            for end, mask in ends.items():
                yield f"{name} at {end}", (values * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
            if name == "charge":
                yield "net charge", values.sum(axis=1)
            if name == "eisenberg":
                for window, degrees in ((11, 100.0), (18, 100.0), (11, 160.0), (200, 100.0)):
                    moment = hydrophobic_moment(values, known, window, degrees)
                    yield f"moment {degrees:.0f} degrees over {window}", moment
        counts = word_counts(codes, 20, (0,))
        yield "isoelectric point", isoelectric_point(counts, self.letters)
        a, v, i, leucine = (counts[:, self.letters.index(letter)] for letter in "AVIL")
        # Ikai, J Biochem 88:1895 (1980)
        yield "aliphatic index", 100 * (a + 2.9 * v + 3.9 * (i + leucine)) / residues
        yield "aromatic", sum(counts[:, self.letters.index(letter)] for letter in AROMATIC) / residues
        yield "cysteines", counts[:, self.letters.index("C")]

    def _positions(self, sequences: list[str]) -> Iterator[tuple[str, np.ndarray]]:
        ends = [("place", [text[: self.head_] for text in sequences], self.head_)]
        if self.tail_:
            ends.append(("from end", [text[::-1][: self.tail_] for text in sequences], self.tail_))
        for title, pieces, width in ends:
            codes, _ = encode(pieces, self.alphabet, width)
            for place in range(width):
                for number, letter in enumerate(self.letters):
                    yield f"{title} {place + 1} is {letter}", (codes[:, place] == number).astype(float)
                if self.alphabet == "protein":
                    for name, scale in SCALES.items():
                        yield f"{title} {place + 1} {name}", np.array([*scale, 0.0])[codes[:, place]]


def _spell(letters: str, offsets: tuple[int, ...]) -> Iterator[str]:
    """All words at ``offsets`` in the order of :func:`word_counts`; a dot stands for a gap."""
    places = len(offsets)
    for number in range(len(letters) ** places):
        word = ["."] * (max(offsets) + 1)
        for rank, offset in enumerate(offsets):
            word[offset] = letters[number // len(letters) ** (places - 1 - rank) % len(letters)]
        yield "".join(word)
