"""The moves that all steps share: write a script, run it, read its result, hand over the output."""

import json
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from agents.policy.conversation import Call, GaveUp, Moves
from agents.policy.scripts import source
from agents.steps.outputs import StepOutput

MARKER: Final = "RESULT: "
REJECTIONS: Final = 3
"""The same reason this often: the policy gives up."""

T = TypeVar("T")
Part = Generator[Call, str, T]
"""A part of a step that ends with a value."""

_EXIT = re.compile(r"exit status (-?\d+)(?:, ([\d.]+) s)?")


@dataclass(frozen=True)
class Run:
    """What a script's run gave back."""

    exit_status: int | None
    """None where the process did not end by itself."""
    seconds: float | None
    output: str
    ending: str
    """How the process ended, in the tool's words."""

    @property
    def ok(self) -> bool:
        return self.exit_status == 0

    @property
    def last_line(self) -> str:
        """The last line that says something: of a traceback, the error."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1][:400] if lines else self.ending

    def result(self) -> dict[str, Any]:
        """The JSON of the last ``RESULT:`` line; raises :class:`GaveUp` where there is none."""
        for line in reversed(self.output.splitlines()):
            if line.startswith(MARKER):
                try:
                    found: dict[str, Any] = json.loads(line.removeprefix(MARKER))
                except ValueError:
                    break
                return found
        raise GaveUp(f"The script printed no readable {MARKER.strip()} line; its last line is: {self.last_line}")


def parse_run(text: str) -> Run:
    """Read the text of ``run_python``: a first line with the exit status and the seconds, then the output."""
    first, _, output = text.partition("\n")
    found = _EXIT.search(first)
    if found is None:
        return Run(None, None, output, first.strip()[:400])
    return Run(int(found[1]), float(found[2]) if found[2] else None, output, found[0])


def failure(name: str, done: Run) -> str:
    """A failed run in one sentence."""
    return f"{name}: {done.ending}. Its last line is: {done.last_line}"


def write(saying: str, path: str, content: str) -> Part[None]:
    """Write a script; raises :class:`GaveUp` where the tool refuses it."""
    answer = yield Call(saying, "write_python", {"path": path, "content": content})
    if not answer.startswith("wrote "):
        raise GaveUp(f"{path} could not be written: {answer[:400]}")


def run(saying: str, path: str, arguments: Sequence[str]) -> Part[Run]:
    """Run a script that lies in the step's folder, or anywhere in the iteration by its absolute path."""
    answer = yield Call(saying, "run_python", {"path": path, "arguments": list(arguments)})
    return parse_run(answer)


def analyse(writing: str, running: str, script: str, arguments: Sequence[str]) -> Part[dict[str, Any]]:
    """Write one of the policy's own scripts, run it and read its result; raises :class:`GaveUp` where it fails.

    ``script`` is a path from the step's folder, the script's name its last part.
    """
    name = script.rpartition("/")[2]
    yield from write(writing, script, source(name))
    done = yield from run(running, script, arguments)
    if not done.ok:
        raise GaveUp(failure(name, done))
    return done.result()


Mend = Callable[[str], Part[tuple[str, StepOutput] | None]]
"""From the reason of a rejection to what is handed over instead, with what is said; None: nothing can be mended."""


def hand_over(saying: str, output: StepOutput, mend: Mend | None = None) -> Moves:
    """End the step by ``final_result``. A rejection is mended where it can be, at most :data:`REJECTIONS` times."""
    reasons: list[str] = []
    while True:
        reason = yield Call(saying, "final_result", output.model_dump(mode="json"))
        reasons.append(reason)
        if reasons.count(reason) >= REJECTIONS:
            return f"The same output was rejected {REJECTIONS} times, so I stop here. The reason is: {reason}"
        mended = (yield from mend(reason)) if mend else None
        if mended is None:
            return f"The output was rejected and I have no rule that mends it, so I stop here. The reason is: {reason}"
        saying, output = mended
