"""Whether a model can be asked is told before a run begins, in one line, and without asking anybody."""

import os
import socket
from typing import Any

import pytest

from agents.models.library import load_litellm, problem_with
from agents.models.listing import COMMON_KEYS, needed, provider_variables


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_BASE", "_TOKEN")):
            monkeypatch.delenv(name)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai/gpt-4.1", "set OPENAI_API_KEY in the environment"),
        ("gemini/gemini-2.5-pro", "set GEMINI_API_KEY or GOOGLE_API_KEY"),
        ("openrouter/meta-llama/llama-4", "set OPENROUTER_API_KEY"),
        ("hosted_vllm/qwen", "give the server's address with --api-base, or set HOSTED_VLLM_API_BASE"),
        ("nobody/knows", "unknown provider; name it as provider/model"),
        ("github_copilot/gpt-4.1", "login in a browser"),
        ("chatgpt/gpt-6", "login in a browser"),
    ],
)
@pytest.mark.usefixtures("no_network")
def test_what_a_model_lacks_is_told_in_one_line(model: str, said: str) -> None:
    problem = problem_with(model)
    assert problem is not None
    assert problem.startswith(f"model '{model}': ")
    assert said in problem
    assert "\n" not in problem


@pytest.mark.parametrize("model", ["builtin/omics", "ollama/qwen3", "ollama_chat/qwen3"])
@pytest.mark.usefixtures("no_network")
def test_what_needs_no_key_has_no_problem(model: str) -> None:
    assert problem_with(model) is None


@pytest.mark.usefixtures("no_network")
def test_a_key_or_a_server_of_ones_own_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem_with("openai/local", "http://localhost:8000/v1") is None
    assert problem_with("hosted_vllm/qwen", "http://localhost:8000/v1") is None
    said = problem_with("qwen", "http://localhost:8000/v1")
    assert said is not None and "openai/qwen" in said
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert problem_with("anthropic/claude-sonnet-4-5") is None


def test_the_variables_of_each_provider_are_those_that_litellm_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    litellm = load_litellm()
    for model in (
        "openai/x",
        "anthropic/x",
        "azure/x",
        "bedrock/x",
        "cohere/x",
        "fireworks_ai/x",
        "gemini/x",
        "groq/x",
    ):
        provider = model.partition("/")[0]
        missing = litellm.validate_environment(model)["missing_keys"]
        assert set(missing) <= {name for names in provider_variables(provider) for name in names}, needed(provider)
    for model in ("mistral/x", "openrouter/x", "perplexity/x", "together_ai/x", "vertex_ai/x", "xai/x", "deepseek/x"):
        with monkeypatch.context() as patch:
            for name in provider_variables(model.partition("/")[0])[0]:
                patch.setenv(name, "x")
            assert litellm.validate_environment(model)["missing_keys"] == []
    assert all(any(name in str(provider_variables(provider)) for provider in PROVIDERS) for name in COMMON_KEYS)


PROVIDERS = ("openai", "anthropic", "gemini", "openrouter")
