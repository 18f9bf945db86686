"""Whole runs over HTTP, with a provider that misbehaves: each recovers, or ends in one clear line.

The model behind the server does its work well; the tools, the training and the scores are real.
"""

import asyncio
import os
from pathlib import Path

import pytest

from agents.fold import fold
from agents.journal import JournalReader
from agents.models.litellm_gateway import LiteLLMGateway
from agents.outcome import exit_status, nothing_left_to_do
from agents.run_folder import create_run
from agents.settings import RunSettings
from agents.vocabulary import RunStatus, StepStatus, ToolOutcome
from tests.llm_server.brain import ExpertBrain
from tests.llm_server.scenario import Expect, Scenario, all_scenarios
from tests.llm_server.serving import Served, serve
from tests.support.leading import Ended, lead
from tests.support.processes import processes_in
from tests.support.shell import write_dataset

pytestmark = pytest.mark.slow  # importing litellm takes seconds, and each is a whole run


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-of-the-scenarios")


async def play(folder: Path, scenario: Scenario | None, **settings: object) -> tuple[Ended, Served]:
    """Lead a run whose model misbehaves as the scenario says."""
    dataset = write_dataset(folder / "toxicity")
    with serve(ExpertBrain(), scenario) as server:
        values = {**(scenario.run_settings if scenario else {"model": "openai/expert"}), **settings}
        run = create_run(
            folder / "runs",
            RunSettings(dataset=dataset, api_base=server.address, **values),
            "1.0",  # type: ignore[arg-type]
        )
        ended = await lead(folder, run=run, gateway=LiteLLMGateway(run.record().settings))
        if scenario is not None and scenario.expect.hung_up:
            await asyncio.to_thread(server.wait, lambda served: served.disconnects)
    return ended, server


def figures(ended: Ended) -> dict[str, object]:
    """What a scenario may expect, as it came out."""
    state = ended.state
    types = [event.type for event in JournalReader(ended.run.journal).read_all()]
    steps = [step for iteration in state.iterations for step in iteration.steps.values()]
    dropped = [
        event.parameter for event in JournalReader(ended.run.journal).read_all() if event.type == "parameter_dropped"
    ]
    return {
        "status": state.status,
        "retries": types.count("model_call_retried"),
        "rejections": sum(step.rejections for step in steps),
        "tool_errors": sum(call.outcome is ToolOutcome.ERROR for call in state.tool_calls),
        "fallback": "model_changed" in types,
        "dropped": dropped[0] if dropped else None,
        "compacted": "context_compacted" in types,
        "failed_step": next((step.name for step in steps if step.status is StepStatus.FAILED), None),
    }


def wanted(expect: Expect) -> dict[str, object]:
    looked_at = expect.model_dump(exclude_none=True, exclude={"reason_contains", "hung_up"})
    return {name: getattr(expect, name) for name in looked_at}


@pytest.mark.parametrize("scenario", all_scenarios(), ids=lambda scenario: scenario.name)
async def test_a_run_survives_or_says_why_not(tmp_path: Path, scenario: Scenario) -> None:
    ended, server = await play(tmp_path, scenario)
    state, expect = ended.state, scenario.expect
    found = figures(ended)
    assert {name: found[name] for name in wanted(expect)} == wanted(expect), state.reason
    assert len(state.reason.splitlines()) <= 1
    if expect.reason_contains:
        assert expect.reason_contains in state.reason.lower()
    if expect.hung_up:
        assert server.disconnects
    assert processes_in(ended.run.root) == []
    assert fold(JournalReader(ended.run.journal).read_all()).status is state.status
    assert all(call.seconds is not None for call in state.model_calls)
    assert state.usage.cost_usd == 0
    if state.status is RunStatus.FINISHED:
        assert state.best is not None
        assert exit_status(state) == 0
        return
    assert exit_status(state) == 1
    with serve(ExpertBrain(), models=scenario.models) as healthy:
        settings = ended.run.record().settings.model_copy(update={"api_base": healthy.address})
        resumed = await lead(tmp_path, run=ended.run, gateway=LiteLLMGateway(settings))
    may_go_on = nothing_left_to_do(state) is None
    assert resumed.state.status is (RunStatus.FINISHED if may_go_on else RunStatus.FAILED)


async def test_three_iterations_over_http_make_a_model_with_a_real_test_score(tmp_path: Path) -> None:
    ended, server = await play(tmp_path, None, iterations=3)
    state = ended.state
    assert state.status is RunStatus.FINISHED
    assert [iteration.status.value for iteration in state.iterations] == ["done"] * 3
    assert state.test_scores["test"]["AUROC"] > 0.6
    assert state.usage.calls == len(server.requests)
    assert state.usage.input_tokens > 0
    assert state.usage.unpriced == state.usage.calls, "nobody knows a price of this model, and it is not shown as free"


async def test_no_key_reaches_anything_that_a_run_leaves(tmp_path: Path) -> None:
    ended, server = await play(tmp_path, None, iterations=1)
    assert server.requests[0].headers["authorization"] == "Bearer sk-canary-of-the-scenarios"
    left = [
        path
        for folder, _, names in os.walk(ended.run.root)
        for path in (Path(folder, name) for name in names)
        if path.is_file() and b"sk-canary-of-the-scenarios" in path.read_bytes()
    ]
    assert left == []
