"""Numbers and categories of a table, with missing values."""

import numpy as np
import pandas as pd

from agents.recipes.sources.blocks import Block


class TableFeatures(Block):
    """Numeric columns, a flag for each column with missing values, and one-hot categories.

    ``impute`` fills missing numbers with the median of the training rows; without it they stay NaN, which tree
    models handle themselves. A category that was not seen in training has zeros in all its columns.
    """

    def __init__(
        self, numeric: list[str], categorical: list[str], *, impute: bool = True, max_categories: int = 30
    ) -> None:
        self.numeric = numeric
        self.categorical = categorical
        self.impute = impute
        self.max_categories = max_categories

    def fit(self, frame: pd.DataFrame) -> None:
        numbers = _numbers(frame, self.numeric)
        varies = [len(np.unique(column[np.isfinite(column)])) > 1 for column in numbers.T]
        self.kept_ = [name for name, keep in zip(self.numeric, varies, strict=True) if keep]
        kept = _numbers(frame, self.kept_)
        self.medians_ = np.nanmedian(kept, axis=0) if self.kept_ else np.zeros(0)
        self.flagged_ = [
            name
            for name, column in zip(self.numeric, numbers.T, strict=True)
            if 0 < np.isnan(column).sum() < len(column)
        ]
        self.levels_ = {name: self._levels(frame[name]) for name in self.categorical}
        self.names = [
            *self.kept_,
            *(f"{name} is missing" for name in self.flagged_),
            *(f"{name} = {level}" for name, levels in self.levels_.items() for level in levels),
        ]

    def _levels(self, column: pd.Series) -> list[str]:
        """The most frequent categories of a column; "" stands for missing. Ties are broken by name."""
        counts = {str(level): int(count) for level, count in column.fillna("").value_counts().items()}
        ordered = sorted(counts, key=lambda level: (-counts[level], level))
        return [] if len(ordered) == 1 else ordered[: self.max_categories]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        kept = _numbers(frame, self.kept_)
        if self.impute:
            kept = np.where(np.isnan(kept), self.medians_, kept)
        parts = [kept, np.isnan(_numbers(frame, self.flagged_)).astype(float)]
        for name, levels in self.levels_.items():
            column = frame[name].fillna("").to_numpy(dtype=object)
            parts.append((column[:, None] == np.array(levels, dtype=object)[None, :]).astype(float))
        return np.hstack(parts)


def _numbers(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Columns as floats, shape (rows, columns), infinities as NaN."""
    values = frame[columns].to_numpy(dtype=float, copy=True).reshape(len(frame), len(columns))
    values[~np.isfinite(values)] = np.nan
    return values
