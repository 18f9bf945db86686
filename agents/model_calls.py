"""Model calls as the journal knows them: a number, a stream, a record of request and reply, a start and an end."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agents.budget import Budget
from agents.clock import Stopwatch
from agents.events import (
    ContextCompacted,
    ModelCallFinished,
    ModelCallRetried,
    ModelCallStarted,
    ModelChanged,
    ParameterDropped,
    ReplayDiverged,
)
from agents.files import write_atomically
from agents.interruptions import AskedAgain
from agents.kept_replies import SAID, KeptReplies, KeptReply, figures_of
from agents.models.gateway import (
    Delta,
    Gateway,
    ModelError,
    ModelReply,
    ModelRequest,
    RequestRefused,
    RequestTooLong,
    ToolRequest,
)
from agents.models.stream import StreamWriter
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.context import AFTER, CHARACTERS_PER_TOKEN, NEAR, Transcript

_TOO_LONG_LIMIT: Final = 3
"""How often a conversation is made shorter because the provider says that it is too long."""
_UNREADABLE: Final = 2000
_SURELY_TOO_LONG: Final = 1.2
"""Of the window: a conversation whose estimate is so far above it is not sent."""
_MOST_USAGE: Final = 20
_LEAST_USAGE: Final = 5000
"""Input tokens that a provider may count: some times the estimate, and something for what it adds by itself."""
_MOST_OUTPUT: Final = 10_000_000
_FLUSH_SECONDS: Final = 0.3


@dataclass
class Talk:
    """One conversation with one model, or with the fallback models that took its place."""

    models: list[str]
    """The one that is asked, then those that are asked where it gives no reply."""
    transcript: Transcript
    temperature: float = 1.0
    reasoning_effort: str | None = None
    recorded: int = 0
    """Messages that the records of earlier calls hold already."""
    window: int | None = None
    """What a provider's refusal has taught about the window."""
    too_long: int = 0
    ids: set[str] = field(default_factory=set)
    """Of its tool calls."""
    must_call: bool = False
    """The next reply has to call a tool: the last one did not."""
    kept: KeptReplies | None = None
    """What interrupted attempts at the same step were answered, once it was looked for."""

    @property
    def model(self) -> str:
        return self.models[0]


class ModelCalls:
    """Makes and records the model calls of a run, within its budget and each model's window."""

    def __init__(
        self,
        run: RunFolder,
        recorder: Recorder,
        settings: RunSettings,
        gateway: Gateway,
        steering: Steering,
        budget: Budget,
    ) -> None:
        self._run = run
        self._recorder = recorder
        self._settings = settings
        self._gateway = gateway
        self._steering = steering
        self._budget = budget

    async def ask(self, talk: Talk) -> ModelReply:
        """The next reply, added to the transcript; raises :class:`ModelError` where no model gives one.

        Raises :class:`AskedAgain` where a person has cancelled the call, or the run's time has ended it: the caller
        asks again after it has looked for what else a person wants. A conversation that the provider finds too long is
        made shorter and sent again. What an interrupted attempt at the step was answered is not asked again.
        """
        talk.kept = talk.kept or KeptReplies(self._run, self._recorder)
        while True:
            self._fit(talk)
            kept = talk.kept.reply_to(talk.models, talk.transcript.messages)
            if kept is None:
                await self._afford(talk)
            try:
                reply = await self._recorded(talk, kept)
            except RequestTooLong:
                if talk.too_long >= _TOO_LONG_LIMIT:
                    raise
                talk.too_long += 1
                talk.window = min(talk.transcript.tokens, self._window(talk) or talk.transcript.tokens)
                self._shrink(talk, round(talk.window * AFTER), talk.window)
                continue
            talk.transcript.counted(reply.input_tokens)
            talk.transcript.add(replace(reply, tool_calls=_sendable(reply.tool_calls)).message())
            return reply

    # --- before a call -----------------------------------------------------------------------------------------------

    def _fit(self, talk: Talk) -> None:
        window = self._window(talk)
        if window is not None and talk.transcript.tokens > window * NEAR:
            self._shrink(talk, round(window * AFTER), window)

    def _shrink(self, talk: Talk, target: int, window: int) -> None:
        before = talk.transcript.tokens
        left_out = talk.transcript.shrink_to(target)
        after = talk.transcript.tokens
        if after < before:
            talk.recorded = 0  # the next record holds the whole conversation as it is now
            self._recorder.emit(
                ContextCompacted(
                    call=self._next, left_out=left_out, tokens_before=before, tokens_after=after, window=window
                )
            )
        if after > window * _SURELY_TOO_LONG:
            raise RequestTooLong(
                f"{talk.model}: the conversation takes about {after:,} tokens with all old outputs left out, and the "
                f"model takes {window:,}"
            )

    def _window(self, talk: Talk) -> int | None:
        return talk.window or self._settings.context_window or self._gateway.facts(talk.model).window

    async def _afford(self, talk: Talk) -> None:
        facts = self._gateway.facts(talk.model)
        await self._budget.afford(talk.transcript.tokens if facts.counts_tokens else 0, facts)

    # --- the call ----------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> int:
        return self._recorder.state.model_calls_made + 1

    async def _recorded(self, talk: Talk, kept: KeptReply | None) -> ModelReply:
        call = self._next
        stream = self._run.model_calls / f"{call:06d}.stream"
        # Durable: after a power cut no other call may take the number, and with it the place of a reply that was paid.
        self._recorder.emit(
            ModelCallStarted(call=call, model=talk.model, stream=self._run.relative(stream)), durable=True
        )
        writer = StreamWriter(stream, self._recorder.redact)
        listening = _Listening(call, talk, self._recorder, self._steering, writer)
        flushing = asyncio.create_task(listening.keep_flushing())
        watch = Stopwatch()
        reply: ModelReply | None = None
        error: str | None = "cancelled"
        try:
            async with asyncio.timeout(self._budget.time_for_a_call()) as time:
                asked = kept.reply if kept else await self._steering.asking(self._any_model(talk, listening))
                reply = _with_unique_ids(asked, talk.ids)
            reply = reply if kept else self._counted(talk, reply, listening)
            error = None
        except (ModelError, AskedAgain) as failure:
            error = str(failure)
            raise
        except TimeoutError:
            if not time.expired():
                raise
            error = "ended: the run's time limit was reached"
            raise AskedAgain(error) from None
        finally:
            flushing.cancel()
            listening.stream.close()
            self._finish(talk, call, watch.seconds, reply, error, listening, kept)
        stream.unlink(missing_ok=True)  # its record holds the whole reply
        return reply

    async def _any_model(self, talk: Talk, listening: "_Listening") -> ModelReply:
        """A reply of the first model that gives one; those that gave none are passed over for the rest of the step."""
        failed: list[str] = []
        while True:
            request = ModelRequest(
                talk.model,
                talk.transcript.messages,
                talk.transcript.tools,
                talk.temperature,
                talk.reasoning_effort,
                talk.must_call,
            )
            try:
                return await self._gateway.complete(request, listening)
            except RequestRefused:
                raise
            except ModelError as error:
                failed.append(str(error))
                if len(talk.models) == 1:
                    raise type(error)("; ".join(failed)) from None
                listening.again()
                gone = talk.models.pop(0)
                self._recorder.emit(
                    ModelChanged(call=listening.call, model=gone, fallback=talk.model, reason=str(error))
                )

    def _counted(self, talk: Talk, reply: ModelReply, listening: "_Listening") -> ModelReply:
        """The reply with a usage that can be: where a provider counts nothing, or nonsense, the estimate counts."""
        facts, estimate = self._gateway.facts(talk.model), talk.transcript.tokens
        most = _MOST_USAGE * estimate + _LEAST_USAGE
        if not facts.counts_tokens or (0 < reply.input_tokens <= most and 0 <= reply.output_tokens <= _MOST_OUTPUT):
            return reply
        output = round(listening.characters / CHARACTERS_PER_TOKEN)
        cost = facts.price(estimate, output)
        return replace(reply, input_tokens=estimate, output_tokens=output, cached_tokens=0, cost_usd=cost)

    # --- after it ----------------------------------------------------------------------------------------------------

    def _finish(
        self,
        talk: Talk,
        call: int,
        seconds: float,
        reply: ModelReply | None,
        error: str | None,
        listening: "_Listening",
        kept: KeptReply | None,
    ) -> None:
        repeats = kept.call if kept else None
        event = ModelCallFinished(call=call, model=talk.model, seconds=seconds, error=error, repeats=repeats)
        if reply is not None:
            spent = figures_of(reply, is_repeated=kept is not None)
            spent["said"] = self._recorder.redact(reply.text)[:SAID]
        else:
            listening.lose()
            spent = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0 if listening.vain else None}
        self._add_what_was_in_vain(spent, talk, listening)
        try:
            record = self._write_record(talk, call, reply, error, repeats)
        except OSError:
            self._recorder.emit(event.model_copy(update=spent))  # the reply is lost, and still it was paid for
            raise
        self._recorder.emit(event.model_copy(update={**spent, "record": record}))

    def _add_what_was_in_vain(self, spent: dict[str, Any], talk: Talk, listening: "_Listening") -> None:
        """What attempts without a reply probably cost: providers count what they have sent, whoever hung up."""
        for model, characters in listening.vain:
            facts, tokens = self._gateway.facts(model), talk.transcript.tokens
            output = round(characters / CHARACTERS_PER_TOKEN)
            cost = facts.price(tokens, output)
            spent["input_tokens"] += tokens
            spent["output_tokens"] += output
            known = cost is not None and spent["cost_usd"] is not None
            spent["cost_usd"] = spent["cost_usd"] + cost if known else None

    def _write_record(
        self, talk: Talk, call: int, reply: ModelReply | None, error: str | None, repeats: int | None
    ) -> str:
        """Only what is new since the last call, or a long step would write its history a hundred times; its path."""
        messages = talk.transcript.messages
        value = {
            "call": call,
            "model": talk.model,
            "iteration": self._recorder.iteration,
            "step": self._recorder.step,
            "messages_before": talk.recorded,
            "new_messages": messages[talk.recorded :],
            "tools": [tool["function"]["name"] for tool in talk.transcript.tools],
            "reply": _recorded_reply(reply) if reply else None,
            "error": error,
            "repeats": repeats,
        }
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        path = self._run.model_calls / f"{call:06d}.json"
        write_atomically(path, f"{self._recorder.redact(text)}\n")
        talk.recorded = len(messages)
        return self._run.relative(path)


@dataclass
class _Listening:
    """What happens while a call is made: pieces go to its stream, the rest becomes events."""

    call: int
    talk: Talk
    recorder: Recorder
    steering: Steering
    stream: StreamWriter
    characters: int = 0
    """Of all pieces of this attempt."""
    vain: list[tuple[str, int]] = field(default_factory=list)
    """Model and characters of each attempt that failed after something of a reply had come."""

    def heard(self, delta: Delta) -> None:
        self.characters += len(delta.text)
        self.stream.heard(delta)

    def again(self) -> None:
        """This attempt failed, and another one comes."""
        self.lose()
        self.stream.again()

    def lose(self) -> None:
        """This attempt failed."""
        if self.characters:
            self.vain.append((self.talk.model, self.characters))
            self.characters = 0

    def retrying(self, reason: str, retry: int, of: int, wait: float) -> None:
        self.again()
        self.recorder.emit(
            ModelCallRetried(call=self.call, model=self.talk.model, reason=reason, retry=retry, of=of, wait=wait)
        )

    async def may_go(self) -> None:
        await self.steering.pass_gate()

    async def keep_flushing(self) -> None:
        """Show the last pieces also where no other comes."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self.stream.flush()

    def dropped(self, parameter: str, reason: str) -> None:
        self.recorder.emit(ParameterDropped(call=self.call, model=self.talk.model, parameter=parameter, reason=reason))

    def diverged(self, recorded_call: int, diff: str) -> None:
        self.recorder.emit(ReplayDiverged(call=self.call, recorded_call=recorded_call, diff=diff))


def _recorded_reply(reply: ModelReply) -> dict[str, Any]:
    """The reply with all that a replay needs."""
    counted = ("reasoning", "input_tokens", "output_tokens", "cached_tokens", "cost_usd", "finish_reason")
    return reply.message() | {name: getattr(reply, name) for name in counted}


def _with_unique_ids(reply: ModelReply, taken: set[str]) -> ModelReply:
    """The reply with an id of its own and a name for each tool call: providers refuse a history without."""
    calls = []
    for call in reply.tool_calls:
        identity, number = call.id, 2
        while identity in taken or not identity:
            identity, number = f"{call.id or 'call'}-{number}", number + 1
        taken.add(identity)
        calls.append(replace(call, id=identity, name=call.name or "unnamed"))
    return replace(reply, tool_calls=tuple(calls))


def _sendable(requests: Sequence[ToolRequest]) -> tuple[ToolRequest, ...]:
    """Tool calls whose arguments are JSON objects, as providers want them in a history.

    What was none stands in it as text; the tool itself is given what the model wrote.
    """
    return tuple(replace(request, arguments=_object(request.arguments)) for request in requests)


def _object(raw: str) -> str:
    try:
        if isinstance(json.loads(raw), dict):
            return raw
    except (ValueError, RecursionError):
        pass
    return json.dumps({"not_a_json_object": raw[:_UNREADABLE]}) if raw.strip() else "{}"
