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
from agents.vocabulary import Limit, StepName


class CommandBase(BaseModel):
    """What every command carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command_id: str = Field(default_factory=lambda: uuid.uuid4().hex[:12])
    by: str = Field(default_factory=lambda: f"{_user()}@{socket.gethostname()}")


class Pause(CommandBase):
    """Stand still before the next model or tool call."""

    command: Literal["pause"] = "pause"


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
    """A note to the agent, delivered with its next model call."""

    command: Literal["say"] = "say"
    text: str = Field(min_length=1, max_length=20_000)


Command = Annotated[
    Pause | Resume | SkipStep | SkipIteration | AskAgain | RaiseLimit | Stop | Say, Field(discriminator="command")
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


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
