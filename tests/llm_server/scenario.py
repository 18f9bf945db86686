"""Scenario files: what goes wrong at which request, and what a good engine makes of it.

A file is TOML under ``scenarios/``. One with ``places`` stands for several scenarios: its faults without a ``when``
strike at the first call of a run, in the middle of a step, and where the step hands over its result.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from agents.settings import RunSettings
from agents.vocabulary import RunStatus, StepName

FOLDER: Final = Path(__file__).parent / "scenarios"
BASE_SETTINGS: Final[dict[str, Any]] = {
    "iterations": 1,
    "llm_retries": 2,
    "llm_retry_wait": 0.01,
    "max_validation_retries": 2,
}
"""Settings of a run that plays a scenario, where the scenario has none of its own."""

Place = Literal["first", "middle", "final"]
How = Literal["end", "close", "reset"]
"""How a response ends too early: as if it were whole, by closing the connection, by resetting it."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class When(_Strict):
    """Which requests a fault strikes: those for which everything that is said here holds."""

    call: int | None = Field(None, ge=1, description="From this request of the run on, retries counted.")
    iteration: int | None = Field(None, ge=0)
    step: StepName | None = None
    turn: int | None = Field(None, ge=0, description="From the request on that has so many replies before it.")
    tool: str | None = Field(None, description="The competent reply would call this tool.")
    parameter: str | None = Field(None, description="The request carries this parameter.")

    @model_validator(mode="after")
    def _says_something(self) -> "When":
        if not self.model_fields_set:
            raise ValueError("a `when` that says nothing")
        if self.turn is not None and self.step is None:
            raise ValueError("`turn` counts within a `step`")
        return self


PLACES: Final[dict[Place, When]] = {
    "first": When(call=1),
    "middle": When(step=StepName.MODEL_TRAINING, turn=1),
    "final": When(step=StepName.MODEL_TRAINING, tool="final_result"),
}
"""The expert trains in three replies, so that the second one is in the middle of a step."""


class _Fault(_Strict):
    when: When | None = Field(None, description="None in a file with places only.")
    times: int = Field(1, ge=0, description="How many requests it strikes; 0: all.")
    model: str | None = Field(None, description="Strikes requests for this model only.")


class StatusFault(_Fault):
    """Another status than 200, with an error in OpenAI's form unless told otherwise."""

    kind: Literal["status"]
    code: int = Field(ge=400, lt=600)
    message: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    parameter: str | None = None
    retry_after: float | None = Field(None, ge=0, description="Seconds, in the header Retry-After.")
    retry_after_is_date: bool = Field(False, description="The header holds the date that is so many seconds ahead.")
    body: str | None = Field(None, description="Sent as it is.")
    html: bool = Field(False, description="An HTML page, as a proxy sends it.")


class HtmlFault(_Fault):
    """Status 200 and an HTML page, as a captive portal sends it."""

    kind: Literal["html"]


class EmptyFault(_Fault):
    """Status 200 and a body without anything."""

    kind: Literal["empty"]
    done: bool = Field(False, description="A stream says [DONE] nevertheless.")


class RefuseFault(_Fault):
    """The connection ends without a byte of response."""

    kind: Literal["refuse"]
    how: Literal["close", "reset"] = "close"


class _InTheStream(_Fault):
    after: int = Field(3, ge=1, description="Pieces of the reply that are sent before.")


class TruncateFault(_InTheStream):
    """The response ends before the reply does: no finish_reason, no [DONE]."""

    kind: Literal["truncate"]
    how: How = "end"


class BadJsonFault(_InTheStream):
    """A chunk in the stream is no JSON."""

    kind: Literal["bad_json"]


class BadUtf8Fault(_Fault):
    """The reply's text has bytes that are no UTF-8."""

    kind: Literal["bad_utf8"]


class ErrorChunkFault(_InTheStream):
    """The provider finds out in mid-stream that it cannot go on, and says so in a chunk."""

    kind: Literal["error_chunk"]
    message: str = "The server had an error while processing your request."
    code: int | str = 502


class HangFault(_InTheStream):
    """Nothing comes any more, and the connection stays open until the client leaves."""

    kind: Literal["hang"]
    where: Literal["before_headers", "after_headers", "mid_stream"]


class DripFault(_Fault):
    """The reply comes one character at a time."""

    kind: Literal["drip"]
    seconds: float = Field(0.05, gt=0, description="Between two characters.")


class ScriptedCall(_Strict):
    """A tool call as the model writes it, arguments valid or not."""

    name: str
    arguments: str = "{}"
    id: str | None = Field(None, description="None: one that is like no other.")


class ReplyFault(_Fault):
    """A response that is well-formed, with a reply that is not what the competent model says."""

    kind: Literal["reply"]
    text: str | None = Field(None, description="In place of the competent text.")
    tool_calls: list[ScriptedCall] | None = Field(None, description="In place of the competent calls; may be none.")
    prepend: list[ScriptedCall] = Field(default_factory=list, description="Calls before the competent ones.")
    append: list[ScriptedCall] = Field(default_factory=list, description="Calls after them.")
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Literal["normal", "missing", "zero"] = "normal"
    duplicate_ids: bool = Field(False, description="All calls have the same id, in every reply that this strikes.")
    huge_arguments: int | None = Field(None, ge=1, description="Arguments of at least so many bytes.")
    escapes: bool = Field(False, description="Terminal escapes and markup in text, reasoning and arguments.")
    no_index: bool = Field(False, description="Chunks with tool calls lack the index; each call comes whole.")
    split: Literal["whole", "pieces", "characters"] = Field("pieces", description="What a chunk carries.")


Fault = Annotated[
    StatusFault
    | HtmlFault
    | EmptyFault
    | RefuseFault
    | TruncateFault
    | BadJsonFault
    | BadUtf8Fault
    | ErrorChunkFault
    | HangFault
    | DripFault
    | ReplyFault,
    Field(discriminator="kind"),
]


class Expect(_Strict):
    """What a good engine makes of it. What is None is not looked at."""

    status: RunStatus
    reason_contains: str | None = Field(None, description="In the run's reason, in lower case.")
    retries: int | None = Field(None, ge=0, description="Retries of model calls, in the whole run.")
    rejections: int | None = Field(None, ge=0, description="Rejected outputs, in the whole run.")
    tool_errors: int | None = Field(None, ge=0, description="Tool calls that ended as an error, in the whole run.")
    fallback: bool | None = Field(None, description="Another model took over.")
    dropped: str | None = Field(None, description="A parameter that is left out from some request on.")
    compacted: bool | None = Field(None, description="Old tool outputs became pointers.")
    failed_step: StepName | None = Field(None, description="It failed in iteration 0; the run need not.")
    hung_up: bool | None = Field(None, description="The engine closed a connection before the response had ended.")


class Scenario(_Strict):
    """One way in which a server misbehaves during a run."""

    title: str = Field(min_length=1)
    name: str = Field("", description="The file's name, and the place where it has several.")
    expect: Expect
    settings: dict[str, Any] = Field(default_factory=dict)
    models: tuple[str, ...] = Field(("expert",), min_length=1, description="What the server has; the first is asked.")
    strict_history: bool = Field(
        False, description="Refuses a conversation with arguments that are no JSON object, or with an id used twice."
    )
    fault: list[Fault] = Field(default_factory=list)

    @model_validator(mode="after")
    def _can_be_played(self) -> "Scenario":
        RunSettings.model_validate({"dataset": "/", **self.run_settings})
        for fault in self.fault:
            if fault.when is None:
                raise ValueError(f"the fault {fault.kind!r} does not say when it strikes")
            if fault.model is not None and fault.model not in self.models:
                raise ValueError(f"the server has no model {fault.model!r}")
        return self

    @property
    def run_settings(self) -> dict[str, Any]:
        """Settings of a run that plays this scenario, but for the dataset and the server's address."""
        return {**BASE_SETTINGS, "model": f"openai/{self.models[0]}", **self.settings}


_PLACES: Final = TypeAdapter(Annotated[list[Place], Field(min_length=1)])


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a file: one, or one for each of its places."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if "places" not in table:
        return [Scenario.model_validate({**table, "name": path.stem})]
    places = _PLACES.validate_python(table.pop("places"))
    return [_placed(table, path.stem, place) for place in places]


def all_scenarios() -> list[Scenario]:
    """Every scenario of the folder, by name."""
    return [scenario for path in sorted(FOLDER.glob("*.toml")) for scenario in read_scenarios(path)]


def scenario(name: str) -> Scenario:
    """The scenario of that name, such as ``status_503-middle``; raises ``KeyError``."""
    return {found.name: found for found in all_scenarios()}[name]


def _placed(table: dict[str, Any], stem: str, place: Place) -> Scenario:
    here = PLACES[place].model_dump(exclude_unset=True)
    faults = [{"when": here, **fault} for fault in table.get("fault", [])]
    return Scenario.model_validate({**table, "name": f"{stem}-{place}", "fault": faults})
