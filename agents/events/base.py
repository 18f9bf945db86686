"""What every event carries."""

from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from agents.vocabulary import StepName

_UNSTAMPED: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EventBase(BaseModel):
    """What every event carries. Unknown fields are ignored, so that an older reader can follow a newer run."""

    # Reading a journal needs no validator of a single class, so none is built before somebody makes such an event.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null", defer_build=True)

    seq: int = Field(-1, description="Position in the journal, from 0 without a gap; -1 before the writer stamped it.")
    time: datetime = Field(_UNSTAMPED, description="UTC.")
    run_id: str = ""
    iteration: int | None = None
    step: StepName | None = None
