"""Steering: the engine's side of the control folder. Pauses, interrupts, collects notes, and gives receipts."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from agents import control
from agents.events import CommandReceived, Held, LimitRaised, NoteDelivered, NoteReceived, Released
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.vocabulary import NEEDED_STEPS, RunStatus

POLL_SECONDS: Final = 0.2
T = TypeVar("T")


class Interruption(Exception):
    """A person ended what was running; the message says who asked."""


class StepInterrupted(Interruption):
    """Skip this step."""


class IterationInterrupted(Interruption):
    """Skip this iteration."""


class RunInterrupted(Interruption):
    """Stop now."""


class AskedAgain(Exception):
    """A person cancelled a model call and wants it to be made again."""


_REACH: Final = (StepInterrupted, IterationInterrupted, RunInterrupted)


def _is_stronger(new: Interruption, pending: Interruption | None) -> bool:
    """Whether ``new`` ends more than what is being ended already: its tools take a moment to go."""
    return pending is None or _REACH.index(type(new)) > _REACH.index(type(pending))


class Steering:
    """Applies commands to the work that the loop hands it."""

    def __init__(self, run: RunFolder, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder
        self._may_go = asyncio.Event()
        self._may_go.set()
        self._announced = False
        self._work: asyncio.Task[Any] | None = None
        self._interruption: Interruption | None = None
        self._notes: list[control.Say] = []
        self._call: asyncio.Task[Any] | None = None
        self._asked_again: AskedAgain | None = None
        self.evaluation_wanted = True
        """Whether the best is to be scored on the test splits when the run ends."""
        self.stop_asked = False
        """After this iteration, or now: no further iteration begins."""

    # --- for the loop ------------------------------------------------------------------------------------------------

    def restore(self) -> None:
        """Take up the notes that an earlier engine received and never delivered."""
        self._notes = [
            control.Say(command_id=note.note_id, by=note.by, text=note.text)
            for note in self._recorder.state.notes.values()
            if not note.delivered
        ]

    async def pass_gate(self) -> None:
        """Wait here while the run is paused: before each model call and each tool call.

        What a person asked until now counts here, not only what the last poll saw.
        """
        self.look()
        if not self._may_go.is_set() and not self._announced:
            self._announced = True
            self._recorder.emit(Held(reason="paused by a person"), durable=True)
        await self._may_go.wait()

    async def hold(self, reason: str) -> None:
        """Stand still for ``reason`` until a person lets the run go on."""
        self._may_go.clear()
        self._announced = True
        self._recorder.emit(Held(reason=reason), durable=True)
        await self._may_go.wait()

    def take_notes(self) -> list[str]:
        """The notes that the agent has not seen; they count as delivered from now on."""
        notes, self._notes = self._notes, []
        for note in notes:
            self._recorder.emit(NoteDelivered(note_id=note.command_id))
        return [note.text for note in notes]

    async def interruptible(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work``; raises an :class:`Interruption` when a command ends it. Its processes are gone by then."""
        task = asyncio.ensure_future(work)
        self._work = task
        try:
            return await task
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if self._interruption is None or (this is not None and this.cancelling()):
                raise  # the engine itself is told to end
            raise self._interruption from None
        finally:
            self._work = None
            self._interruption = None

    async def asking(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a model call; raises :class:`AskedAgain` when a person cancels it, and only it."""
        task = asyncio.ensure_future(call)
        self._call = task
        try:
            return await task
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if self._asked_again is None or (this is not None and this.cancelling()):
                raise
            raise self._asked_again from None
        finally:
            self._call = self._asked_again = None

    # --- for the control folder --------------------------------------------------------------------------------------

    async def watch(self) -> None:
        """Apply commands as they come, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(POLL_SECONDS)

    def look(self) -> None:
        """Apply what waits in the control folder."""
        # A shared file system may lose sight of a file for a moment; the next look finds it.
        with contextlib.suppress(OSError):
            for path in control.pending(self._run):
                self._consume(path)

    def refuse_pending(self, reason: str) -> None:
        """Give each waiting command its receipt when the run is over."""
        for path in control.pending(self._run):
            command = control.load(path)
            if isinstance(command, str):
                self._receipt(path.stem, "unknown", "", "refused", command)
            else:
                self._receipt(command.command_id, command.command, command.by, "refused", reason)
            control.retire(self._run, path)

    def _consume(self, path: Path) -> None:
        command = control.load(path)
        if isinstance(command, str):
            self._receipt(path.stem, "unknown", "", "refused", command)
        elif any(receipt.command_id == command.command_id for receipt in self._recorder.state.receipts):
            pass  # an earlier engine gave the receipt and died before it could move the file
        else:
            self._apply(command)
        control.retire(self._run, path)

    def _apply(self, command: control.Command) -> None:
        match command:
            case control.Pause():
                self._pause(command)
            case control.Resume():
                self._resume(command)
            case control.SkipStep():
                self._interrupt(command, StepInterrupted(f"skipped by {command.by}"))
            case control.SkipIteration():
                self._interrupt(command, IterationInterrupted(f"skipped by {command.by}"))
            case control.AskAgain():
                self._ask_again(command)
            case control.RaiseLimit():
                self._raise_limits(command)
            case control.Stop(now=True) if self._stands_at_limit:
                # Where the run stands at its limit nothing is running; it ends there, and its step is only cut off.
                self.stop_asked = True
                self.evaluation_wanted = command.evaluate
                self._accept(command, "the run ends at its limit")
                self._release()
            case control.Stop(now=True):
                self.stop_asked = True
                self.evaluation_wanted = command.evaluate
                self._interrupt(command, RunInterrupted(f"stopped by {command.by}"), even_idle=True)
                self._release()
            case control.Stop():
                self.stop_asked = True
                self._accept(command, "the run ends after this iteration")
                self._release()
            case control.Say():
                self._notes.append(command)
                self._recorder.emit(
                    NoteReceived(note_id=command.command_id, text=command.text, by=command.by), durable=True
                )
                self._accept(command, "goes to the agent with its next model call")

    def _pause(self, command: control.Pause) -> None:
        if not self._may_go.is_set():
            self._refuse(command, "the run is paused already")
            return
        self._may_go.clear()
        self._accept(command, "takes effect before the next model or tool call")

    def _resume(self, command: control.Resume) -> None:
        if self._may_go.is_set():
            self._refuse(command, "the run is not paused")
            return
        if self._stands_at_limit:
            self._refuse(command, "the run stands at a limit: raise it, or stop the run")
            return
        self._accept(command, "")
        self._release()

    @property
    def _stands_at_limit(self) -> bool:
        state = self._recorder.state
        return state.limit is not None and state.status is RunStatus.HELD

    def _ask_again(self, command: control.AskAgain) -> None:
        if self._call is None or self._call.done():
            self._refuse(command, "no model call is being made right now")
            return
        self._accept(command, "the model call is cancelled and made again")
        self._asked_again = AskedAgain(f"cancelled by {command.by}, asked again")
        self._call.cancel()

    def _raise_limits(self, command: control.RaiseLimit) -> None:
        state, stood_at_limit = self._recorder.state, self._stands_at_limit
        wanted = {limit: getattr(command, name) for limit, name in control.FLAG_OF.items()}
        more = {limit: amount for limit, amount in wanted.items() if amount is not None}
        now = {limit: state.allowed(limit) for limit in more}
        if missing := [limit.value for limit, allowed in now.items() if allowed is None]:
            self._refuse(command, f"the run has no limit of {' and '.join(missing)} that could be raised")
            return
        for limit, amount in more.items():
            allowed = (now[limit] or 0.0) + amount
            self._recorder.emit(LimitRaised(limit=limit, allowed=allowed, by=command.by), durable=True)
        self._accept(command, "")
        if stood_at_limit:
            self._release()

    def _release(self) -> None:
        self._may_go.set()
        if self._announced:
            self._announced = False
            self._recorder.emit(Released())

    def _interrupt(self, command: control.Command, interruption: Interruption, *, even_idle: bool = False) -> None:
        running = self._work is not None and not self._work.done()
        if not running or not _is_stronger(interruption, self._interruption):
            if even_idle:
                self._accept(command, "the run ends as soon as what is being done now is done")
            else:
                self._refuse(command, "no step is running right now")
            return
        if isinstance(command, control.Skip) and (over := self._over_already(command)):
            self._refuse(command, over)
            return
        step = self._recorder.step
        where = f"at step {step.label}" if step else ""
        if isinstance(interruption, StepInterrupted) and step in NEEDED_STEPS:
            where += ", without which this iteration cannot go on"
        self._receipt(command.command_id, command.command, command.by, "accepted", where)
        assert self._work is not None
        if self._interruption is None:
            self._work.cancel()
        self._interruption = interruption

    def _over_already(self, command: control.Skip) -> str:
        """Why a command comes too late; empty where what the person saw still runs."""
        here = self._recorder
        if command.iteration is not None and command.iteration != here.iteration:
            return f"iteration {command.iteration} is over already"
        if isinstance(command, control.SkipStep) and command.step is not None and command.step != here.step:
            return f"step {command.step.label} is over already"
        return ""

    def _accept(self, command: control.Command, detail: str) -> None:
        self._receipt(command.command_id, command.command, command.by, "accepted", detail)

    def _refuse(self, command: control.Command, detail: str) -> None:
        self._receipt(command.command_id, command.command, command.by, "refused", detail)

    def _receipt(
        self, command_id: str, name: str, by: str, outcome: Literal["accepted", "applied", "refused"], detail: str
    ) -> None:
        self._recorder.emit(
            CommandReceived(command_id=command_id, command=name, by=by, outcome=outcome, detail=detail), durable=True
        )
