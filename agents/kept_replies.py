"""Replies that an interrupted attempt at a step was given: the step begins again, but nothing is paid for twice.

A reply is given again where the whole conversation before it is the same, but for how long things took and what number
a tool call had. So a note by a person, or a tool that says something else this time, ends it: from there on the model
is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from agents.errors import is_of_the_disk
from agents.events import ModelCallFinished
from agents.models.gateway import Message, ModelReply
from agents.models.replay import RecordedCall, plain, reply_of
from agents.recorder import Recorder
from agents.run_folder import RunFolder

SAID: Final = 4000
"""Characters of a reply that its event carries; the whole reply lies in the model call's record."""
_Conversation = tuple[str, ...]


@dataclass(frozen=True)
class KeptReply:
    """A reply, and the call that it was the reply to."""

    call: int
    model: str
    reply: ModelReply


@dataclass
class KeptReplies:
    """What earlier attempts at one step of one iteration were answered."""

    run: RunFolder
    recorder: Recorder
    _known: dict[_Conversation, KeptReply] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the calls that the journal knows at this step; a step that begins for the first time has none."""
        here = (self.recorder.iteration, self.recorder.step)
        anew_after = self._anew_after()
        messages: list[Message] | None = None
        for made in self.recorder.state.model_calls:
            if (made.iteration, made.step) != here:
                continue
            call = _recorded(self.run, made.call)
            if call is None or (messages is None and call.messages_before):
                messages = None  # what comes after a record that is missing has no beginning
                continue
            messages = [*(messages or ())[: call.messages_before], *call.new_messages]
            if call.reply is not None and call.call > anew_after:
                self._known[self._key(messages)] = KeptReply(call.call, call.model, reply_of(call.reply))

    def reply_to(self, models: Sequence[str], messages: Sequence[Message]) -> KeptReply | None:
        """The reply of one of ``models`` to this very conversation."""
        if not self._known:
            return None
        kept = self._known.get(self._key(messages))
        return kept if kept is not None and kept.model in models else None

    def _anew_after(self) -> int:
        iteration, step = self.recorder.iteration, self.recorder.step
        iterations = self.recorder.state.iterations
        if iteration is None or step is None or iteration >= len(iterations):
            return 0
        return iterations[iteration].steps[step].anew_after

    def _key(self, messages: Sequence[Message]) -> _Conversation:
        # Records hold no secret, so what is asked is compared without it.
        return tuple(self.recorder.redact(plain(message)) for message in messages)


def settle_open_calls(run: RunFolder, recorder: Recorder) -> None:
    """Tell what those calls took whose reply an engine had kept when it died, before it could tell.

    The provider has counted them, so the budget has to; their replies are given again.
    """
    for made in list(recorder.state.model_calls):
        if made.record is not None or (call := _recorded(run, made.call)) is None or call.reply is None:
            continue
        reply = reply_of(call.reply)
        recorder.emit(
            ModelCallFinished(
                iteration=made.iteration,
                step=made.step,
                call=made.call,
                model=call.model or made.model,
                seconds=made.seconds or 0.0,
                record=run.relative(_path(run, made.call)),
                said=reply.text[:SAID],
                **figures_of(reply, is_repeated=call.repeats is not None),
            )
        )
    last = recorder.state.model_calls[-1] if recorder.state.model_calls else None
    if last is not None and last.record is not None and last.error is None:
        _path(run, last.call).with_suffix(".stream").unlink(missing_ok=True)  # the record holds the whole reply


def figures_of(reply: ModelReply, *, is_repeated: bool) -> dict[str, Any]:
    """What the event of a call says of its reply; one that is given again costs nothing."""
    counted = {
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
        "cached_tokens": reply.cached_tokens,
        "cost_usd": reply.cost_usd,
    }
    nothing = {"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "cost_usd": 0.0}
    return (nothing if is_repeated else counted) | {"tools": [call.name for call in reply.tool_calls]}


def _recorded(run: RunFolder, call: int) -> RecordedCall | None:
    """The record of a call; None where there is none that can be read, and the reply has to be asked for again."""
    try:
        return RecordedCall.model_validate_json(_path(run, call).read_bytes())
    except ValidationError:
        return None
    except OSError as error:
        if is_of_the_disk(error):
            raise
        return None


def _path(run: RunFolder, call: int) -> Path:
    return run.model_calls / f"{call:06d}.json"
