"""What the loop itself costs a model turn and a tool call, at the beginning and at the end of a long step.

A step of 100 turns is led against a server that answers at once: each turn makes one tool call whose output is a few
thousand characters. Beside the whole turn stands the time of the same request sent by a bare HTTP client, which no
loop can save, and that of the tool's own process.
"""

import asyncio
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from agents.journal import JournalReader
from agents.models.gateway import Gateway, ModelFacts, ModelReply
from agents.models.litellm_gateway import LiteLLMGateway
from agents.steps.agent import StepFailed
from tests.llm_server.serving import Served, serve
from tests.support.models import ScriptedGateway, calls
from tests.support.step_bench import Bench

TURNS = 100
AROUND = {5: range(2, 12), 95: range(88, 99)}
"""Turns whose median is shown, so that one slow moment of the machine does not decide."""
LOOK = calls(("bash", {"command": "seq 700"}), text="I look at it once more.")


class Says:
    """A brain that always makes the same call."""

    def answer(self, messages: Sequence[Any], tools: Sequence[Any], model: str) -> ModelReply:
        return LOOK


def main() -> None:
    os.environ["OPENAI_API_KEY"] = "none"
    with tempfile.TemporaryDirectory() as folder, serve(Says()) as server:
        over_http = asyncio.run(_turns(Path(folder, "http"), server))
        loop_only = asyncio.run(_turns(Path(folder, "loop"), None))
        bare = {turn: _bare(server, turn) for turn in AROUND}
    for turn, around in AROUND.items():
        model, tool = _median(over_http["model"], around), _median(over_http["tool"], around)
        own = _median(loop_only["model"], around)
        print(
            f"  turn {turn:>2}   model turn over HTTP {model:5.1f} ms (bare client {bare[turn]:5.1f} ms)   "
            f"loop alone {own:5.1f} ms   tool call {tool:5.1f} ms beyond its process"
        )


async def _turns(folder: Path, server: Served | None) -> dict[str, list[float]]:
    """Milliseconds of each model turn and of each tool call beyond its own process, from the journal's times."""
    folder.mkdir()
    bench = Bench(folder, api_base=server.address if server else None, max_steps=TURNS)
    gateway: Gateway = ScriptedGateway([LOOK] * TURNS, known=ModelFacts())
    if server is not None:
        gateway = LiteLLMGateway(bench.run.record().settings)
    bench.use(gateway, "openai/expert")
    with contextlib.suppress(StepFailed):  # it is never done, which is what makes it long
        await bench.work()
    return _measured(bench)


def _measured(bench: Bench) -> dict[str, list[float]]:
    model, tool = [], []
    started, ended = 0.0, 0.0
    for event in JournalReader(bench.run.journal).read_all():
        now = event.time.timestamp() * 1000
        match event.type:
            case "model_call_started":
                tool.append(now - ended - _process_ms(bench) if ended else 0.0)
                started = now
            case "model_call_finished":
                model.append(now - started)
                ended = now
    return {"model": model, "tool": tool[1:]}


_PROCESS: list[float] = []


def _process_ms(bench: Bench) -> float:
    """What the tool's own process takes: the same command without anything around it."""
    if not _PROCESS:
        import subprocess

        for _ in range(20):
            start = time.perf_counter()
            subprocess.run(["/bin/bash", "-c", "seq 700"], check=True, capture_output=True)
            _PROCESS.append(1000 * (time.perf_counter() - start))
    return statistics.median(_PROCESS)


def _bare(server: Served, turn: int) -> float:
    """The request of that turn, sent again by a plain client that reads the whole answer."""
    body = server.requests[turn].body
    taken = []
    with httpx.Client() as client:
        for _ in range(10):
            start = time.perf_counter()
            with client.stream("POST", f"{server.address}/chat/completions", content=json.dumps(body)) as answer:
                answer.read()
            taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def _median(values: list[float], around: range) -> float:
    return statistics.median(values[turn] for turn in around)


if __name__ == "__main__":
    main()
