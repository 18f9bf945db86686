"""What is to go wrong in one engine process. Written by a test, read by the launcher."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Moment = Literal["before", "torn", "after"]
"""Before anything of the event is written, after half of its line, after the whole of it."""
Operation = Literal["open", "write", "fsync", "rename", "mkdir", "symlink"]


@dataclass(frozen=True)
class Place:
    """The first event of its type at that iteration and step, after ``skip`` others. None matches any."""

    type: str
    iteration: int | None = None
    step: str | None = None
    skip: int = 0

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.type, self.iteration, self.step) if part is not None)


@dataclass(frozen=True)
class Kill:
    """SIGKILL to the engine at an event."""

    place: Place
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} {self.place}"


@dataclass(frozen=True)
class Command:
    """A person's command, left in the control folder right after an event."""

    place: Place
    fields: dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """The disk as it is for the files whose name matches ``pattern``: each operation on them fails, or kills.

    ``skip`` operations go well before it; it lasts for ``times`` operations, or for the life of the process with 0.
    """

    pattern: str
    operation: Operation | None
    error: Literal["ENOSPC", "EIO", "KILL"]
    skip: int = 0
    times: int = 0
    after: Place | None = None
    """Sound until this event was written."""

    def __str__(self) -> str:
        after = f" from {self.after} on" if self.after else ""
        return f"{self.error} at {self.operation or 'any operation'} of {self.pattern}{after}"


@dataclass(frozen=True)
class Plan:
    """All of it. With ``log`` each operation on a file of the run is written down there."""

    kills: list[Kill] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    log: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> "Plan":
        def place(fields: dict[str, Any] | None) -> Any:
            return None if fields is None else Place(**fields)

        return cls(
            kills=[Kill(place(kill["place"]), kill["moment"]) for kill in value["kills"]],
            commands=[Command(place(command["place"]), command["fields"]) for command in value["commands"]],
            broken=[Broken(**{**broken, "after": place(broken["after"])}) for broken in value["broken"]],
            log=value["log"],
        )
