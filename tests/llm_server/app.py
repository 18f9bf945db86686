"""The ASGI app: what a provider's API answers, and what a scenario makes of it."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.models.gateway import Message, ModelReply
from tests.llm_server.brain import Brain
from tests.llm_server.conversation import facts_of, problem, replies_in, strict_problem
from tests.llm_server.exchange import ASGIScope, Exchange, Receive, Send
from tests.llm_server.faults import changed, error_body, respond, style_of
from tests.llm_server.scenario import Fault, Scenario, StatusFault, When
from tests.llm_server.wire import write

COMPLETIONS: Final = "/v1/chat/completions"
MODELS: Final = "/v1/models"


@dataclass
class Request:
    """What a client asked, and what became of it."""

    method: str
    path: str
    headers: dict[str, str]
    number: int = 0
    """Of the requests for a completion, from 1; 0 for any other one."""
    body: dict[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)
    """Seconds, on the monotonic clock."""
    fault: str | None = None
    """Kind of the fault that struck it."""
    hung_up: bool = False
    """The client closed the connection before the response had ended."""
    is_over: bool = False


@dataclass
class App:
    """Answers as the brain says, unless a fault of the scenario strikes."""

    brain: Brain
    scenario: Scenario | None
    models: Sequence[str]
    seen: list[Request] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    """Mistakes of the brain, which a client sees as status 500, and of the server."""
    is_closing: bool = False
    """The server ends, and with it all connections."""
    _struck: dict[int, int] = field(default_factory=dict)
    _calls: int = 0

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope["method"], scope["path"], headers)
        self.seen.append(request)
        try:
            data = await exchange.body()
        except ConnectionError:
            request.hung_up, request.is_over = not self.is_closing, True
            return
        await self._watched(exchange, request, data)

    def fault_for(self, request: Request, messages: Sequence[Message], reply: ModelReply) -> Fault | None:
        """The first fault that strikes this request; it is counted."""
        for index, fault in enumerate(self.scenario.fault if self.scenario else ()):
            struck = self.strikes(index)
            if fault.times and struck >= fault.times:
                continue
            if fault.model not in (None, request.body.get("model")):
                continue
            if fault.when is not None and _holds(fault.when, request.number, request.body, messages, reply):
                self._struck[index] = struck + 1
                return fault
        return None

    def strikes(self, index: int) -> int:
        """How often the scenario's fault of that index has struck."""
        return self._struck.get(index, 0)

    async def _watched(self, exchange: Exchange, request: Request, data: bytes) -> None:
        """Answer, but no longer than the connection lasts."""
        answering = asyncio.create_task(self._answer(exchange, request, data))
        leaving = asyncio.create_task(exchange.left())
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        request.hung_up = not (answering.done() or exchange.was_cut or self.is_closing)
        answering.cancel()
        leaving.cancel()
        ended, _ = await asyncio.gather(answering, leaving, return_exceptions=True)
        request.is_over = True
        if isinstance(ended, Exception):
            self.failures.append(ended)
            raise ended

    async def _answer(self, exchange: Exchange, request: Request, data: bytes) -> None:
        match request.method, request.path:
            case "POST", path if path == COMPLETIONS:
                await self._complete(exchange, request, data)
            case "GET", path if path == MODELS:
                listed = [{"id": model, "object": "model", "created": 0, "owned_by": "test"} for model in self.models]
                value = {"object": "list", "data": listed}
                await exchange.whole(200, "application/json", json.dumps(value).encode())
            case _:
                message = f"Invalid URL ({request.method} {request.path})"
                await self._refuse(exchange, 404, message)

    async def _complete(self, exchange: Exchange, request: Request, data: bytes) -> None:
        self._calls += 1
        request.number = self._calls
        try:
            request.body = json.loads(data)
        except ValueError:
            await self._refuse(exchange, 400, "We could not parse the JSON body of your request.")
            return
        messages: list[Message] = request.body.get("messages", [])
        model = request.body.get("model", "")
        if model not in self.models:
            await self._refuse(exchange, 404, f"The model `{model}` does not exist.", "model_not_found")
            return
        strict = self.scenario is not None and self.scenario.strict_history
        if refusal := problem(messages) or (strict_problem(messages) if strict else None):
            await self._refuse(exchange, 400, refusal)
            return
        try:
            reply = self.brain.answer(messages, request.body.get("tools", []), model)
        except Exception as error:
            self.failures.append(error)
            await self._refuse(exchange, 500, f"{type(error).__name__}: {error}")
            return
        fault = self.fault_for(request, messages, reply)
        request.fault = fault.kind if fault else None
        said = changed(fault, reply, request.number)
        await respond(fault, exchange, write(said, request.body, request.number, style_of(fault)))

    async def _refuse(self, exchange: Exchange, code: int, message: str, error_code: str | None = None) -> None:
        given = StatusFault(kind="status", code=code, message=message, error_code=error_code)
        await exchange.whole(code, "application/json", error_body(code, given))


def _holds(when: When, number: int, body: Mapping[str, Any], messages: Sequence[Message], reply: ModelReply) -> bool:
    if when.call is not None and number < when.call:
        return False
    if when.parameter is not None and when.parameter not in body:
        return False
    if when.tool is not None and all(call.name != when.tool for call in reply.tool_calls):
        return False
    if when.step is None and when.iteration is None:
        return True
    facts = facts_of(messages)
    if facts is None or when.step not in (None, facts.step) or when.iteration not in (None, facts.iteration):
        return False
    return when.turn is None or len(replies_in(messages)) >= when.turn
