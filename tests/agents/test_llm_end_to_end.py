"""Runs with a model over HTTP as a person starts them: processes of their own, keys in the environment, limits."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.lock import read_lock
from agents.models.gateway import ModelReply
from agents.steps.facts import StepFacts
from agents.vocabulary import IterationStatus, Limit, RunStatus, StepName
from tests.llm_server.brain import ExpertBrain
from tests.llm_server.scenario import Scenario
from tests.llm_server.serving import Served, serve
from tests.support.expert import competent
from tests.support.processes import processes_in
from tests.support.shell import CANARY, Shell, write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llm end to end")]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    write_dataset(tmp_path / "toxicity")
    shell = Shell(tmp_path)
    yield shell
    shell.end_all()


def start(shell: Shell, server: Served, *arguments: object, expect: int = 0) -> str:
    dataset = shell.runs_dir.parent / "toxicity"
    model = ("--model", "openai/expert", "--api-base", server.address, "--run-id", "asked")
    return shell("run", dataset, *model, *arguments, expect=expect)


def files_with(secret: str, folder: Path) -> list[Path]:
    walked = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return [path for path in walked if path.is_file() and secret.encode() in path.read_bytes()]


def wait_until_nothing_runs_in(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while left := processes_in(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_run_at_its_budget_ends_with_3_and_goes_on_when_it_is_allowed_more(shell: Shell) -> None:
    with serve(ExpertBrain()) as server:
        told = start(shell, server, "--headless", "--iterations", 2, "--budget-tokens", 25_000, expect=3)
        assert "of 25,000 tokens are used, and the next model call needs about" in told
        first = shell.state("asked")
        assert first.status is RunStatus.STOPPED
        assert first.usage.tokens <= 25_000
        assert first.limit is not None
        assert first.limit.limit is Limit.TOKENS
        assert "allow it more" in shell("resume", "asked", expect=2)
        shell("resume", "asked", "--tokens", 10_000_000)
        state = shell.wait("asked", lambda state: state.status.is_over)
    assert state.status is RunStatus.FINISHED
    assert state.usage.tokens > first.usage.tokens, "what was spent before the restart still counts"
    assert state.allowed(Limit.TOKENS) == 10_025_000
    assert "unpriced" in shell("status", "asked")


def test_a_budget_in_dollars_is_refused_where_no_price_is_known(shell: Shell) -> None:
    with serve(ExpertBrain()) as server:
        told = start(shell, server, "--headless", "--budget-usd", 5, expect=2)
    assert told.count("\n") == 1
    assert "no price is known of openai/expert" in told
    assert not (shell.runs_dir / "asked").exists()


def test_a_refused_key_ends_the_run_in_one_line_that_does_not_show_it(shell: Shell) -> None:
    fault = {"when": {"call": 1}, "kind": "status", "code": 401, "message": f"Incorrect API key provided: {CANARY}"}
    scenario = Scenario.model_validate({"title": "x", "expect": {"status": "failed"}, "fault": [{**fault, "times": 0}]})
    with serve(ExpertBrain(), scenario) as server:
        told = start(shell, server, "--headless", expect=1)
        assert len(server.requests) == 1
        assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert "the key was not accepted (HTTP 401): Incorrect API key provided: [OPENAI_API_KEY]" in told
    assert CANARY not in told
    assert files_with(CANARY, shell.runs_dir) == []


def test_a_key_that_a_provider_echoes_in_its_replies_stays_out_of_the_runs_folder(shell: Shell) -> None:
    def echo(facts: StepFacts, turn: int) -> ModelReply:
        plan = competent(facts, turn)
        [call] = plan.tool_calls
        fields = {**json.loads(call.arguments), "summary": f"Your key is {CANARY}.", "reason": CANARY}
        return ModelReply(f"I know {CANARY}.", (replace(call, arguments=json.dumps(fields)),), reasoning=CANARY)

    with serve(ExpertBrain(instead={(0, StepName.ITERATION_PLAN): echo})) as server:
        told = start(shell, server, "--headless", "--iterations", 1)
    assert shell.state("asked").status is RunStatus.FINISHED
    assert "Your key is [OPENAI_API_KEY]." in told
    assert CANARY not in told
    assert files_with(CANARY, shell.runs_dir) == []


def test_a_killed_engine_pays_no_finished_step_again_and_shows_no_key(shell: Shell) -> None:
    hang = {"when": {"step": "model_training", "turn": 1}, "kind": "hang", "where": "mid_stream"}
    scenario = Scenario.model_validate({"title": "x", "expect": {"status": "finished"}, "fault": [hang]})
    brain = ExpertBrain()
    with serve(brain, scenario) as server:
        start(shell, server, "--detach", "--iterations", 1)
        shell.wait(
            "asked", lambda state: state.step and state.step.name is StepName.MODEL_TRAINING and state.tool_calls
        )
        server.wait(lambda served: any(request.fault == "hang" for request in served.requests))
        record = read_lock(shell.run_folder("asked").lock)
        assert record is not None
        os.kill(record.pid, signal.SIGKILL)
        before = len(server.requests)
        spent = shell.state("asked").usage.tokens
        shell("resume", "asked")
        state = shell.wait("asked", lambda state: state.status.is_over)
    assert state.status is RunStatus.FINISHED
    assert state.usage.tokens > spent > 0
    assert {step for _, step in brain.asked[before:]} == {
        StepName.MODEL_TRAINING,
        StepName.MODEL_INFERENCE,
        StepName.PREDICTION_EXPLORATION,
    }
    assert files_with(CANARY, shell.runs_dir) == []
    wait_until_nothing_runs_in(shell.run_folder("asked").root)


def test_skipping_an_iteration_goes_to_the_next_one(shell: Shell) -> None:
    hang = {"when": {"step": "model_training", "turn": 1}, "kind": "hang", "where": "mid_stream"}
    scenario = Scenario.model_validate({"title": "x", "expect": {"status": "finished"}, "fault": [hang]})
    with serve(ExpertBrain(), scenario) as server:
        start(shell, server, "--detach", "--iterations", 2)
        server.wait(lambda served: any(request.fault == "hang" for request in served.requests))
        shell("skip", "asked", "--iteration")
        state = shell.wait("asked", lambda state: state.status.is_over)
    assert [iteration.status for iteration in state.iterations] == [IterationStatus.SKIPPED, IterationStatus.DONE]
    assert state.status is RunStatus.FINISHED


def test_a_recorded_run_is_repeated_by_its_id_without_any_server(shell: Shell) -> None:
    with serve(ExpertBrain()) as server:
        start(shell, server, "--headless", "--iterations", 2)
    dataset = shell.runs_dir.parent / "toxicity"
    shell("run", dataset, "--model", "replay:asked", "--run-id", "again", "--headless")
    first, again = shell.state("asked"), shell.state("again")
    assert [i.scores for i in again.iterations] == [i.scores for i in first.iterations]
    assert again.test_scores == first.test_scores
    assert "replay_diverged" not in shell.run_folder("again").journal.read_text()
    assert "no run 'never'" in shell("run", dataset, "--model", "replay:never", "--headless", expect=2)


def test_a_hanging_call_is_made_again_when_a_person_asks_for_it(shell: Shell) -> None:
    hang = {"when": {"call": 2}, "kind": "hang", "where": "after_headers"}
    scenario = Scenario.model_validate({"title": "x", "expect": {"status": "finished"}, "fault": [hang]})
    with serve(ExpertBrain(), scenario) as server:
        start(shell, server, "--detach", "--iterations", 1)
        server.wait(lambda served: any(request.fault == "hang" for request in served.requests))
        assert "made again" in shell("ask-again", "asked")
        state = shell.wait("asked", lambda state: state.status.is_over)
        server.wait(lambda served: served.disconnects)
    assert state.status is RunStatus.FINISHED
    assert [call.call for call in state.model_calls if call.error] == [2]
    assert "asked again" in (state.model_calls[1].error or "")
