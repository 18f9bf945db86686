"""Approvals: at a gate that a person chose, the run waits until that person has answered."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agents.control import Answer, SetGates
from agents.events import ApprovalAnswered, ApprovalAsked, GatesSet
from agents.files import write_atomically
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.standstill import Standstill
from agents.vocabulary import Gate

_WHAT: Final = {Gate.PLAN: "the plan", Gate.TRAINING: "the training"}


@dataclass(frozen=True)
class Subject:
    """What a person is to approve."""

    gate: Gate
    title: str
    """One line: the change that a plan makes, or the command."""
    name: str
    """Of the file in which the person reads it, such as ``plan.yaml``."""
    text: str
    problems: Callable[[str], Sequence[str]]
    """What is wrong with an edited text, a line each."""
    before: tuple[str, str] | None = None
    """Name and text of the version to which the person compares."""

    @property
    def change(self) -> str:
        """The difference as a unified diff; empty where there is none."""
        if self.before is None:
            return ""
        name, text = self.before
        lines = difflib.unified_diff(text.splitlines(), self.text.splitlines(), name, self.name, lineterm="")
        return "".join(f"{line}\n" for line in lines)


class Approvals:
    """Asks a person, and takes the answer."""

    def __init__(self, run: RunFolder, recorder: Recorder, standstill: Standstill) -> None:
        self._run = run
        self._recorder = recorder
        self._standstill = standstill
        self._subject: Subject | None = None
        self._answer: Answer | None = None

    def wanted(self, gate: Gate) -> bool:
        return gate in self._recorder.state.gates

    async def ask(self, subject: Subject) -> Answer:
        """Hold the run until a person has answered. Whatever ends the wait, the question is settled in the journal."""
        number = self._recorder.state.approvals + 1
        self._recorder.emit(self._asked(number, subject), durable=True)
        self._subject, self._answer = subject, None
        try:
            await self._standstill.hold(f"{_WHAT[subject.gate]} waits for an approval")
        finally:
            answer, self._subject = self._answer, None
            if answer is None:  # its step was ended meanwhile
                self._recorder.emit(ApprovalAnswered(approval=number, verdict=None), durable=True)
                self._standstill.settle()
        assert answer is not None, "nothing else lets a run go on that waits for an approval"
        return answer

    def _asked(self, number: int, subject: Subject) -> ApprovalAsked:
        folder = self._run.approvals / f"{number:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        text, change = folder / subject.name, folder / "change.diff"
        write_atomically(text, self._recorder.redact(subject.text))
        if subject.change:
            write_atomically(change, self._recorder.redact(subject.change))
        return ApprovalAsked(
            approval=number,
            gate=subject.gate,
            title=subject.title,
            subject=self._run.relative(text),
            change=self._run.relative(change) if subject.change else None,
        )

    def answer(self, command: Answer) -> str:
        """Take an answer; returns why it is refused, or nothing."""
        waits = self._recorder.state.approval
        if waits is None or self._subject is None:
            return "nothing waits for an approval"
        if command.approval != waits.approval:
            return f"approval {command.approval} is settled already; approval {waits.approval} waits now"
        if command.verdict == "edit" and (problems := self._subject.problems(command.text)):
            return "; ".join(problems)
        self._settle(command)
        return ""

    def set_gates(self, command: SetGates) -> None:
        """What waits at a gate that is no longer one goes on."""
        gates = sorted(set(command.gates))
        self._recorder.emit(GatesSet(gates=gates, by=command.by), durable=True)
        waits = self._recorder.state.approval
        if waits is not None and self._subject is not None and waits.gate not in gates:
            self._settle(Answer(approval=waits.approval, verdict="approve", by=command.by))

    def _settle(self, answer: Answer) -> None:
        """Keep what the person made of it beside what was asked, and let the run go on."""
        assert self._subject is not None
        if answer.verdict == "edit":
            folder = self._run.approvals / f"{answer.approval:03d}"
            write_atomically(folder / f"edited-{self._subject.name}", self._recorder.redact(answer.text))
        self._answer = answer
        self._recorder.emit(
            ApprovalAnswered(approval=answer.approval, verdict=answer.verdict, reason=answer.reason, by=answer.by),
            durable=True,
        )
        self._standstill.settle()
