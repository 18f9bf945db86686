"""A model's reply out of its record, as far as it may have come: for a replay."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.models.stream import HEAD, KEPT, ReplyProgress, ToolProgress


class _Function(BaseModel):
    name: str = ""
    arguments: str = ""


class _Call(BaseModel):
    function: _Function = Field(default_factory=_Function)


class RecordedReply(BaseModel):
    """The reply of ``model_calls/000017.json``."""

    model_config = ConfigDict(extra="ignore")

    content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None

    def progress(self, share: float) -> ReplyProgress:
        """The first ``share`` of its characters, in the order in which a model gives them.

        When each piece came is not recorded, so they come evenly.
        """
        reasoning, text = self.reasoning or "", self.content or ""
        calls = [call.function for call in self.tool_calls or ()]
        whole = len(reasoning) + len(text) + sum(len(call.arguments) for call in calls)
        left = size = round(whole * min(1.0, share))
        said = []
        for part in (reasoning, text, *(call.arguments for call in calls)):
            said.append(part[:left])
            left -= len(said[-1])
        tools = tuple(
            ToolProgress(call.name, given[-KEPT:], given[:HEAD], len(given))
            for call, given in zip(calls, said[2:], strict=True)
            if given
        )
        return ReplyProgress(said[1][-KEPT:], said[0][-KEPT:], tools, size)


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")

    reply: RecordedReply | None = None


NOTHING: Final = RecordedReply()


def read_reply(record: Path) -> RecordedReply:
    """The reply that a record holds; an empty one where there is none."""
    try:
        return _Record.model_validate_json(record.read_bytes()).reply or NOTHING
    except (OSError, ValidationError):
        return NOTHING
