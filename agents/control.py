"""Commands to a run: one small JSON file each, renamed into ``control/``, consumed in order, each with a receipt."""

import getpass
import os
import socket
import time
import uuid
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from agents.files import write_atomically
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.vocabulary import Gate, Limit, NoteTime, StepName, Verdict

NOTE_LENGTH: Final = 20_000
"""Characters of a note, at most."""


class CommandBase(BaseModel):
    """What every command carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_id: str = Field(default_factory=lambda: uuid.uuid4().hex[:12])
    by: str = Field(default_factory=lambda: f"{user_name()}@{socket.gethostname()}")
    session: str = ""
    """The watcher that gives it, where one does; empty for the command line."""
    take_control: bool = False
    """Whether it shall count even where somebody else holds control, who then holds it no longer."""


class Pause(CommandBase):
    """Stand still before the next model or tool call; with ``now``, end the one that runs: its step repeats later."""

    command: Literal["pause"] = "pause"
    now: bool = False


class Resume(CommandBase):
    """Go on."""

    command: Literal["resume"] = "resume"


class Skip(CommandBase):
    """Where the person saw the run when asking: what comes later must not hit another step. None: wherever it is."""

    iteration: int | None = None
    step: StepName | None = None

    @classmethod
    def seen(cls, state: RunState) -> Self:
        """The command for what ``state`` shows."""
        return cls(
            iteration=state.iteration.index if state.iteration else None,
            step=state.step.name if state.step else None,
        )


class SkipStep(Skip):
    """End the current step, and the tool that it runs."""

    command: Literal["skip_step"] = "skip_step"


class SkipIteration(Skip):
    """End the current iteration and go to the next one."""

    command: Literal["skip_iteration"] = "skip_iteration"


class Redo(Skip):
    """Begin the step that was seen again, or an earlier one of its iteration (``back_to``), with a note."""

    command: Literal["redo"] = "redo"
    back_to: StepName | None = None
    note: str = Field("", max_length=NOTE_LENGTH)


class AskAgain(CommandBase):
    """Cancel the model call that is being made, and only it, and ask again."""

    command: Literal["ask_again"] = "ask_again"


FLAG_OF: Final = {Limit.USD: "usd", Limit.TOKENS: "tokens", Limit.TIME: "seconds"}
"""What a person calls the amount by which a limit is raised."""


class RaiseLimit(CommandBase):
    """Allow the run more; the amounts are added to what is allowed now."""

    command: Literal["raise_limit"] = "raise_limit"
    usd: float | None = Field(None, gt=0, allow_inf_nan=False)
    tokens: int | None = Field(None, gt=0)
    seconds: float | None = Field(None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.usd is None and self.tokens is None and self.seconds is None:
            raise ValueError("nothing is raised: give usd, tokens or seconds")
        return self


class Stop(CommandBase):
    """Finish this iteration, then evaluate and report; with ``now``, end its tools and evaluate the best so far.

    Without ``evaluate`` no test split is scored: the run can be taken up again as if nothing had been decided.
    """

    command: Literal["stop"] = "stop"
    now: bool = False
    evaluate: bool = True


class Say(CommandBase):
    """A note to the agent. Its ``command_id`` is the note's id."""

    command: Literal["say"] = "say"
    text: str = Field(min_length=1, max_length=NOTE_LENGTH)
    when: NoteTime = NoteTime.NOW


class EditNote(CommandBase):
    """Another text, and another time where one is given, for a note that waits."""

    command: Literal["edit_note"] = "edit_note"
    note_id: str
    text: str = Field(min_length=1, max_length=NOTE_LENGTH)
    when: NoteTime | None = None


class WithdrawNote(CommandBase):
    """Take a note back that waits."""

    command: Literal["withdraw_note"] = "withdraw_note"
    note_id: str


class SetGates(CommandBase):
    """Choose where the run waits for an approval from now on."""

    command: Literal["set_gates"] = "set_gates"
    gates: list[Gate]


class Answer(CommandBase):
    """What a person says of what waits for an approval; ``approval`` is the one that was seen."""

    command: Literal["answer"] = "answer"
    approval: int
    verdict: Verdict
    reason: str = Field("", max_length=NOTE_LENGTH)
    text: str = Field("", max_length=1_000_000)
    """The edited plan or script."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.verdict == "reject" and not self.reason.strip():
            raise ValueError("say why it is rejected: the agent has nothing else to go by")
        if self.verdict == "edit" and not self.text.strip():
            raise ValueError("the edited text is empty")
        return self


Command = Annotated[
    Pause
    | Resume
    | SkipStep
    | SkipIteration
    | Redo
    | AskAgain
    | RaiseLimit
    | Stop
    | Say
    | EditNote
    | WithdrawNote
    | SetGates
    | Answer,
    Field(discriminator="command"),
]
COMMAND: Final[TypeAdapter[Command]] = TypeAdapter(Command)


def submit(run: RunFolder, command: Command) -> None:
    """Leave ``command`` for the run's engine. Names sort in the order of their time."""
    write_atomically(run.control / f"{time.time_ns():020d}-{command.command_id}.json", command.model_dump_json())


def pending(run: RunFolder) -> list[Path]:
    """Files of the commands that wait, oldest first."""
    return sorted(path for path in run.control.glob("*.json") if not path.name.startswith(".") and path.is_file())


def load(path: Path) -> Command | str:
    """The command of a file, or one line that says why it is none."""
    try:
        return COMMAND.validate_json(path.read_bytes())
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except ValidationError as error:
        problem = error.errors()[0]
        return f"{'.'.join(str(part) for part in problem['loc']) or 'command'}: {problem['msg']}"


def retire(run: RunFolder, path: Path) -> None:
    """Move a consumed command to ``control/done``."""
    done = run.control / "done"
    done.mkdir(parents=True, exist_ok=True)
    path.replace(done / path.name)


def user_name() -> str:
    """Who gives commands from this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
