"""An engine that goes on when the test says so, and dies where the test says so.

Steering, iterations, budget, approvals, journal and control folder are the real ones. Only what costs time is not:
a step is a conversation whose replies and tools end when :meth:`SteppedEngine.go_on` lets them.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar, cast

from agents import loop as leading
from agents.approvals import Subject
from agents.budget import Budget
from agents.context import RunContext
from agents.engine import announce
from agents.events import (
    CommandReceived,
    EventBase,
    ModelCallFinished,
    ModelCallStarted,
    RunFinished,
    SplitCreated,
    ToolCallFinished,
    ToolCallStarted,
)
from agents.interruptions import AskedAgain
from agents.iteration import Iteration
from agents.lock import EngineLock
from agents.models.gateway import ModelFacts
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.steering import Steering
from agents.steps.outputs import IterationPlanOutput, StepOutput
from agents.vocabulary import Gate, IterationMode, StepName, ToolOutcome

T = TypeVar("T")
IN, OUT = 100, 20
"""Tokens of each model call."""
UNFIT = "unfit"
"""In an edited text: what the engine's checks find."""
_TURNS = 50
"""Of the event loop: far more than anything needs that does not wait for the test."""


class Killed(BaseException):
    """The engine's process is gone, between two of its instructions."""


class _Inline(ThreadPoolExecutor):
    """Does the work of threads at once, so that nothing depends on who is faster."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class Loop:
    """An event loop that turns when the test says so."""

    def __init__(self) -> None:
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_Inline())
        self._loop.set_exception_handler(lambda loop, context: None)  # tasks of an engine that was killed

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        return self._loop.create_task(work)

    def turn(self) -> None:
        """Let everything happen that waits for nothing but the loop."""
        self._loop.run_until_complete(self._turns())

    async def _turns(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def close(self) -> None:
        self._loop.close()


class SteppedIteration(Iteration):
    """An iteration whose steps are led by the test's engine."""

    async def _work(self, step: StepName) -> StepOutput:
        return await cast(SteppedEngine, self.context.agent).work(step)


class SteppedEngine:
    """One engine's life on ``run``, from taking the lock to giving it back."""

    def __init__(self, run: RunFolder, loop: Loop, on_receipt: Callable[[CommandReceived], None]) -> None:
        self._run, self._loop, self._on_receipt = run, loop, on_receipt
        self.told: list[str] = []
        """The notes that the model was given, in their order."""
        self.alive = True
        self._fatal = -1
        self._waiting: asyncio.Future[None] | None = None
        self._lock = EngineLock.acquire(run.lock)
        self.recorder = Recorder(run.journal, run.run_id)
        self.recorder.listeners.append(self._heard)
        announce(run, self.recorder, run.record())
        self.steering = Steering(run, self.recorder)
        self._task = loop.start(self._lead())
        loop.turn()

    @property
    def state(self) -> RunState:
        return self.recorder.state

    @property
    def is_over(self) -> bool:
        return self._task.done()

    # --- what the test does with it ----------------------------------------------------------------------------------

    def look(self) -> None:
        """The poll of the control folder."""
        if self.alive:
            with suppress(Killed):
                self.steering.look()
            self._after()

    def go_on(self) -> None:
        """Let the reply or the tool that is waited for end."""
        if self.alive and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        self._after()

    def die_after(self, events: int) -> None:
        """Be killed as soon as that many further events are written."""
        self._fatal = events

    def kill(self) -> None:
        if self.alive:
            self._die()
            self._after()

    def terminate(self) -> None:
        """SIGTERM: the work unwinds, and the journal is closed as it should be."""
        if self.alive:
            self._task.cancel()
            self._after()

    # --- its process -------------------------------------------------------------------------------------------------

    def _after(self) -> None:
        self._loop.turn()
        if not self.alive and not self._task.done():
            self._task.cancel()
            self._loop.turn()
        if self.alive and self._task.done():
            self.alive = False
            self.recorder.close()
            self._lock.release()
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error

    def _heard(self, event: EventBase, state: RunState) -> None:
        if isinstance(event, CommandReceived):
            self._on_receipt(event)
        if self._fatal > 0:
            self._fatal -= 1
            if self._fatal == 0:
                self._die()
                raise Killed

    def _die(self) -> None:
        """Nothing reaches the disk any more, whatever is still unwound in memory."""
        self.alive = False
        self._lock.release()
        self.recorder._writer.close()  # and no last checkpoint is written
        self.recorder.emit = self._is_dead  # type: ignore[method-assign]

    def _is_dead(self, event: EventBase, *, durable: bool = False) -> None:
        raise Killed

    async def _lead(self) -> None:
        settings = self._run.record().settings
        budget = Budget(settings, self.recorder, self.steering)
        context = RunContext(
            self._run, settings, self.recorder, self.steering, budget, *(cast(Any, self),) * 4, description=""
        )
        self._budget = budget
        ending = await leading._iterate(context)
        self.recorder.iteration = self.recorder.step = None
        self.recorder.emit(RunFinished(status=ending.status, reason=ending.reason), durable=True)
        self.steering.refuse_pending("the run is over")

    async def work(self, step: StepName) -> StepOutput:
        """A step: two replies with a tool between them; the plan, and a training's tool, may need an approval."""
        await self._asks(first=True)
        if step is StepName.ITERATION_PLAN:
            return await self._plans()
        if step is StepName.MODEL_TRAINING:
            await self._approved(Gate.TRAINING, "train.py")
        await self._uses_a_tool()
        await self._asks(first=False)
        if step is StepName.DATA_SPLIT:
            version = (self.state.split_version or 0) + 1
            self.recorder.emit(SplitCreated(version=version, rows={"train": 1}, strategy="at random"))
        return StepOutput(summary=f"{step.label} is done")

    async def _plans(self) -> IterationPlanOutput:
        while await self._approved(Gate.PLAN, "plan.yaml") == "reject":
            await self._asks(first=False)
        said = dict.fromkeys((n for n in IterationPlanOutput.model_fields if n != "mode"), "as before")
        return IterationPlanOutput(**{**said, "mode": IterationMode.EXPLORE})  # type: ignore[arg-type]

    async def _approved(self, gate: Gate, name: str) -> str:
        if not self.steering.approvals.wanted(gate):
            return "approve"
        subject = Subject(gate, name, name, "x = 1\n", lambda text: ["it is unfit"] if UNFIT in text else [])
        return (await self.steering.approvals.ask(subject)).verdict

    async def _asks(self, *, first: bool) -> None:
        """As ``StepAgent`` asks for a reply; one that a person cancelled is asked for again."""
        while True:
            await self.steering.pass_gate()
            self.told += self.steering.take_notes(first=first)
            first = False
            await self._budget.afford(IN, ModelFacts())
            call, error = self.state.model_calls_made + 1, "cancelled"
            self.recorder.emit(ModelCallStarted(call=call, model="m"), durable=True)
            try:
                await self.steering.asking(self._replied())
                error = ""
                return
            except AskedAgain:
                continue
            finally:
                used = {} if error else {"input_tokens": IN, "output_tokens": OUT, "cost_usd": 0.0}
                self.recorder.emit(
                    ModelCallFinished(call=call, model="m", seconds=1.0, error=error or None, **used)  # type: ignore[arg-type]
                )

    async def _replied(self) -> None:
        await self.steering.pass_gate()  # as before each attempt
        await self._time()

    async def _uses_a_tool(self) -> None:
        await self.steering.pass_gate()
        await self._budget.afford()
        call, outcome = self.state.tool_calls_made + 1, ToolOutcome.CANCELLED
        self.recorder.emit(ToolCallStarted(call=call, tool="bash", title="ls", log="log", arguments="arguments"))
        try:
            await self._time()
            outcome = ToolOutcome.OK
        finally:
            self.recorder.emit(ToolCallFinished(call=call, tool="bash", outcome=outcome, seconds=1.0))

    async def _time(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting
