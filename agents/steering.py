"""Steering: the engine's side of the control folder. Pauses, interrupts, collects notes, and gives receipts."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from agents import control, holder
from agents.approvals import Approvals
from agents.events import CommandReceived, LimitRaised
from agents.interruptions import (
    AskedAgain,
    Interruption,
    IterationInterrupted,
    RunInterrupted,
    StepInterrupted,
    StepRepeats,
    is_stronger,
)
from agents.notes import NoteGone, Notes
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.standstill import Standstill
from agents.vocabulary import NEEDED_STEPS, STEPS, RunStatus

POLL_SECONDS: Final = 0.2
T = TypeVar("T")


class Steering:
    """Applies commands to the work that the loop hands it."""

    def __init__(self, run: RunFolder, recorder: Recorder) -> None:
        self._run = run
        self._recorder = recorder
        self._standstill = Standstill(recorder)
        self._work: asyncio.Task[Any] | None = None
        self._interruption: Interruption | None = None
        self._notes = Notes(recorder)
        self._call: asyncio.Task[Any] | None = None
        self._asked_again: AskedAgain | None = None
        self.approvals = Approvals(run, recorder, self._standstill)
        self.evaluation_wanted = True
        """Whether the best is to be scored on the test splits when the run ends."""
        self.stop_asked = False
        """After this iteration, or now: no further iteration begins."""

    # --- for the loop ------------------------------------------------------------------------------------------------

    async def pass_gate(self) -> None:
        """Wait here while the run is paused: before each model call and each tool call.

        What a person asked until now counts here, not only what the last poll saw.
        """
        self.look()
        await self._standstill.pass_by()

    async def hold(self, reason: str) -> None:
        """Stand still for ``reason`` until a person lets the run go on."""
        await self._standstill.hold(reason)

    def take_notes(self, *, first: bool = False) -> list[str]:
        """The notes that go to the agent with its next model call, which is the ``first`` of its step or not."""
        return self._notes.take(first=first)

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
            self._consume(path, over=reason)

    def _consume(self, path: Path, *, over: str = "") -> None:
        """Give a command its one receipt, and apply it unless the run is ``over``."""
        command = control.load(path)
        name = path.stem if isinstance(command, str) else command.command_id
        if any(receipt.command_id == name for receipt in self._recorder.state.receipts):
            pass  # an earlier engine gave the receipt and died before it could move the file
        elif isinstance(command, str):
            self._receipt(name, "unknown", "", "refused", command)
        elif refused := over or holder.refusal(self._run, command):
            self._refuse(command, refused)
        else:
            holder.dispossess(self._run, command)
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
            case control.Redo():
                self._redo(command)
            case control.AskAgain():
                self._ask_again(command)
            case control.RaiseLimit():
                self._raise_limits(command)
            case control.Stop():
                self._stop(command)
            case control.Answer() | control.SetGates():
                self._at_gates(command)
            case control.Say() | control.EditNote() | control.WithdrawNote():
                self._about_note(command)

    def _stop(self, command: control.Stop) -> None:
        self.stop_asked = True
        if not command.now:
            self._accept(command, "the run ends after this iteration")
            if self._recorder.state.approval is None:
                self._standstill.end()
            else:
                self._standstill.forget()
            return
        self.evaluation_wanted = command.evaluate
        if self._stands_at_limit:
            # Where the run stands at its limit nothing is running; it ends there, and its step is only cut off.
            self._accept(command, "the run ends at its limit")
        else:
            self._interrupt(command, RunInterrupted(f"stopped by {command.by}"), even_idle=True)
        self._standstill.end()

    def _about_note(self, command: control.Say | control.EditNote | control.WithdrawNote) -> None:
        try:
            match command:
                case control.Say():
                    self._accept(command, self._notes.receive(command))
                case control.EditNote():
                    self._accept(command, self._notes.change(command))
                case control.WithdrawNote():
                    self._accept(command, self._notes.withdraw(command))
        except NoteGone as why:
            self._refuse(command, str(why))

    def _at_gates(self, command: control.Answer | control.SetGates) -> None:
        if isinstance(command, control.SetGates):
            self.approvals.set_gates(command)
            gates = self._recorder.state.gates
            self._accept(command, f"approval of {' and '.join(gates)}" if gates else "no approvals")
        elif refused := self.approvals.answer(command):
            self._refuse(command, refused)
        else:
            self._accept(command, "")

    def _pause(self, command: control.Pause) -> None:
        if self._standstill.is_reached or (self._standstill.is_wanted and not command.now):
            self._refuse(command, "the run stands still already, or will before its next call")
            return
        self._standstill.want()
        if command.now and self._call is not None and not self._call.done():
            self._accept(command, "the model call is cancelled, and made again after the pause")
            self._cancel_call(command)
        elif command.now and self._recorder.state.running_tool_call and self._can_interrupt(StepRepeats("")):
            self._accept(command, "the tool is ended, and its step begins again after the pause")
            self._end_work(StepRepeats(f"paused by {command.by}"))
        else:
            self._accept(command, "takes effect before the next model or tool call")

    def _resume(self, command: control.Resume) -> None:
        if not self._standstill.is_wanted:
            self._refuse(command, "the run is not paused")
        elif self._stands_at_limit:
            self._refuse(command, "the run stands at a limit: raise it, or stop the run")
        elif self._recorder.state.approval is not None:
            self._refuse(command, "the run waits for an approval: approve or reject it")
        else:
            self._accept(command, "")
            self._standstill.end()

    @property
    def _stands_at_limit(self) -> bool:
        state = self._recorder.state
        return state.limit is not None and state.status is RunStatus.HELD

    def _ask_again(self, command: control.AskAgain) -> None:
        if self._call is None or self._call.done():
            self._refuse(command, "no model call is being made right now")
            return
        self._accept(command, "the model call is cancelled and made again")
        self._cancel_call(command)

    def _cancel_call(self, command: control.Command) -> None:
        assert self._call is not None
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
            if state.raised_by.get(limit) == command.command_id:
                continue  # an earlier engine raised it, and died before it could give the receipt
            allowed = (now[limit] or 0.0) + amount
            self._recorder.emit(
                LimitRaised(limit=limit, allowed=allowed, by=command.by, command_id=command.command_id), durable=True
            )
        self._accept(command, "")
        if stood_at_limit:
            self._standstill.settle()

    def _redo(self, command: control.Redo) -> None:
        here = self._recorder.step
        if here is None or not self._can_interrupt(StepRepeats("")):
            self._refuse(command, "no step is running right now")
        elif over := self._over_already(command):
            self._refuse(command, over)
        elif command.back_to is not None and STEPS.index(command.back_to) > STEPS.index(here):
            self._refuse(command, f"step {command.back_to.label} has not begun yet")
        else:
            back_to = command.back_to or here
            self._accept(command, f"step {back_to.label} begins again")
            if command.note:
                self._notes.add(command.command_id, command.note, command.by)
            self._end_work(StepRepeats(f"put back by {command.by}", back_to, anew=True))

    def _interrupt(self, command: control.Command, interruption: Interruption, *, even_idle: bool = False) -> None:
        if not self._can_interrupt(interruption):
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
        self._accept(command, where)
        self._end_work(interruption)

    def _can_interrupt(self, interruption: Interruption) -> bool:
        """Whether something runs that ``interruption`` would end, and that nothing as strong ends already."""
        running = self._work is not None and not self._work.done()
        return running and is_stronger(interruption, self._interruption)

    def _end_work(self, interruption: Interruption) -> None:
        assert self._work is not None
        if self._interruption is None:
            self._work.cancel()
        self._interruption = interruption

    def _over_already(self, command: control.Skip) -> str:
        """Why a command comes too late; empty where what the person saw still runs."""
        here = self._recorder
        if command.iteration is not None and command.iteration != here.iteration:
            return f"iteration {command.iteration} is over already"
        of_one_step = isinstance(command, control.SkipStep) or (
            isinstance(command, control.Redo) and command.back_to is None
        )
        if of_one_step and command.step is not None and command.step != here.step:
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
