"""Two nucleic acids that may bind by base pairing, such as a microRNA and its target site."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from agents.recipes.sources.blocks import Block
from agents.recipes.sources.sequence_codes import LETTERS, clean, encode

PAIR = np.zeros((5, 5), dtype=np.int8)
"""2 for a Watson-Crick pair, 1 for a G-U wobble, 0 for none; letters in the order ACGT, the last row is unknown."""
for first, second, kind in ("AT2", "CG2", "GT1"):
    PAIR[LETTERS["rna"].index(first), LETTERS["rna"].index(second)] = int(kind)
    PAIR[LETTERS["rna"].index(second), LETTERS["rna"].index(first)] = int(kind)

SCORE = np.array([-3.0, 1.0, 4.0])
"""Alignment score of no pair, a wobble and a Watson-Crick pair."""
GAP = -6.0
"""Score of each unpaired letter that bulges out."""
PAIRS_AT_ONCE = 500
WINDOWS = (4, 6, 8)
FLANK = 15
SEEDS = {"8mer": (1, 8, True), "7mer-m8": (1, 8, False), "7mer-A1": (1, 7, True), "6mer": (1, 7, False)}
"""First letter, end and adenine opposite letter 1 of the canonical sites (Bartel, Cell 136:215, 2009)."""


class PairingFeatures(Block):
    """How well the shorter sequence (the guide) pairs with the longer one (the target), read antiparallel.

    Which column is the guide is decided on the training rows by mean length. The guide is used up to ``max_guide``
    letters, the target up to ``max_target``; both are written 5' to 3'.
    """

    def __init__(self, columns: list[str], *, max_guide: int = 30, max_target: int = 200) -> None:
        self.columns = columns
        self.max_guide = max_guide
        self.max_target = max_target

    def fit(self, frame: pd.DataFrame) -> None:
        lengths = {column: [len(clean(text, "rna")) for text in frame[column]] for column in self.columns}
        self.guide_, self.target_ = sorted(self.columns, key=lambda column: (np.mean(lengths[column]), column))[:2]
        self.guide_width_ = min(max(*lengths[self.guide_], 9), self.max_guide)
        self.target_width_ = min(max(*lengths[self.target_], 9), self.max_target)
        empty = frame.iloc[:1].assign(**{self.guide_: "", self.target_: ""})
        self.names = [name for name, _ in self._compute(empty)]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        parts = [
            np.column_stack([column for _, column in self._compute(frame.iloc[start : start + PAIRS_AT_ONCE])])
            for start in range(0, len(frame), PAIRS_AT_ONCE)
        ]
        return np.vstack(parts) if parts else np.zeros((0, len(self.names)))

    def _compute(self, frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
        """Name and values of each feature."""
        guide, guide_length = encode([clean(text, "rna") for text in frame[self.guide_]], "rna", self.guide_width_)
        backwards = [clean(text, "rna")[: self.target_width_][::-1] for text in frame[self.target_]]
        target, target_length = encode(backwards, "rna", self.target_width_)
        pairs = PAIR[guide[:, :, None], target[:, None, :]]  # (rows, guide, reversed target)
        diagonals = _diagonals(pairs)
        yield from self._seeds(diagonals, target, target_length)
        yield from self._windows(diagonals)
        yield from self._best_register(diagonals)
        yield from self._alignment(pairs, target_length)
        for name, codes in (("guide", guide), ("target", target)):
            letters = np.maximum((codes >= 0).sum(axis=1), 1)
            for number, letter in enumerate(LETTERS["rna"]):
                yield f"{name}: share of {letter}", (codes == number).sum(axis=1) / letters
        yield "guide: length", guide_length.astype(float)
        yield "target: length", target_length.astype(float)
        for place in range(self.guide_width_):
            for number, letter in enumerate(LETTERS["rna"]):
                yield f"guide {place + 1} is {letter}", (guide[:, place] == number).astype(float)

    def _seeds(self, diagonals: np.ndarray, target: np.ndarray, length: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Canonical and weaker seed sites, where they are, and how rich in A and U their surroundings are."""
        # Column r of the diagonals pairs guide letter i with reversed target letter r - (guide width - 1) + i.
        shift = self.guide_width_ - 1
        opposite_first = np.full(diagonals.shape[:2], -1, dtype=np.int8)
        opposite_first[:, shift:] = target
        strength = np.zeros(diagonals.shape[:2])
        for rank, (name, (start, end, adenine)) in enumerate(SEEDS.items()):
            site = (diagonals[:, :, start:end] == 2).all(axis=2)
            site &= (opposite_first == 0) if adenine else True
            strength = np.maximum(strength, np.where(site, len(SEEDS) - rank, 0))
            yield f"seed: {name} sites", site.sum(axis=1).astype(float)
        for name, (start, end) in {"letters 3 to 8": (2, 8), "letters 4 to 9": (3, 9)}.items():
            yield f"seed: {name}", (diagonals[:, :, start:end] == 2).all(axis=2).sum(axis=1).astype(float)
        seed = diagonals[:, :, 1:8]
        paired, unpaired = (seed > 0).sum(axis=2), (seed == 0).sum(axis=2)
        yield "seed: with wobbles", ((unpaired == 0) & (paired == 7)).sum(axis=1).astype(float)
        yield "seed: one mismatch", ((unpaired == 1) & ((seed == 1).sum(axis=2) == 0)).sum(axis=1).astype(float)
        yield "seed: most pairs", (seed == 2).sum(axis=2).max(axis=1).astype(float)
        yield "seed: class", strength.max(axis=1)
        total = strength * 100 + SCORE[diagonals].sum(axis=2)
        best = total.argmax(axis=1)
        place = best - shift  # in the reversed target, of guide letter 1
        yield "seed: place", (length - 1 - place).astype(float)
        yield from self._flanks(target, place)
        row = np.arange(len(diagonals))
        for position in range(self.guide_width_):
            yield f"pair {position + 1} at best seed", diagonals[row, best, position].astype(float)

    def _flanks(self, target: np.ndarray, place: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Share of A and U beside the seed site (Grimson et al., Mol Cell 27:91, 2007), nearer letters weigh more."""
        column = np.arange(target.shape[1])[None, :]
        is_au = (target == 0) | (target == 3)
        sides = {"downstream": place[:, None] - 1 - column, "upstream": column - place[:, None] - 8}
        for name, distance in sides.items():
            weight = np.where(
                (distance >= 0) & (distance < FLANK) & (target >= 0), 1 / (np.maximum(distance, 0) + 1), 0
            )
            yield f"seed: AU {name}", (weight * is_au).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)

    def _windows(self, diagonals: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """For each stretch of the guide the best score that it reaches anywhere on the target."""
        scores = SCORE[diagonals]
        sums = np.concatenate([np.zeros((*scores.shape[:2], 1)), scores.cumsum(axis=2)], axis=2)
        for window in WINDOWS:
            best = (sums[:, :, window:] - sums[:, :, :-window]).max(axis=1)
            for start in range(best.shape[1]):
                yield f"best pairing of {start + 1} to {start + window}", best[:, start]

    def _best_register(self, diagonals: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The one shift without gaps that pairs best, and the longest helix at any shift."""
        total = SCORE[diagonals].sum(axis=2)
        best = total.argmax(axis=1)
        chosen = diagonals[np.arange(len(diagonals)), best]
        yield "best register: score", total.max(axis=1)
        yield "best register: place", best.astype(float)
        yield "best register: Watson-Crick", (chosen == 2).sum(axis=1).astype(float)
        yield "best register: wobble", (chosen == 1).sum(axis=1).astype(float)
        for position in range(self.guide_width_):
            yield f"pair {position + 1} at best register", chosen[:, position].astype(float)
        for name, least in {"Watson-Crick": 2, "any": 1}.items():
            run = np.zeros(diagonals.shape[:2])
            longest = run
            for position in range(self.guide_width_):
                run = np.where(diagonals[:, :, position] >= least, run + 1, 0)
                longest = np.maximum(longest, run)
            yield f"longest helix: {name}", longest.max(axis=1)

    def _alignment(self, pairs: np.ndarray, target_length: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Best local alignment with bulges (Smith and Waterman, J Mol Biol 147:195, 1981), all and 3' part."""
        for name, first in {"whole": 0, "past the seed": 8}.items():
            part = pairs[:, first:]
            best, guide_end, target_end = _local_alignment(SCORE[part])
            yield f"alignment ({name}): score", best
            yield f"alignment ({name}): guide end", guide_end + first
            yield f"alignment ({name}): place", target_length - 1 - target_end


def _diagonals(pairs: np.ndarray) -> np.ndarray:
    """Pairs along each register without gaps: shape (rows, target + guide - 1, guide), 0 beyond the target."""
    rows, guide, target = pairs.shape
    padded = np.zeros((rows, guide, target + 2 * (guide - 1)), dtype=pairs.dtype)
    padded[:, :, guide - 1 : guide - 1 + target] = pairs
    registers = target + guide - 1
    return np.stack([padded[:, letter, letter : letter + registers] for letter in range(guide)], axis=2)


def _local_alignment(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best score of a local alignment and where it ends in guide and target; ``scores`` is (rows, guide, target)."""
    rows, guide, target = scores.shape
    above = np.zeros((rows, target + 1))
    best, guide_end, target_end = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for i in range(guide):
        line = np.zeros((rows, target + 1))
        line[:, 1:] = np.maximum(0, np.maximum(above[:, :-1] + scores[:, i], above[:, 1:] + GAP))
        for j in range(1, target + 1):
            np.maximum(line[:, j], line[:, j - 1] + GAP, out=line[:, j])
        column = line.argmax(axis=1)
        value = line[np.arange(rows), column]
        better = value > best
        best = np.where(better, value, best)
        guide_end = np.where(better, i, guide_end)
        target_end = np.where(better, column - 1, target_end)
        above = line
    return best, guide_end, target_end
