"""The step agent: one conversation with a model that ends in an accepted output or in a reason why there is none."""

import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from agents.calls import Calls, Workplace
from agents.errors import is_of_the_disk
from agents.events import OutputRejected
from agents.interruptions import AskedAgain, Interruption
from agents.model_calls import ModelCalls, Talk
from agents.models.gateway import ModelReply, ToolRequest
from agents.prompts.offered import FINAL_RESULT, final_result_schema
from agents.recorder import Recorder
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.context import Output, Transcript
from agents.steps.outputs import StepOutput
from agents.tools.registry import schemas
from agents.vocabulary import PERSON_REJECTS

TEXT_ONLY_LIMIT: Final = 3
_CUT: Final = {"length", "max_tokens"}
_WAS_CUT: Final = "Your reply was cut off at the model's output limit: write less at once."

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
    temperature: float = 1.0
    reasoning_effort: str | None = None
    approve: Callable[[O], Awaitable["Approved[O]"]] | None = None
    """Where a person may want to approve what passed the checks."""
    approve_call: Callable[[str, str], Awaitable["CallVerdict"]] | None = None
    """Where a person may want to approve a tool call: its name and arguments."""


@dataclass(frozen=True)
class Approved(Generic[O]):
    """What a person made of an output; without one the agent has to do it again, because of ``reason``."""

    output: O | None
    reason: str = ""


@dataclass(frozen=True)
class CallVerdict:
    """What a person made of a tool call: why it is not made, or what the model has to know of it."""

    refused: str = ""
    remark: str = ""


@dataclass
class _Conversation(Generic[O]):
    request: StepRequest[O]
    talk: Talk
    rejections: int = 0
    text_only: int = 0
    asked: bool = False
    """Whether a model call was made: notes for a step's beginning come before it."""
    accepted: O | None = field(default=None)

    def tell(self, content: str) -> None:
        """A message of the engine."""
        self.talk.transcript.add({"role": "user", "content": content})


class StepAgent:
    """Leads conversations: asks the model, runs its tools in order, checks what it hands over."""

    def __init__(
        self,
        recorder: Recorder,
        settings: RunSettings,
        model_calls: ModelCalls,
        calls: Calls,
        steering: Steering,
    ) -> None:
        self._recorder = recorder
        self._settings = settings
        self._model_calls = model_calls
        self._calls = calls
        self._steering = steering

    async def run(self, request: StepRequest[O]) -> O:
        """The accepted output; raises :class:`StepFailed`, and :class:`ModelError` when no model can be reached."""
        talk = _Conversation(request, self._begin(request))
        for _ in range(self._settings.max_steps):
            reply = await self._ask(talk)
            talk.talk.must_call = not reply.tool_calls
            if reply.tool_calls:
                talk.text_only = 0
                await self._answer_calls(talk, reply)
            else:
                self._answer_text(talk, reply)
            if talk.accepted is not None:
                return talk.accepted
        raise StepFailed(f"no accepted output after {self._settings.max_steps} model calls")

    async def _ask(self, talk: _Conversation[O]) -> ModelReply:
        """The next reply, asked with what a person wrote until now; a call that a person cancelled is made again."""
        while True:
            await self._steering.pass_gate()
            for note in self._steering.take_notes(first=not talk.asked):
                talk.tell(f"A note from the person who watches: {note}")
            talk.asked = True
            with contextlib.suppress(AskedAgain):
                return await self._model_calls.ask(talk.talk)

    def _begin(self, request: StepRequest[O]) -> Talk:
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}]
        tools = [*(schemas() if request.with_tools else ()), final_result_schema(request.output)]
        others = [model for model in self._settings.fallback_models if model != request.model]
        return Talk(
            models=[request.model, *others],
            transcript=Transcript(messages, tools),
            temperature=request.temperature,
            reasoning_effort=request.reasoning_effort,
        )

    async def _answer_calls(self, talk: _Conversation[O], reply: ModelReply) -> None:
        for request in reply.tool_calls:
            if talk.accepted is not None:
                return
            output = None
            if request.name == FINAL_RESULT:
                text = await self._judge(talk, request.arguments)
            elif (verdict := await self._verdict(talk.request, request)).refused:
                text = verdict.refused
            else:
                done = await self._calls.tool(request.name, request.arguments, talk.request.place)
                text, output = done.result.text, Output(done.call, str(done.log))
                text += f"\n{verdict.remark}" if verdict.remark else ""
            if reply.finish_reason in _CUT and request is reply.tool_calls[-1] and talk.accepted is None:
                text += f"\n{_WAS_CUT}"
            answer = {"role": "tool", "tool_call_id": request.id, "name": request.name, "content": text}
            talk.talk.transcript.add(answer, output)

    async def _judge(self, talk: _Conversation[O], raw_arguments: str) -> str:
        """Accept the output, or say why not."""
        try:
            output = talk.request.output.model_validate_json(raw_arguments or "{}")
            problems = list(await talk.request.check(output))
        except ValidationError as error:
            problems = schema_problems(error, talk.request.output)
        except Interruption:
            raise
        except Exception as error:
            # Whatever a model hands over must not end a run.
            if is_of_the_disk(error):
                raise
            problems = [f"the engine could not check this: {type(error).__name__}: {error}"]
        else:
            if not problems:
                return await self._approved(talk, output)
        talk.rejections += 1
        reason = "\n".join(f"- {problem}" for problem in problems)
        self._recorder.emit(OutputRejected(attempt=talk.rejections, reason=reason))
        if talk.rejections > self._settings.max_validation_retries:
            raise StepFailed(f"output rejected {talk.rejections} times, last because of {'; '.join(problems)}")
        return f"Not accepted. Mend this and call {FINAL_RESULT} again:\n{reason}"

    async def _approved(self, talk: _Conversation[O], output: O) -> str:
        """Accept an output that passed the checks, unless a person who is asked rejects it."""
        verdict = await talk.request.approve(output) if talk.request.approve else Approved(output)
        talk.accepted = verdict.output
        if verdict.output is None:
            return f"{PERSON_REJECTS}{verdict.reason}\nDo it again, and call {FINAL_RESULT} again."
        return "accepted"

    async def _verdict(self, step: StepRequest[O], call: ToolRequest) -> CallVerdict:
        return await step.approve_call(call.name, call.arguments) if step.approve_call else CallVerdict()

    def _answer_text(self, talk: _Conversation[O], reply: ModelReply) -> None:
        talk.text_only += 1
        if talk.text_only >= TEXT_ONLY_LIMIT:
            said = " ".join(self._recorder.redact(reply.text).split())[:300] or "nothing"
            raise StepFailed(f"{TEXT_ONLY_LIMIT} replies in a row called no tool; the last one said: {said}")
        names = ", ".join(tool["function"]["name"] for tool in talk.talk.transcript.tools)
        cut = f"{_WAS_CUT} " if reply.finish_reason in _CUT else ""
        talk.tell(f"{cut}You called no tool. Call one of: {names}. When the step is done, call {FINAL_RESULT}.")


def schema_problems(error: ValidationError, output: type[StepOutput]) -> list[str]:
    """A line for each field that does not fit: what is wrong, what is allowed, what was given."""
    return [_schema_problem(problem, output) for problem in error.errors()]


def _schema_problem(problem: Any, output: type[StepOutput]) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "arguments"
    match problem["type"]:
        case "missing":
            return f"{where}: this field is missing"
        case "extra_forbidden":
            return f"{where}: there is no such field; fields: {', '.join(output.model_fields)}"
        case "json_invalid":
            return f"the arguments are no valid JSON: {problem['ctx']['error']}; if they were cut, write less"
        case _:
            given = json.dumps(problem.get("input"), default=str)[:120]
            return f"{where}: {problem['msg']} (given: {given})"
