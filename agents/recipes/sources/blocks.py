"""Blocks of features, each fitted on the training rows alone, joined side by side."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd

LARGEST = 1e30  # tree models compute in 32 bits


class Block:
    """Base of all blocks: ``fit`` learns from the training rows, ``transform`` gives numbers for each row."""

    kinds: ClassVar[dict[str, type["Block"]]] = {}
    names: list[str]
    """Name of each feature, known after ``fit``."""

    def __init_subclass__(cls) -> None:
        Block.kinds[cls.__name__] = cls

    def fit(self, frame: pd.DataFrame) -> None:
        raise NotImplementedError

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        raise NotImplementedError


class Features:
    """All blocks of a representation. ``specs`` name each block's class and its arguments."""

    def __init__(self, specs: list[dict[str, Any]]) -> None:
        self.blocks = [Block.kinds[spec["block"]](**spec["options"]) for spec in specs]

    def fit(self, frame: pd.DataFrame) -> "Features":
        for block in self.blocks:
            block.fit(frame)
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Features of each row, shape (rows, features); missing values stay NaN only where a block lets them."""
        joined = np.hstack([block.transform(frame) for block in self.blocks])
        if not joined.shape[1]:
            return np.zeros((len(frame), 1))  # nothing varies: a model can still learn the base rate
        return np.asarray(np.clip(joined, -LARGEST, LARGEST))

    @property
    def names(self) -> list[str]:
        return [name for block in self.blocks for name in block.names] or ["constant"]
