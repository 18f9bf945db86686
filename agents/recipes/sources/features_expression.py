"""Expression-like tables: many numeric columns that were measured in the same unit."""

import numpy as np
import pandas as pd

from agents.recipes.sources.blocks import Block

SKEWED = 10.0
"""Counts and intensities on a linear scale have a 99th percentile far above the median; logarithms have not."""


class ExpressionFeatures(Block):
    """The columns that vary most, on a log scale where the raw scale is skewed, or as ranks within each sample.

    Missing values become the median of the training rows. Ranks (0 to 1) keep the order of the columns within one
    sample only, so that differences between platforms and batches of the whole scale vanish.
    """

    def __init__(self, numeric: list[str], *, ranks: bool = False, max_columns: int = 5000) -> None:
        self.numeric = numeric
        self.ranks = ranks
        self.max_columns = max_columns

    def fit(self, frame: pd.DataFrame) -> None:
        values = self._values(frame)
        finite = values[np.isfinite(values)]
        low, middle, high = np.percentile(finite, [0, 50, 99]) if finite.size else (0.0, 0.0, 0.0)
        self.log_ = bool(low >= 0 and high > SKEWED * max(middle, 1.0))
        logged = self._log(values)
        observed = np.isfinite(logged).any(axis=0)
        self.medians_ = np.zeros(len(self.numeric))
        self.medians_[observed] = np.nanmedian(logged[:, observed], axis=0)
        variance = np.where(np.isnan(logged), self.medians_, logged).var(axis=0)
        order = np.argsort(-variance, kind="stable")[: self.max_columns]
        self.columns_ = np.sort(order[variance[order] > 1e-12])
        self.names = [self.numeric[column] for column in self.columns_]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        logged = self._log(self._values(frame))
        filled = np.where(np.isnan(logged), self.medians_, logged)[:, self.columns_]
        if self.ranks and filled.shape[1] > 1:
            order = filled.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
            return np.asarray(order / (filled.shape[1] - 1))
        return filled

    def _values(self, frame: pd.DataFrame) -> np.ndarray:
        values = frame[self.numeric].to_numpy(dtype=float, copy=True)
        values[~np.isfinite(values)] = np.nan
        return values

    def _log(self, values: np.ndarray) -> np.ndarray:
        return np.log1p(np.maximum(values, 0)) if self.log_ else values
