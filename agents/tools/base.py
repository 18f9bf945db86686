"""What a tool is: a name, arguments as a Pydantic model, a docstring that the model reads, and ``run``."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from agents.events import EventBase
from agents.sandbox.fence import Cell
from agents.time_limit import TimeLimit
from agents.vocabulary import ToolOutcome


class ToolArguments(BaseModel):
    """Base of all argument models; field descriptions are read by the model."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ToolContext:
    """Where one tool call runs and what it may use. All paths are absolute and resolved."""

    call: int
    step_dir: Path
    """The only folder that the agent may write to; scripts and commands start here."""
    iteration_dir: Path
    """Scripts of this folder may be run."""
    python: Path
    """Interpreter of the run's environment."""
    cell: Cell
    """What started processes may see and change."""
    environment: Mapping[str, str]
    """The whole environment of started processes, built up from nothing: no keys."""
    bash_timeout: TimeLimit
    run_python_timeout: TimeLimit
    log: Path
    """The call's output goes here while it streams."""
    emit: Callable[[EventBase], None]
    """Records an event; iteration and step are filled in by the receiver."""


@dataclass(frozen=True)
class ToolResult:
    """What goes back to the model."""

    text: str
    outcome: ToolOutcome = ToolOutcome.OK
    exit_status: int | None = None


A = TypeVar("A", bound=ToolArguments)


class Tool(ABC, Generic[A]):
    """One tool. Its class docstring is the description that the model reads."""

    name: ClassVar[str]
    arguments: type[A]

    @abstractmethod
    async def run(self, arguments: A, context: ToolContext) -> ToolResult:
        """Do it. What the model can mend comes back as a result with ``ToolOutcome.ERROR``, never as an exception.

        Cancelling the call ends every process that it started before the cancellation goes on.
        """

    @abstractmethod
    def title(self, arguments: A) -> str:
        """One line for the tool-call log: the command, or the file."""

    def schema(self) -> dict[str, Any]:
        """The tool in the form that ``litellm.acompletion(tools=…)`` takes."""
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        parameters.pop("description", None)
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": cleandoc(self.__doc__ or ""),
                "parameters": parameters,
            },
        }
