"""Model calls within a budget and a window: what is asked again, of whom, and what is recorded of it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents import control
from agents.budget import LimitEndsRun
from agents.events import ContextCompacted, Event, LimitReached, ModelChanged
from agents.interruptions import StepInterrupted
from agents.journal import JournalReader
from agents.models.gateway import (
    Delta,
    Listener,
    ModelError,
    ModelFacts,
    ModelRefused,
    ModelReply,
    ModelRequest,
    RequestTooLong,
    ToolRequest,
)
from agents.models.stream import StreamReader
from agents.vocabulary import Limit, RunStatus
from tests.support.models import ScriptedGateway, calls
from tests.support.step_bench import GOOD, Bench

LOOK = ("bash", {"command": "seq 2000"})
DONE = calls(("final_result", GOOD))
PRICED = ModelFacts(window=100_000, input_price=1e-6, output_price=1e-6)


def events(bench: Bench, kind: type[Event]) -> list[Any]:
    return [event for event in JournalReader(bench.run.journal).read_all() if isinstance(event, kind)]


def record(bench: Bench, call: int) -> dict[str, Any]:
    return json.loads((bench.run.model_calls / f"{call:06d}.json").read_text())


@dataclass
class Waiting(ScriptedGateway):
    """Says a few words and then waits for ever, the first ``times`` times."""

    times: int = 1

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        if self.times:
            self.times -= 1
            listener.heard(Delta("text", "Let me think" * 20))
            await asyncio.sleep(1000)
        return await super().complete(request, listener)


def waiting(tmp_path: Path, *turns: ModelReply, known: ModelFacts | None = None) -> Bench:
    bench = Bench(tmp_path, *turns)
    gateway = Waiting(list(turns), known=known or ModelFacts())
    bench.use(gateway)
    return bench


async def until(bench: Bench, seen: Any) -> None:
    while not seen(bench.recorder.state):
        await asyncio.sleep(0.01)


# --- fallback models --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [ModelError("b: no reply"), ModelRefused("b: no such model")])
async def test_the_next_fallback_model_is_asked_for_the_rest_of_the_step(tmp_path: Path, failure: ModelError) -> None:
    first = ModelError("scripted: no reply")
    bench = Bench(tmp_path, first, failure, calls(LOOK), DONE, fallback_models=("b", "c"))
    await bench.work()
    assert bench.gateway.models == ["scripted", "b", "c", "c"]
    changes = [(event.model, event.fallback, event.reason) for event in events(bench, ModelChanged)]
    assert changes == [("scripted", "b", "scripted: no reply"), ("b", "c", str(failure))]
    assert [call.model for call in bench.recorder.state.model_calls] == ["c", "c"]


async def test_where_no_fallback_is_left_all_that_failed_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ModelError("a: gone"), ModelError("b: gone"), fallback_models=("scripted", "b"))
    with pytest.raises(ModelError, match="a: gone; b: gone"):
        await bench.work()
    assert bench.recorder.state.model_calls[0].error == "a: gone; b: gone"


# --- a person cancels a call ------------------------------------------------------------------------------------------


async def test_a_call_that_is_cancelled_is_made_again_and_only_it(tmp_path: Path) -> None:
    bench = waiting(tmp_path, DONE, known=PRICED)
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.running_model_call)
    await asyncio.sleep(0.05)
    control.submit(bench.run, control.AskAgain(by="ada@lab"))
    bench.steering.look()
    await work
    first, second = bench.recorder.state.model_calls
    assert first.error == "cancelled by ada@lab, asked again"
    assert second.error is None
    assert [receipt.outcome for receipt in bench.recorder.state.receipts] == ["accepted"]


async def test_what_a_cancelled_call_said_is_kept_and_what_it_probably_cost_is_counted(tmp_path: Path) -> None:
    bench = waiting(tmp_path, DONE, known=PRICED)
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.running_model_call)
    await asyncio.sleep(0.05)
    control.submit(bench.run, control.AskAgain())
    bench.steering.look()
    await work
    first = bench.recorder.state.model_calls[0]
    assert first.stream is not None
    reader = StreamReader(bench.run.root / first.stream)
    reader.read()
    assert reader.progress.text.startswith("Let me think")
    assert first.output_tokens == round(240 / 3.5)
    used = bench.recorder.state.usage
    assert used.tokens > first.input_tokens + first.output_tokens > 0
    assert used.cost_usd == pytest.approx(used.tokens * 1e-6)
    assert not list(bench.run.model_calls.glob("000002.stream")), "the record of an answered call holds its reply"


@dataclass
class Breaking(ScriptedGateway):
    """Breaks off in the first ``times`` attempts of a call, after some words."""

    times: int = 2

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        for retry in range(self.times):
            listener.heard(Delta("text", "x" * 350))
            listener.retrying("the reply broke off", retry + 1, self.times, 0.0)
        self.times = 0
        return await super().complete(request, listener)


async def test_attempts_that_broke_off_before_the_reply_came_are_counted_too(tmp_path: Path) -> None:
    used = ModelReply("", DONE.tool_calls, input_tokens=900, output_tokens=90, cost_usd=0.001)
    bench = Bench(tmp_path, used)
    bench.use(Breaking([used], known=PRICED))
    await bench.work()
    [call] = bench.recorder.state.model_calls
    assert call.output_tokens == 90 + 2 * 100
    in_vain = call.input_tokens - 900
    assert in_vain > 0
    assert call.cost_usd == pytest.approx(0.001 + (in_vain + 200) * 1e-6)
    assert record(bench, 1)["reply"]["output_tokens"] == 90, "the record tells the reply's own figures"


async def test_a_note_goes_out_with_the_call_that_is_made_again(tmp_path: Path) -> None:
    bench = waiting(tmp_path, DONE)
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.running_model_call)
    for command in (control.Say(text="use the column length"), control.AskAgain()):
        control.submit(bench.run, command)
    bench.steering.look()
    await work
    assert "use the column length" in bench.gateway.requests[-1][-1]["content"]


async def test_a_paused_run_asks_again_only_when_it_goes_on(tmp_path: Path) -> None:
    bench = waiting(tmp_path, DONE)
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.running_model_call)
    for command in (control.Pause(), control.AskAgain()):
        control.submit(bench.run, command)
    bench.steering.look()
    await until(bench, lambda state: state.status is RunStatus.HELD)
    assert len(bench.recorder.state.model_calls) == 1
    control.submit(bench.run, control.Resume())
    bench.steering.look()
    await work
    assert len(bench.recorder.state.model_calls) == 2


async def test_asking_again_where_nothing_is_asked_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    control.submit(bench.run, control.AskAgain())
    bench.steering.look()
    assert [receipt.outcome for receipt in bench.recorder.state.receipts] == ["refused"]


async def test_a_skip_ends_the_step_and_not_just_the_call(tmp_path: Path) -> None:
    bench = waiting(tmp_path)
    work = asyncio.create_task(bench.steering.interruptible(bench.work()))
    await until(bench, lambda state: state.running_model_call)
    control.submit(bench.run, control.SkipStep())
    bench.steering.look()
    with pytest.raises(StepInterrupted):
        await work
    assert bench.recorder.state.model_calls[0].error == "cancelled"


# --- the window -------------------------------------------------------------------------------------------------------


async def test_old_outputs_become_pointers_before_the_window_is_full(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[calls(LOOK)] * 5, DONE)
    bench.gateway.known = ModelFacts(window=6000)
    await bench.work()
    compacted = events(bench, ContextCompacted)
    assert compacted
    assert all(event.tokens_after < 0.8 * 6000 < event.tokens_before for event in compacted)
    assert compacted[0].left_out[0] == 1
    last = bench.gateway.requests[-1]
    assert "left out to save room" in last[3]["content"]
    assert "1999" in last[-1]["content"], "the newest output is whole"
    assert record(bench, 6)["messages_before"] + len(record(bench, 6)["new_messages"]) == len(last)


async def test_a_conversation_that_the_provider_finds_too_long_is_made_shorter_and_sent_again(tmp_path: Path) -> None:
    long = RequestTooLong("scripted: too long")
    bench = Bench(tmp_path, calls(LOOK), calls(LOOK), long, DONE)
    await bench.work()
    [compacted] = events(bench, ContextCompacted)
    assert compacted.left_out == [1]
    assert [call.error for call in bench.recorder.state.model_calls] == [None, None, "scripted: too long", None]


async def test_a_conversation_that_stays_too_long_fails_the_step(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[RequestTooLong("scripted: too long")] * 9)
    with pytest.raises(RequestTooLong):
        await bench.work()
    assert len(bench.recorder.state.model_calls) == 4


# --- the budget -------------------------------------------------------------------------------------------------------


async def test_a_call_that_cannot_be_paid_is_not_made_and_ends_the_run_where_nobody_is_asked(tmp_path: Path) -> None:
    costly = ModelReply("", calls(LOOK).tool_calls, input_tokens=100, output_tokens=10, cost_usd=0.999)
    bench = Bench(tmp_path, costly, DONE, budget_usd=1.0)
    bench.gateway.known = PRICED
    with pytest.raises(LimitEndsRun, match=r"\$0.9990 of \$1.0000 are spent"):
        await bench.work()
    assert len(bench.gateway.requests) == 1
    [reached] = events(bench, LimitReached)
    assert reached.limit is Limit.USD


async def test_a_run_at_its_limit_waits_until_a_person_raises_it(tmp_path: Path) -> None:
    used = ModelReply("", calls(LOOK).tool_calls, input_tokens=900, output_tokens=90)
    bench = Bench(tmp_path, used, DONE, budget_tokens=1000, at_limit="ask")
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.status is RunStatus.HELD)
    assert bench.recorder.state.limit is not None
    for command in (control.Resume(), control.RaiseLimit(usd=1.0), control.RaiseLimit(tokens=100_000)):
        control.submit(bench.run, command)
        bench.steering.look()
    await work
    assert [receipt.outcome for receipt in bench.recorder.state.receipts] == ["refused", "refused", "accepted"]
    assert bench.recorder.state.allowed(Limit.TOKENS) == 101_000
    assert bench.recorder.state.limit is None
    assert bench.recorder.state.status is RunStatus.RUNNING


async def test_a_stop_at_a_limit_ends_the_run(tmp_path: Path) -> None:
    used = ModelReply("", calls(LOOK).tool_calls, input_tokens=900, output_tokens=90)
    bench = Bench(tmp_path, used, budget_tokens=1000, at_limit="ask")
    work = asyncio.create_task(bench.work())
    await until(bench, lambda state: state.status is RunStatus.HELD)
    control.submit(bench.run, control.Stop())
    bench.steering.look()
    with pytest.raises(LimitEndsRun):
        await work


async def test_a_model_call_may_take_no_longer_than_what_is_left_of_the_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, timeout=2.0)
    bench.use(Waiting([], times=9))
    with pytest.raises(LimitEndsRun, match="time limit"):
        await bench.work()
    [call] = bench.recorder.state.model_calls
    assert call.error == "ended: the run's time limit was reached"


@pytest.mark.parametrize("usage", [{}, {"input_tokens": -100_000, "output_tokens": 5}, {"input_tokens": 10**30}])
async def test_a_provider_that_counts_nothing_or_nonsense_switches_no_budget_off(
    tmp_path: Path, usage: dict[str, int]
) -> None:
    costly = ModelReply("", calls(LOOK).tool_calls, cost_usd=0.0, **usage)
    bench = Bench(tmp_path, *[costly] * 50, budget_tokens=12_000)
    bench.gateway.known = PRICED
    with pytest.raises(LimitEndsRun):
        await bench.work()
    used = bench.recorder.state.usage
    assert 2 <= used.calls < 20
    assert 0 < used.tokens <= 12_000
    assert used.cost_usd == pytest.approx(used.tokens * 1e-6)


async def test_finishing_at_a_limit_cuts_the_step_off_and_does_not_skip_it(tmp_path: Path) -> None:
    used = ModelReply("", calls(LOOK).tool_calls, input_tokens=900, output_tokens=90)
    bench = Bench(tmp_path, used, budget_tokens=1000, at_limit="ask")
    work = asyncio.create_task(bench.steering.interruptible(bench.work()))
    await until(bench, lambda state: state.status is RunStatus.HELD)
    control.submit(bench.run, control.Stop(now=True))
    bench.steering.look()
    with pytest.raises(LimitEndsRun):
        await work
    assert bench.steering.stop_asked


async def test_a_tool_may_take_no_longer_than_what_is_left_of_the_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, calls(("bash", {"command": "sleep 60"})), timeout=3.0)
    with pytest.raises(LimitEndsRun, match="time limit"):
        await bench.work()
    [call] = bench.recorder.state.tool_calls
    assert call.outcome is not None
    assert call.outcome.value == "timeout"


# --- what providers do ------------------------------------------------------------------------------------------------


async def test_every_call_in_a_conversation_has_an_id_of_its_own(tmp_path: Path) -> None:
    twice = (ToolRequest("a", "bash", '{"command": "true"}'), ToolRequest("a", "bash", '{"command": "true"}'))
    nameless = (ToolRequest("", "", "{}"), ToolRequest("a", "bash", '{"command": "true"}'))
    bench = Bench(tmp_path, ModelReply("", twice), ModelReply("", nameless), DONE)
    await bench.work()
    made = [call for m in bench.gateway.requests[-1] for call in m.get("tool_calls") or ()]
    answers = [m["tool_call_id"] for m in bench.gateway.requests[-1] if m["role"] == "tool"]
    assert [call["id"] for call in made] == answers == ["a", "a-2", "call-2", "a-3"]
    assert "there is no tool 'unnamed'" in bench.gateway.requests[-1][-2]["content"]


@pytest.mark.parametrize("raw", ['{"command": ', "[1]", '"ls"', "", "[" * 100_000])
async def test_arguments_that_are_no_object_are_answered_and_the_history_stays_one_that_providers_take(
    tmp_path: Path, raw: str
) -> None:
    bench = Bench(tmp_path, ModelReply("", (ToolRequest("a", "bash", raw),)), DONE)
    await bench.work()
    history: Sequence[Any] = bench.gateway.requests[-1]
    assert isinstance(json.loads(history[2]["tool_calls"][0]["function"]["arguments"]), dict)
    assert "bash" in history[3]["content"]
    log = bench.run.root / bench.recorder.state.tool_calls[0].log
    assert history[3]["content"] in log.read_text(), "a person who looks into the call sees why it was refused"


async def test_a_reply_that_was_cut_is_answered_with_what_happened(tmp_path: Path) -> None:
    cut = ModelReply("", (ToolRequest("a", "bash", '{"command": "ec'),), finish_reason="length")
    words = ModelReply("I shall now", finish_reason="length")
    bench = Bench(tmp_path, cut, words, DONE)
    await bench.work()
    told = [
        str(m["content"]) for m in bench.gateway.requests[-1] if "cut off at the model's output limit" in m["content"]
    ]
    assert len(told) == 2


async def test_reasoning_is_recorded_and_not_sent_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ModelReply("", calls(LOOK).tool_calls, reasoning="hm, numbers"), DONE)
    await bench.work()
    assert record(bench, 1)["reply"]["reasoning"] == "hm, numbers"
    assert "hm, numbers" not in json.dumps(bench.gateway.requests[-1])
