"""What the cells of training data look like, and whether the cells of new data look alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from agents.data.kinds import Kind, is_number, kind_of
from agents.data.tables import pick, some
from agents.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES: Final = 200
"""A column with more different values is not listed, and none of its values is called unseen."""

_MISSING: Final = frozenset(
    {
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    }
)
"""What ``pandas.read_csv`` takes for a missing number (parameter ``na_values``)."""


class ColumnFacts(BaseModel):
    """What one input column holds in train."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    values: list[str] | None = Field(None, description="Every value of a category, where they are few.")
    alphabet: str | None = Field(None, description="Characters of a sequence column, in capitals.")
    has_empty: bool = Field(True, description="Whether some cell is empty; told of sequences only.")


ColumnShape: TypeAlias = ColumnFacts | Literal["numeric"]
"""A numeric column is told by one word: there may be tens of thousands."""


def describe_columns(frame: "pd.DataFrame") -> dict[str, ColumnShape]:
    """Each column of train, by its name."""
    empty = frame.isna().all().tolist()
    described: dict[str, ColumnShape] = {}
    for (name, dtype), is_empty in zip(frame.dtypes.items(), empty, strict=True):
        is_numeric = is_number(dtype) and not is_empty
        described[str(name)] = "numeric" if is_numeric else _describe(frame[name])
    return described


@dataclass
class Familiarity:
    """Compares rows of new data with train, one by one; a cell that cannot be meant raises :class:`UserError`."""

    path: Path
    names: Sequence[str]
    """Columns as the file calls them."""
    shapes: Sequence[ColumnShape | None]
    """What train holds in each of them; None where that is not known."""
    _unseen: "Counter[int]" = field(default_factory=Counter)
    _examples: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numeric = [place for place, shape in enumerate(self.shapes) if shape == "numeric"]
        self._numbers_of = pick(self._numeric)
        told = [(place, shape) for place, shape in enumerate(self.shapes) if isinstance(shape, ColumnFacts)]
        self._sequences = [(place, shape) for place, shape in told if shape.alphabet is not None]
        self._categories = [(place, frozenset(shape.values)) for place, shape in told if shape.values is not None]

    def check(self, line: int, cells: Sequence[str]) -> None:
        """Look at one row; raises :class:`UserError` with file, line, column and what was expected."""
        if self._numeric and not _all_numbers(self._numbers_of(list(cells))):
            for place in self._numeric:
                if not _is_number(cells[place]):
                    raise self._refusal(line, place, f"expected a number, found {_short(cells[place])}")
        for place, shape in self._sequences:
            problem = _sequence_problem(cells[place].strip(), shape)
            if problem:
                raise self._refusal(line, place, problem)
        for place, values in self._categories:
            if cells[place] not in values:
                self._unseen[place] += 1
                self._examples.setdefault(place, cells[place])

    def warnings(self) -> list[str]:
        """What was odd in the rows seen so far, one line a column."""
        told = []
        for place, count in sorted(self._unseen.items()):
            shape = self.shapes[place]
            known = some(shape.values or (), 6) if isinstance(shape, ColumnFacts) else ""
            rows = "1 row has" if count == 1 else f"{count} rows have"
            example = _short(self._examples[place])
            told.append(
                f"{self.path}, column {self.names[place]!r}: {rows} a value that no row of train has, "
                f"such as {example}; train has: {known}"
            )
        return told

    def _refusal(self, line: int, place: int, problem: str) -> UserError:
        return UserError(f"{self.path}, line {line}, column {self.names[place]!r}: {problem}")


def _describe(series: "pd.Series[str]") -> ColumnFacts:
    kind = kind_of(series)
    present = series.dropna().astype(str)
    has_empty = len(present) < len(series) or bool((present.str.strip() == "").any())
    if kind.letters is not None:
        # What train has is known to the model, also where it is no letter of the alphabet.
        seen = set().union(*map(set, present.str.strip().str.upper())) if len(present) else set()
        return ColumnFacts(kind=kind, alphabet="".join(sorted(seen | set(kind.letters))), has_empty=has_empty)
    if kind is Kind.CATEGORY:
        values = sorted(set(present) | ({""} if len(present) < len(series) else set()))
        return ColumnFacts(kind=kind, values=values if len(values) <= MOST_CATEGORIES else None, has_empty=has_empty)
    return ColumnFacts(kind=kind)


def _sequence_problem(cell: str, shape: ColumnFacts) -> str | None:
    if not cell:
        return None if shape.has_empty else f"expected a {shape.kind}, found an empty cell; train has none"
    odd = set(cell.upper()) - set(shape.alphabet or "")
    if not odd:
        return None
    first = next(place for place, letter in enumerate(cell) if letter.upper() in odd or letter in odd)
    return (
        f"expected a {shape.kind} (letters {shape.alphabet}), found {_short(cell)} "
        f"with {cell[first]!r} at position {first + 1}"
    )


def _all_numbers(cells: Sequence[str]) -> bool:
    text = "".join(cells)
    if "_" in text or not text.isascii():
        return False
    try:
        for cell in cells:
            float(cell)
    except ValueError:
        return False
    return True


def _is_number(cell: str) -> bool:
    return cell.strip() in _MISSING or _all_numbers([cell])


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 30 else f"{cell[:30]}…")
