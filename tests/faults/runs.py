"""Runs that meet with accidents: started, resumed, and looked at from outside."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.fold import fold
from agents.journal import JournalReader
from agents.models.gateway import Message, ModelReply
from agents.models.replay import recorded_calls
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.steps.facts import StepFacts
from agents.vocabulary import StepName
from tests.faults.plan import Plan
from tests.llm_server.brain import Brain, ExpertBrain
from tests.llm_server.conversation import facts_of, replies_in
from tests.llm_server.scenario import Scenario
from tests.llm_server.serving import Served, serve
from tests.llm_server.wire import Style, usage_of
from tests.support.shell import write_dataset

KILLED: Final = -signal.SIGKILL
_PATIENCE: Final = 120
"""Seconds for one engine; it needs a few."""

Turn = tuple[int, StepName, int]
"""Iteration, step, and the number of replies before."""


@dataclass(frozen=True)
class Answer:
    """A reply that the server has counted."""

    turn: Turn
    tokens: int


@dataclass
class Counting:
    """A brain whose every reply is written down, as a provider does that wants to be paid."""

    brain: Brain = field(default_factory=ExpertBrain)
    answers: list[Answer] = field(default_factory=list)

    def answer(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], model: str) -> ModelReply:
        reply = self.brain.answer(messages, tools, model)
        facts = facts_of(messages)
        assert facts is not None
        usage = usage_of(reply, messages, Style())
        assert usage is not None
        turn = (facts.iteration, facts.step, len(replies_in(messages)))
        self.answers.append(Answer(turn, usage["total_tokens"]))
        return reply


class Launcher:
    """The process of ``tests/faults/launcher.py``; one engine at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.launcher"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "OPENAI_API_KEY": "sk-canary-of-the-faults"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def lead(self, run: RunFolder, plan: Plan) -> int:
        """Let one engine lead the run until it ends; its exit status, or minus the signal that killed it."""
        assert self._process.stdin is not None
        order = json.dumps({"run": str(run.root), "plan": plan.as_json()})
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        pid = int(self._line())
        try:
            return int(self._line())
        except TimeoutError:
            os.kill(pid, signal.SIGABRT)
            raise

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        if not ready:
            raise TimeoutError("the engine does not end")
        return self._process.stdout.readline()


@dataclass
class Led:
    """A run and its provider."""

    run: RunFolder
    launcher: Launcher
    server: Served
    counting: Counting
    statuses: list[int] = field(default_factory=list)
    recorded: dict[Turn, int] = field(default_factory=dict)
    """Turn to how many answers there were when its reply was found on the disk."""

    def engine(self, plan: Plan | None = None) -> int:
        """Lead the run with one engine; what it left is looked at before another one comes."""
        status = self.launcher.lead(self.run, plan or Plan())
        self.statuses.append(status)
        wait_until_nothing_runs_in(self.run.root)
        for turn in recorded_turns(self.run):
            self.recorded.setdefault(turn, len(self.counting.answers))
        return status

    @property
    def state(self) -> RunState:
        return fold(JournalReader(self.run.journal).read_all())

    @property
    def paid_again(self) -> list[Turn]:
        """Turns that were asked though their reply lay on the disk."""
        answers = self.counting.answers
        return [turn for turn, count in self.recorded.items() if any(a.turn == turn for a in answers[count:])]

    @property
    def tokens(self) -> int:
        """What the provider counted."""
        return sum(answer.tokens for answer in self.counting.answers)


@contextmanager
def led(
    folder: Path, launcher: Launcher, brain: Brain | None = None, scenario: Scenario | None = None, **settings: Any
) -> Iterator[Led]:
    """A new run of three iterations in ``folder``, its engine not started yet."""
    dataset = folder / "toxicity"
    if not dataset.exists():
        write_dataset(dataset)
    counting = Counting(brain or ExpertBrain())
    with serve(counting, scenario) as server:
        values = {"model": "openai/expert", "iterations": 3, "seed": 3, "llm_retry_wait": 0.01, **settings}
        run = create_run(folder / "runs", RunSettings(dataset=dataset, api_base=server.address, **values), "1.0", "led")
        yield Led(run, launcher, server, counting)


def recorded_turns(run: RunFolder) -> list[Turn]:
    """The turns of whose reply there is a record."""
    messages: list[Message] = []
    found: list[Turn] = []
    for call in recorded_calls(run.root):
        messages = [*messages[: call.messages_before], *call.new_messages]
        facts = StepFacts.find(str(messages[1]["content"]))
        assert facts is not None
        if call.reply is not None:
            found.append((facts.iteration, facts.step, len(replies_in(messages))))
    return found


def processes_of(folder: Path) -> list[str]:
    """Processes that stand in ``folder``, or whose command line or environment names it."""
    mark, found = os.fsencode(folder), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stands = (process / "cwd").readlink().is_relative_to(folder)
            if stands or mark in (process / "cmdline").read_bytes() or mark in (process / "environ").read_bytes():
                found.append(f"{process.name}: {(process / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}")
    return found


def wait_until_nothing_runs_in(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while left := processes_of(folder):
        assert time.monotonic() < deadline, f"still runs: {left}"
        time.sleep(0.02)


def outcome(led: Led) -> dict[str, Any]:
    """All that an accident must not change."""
    state = led.state
    return {
        "status": state.status,
        "best": state.best and (state.best.iteration, state.best.value, state.best.digest, state.best.split_version),
        "scores": [iteration.scores for iteration in state.iterations],
        "iterations": [iteration.status for iteration in state.iterations],
        "steps": [{step.name: step.status for step in it.steps.values()} for it in state.iterations],
        "combinations": [iteration.combination for iteration in state.iterations],
        "test": state.test_scores,
        "splits": state.split_digests,
        "outputs": outputs(led.run),
    }


def outputs(run: RunFolder) -> dict[str, Any]:
    """What each step handed over, without the run's folder."""
    found = {}
    for path in sorted(run.iterations.glob("*/*/output.json")):
        text = path.read_text().replace(str(run.root), "RUN")
        found[run.relative(path)] = json.loads(re.sub(r'("seconds": )[\d.]+', r"\g<1>0", text))
    return found


def leftovers(run: RunFolder) -> list[str]:
    """What an engine makes for a while and has to clear away; a reply without a record stays as far as it came."""
    left = [run.relative(path) for path in run.root.rglob("*") if path.name.endswith((".part", ".tmp"))]
    left += [path.name for path in run.model_calls.glob("*.stream") if _has_reply(path.with_suffix(".json"))]
    return left + [name for name in ("work", "engine.lock") if (run.root / name).exists()]


def _has_reply(record: Path) -> bool:
    return record.exists() and json.loads(record.read_text())["reply"] is not None
