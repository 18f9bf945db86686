"""What a provider signed comes back to it unchanged with the next request of the step, or it would refuse that."""

from pathlib import Path
from typing import Any

import pytest

from agents.models.gateway import ModelError
from agents.models.litellm_gateway import LiteLLMGateway
from agents.settings import RunSettings
from tests.llm_server.scripted import Events, anthropic, gemini, serve_scripted
from tests.support.step_bench import GOOD, Bench

pytestmark = pytest.mark.slow  # importing litellm takes seconds

THOUGHT = {"type": "thinking", "thinking": "The labels lie in labels.csv.", "signature": "c2lnbmVkOjE=="}
HIDDEN = {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}
SAID = {"type": "text", "text": "I look."}
LOOK = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}}
LOOK_AGAIN = {"type": "tool_use", "id": "toolu_2", "name": "bash", "input": {"command": "ls -l"}}
DONE = {"type": "tool_use", "id": "toolu_9", "name": "final_result", "input": GOOD}


async def bodies_of_a_step(tmp_path: Path, model: str, *replies: Events) -> list[dict[str, Any]]:
    """The requests of a step whose model says ``replies``."""
    with serve_scripted(*replies) as (address, bodies):
        bench = Bench(tmp_path)
        settings = RunSettings(dataset=tmp_path, api_base=address, llm_retries=0, reasoning_effort="low")
        bench.use(LiteLLMGateway(settings), model)
        await bench.work()
    return bodies


def replies_in(body: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What the model said so far, as Anthropic's wire has it, without the marks of what to cache."""
    return [
        [{name: value for name, value in block.items() if name != "cache_control"} for block in message["content"]]
        for message in body["messages"]
        if message["role"] == "assistant"
    ]


@pytest.mark.parametrize(
    "blocks",
    [
        [THOUGHT, LOOK],
        [THOUGHT, SAID, LOOK],
        [THOUGHT, SAID, LOOK, LOOK_AGAIN],
        [HIDDEN, LOOK],
        [THOUGHT, HIDDEN, SAID, LOOK],
    ],
    ids=lambda blocks: "-".join(block["type"] for block in blocks),
)
async def test_anthropics_thinking_blocks_come_back_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant")
    second = [{**block, "id": "toolu_3"} if block is LOOK else block for block in blocks if block is not LOOK_AGAIN]
    first_body, *later = await bodies_of_a_step(
        tmp_path, "anthropic/claude-sonnet-4-5", anthropic(*blocks), anthropic(*second), anthropic(THOUGHT, DONE)
    )
    assert replies_in(first_body) == []
    assert [replies_in(body) for body in later] == [[blocks], [blocks, second]]


async def test_a_reply_of_anthropics_that_breaks_off_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant")
    with pytest.raises(ModelError, match="broke off before its end"):
        await bodies_of_a_step(tmp_path, "anthropic/claude-sonnet-4-5", anthropic(THOUGHT, SAID, DONE)[:-2])


async def test_googles_thought_signatures_come_back_with_the_calls_that_they_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "g-key")
    look = {"functionCall": {"name": "bash", "args": {"command": "ls"}}, "thoughtSignature": "c2lnbmVkOjE="}
    unsigned = {"functionCall": {"name": "bash", "args": {"command": "ls -l"}}}
    done = {"functionCall": {"name": "final_result", "args": GOOD}, "thoughtSignature": "c2lnbmVkOjI="}
    thought = {"text": "Where are the labels?", "thought": True}
    bodies = await bodies_of_a_step(
        tmp_path, "gemini/gemini-3-pro-preview", gemini(thought, look, unsigned), gemini(done)
    )
    assert len(bodies) == 2
    [said] = [content["parts"] for content in bodies[1]["contents"] if content["role"] == "model"]
    calls = [part for part in said if "function_call" in part or "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == ["c2lnbmVkOjE=", None]
