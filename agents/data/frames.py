"""Input columns as data frames, for looking at them. What a model gets is copied from the text of the file instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from agents.data.tables import delimiter_of
from agents.errors import UserError
from agents.wording import counted


def read_frames(tables: Sequence[Path], columns: Sequence[str]) -> list[pd.DataFrame]:
    """The named columns of each table, with the same types in all of them.

    A column that holds numbers in every table is numeric (the usual words for a missing value are NaN); every other
    one is text, where only an empty cell is missing. The tables have been read once already, so only what the two
    readers see differently can fail here: that raises :class:`UserError`.
    """
    frames = [_read(table, columns) for table in tables]
    numeric = np.logical_and.reduce([[_is_number(kind) for kind in frame.dtypes] for frame in frames])
    text = [name for name, is_number in zip(columns, numeric, strict=True) if not is_number]
    if text:
        for place, table in enumerate(tables):
            numbers = frames[place].drop(columns=text)
            frames[place] = pd.concat([numbers, _read(table, text, as_text=True)], axis=1)[list(columns)]
    kinds = [frame.dtypes.to_numpy() for frame in frames]
    mixed = [name for name, *found in zip(columns, *kinds, strict=True) if len(set(found)) > 1]
    return [frame.astype(dict.fromkeys(mixed, np.float64)) for frame in frames] if mixed else frames


def text_among_numbers(table: Path, columns: Sequence[str], limit: int = 5) -> list[str]:
    """Columns of one table that hold text although nearly all of their cells are numbers, with an example."""
    found = []
    for name, series in read_frames([table], columns)[0].items():
        if is_numeric_dtype(series.dtype):
            continue
        present = series.dropna()
        words = present[pd.to_numeric(present, errors="coerce").isna()]
        if 0 < len(words) <= 0.1 * len(present):
            found.append(
                f"column {str(name)!r} holds numbers but {counted(len(words), 'cell')}, such as {words.iloc[0]!r}"
            )
    return found[:limit]


def _read(table: Path, columns: Sequence[str], as_text: bool = False) -> pd.DataFrame:
    try:
        frame = pd.read_csv(
            table,
            sep=delimiter_of(table),
            usecols=list(columns),
            encoding="utf-8-sig",
            index_col=False,
            low_memory=False,
            dtype=str if as_text else None,
            keep_default_na=not as_text,
            na_values=[""],
        )
    except (ValueError, OverflowError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{table}: cannot be read as a table ({reason})") from None
    return frame[list(columns)]


def _is_number(kind: Any) -> bool:
    return is_numeric_dtype(kind) and not is_bool_dtype(kind)
