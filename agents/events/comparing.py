"""Events of comparing candidates: how sure a score is, and what became of the best on another split."""

from typing import Literal

from pydantic import Field

from agents.certainty import Certainty
from agents.events.base import EventBase


class CandidateCompared(EventBase):
    """The engine told how sure a candidate's validation score is, and compared it with the best so far."""

    type: Literal["candidate_compared"] = "candidate_compared"
    metric: str
    value: float
    split_version: int
    certainty: Certainty


class BestRescored(EventBase):
    """A new split version began a new comparison, and the best so far was scored on it, where it could be."""

    type: Literal["best_rescored"] = "best_rescored"
    of: int = Field(description="Iteration of the best.")
    metric: str
    split_version: int
    value: float | None = Field(None, description="On the validation rows that it was not trained on.")
    rows: int = Field(0, description="How many these are.")
    certainty: Certainty = Field(default_factory=Certainty)
    reason: str = Field("", description="Why it has no score there; then it is not compared with.")
