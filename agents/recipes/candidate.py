"""What a recipe is chosen by (the profile of the inputs) and what is chosen (a candidate)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agents.recipes.titles import FAMILIES, REPRESENTATIONS
from agents.vocabulary import TaskType

Setting = int | float | str | bool | None

FEATURE_PREFIX: Final = "features."
"""Hyper-parameters with this prefix belong to the representation, all others to the model."""


ENSEMBLE: Final = "ensemble"
"""Representation and family of a candidate that averages others: its settings are theirs, numbered: ``1.C``, …"""


class InputKind(StrEnum):
    """What the inputs are, as far as the choice of a recipe depends on it."""

    TABLE = "table"
    EXPRESSION = "expression"
    SEQUENCE = "sequence"
    SEQUENCE_PAIR = "sequence_pair"


@dataclass(frozen=True)
class InputProfile:
    """What the exploration found: plain values, so that it can be written as JSON."""

    kind: InputKind
    sequence_columns: tuple[str, ...]
    alphabet: dict[str, str]
    """Sequence column to ``dna``, ``rna`` or ``protein``."""
    numeric_columns: tuple[str, ...]
    categorical_columns: tuple[str, ...]
    rows: int
    task_type: TaskType
    classes: int
    """Number of classes; 0 for regression."""
    fixed_length: bool = False
    """All sequences of a column are equally long, so that a position means the same in each."""

    def __post_init__(self) -> None:
        """Take words and lists, as JSON has them, for the enumerations and tuples that they stand for."""
        object.__setattr__(self, "kind", InputKind(self.kind))
        object.__setattr__(self, "task_type", TaskType(self.task_type))
        for name in ("sequence_columns", "numeric_columns", "categorical_columns"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


@dataclass(frozen=True)
class Candidate:
    """One representation with one model family and its settings."""

    representation: str
    family: str
    hyperparameters: Mapping[str, Setting]

    @property
    def combination(self) -> str:
        """The two halves as a person reads them, such as ``k-mers + extra trees``."""
        if self.family == ENSEMBLE:
            halves = [Candidate(*half, {}).combination for half in self._halves()]
            return f"mean of {' & '.join(halves)}"
        return f"{REPRESENTATIONS[self.representation]} + {FAMILIES[self.family]}"

    def _halves(self) -> list[tuple[str, str]]:
        """Representation and family of each member of an ensemble."""
        named = self.hyperparameters
        numbers = sorted(key.split(".")[0] for key in named if key.endswith(".family"))
        return [(str(named[f"{number}.representation"]), str(named[f"{number}.family"])) for number in numbers]

    def __hash__(self) -> int:
        return hash((self.representation, self.family, tuple(sorted(self.hyperparameters))))


@dataclass(frozen=True)
class Description:
    """A candidate in words, for the outputs of data_representation and model_architecture."""

    representation: str
    fitted_on_train_only: tuple[str, ...]
    architecture: str
    regularisation: str
    reason: str
