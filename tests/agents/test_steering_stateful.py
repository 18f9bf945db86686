"""Two watchers and a command line steer at once, over deaths of the engine, in any order.

The run's state stays valid, and each command gets exactly one receipt.
"""

import shutil
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from textual.message import Message

from agentomics_tui import worker
from agentomics_tui.commands import sending
from agentomics_tui.worker import RunWatcher
from agents import checkpoint, control, holder
from agents import loop as leading
from agents.errors import UserError
from agents.events import CommandReceived
from agents.fold import apply, fold
from agents.journal import JournalReader
from agents.lock import is_alive, read_lock
from agents.outcome import nothing_left_to_do
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.vocabulary import STEPS, Gate, NoteTime, RunStatus, Verdict
from screens.messages import CommandFailed, EventsRead, StateRestored
from tests.support.ledger import Ledger, assert_valid
from tests.support.stepped import UNFIT, Loop, SteppedEngine, SteppedIteration

SENT = {"commands": 0}
"""Of all examples together."""
USD, TOKENS = 1.0, 1_150


class Hand(RunWatcher):
    """A person's watcher, whose thread is the test."""

    def __init__(self, folder: RunFolder, user: str, *, steers: bool) -> None:
        super().__init__(folder, self._take_in, steers=steers)
        self.user = user
        self.state = RunState()
        self.failed: list[CommandFailed] = []

    def look(self) -> None:
        self._holding._due = self._lock_due = 0.0
        with self._at_the_keyboard():
            while self._reading.attempt(self._read):
                pass

    def take(self, *, take: bool) -> None:
        self.control(take=take)
        self._work()

    def gives(self, command: control.Command) -> bool:
        """Whether the command was left for the engine, or started one."""
        before = len(self.failed)
        self.submit(command)
        self._work()
        return len(self.failed) == before

    def _work(self) -> None:
        with self._at_the_keyboard():
            self._obey(0.0)

    @contextmanager
    def _at_the_keyboard(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(holder, "user_name", lambda: self.user)
            yield

    def _take_in(self, message: Message) -> None:
        match message:
            case CommandFailed():
                self.failed.append(message)
            case StateRestored():
                self.state = message.state
            case EventsRead():
                fold(message.events, self.state)


Giving = tuple[str, int | None]
"""Who gives a command, and after how many events of its making the engine dies, 0 for never; None: it looks later."""
hands: st.SearchStrategy[Giving] = st.tuples(
    st.sampled_from(["line", "ann", "bea", "line of bo", "line of bo, taking control"]),
    st.sampled_from([0, None, None, 0, 1, 2]),
)
texts = st.text(min_size=1, max_size=9)
ones = st.sampled_from(["one", "one", "one", "none"])
seen = {"iteration": st.sampled_from([0, 0, None, 7]), "step": st.sampled_from([None, *STEPS])}
"""Of iteration 0 it is meant as the person sees it: see :meth:`ManyHands._aimed`."""
commands: st.SearchStrategy[control.Command] = st.one_of(
    st.builds(control.Pause, now=st.booleans()),
    st.builds(control.Resume),
    st.builds(control.SkipStep, **seen),
    st.builds(control.SkipIteration, **seen),
    st.builds(
        control.Redo, back_to=st.sampled_from([None, None, *STEPS]), note=st.sampled_from(["", "otherwise"]), **seen
    ),
    st.builds(control.Stop, now=st.sampled_from([False, False, True]), evaluate=st.booleans()),
    st.builds(control.Say, text=texts, when=st.sampled_from([NoteTime.PLAN, *NoteTime])),
    st.builds(control.Say, text=texts, when=st.sampled_from([NoteTime.PLAN, *NoteTime])),
    st.builds(control.EditNote, note_id=ones, text=texts, when=st.sampled_from([None, *NoteTime])),
    st.builds(control.WithdrawNote, note_id=ones),
    st.builds(control.SetGates, gates=st.lists(st.sampled_from(Gate), max_size=3)),
    st.builds(
        control.Answer,
        approval=st.sampled_from([0, 0, 0, -1, 1]),
        verdict=st.sampled_from(["approve", "edit", "reject"]),
        reason=st.just("because"),
        text=st.sampled_from(["x = 2", UNFIT]),
    ),
    st.builds(control.AskAgain),
    st.builds(control.RaiseLimit, usd=st.sampled_from([0.5, 2.0]), tokens=st.sampled_from([None, 240, 1_000])),
)


class ManyHands(RuleBasedStateMachine):
    """``ann`` and ``bea`` watch; the command line is ann's, or that of a third person."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(leading, "Iteration", SteppedIteration)
        self.patch.setattr(sending, "_RECEIPT_SECONDS", 0.0)  # it comes when the machine says so
        self.patch.setattr(sending, "print_line", lambda line: None)
        self.patch.setattr(worker, "start_engine", self._start_engine)
        self.patch.setattr(checkpoint, "EVERY", 25)
        self.folder = Path(tempfile.mkdtemp(prefix="hands-"))
        self.loop = Loop()
        self.engine: SteppedEngine | None = None
        self.patience = 1
        self.earlier: list[control.Command] = []
        self.state = RunState()

    @initialize(
        gates=st.lists(st.sampled_from(Gate), unique=True),
        tokens=st.sampled_from([None, TOKENS]),
    )
    def begins(self, gates: list[Gate], tokens: int | None) -> None:
        values = {
            "iterations": 2,
            "approve": tuple(gates),
            "budget_tokens": tokens,
            "budget_usd": USD,
            "at_limit": "ask",
        }
        self.run = create_run(self.folder, RunSettings(dataset=Path("/data/d"), **values), "1.0")
        self.reader = JournalReader(self.run.journal)
        self.ledger = Ledger(USD, tokens)
        self.ann, self.bea = Hand(self.run, "ann", steers=True), Hand(self.run, "bea", steers=False)
        self._start_engine()
        self.ann.look()
        self.bea.look()

    # --- giving commands ---------------------------------------------------------------------------------------------

    def gives(self, giving: Giving, command: control.Command) -> None:
        who, dies_after = giving
        self._gives(who, command)
        if dies_after is not None:
            self.engine.die_after(dies_after)
            self.engine.look()

    def _gives(self, who: str, command: control.Command) -> None:
        SENT["commands"] += 1
        self.earlier.append(command)
        if who in ("ann", "bea"):
            hand = self.ann if who == "ann" else self.bea
            command = command.model_copy(update={"by": f"{who}@lab"})
            starts = isinstance(command, control.Resume) and not self.lives
            if hand.gives(command) and not starts:
                self.ledger.sent(command.model_copy(update={"session": hand._holding.session}))
            return
        taking = "taking" in who
        command = command.model_copy(update={"by": "bo@home" if "bo" in who else "ann@home", "take_control": taking})
        where = Namespace(run=str(self.run.root), runs_dir=str(self.folder), take_control=taking)
        with suppress(UserError):
            self.ledger.sent(command) if self.lives else None
            sending.send(where, command)

    @rule(giving=hands, command=commands)
    def somebody_steers(self, giving: Giving, command: control.Command) -> None:
        self.gives(giving, self._aimed(command))

    @rule(orders=st.lists(st.tuples(hands, commands), min_size=2, max_size=8), dies_after=st.integers(0, 6))
    def several_steer_at_once(self, orders: list[tuple[Giving, control.Command]], dies_after: int) -> None:
        """The engine meets all of them at one look, and dies at some of these looks."""
        for (who, _), command in orders:
            self._gives(who, self._aimed(command))
        self.engine.die_after(dies_after)
        self.engine.look()

    @rule(verdict=st.sampled_from(["approve", "reject"]), times=st.integers(1, 3))
    def a_pause_meets_a_question(self, verdict: Verdict, times: int) -> None:
        """What was asked meanwhile is answered; that must not end the pause."""
        self.gives(("line", 0), control.Pause())
        self.engine.go_on()
        self._read()
        answer = control.Answer(approval=self.state.approvals, verdict=verdict, reason="because")
        self.gives(("line of bo, taking control", 0), answer)
        for _ in range(times):
            self.engine.go_on()

    def _aimed(self, command: control.Command) -> control.Command:
        """The command at what is there now: the step that runs, a note that waits, what waits for an approval."""
        state = self.state
        match command:
            case control.Skip(iteration=0) if state.iteration is not None:
                here = {"iteration": state.iteration.index, "step": state.step.name if state.step else None}
                return command.model_copy(update=here)
            case control.Answer():
                return command.model_copy(update={"approval": state.approvals + command.approval})
            case control.EditNote(note_id="one") | control.WithdrawNote(note_id="one"):
                sent = [given.command_id for given in self.earlier if isinstance(given, control.Say)]
                waiting = [note.note_id for note in state.notes.values() if note.waits]
                return command.model_copy(update={"note_id": next(reversed([*sent, *waiting]), "none")})
            case _:
                return command

    @rule(data=st.binary(max_size=20))
    def drops_what_is_no_command(self, data: bytes) -> None:
        path = self.run.control / f"{time.time_ns():020d}-bad.json"
        path.write_bytes(data)
        self.ledger.dropped(path.stem)

    @precondition(lambda self: self.earlier)
    @rule(data=st.data())
    def sends_a_file_again(self, data: st.DataObject) -> None:
        """As a file system does that shows an old name once more, or a person who copies files."""
        places = list((self.run.control / "done").glob("*.json")) + control.pending(self.run)
        if places:
            file = data.draw(st.sampled_from(sorted(places)))
            again = file if data.draw(st.booleans()) else Path(f"{time.time_ns():020d}-again.json")
            if again.stem.endswith("again") and isinstance(control.load(file), str):
                self.ledger.dropped(again.stem)
            shutil.copy(file, self.folder / "copy")
            (self.folder / "copy").rename(self.run.control / again.name)

    # --- control -----------------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from(["ann", "bea"]), take=st.sampled_from([True, True, False]))
    def takes_control_or_lets_it_go(self, who: str, take: bool) -> None:
        (self.ann if who == "ann" else self.bea).take(take=take)

    @rule()
    def watchers_look(self) -> None:
        self.ann.look()
        self.bea.look()
        assert self.ann.state == self.bea.state == self.state

    # --- the engine --------------------------------------------------------------------------------------------------

    @property
    def lives(self) -> bool:
        return is_alive(read_lock(self.run.lock))

    def _start_engine(self, *_: object) -> None:
        self._read()
        self.delivered_before = len(self.ledger.delivered)
        self.engine = SteppedEngine(self.run, self.loop, self._is_right)

    def _is_right(self, receipt: CommandReceived) -> None:
        """Whether only who may steer steers: asked when the receipt is written."""
        command = self.ledger.commands.get(receipt.command_id)
        if command is not None and receipt.detail != "the run is over":
            refused = holder.refusal(self.run, command)
            assert bool(refused) == (receipt.outcome == "refused" and receipt.detail == refused)

    @rule()
    def engine_looks(self) -> None:
        self.engine.look()
        assert not self.engine.alive or not control.pending(self.run)

    @rule(times=st.integers(1, 6))
    def engine_goes_on(self, times: int) -> None:
        for _ in range(times):
            self.engine.go_on()

    @rule(events=st.integers(1, 5))
    def engine_will_be_killed(self, events: int) -> None:
        self.engine.die_after(events)

    @rule(how=st.sampled_from(["look", "go_on", "kill", "terminate"]))
    def engine_goes_on_or_ends(self, how: str) -> None:
        getattr(self.engine, how)()

    def _takes_it_up_again(self) -> None:
        """Sooner or later another engine is started, where there is anything to do for it."""
        self.patience -= 1
        if self.patience < 0 and not self.lives and nothing_left_to_do(self.state) is None:
            self._start_engine()
            self.patience = 1

    # --- what must always hold ---------------------------------------------------------------------------------------

    @invariant()
    def goes_on(self) -> None:
        if self.engine is not None:
            self.state_is_valid()
            if not self.engine.alive:
                self._takes_it_up_again()
                self.state_is_valid()

    def _read(self) -> None:
        for event in self.reader.read_all():
            apply(self.state, event)
            self.ledger.take_in(event)

    def state_is_valid(self) -> None:
        self._read()
        assert_valid(self.state)
        assert checkpoint.state_of(self.run.journal) == self.state
        if self.engine.alive:
            assert self.engine.state == self.state
            assert self.engine.told == self.ledger.delivered[self.delivered_before :]

    def teardown(self) -> None:
        try:
            if self.engine is not None:
                self._to_the_end()
        finally:
            if self.engine is not None:
                self.engine.kill()
            self.loop.close()
            self.patch.undo()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _to_the_end(self) -> None:
        """Whatever was done to it, the run comes to an end, and by then each command has its receipt."""
        self.run.control_lock.unlink(missing_ok=True)
        for _ in range(150):
            self.state_is_valid()
            if not self.engine.alive:
                if nothing_left_to_do(self.state) is not None:
                    break
                self._start_engine()
            for command in self._next():
                control.submit(self.run, command)
                self.ledger.sent(command)
            self.engine.look()
            self.engine.go_on()
        self.state_is_valid()
        assert self.state.status.is_over
        came_later = [(path.stem, control.load(path)) for path in control.pending(self.run)]
        self.ledger.assert_settled({name if isinstance(one, str) else one.command_id for name, one in came_later})
        assert fold(JournalReader(self.run.journal).read_all()) == self.state

    def _next(self) -> Iterator[control.Command]:
        """What lets a run go on that stands."""
        if self.state.approval is not None:
            yield control.Answer(approval=self.state.approval.approval, verdict="approve")
        elif self.state.status is RunStatus.HELD and self.state.limit is not None:
            yield control.RaiseLimit(tokens=10_000)
        elif self.state.status in (RunStatus.HELD, RunStatus.PAUSING):
            yield control.Resume()


def test_each_of_a_thousand_commands_in_any_order_has_one_receipt_and_leaves_a_valid_state() -> None:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        ManyHands, settings=settings(max_examples=40, stateful_step_count=50, suppress_health_check=checks)
    )
    assert SENT["commands"] >= 1_000
