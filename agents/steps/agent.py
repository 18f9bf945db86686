"""The step agent: one conversation with a model that ends in an accepted output or in a reason why there is none."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from agents.calls import Calls, Workplace
from agents.clock import Stopwatch
from agents.events import ModelCallFinished, ModelCallStarted, OutputRejected
from agents.files import write_json
from agents.models.gateway import Gateway, Message, ModelError, ModelReply, ToolRequest
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.outputs import StepOutput
from agents.tools.registry import schemas

FINAL_RESULT: Final = "final_result"
TEXT_ONLY_LIMIT: Final = 3
_SAID: Final = 4000
"""Characters of a reply that its event carries; the whole reply lies in the model call's record."""

O = TypeVar("O", bound=StepOutput)  # noqa: E741


class StepFailed(Exception):
    """The step has no accepted output; the message says why."""


@dataclass(frozen=True)
class StepRequest(Generic[O]):
    """What one step is asked to do."""

    model: str
    system: str
    prompt: str
    output: type[O]
    check: Callable[[O], Awaitable[Sequence[str]]]
    """The engine's own checks: problems in words for the model, none when the output is accepted."""
    place: Workplace
    with_tools: bool = True


@dataclass
class _Conversation(Generic[O]):
    request: StepRequest[O]
    messages: list[Message]
    tools: list[dict[str, Any]]
    recorded: int = 0
    """Messages that the records of earlier calls hold already."""
    rejections: int = 0
    text_only: int = 0
    accepted: O | None = field(default=None)


class StepAgent:
    """Leads conversations: asks the model, runs its tools in order, checks what it hands over."""

    def __init__(
        self,
        run: RunFolder,
        recorder: Recorder,
        settings: RunSettings,
        gateway: Gateway,
        calls: Calls,
        steering: Steering,
    ) -> None:
        self._run = run
        self._recorder = recorder
        self._settings = settings
        self._gateway = gateway
        self._calls = calls
        self._steering = steering

    async def run(self, request: StepRequest[O]) -> O:
        """The accepted output; raises :class:`StepFailed`, and :class:`ModelError` when the model cannot be reached."""
        talk = _Conversation(
            request,
            [{"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}],
            [*(schemas() if request.with_tools else ()), _final_result_schema(request.output)],
        )
        for _ in range(self._settings.max_steps):
            await self._steering.pass_gate()
            for note in self._steering.take_notes():
                talk.messages.append({"role": "user", "content": f"A note from the person who watches: {note}"})
            reply = await self._ask(talk)
            talk.messages.append(reply.message())
            if reply.tool_calls:
                talk.text_only = 0
                await self._answer_calls(talk, reply.tool_calls)
            else:
                self._answer_text(talk, reply.text)
            if talk.accepted is not None:
                return talk.accepted
        raise StepFailed(f"no accepted output after {self._settings.max_steps} model calls")

    async def _ask(self, talk: _Conversation[O]) -> ModelReply:
        call = len(self._recorder.state.model_calls) + 1
        model = talk.request.model
        record = self._run.model_calls / f"{call:06d}.json"
        self._recorder.emit(ModelCallStarted(call=call, model=model))
        watch = Stopwatch()
        reply: ModelReply | None = None
        error: str | None = "cancelled"
        try:
            reply = await self._gateway.complete(model, talk.messages, talk.tools)
            error = None
        except ModelError as failure:
            error = str(failure)
            raise
        finally:
            self._write_record(talk, call, reply, error)
            self._recorder.emit(_finished(call, model, watch.seconds, reply, error, self._run.relative(record)))
        return reply

    def _write_record(self, talk: _Conversation[O], call: int, reply: ModelReply | None, error: str | None) -> None:
        """Only what is new since the last call, or a long step would write its history a hundred times."""
        new = talk.messages[talk.recorded :]
        value = {
            "call": call,
            "model": talk.request.model,
            "iteration": self._recorder.iteration,
            "step": self._recorder.step,
            "messages_before": talk.recorded,
            "new_messages": new,
            "tools": [tool["function"]["name"] for tool in talk.tools],
            "reply": reply.message() if reply else None,
            "error": error,
        }
        write_json(self._run.model_calls / f"{call:06d}.json", value)
        talk.recorded = len(talk.messages)

    async def _answer_calls(self, talk: _Conversation[O], requests: Sequence[ToolRequest]) -> None:
        for request in requests:
            if talk.accepted is not None:
                return
            if request.name == FINAL_RESULT:
                text = await self._judge(talk, request.arguments)
            else:
                text = (await self._calls.tool(request.name, request.arguments, talk.request.place)).text
            talk.messages.append({"role": "tool", "tool_call_id": request.id, "name": request.name, "content": text})

    async def _judge(self, talk: _Conversation[O], raw_arguments: str) -> str:
        """Accept the output, or say why not."""
        try:
            output = talk.request.output.model_validate_json(raw_arguments or "{}")
            problems = list(await talk.request.check(output))
        except ValidationError as error:
            problems = schema_problems(error)
        except Exception as error:  # noqa: BLE001 - whatever a model hands over must not end a run
            problems = [f"the engine could not check this: {type(error).__name__}: {error}"]
        else:
            if not problems:
                talk.accepted = output
                return "accepted"
        talk.rejections += 1
        reason = "\n".join(f"- {problem}" for problem in problems)
        self._recorder.emit(OutputRejected(attempt=talk.rejections, reason=reason))
        if talk.rejections > self._settings.max_validation_retries:
            raise StepFailed(f"output rejected {talk.rejections} times, last because of {'; '.join(problems)}")
        return f"Not accepted. Mend this and call {FINAL_RESULT} again:\n{reason}"

    def _answer_text(self, talk: _Conversation[O], text: str) -> None:
        talk.text_only += 1
        if talk.text_only >= TEXT_ONLY_LIMIT:
            said = " ".join(text.split())[:300]
            raise StepFailed(f"{TEXT_ONLY_LIMIT} replies in a row called no tool; the last one said: {said}")
        names = ", ".join(tool["function"]["name"] for tool in talk.tools)
        talk.messages.append(
            {
                "role": "user",
                "content": f"You called no tool. Call one of: {names}. When the step is done, call {FINAL_RESULT}.",
            }
        )


def schema_problems(error: ValidationError) -> list[str]:
    """A line for each field that does not fit, with what was given."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "arguments"
        given = json.dumps(problem.get("input"), default=str)[:120]
        lines.append(f"{where}: {problem['msg']} (given: {given})")
    return lines


def _final_result_schema(output: type[StepOutput]) -> dict[str, Any]:
    parameters = output.model_json_schema()
    parameters.pop("title", None)
    description = parameters.pop("description", "")
    return {
        "type": "function",
        "function": {
            "name": FINAL_RESULT,
            "description": f"Ends the step: hand over its result. {description}",
            "parameters": parameters,
        },
    }


def _finished(
    call: int, model: str, seconds: float, reply: ModelReply | None, error: str | None, record: str
) -> ModelCallFinished:
    if reply is None:
        return ModelCallFinished(call=call, model=model, seconds=seconds, record=record, error=error)
    return ModelCallFinished(
        call=call,
        model=model,
        seconds=seconds,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        cost_usd=reply.cost_usd,
        said=reply.text[:_SAID],
        tools=[request.name for request in reply.tool_calls],
        record=record,
    )
