"""Steering a run: the keys with which a person changes it, what they ask first, and who may press them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import Notification

from agents.control import AskAgain, Command, Pause, Redo, Resume, SkipIteration, SkipStep, Stop
from agents.events import CommandReceived
from agents.run_folder import RunFolder
from agents.state import RunState
from screens.availability import STEERING, available, ends_iteration
from screens.key_help import KeyHelp
from screens.messages import (
    ApprovalRead,
    ApprovalWanted,
    CommandFailed,
    CommandWanted,
    ControlSeen,
    ControlWanted,
)
from screens.notices import asked, receipt
from screens.spending import standing_at
from screens.toasts import toast

if TYPE_CHECKING:
    from screens.approval import ApprovalScreen
    from screens.limit_question import LimitScreen
    from screens.notes import NotesScreen


class SteeringScreen(KeyHelp):
    """A screen on one run whose keys leave commands. Questions are loaded when they are asked: no first picture needs
    them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", id="run.pause", tooltip="Stand still before the next model or tool call"),
        Binding("p", "resume", "Resume", id="run.resume", tooltip="Go on"),
        Binding("p", "review", "Review", id="run.review", tooltip="Look at what waits for your approval"),
        Binding("t", "take_control", "Steer", id="run.take", tooltip="Steer this run, which you only watch"),
        Binding("s", "skip_step", "Skip step", id="run.skip_step", tooltip="End the current step and its tool"),
        Binding("n", "skip_iteration", "Next iteration", id="run.next", tooltip="End this iteration; asks first"),
        Binding("x", "stop", "Stop", id="run.stop", tooltip="Stop the run; asks how"),
        Binding("a", "ask_again", "Ask again", id="run.ask_again", tooltip="Cancel this model call and make it again"),
        Binding("h,colon", "say", "Say", id="run.say", key_display="h", tooltip="Send a note to the agent"),
        Binding("o", "notes", "Notes", show=False, id="run.notes", tooltip="What became of your notes; change them"),
        Binding("r", "redo", "Redo step", show=False, id="run.redo", tooltip="Begin a step again; asks which"),
        Binding(
            "P", "pause_now", "Pause now", show=False, id="run.pause_now", tooltip="End the call that runs, and pause"
        ),
        Binding("A", "gates", "Approvals", show=False, id="run.gates", tooltip="Choose what waits for your approval"),
        Binding("t", "give_up_control", "Only watch", show=False, id="run.give_up", tooltip="Let somebody else steer"),
    ]

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.folder = folder
        self.state = RunState()
        self.control: ControlSeen | None = None
        """None until the worker has looked who holds control."""
        self._problem = ""
        self._mine: dict[str, Notification] = {}
        """Commands that were given here, by their id, and the toast that said so."""
        self._keys: tuple[bool | None, ...] = ()
        self._question: LimitScreen | None = None
        self._asked_of: datetime | None = None
        """Since when the hold lasts whose limit a person was asked about."""
        self._review: ApprovalScreen | None = None
        self._reviewed = 0
        """The newest approval that a person was asked for here."""
        self._notes: NotesScreen | None = None

    @property
    def engine_alive(self) -> bool | None:
        """None where nobody knows yet."""
        raise NotImplementedError

    @property
    def may_steer(self) -> bool:
        return self.control is None or self.control.mine

    # --- who may press what ------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """False hides a key, None greys it out: what does not apply now cannot be pressed."""
        if action == "take_control":
            return not self.may_steer and not self.state.status.is_over
        if action == "give_up_control":
            return self.control is not None and self.control.mine and not self.state.status.is_over
        if action not in STEERING:
            return True
        return available(action, self.state, self.engine_alive, readable=not self._problem)

    def refresh_keys(self) -> None:
        """Bring the footer up to date, which builds it anew: only when a key came or went."""
        keys = tuple(self.check_action(name, ()) for name in (*sorted(STEERING), "take_control"))
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    def palette(self) -> Iterable[SystemCommand]:
        """What the command palette offers here: the keys that work now."""
        for binding in self.keys():
            if self.check_action(binding.action.partition("(")[0], ()) is True:
                act = partial(self.run_action, binding.action)
                yield SystemCommand(binding.description, self.purpose(binding), act)

    # --- control -----------------------------------------------------------------------------------------------------

    def on_control_seen(self, message: ControlSeen) -> None:
        lost = self.control is not None and self.control.mine and not message.mine and message.holder
        self.control = message
        if lost:
            self.notify(f"{message.holder} took control; you only watch now.", severity="warning", markup=False)
        if message.problem:
            self.notify(f"Control cannot be taken: {message.problem}.", severity="error", markup=False)
        self.refresh_keys()
        self.control_changed()

    def control_changed(self) -> None:
        """Who steers is another one now."""

    def action_take_control(self) -> None:
        self._with_control(lambda: None)

    def action_give_up_control(self) -> None:
        self.post_message(ControlWanted(take=False))

    def _with_control(self, then: Callable[[], None]) -> None:
        """Do ``then`` with control: taken at once where it is free, after a question where somebody else holds it."""
        if self.may_steer:
            then()
            return

        def taken(yes: bool | None = True) -> None:
            if yes:
                self.post_message(ControlWanted(take=True))
                then()

        if self.control is None or not self.control.holder:
            taken()
            return
        from screens.questions import TakeControlScreen

        self.app.push_screen(TakeControlScreen(self.control.holder), taken)

    # --- commands and their receipts ---------------------------------------------------------------------------------

    def _command(self, command: Command) -> None:
        def leave() -> None:
            self.post_message(CommandWanted(command))
            self._mine[command.command_id] = toast(self.app, asked(command), "information")

        self._with_control(leave)

    def answered(self, event: CommandReceived) -> None:
        """Say what the engine answered, where the key has not said it already."""
        asked_for = self._mine.get(event.command_id)
        if text := receipt(event, mine=asked_for is not None):
            toast(self.app, text, "warning" if event.outcome == "refused" else "information", asked_for)

    def on_command_failed(self, message: CommandFailed) -> None:
        command = message.command
        text = f"{command.command}: could not be written to {self.folder.control}: {message.reason}"
        toast(self.app, text, "error", self._mine.get(command.command_id))

    # --- what waits for a person -------------------------------------------------------------------------------------

    def mind_what_waits(self) -> None:
        """Ask once about what waits, also on a late attach; take a question back when it is settled."""
        self._mind_the_limit()
        self._mind_the_approval()

    def _mind_the_limit(self) -> None:
        hold = self.state.held_since if standing_at(self.state) and self.engine_alive else None
        question = self._question
        if question is not None and question.since != hold:
            if question.is_active:  # else something lies over it, and it goes when that has gone
                question.dismiss(None)
        elif hold is not None and hold != self._asked_of and self.is_active and self.may_steer:
            self._ask_about_limit()

    def _ask_about_limit(self) -> None:
        from screens.limit_question import LimitScreen

        limit, since = standing_at(self.state), self.state.held_since
        if limit is None or since is None or self._question is not None:
            return

        def decided(answer: Command | None) -> None:
            self._question = None
            if answer is not None:
                self._command(answer)

        self._asked_of = since
        self._question = LimitScreen(limit, since, has_best=self.state.best is not None)
        self.app.push_screen(self._question, decided)

    def _mind_the_approval(self) -> None:
        waits = self.state.approval if self.engine_alive else None
        if self._review is not None and (waits is None or self._review.approval != waits):
            if self._review.is_active:
                self._review.dismiss(None)
        elif waits is not None and waits.approval > self._reviewed and self.is_active and self.may_steer:
            self._reviewed = waits.approval
            self.action_review()

    def action_review(self) -> None:
        if self.state.approval is not None:
            self.post_message(ApprovalWanted(self.state.approval))

    def on_approval_read(self, message: ApprovalRead) -> None:
        waits = self.state.approval
        if waits is None or waits.approval != message.approval or self._review is not None:
            return
        from screens.approval import ApprovalScreen

        def decided(answer: Command | None) -> None:
            self._review = None
            if answer is not None:
                self._command(answer)

        self._review = ApprovalScreen(waits, message.text, message.change)
        self.app.push_screen(self._review, decided)

    def show_notes(self) -> None:
        """Bring the list of notes up to date, where it is open."""
        if self._notes is not None:
            self._notes.show(list(self.state.notes.values()))

    # --- keys --------------------------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        self._command(Pause())

    def action_pause_now(self) -> None:
        self._command(Pause(now=True))

    def action_resume(self) -> None:
        """Go on; where the engine is gone, whoever carries the command starts another one.

        A run that stands at a limit would come no further: there the question is asked again.
        """
        if self.engine_alive and standing_at(self.state):
            self._ask_about_limit()
        else:
            self._command(Resume())

    def action_skip_step(self) -> None:
        """Skip the step at once, but ask where its iteration would end with it."""
        if why := ends_iteration(self.state):
            self._ask_to_end_iteration(SkipStep.seen(self.state), "s", why)
        else:
            self._command(SkipStep.seen(self.state))

    def action_skip_iteration(self) -> None:
        self._ask_to_end_iteration(SkipIteration.seen(self.state), "n")

    def _ask_to_end_iteration(self, command: SkipStep | SkipIteration, key: str, why: str = "") -> None:
        """``command`` names what is seen now: an answer that comes when that is over ends nothing else."""
        from screens.questions import EndIterationScreen

        def decided(ends: bool | None) -> None:
            if ends:
                self._command(command)

        if command.iteration is not None:
            self.app.push_screen(EndIterationScreen(command.iteration, key, why), decided)

    def action_redo(self) -> None:
        from screens.redo import RedoScreen

        def decided(command: Redo | None) -> None:
            if command is not None:
                self._command(command)

        if self.state.step is not None:
            self.app.push_screen(RedoScreen(Redo.seen(self.state)), decided)

    def action_stop(self) -> None:
        from screens.questions import StopScreen

        def decided(stop: Stop | None) -> None:
            if stop is not None:
                self._command(stop)

        self.app.push_screen(StopScreen(has_best=self.state.best is not None), decided)

    def action_ask_again(self) -> None:
        self._command(AskAgain())

    def action_gates(self) -> None:
        from screens.approval import GatesScreen

        def decided(command: Command | None) -> None:
            if command is not None:
                self._command(command)

        self.app.push_screen(GatesScreen(self.state.gates), decided)

    def action_say(self) -> None:
        from screens.notes import SayScreen

        def decided(command: Command | None) -> None:
            if command is not None:
                self._command(command)

        self.app.push_screen(SayScreen(), decided)

    def action_notes(self) -> None:
        from screens.notes import NotesScreen

        def closed(_: None) -> None:
            self._notes = None

        self._notes = NotesScreen(list(self.state.notes.values()), self._command)
        self.app.push_screen(self._notes, closed)
