"""litellm's table, the names of variables and what servers say become rows that a person can choose from."""

import json
import subprocess
import sys
from datetime import date

import pytest

from agents.models.gateway import ModelFacts
from agents.models.listing import (
    ModelRow,
    ServerAnswer,
    builtin_row,
    facts_of,
    needed,
    server_rows,
    table_rows,
    unlisted,
    usable,
    where_found,
)

TODAY = date(2026, 1, 1)
PRICED = {
    "mode": "chat",
    "supports_function_calling": True,
    "input_cost_per_token": 2e-6,
    "output_cost_per_token": 8e-6,
}
TABLE = {
    "gpt-4.1": {**PRICED, "litellm_provider": "openai", "max_input_tokens": 1_000_000},
    "gpt-4.1-2025-04-14": {**PRICED, "litellm_provider": "openai"},
    "gpt-old": {**PRICED, "litellm_provider": "openai", "deprecation_date": "2025-06-01"},
    "ft:gpt-4.1": {**PRICED, "litellm_provider": "openai"},
    "text-embedding-3": {"litellm_provider": "openai", "mode": "embedding"},
    "plain": {"litellm_provider": "openai", "mode": "chat", "supports_function_calling": False},
    "gemini-2.5-pro": {**PRICED, "litellm_provider": "vertex_ai-language-models"},
    "gemini/gemini-2.5-pro": {**PRICED, "litellm_provider": "gemini"},
    "anthropic.claude": {**PRICED, "litellm_provider": "bedrock_converse"},
    "amazon-nova/micro": {**PRICED, "litellm_provider": "amazon_nova"},
    "deepseek-chat": {**PRICED, "litellm_provider": "deepseek"},
    "deepseek/deepseek-chat": {**PRICED, "litellm_provider": "deepseek"},
    "github_copilot/gpt-4.1": {**PRICED, "litellm_provider": "github_copilot"},
    "broken": {"litellm_provider": 3, "mode": "chat", "max_input_tokens": "many", "input_cost_per_token": "dear"},
}


def rows(**found: str) -> dict[str, ModelRow]:
    return {row.model: row for row in table_rows(TABLE, found, TODAY)}


def test_models_are_named_as_the_flag_takes_them_each_once() -> None:
    assert [name for name in rows() if not name.startswith("3/")] == [
        "amazon_nova/micro",
        "bedrock/anthropic.claude",
        "deepseek/deepseek-chat",
        "gemini/gemini-2.5-pro",
        "openai/gpt-4.1",
        "openai/gpt-4.1-2025-04-14",
        "openai/plain",
        "vertex_ai/gemini-2.5-pro",
    ]


def test_a_row_says_where_its_key_is_or_what_is_missing() -> None:
    found = rows(OPENAI_API_KEY="environment", GOOGLE_API_KEY=".env", VERTEXAI_PROJECT="environment")
    assert found["openai/gpt-4.1"].found == "OPENAI_API_KEY (environment)"
    assert found["gemini/gemini-2.5-pro"].found == "GOOGLE_API_KEY (.env)"
    assert found["vertex_ai/gemini-2.5-pro"].missing == "VERTEXAI_PROJECT and VERTEXAI_LOCATION"
    assert found["deepseek/deepseek-chat"].missing == "DEEPSEEK_API_KEY"
    assert needed("gemini") == "GEMINI_API_KEY or GOOGLE_API_KEY"


def test_variables_of_one_way_may_come_from_two_places() -> None:
    found = {"VERTEXAI_PROJECT": "environment", "VERTEXAI_LOCATION": ".env"}
    assert where_found("vertex_ai", found) == "VERTEXAI_PROJECT, VERTEXAI_LOCATION (environment, .env)"


def test_only_models_with_a_key_and_with_tools_can_be_used() -> None:
    listing = usable(rows(OPENAI_API_KEY="environment").values())
    assert [row.model for row in listing.rows] == ["openai/gpt-4.1", "openai/gpt-4.1-2025-04-14"]
    assert listing.left_out == {}


def test_a_dated_doublet_goes_first_where_there_are_many_and_what_is_left_out_is_counted() -> None:
    many = {f"model-{number:02d}": TABLE["gpt-4.1"] for number in range(20)}
    found = {"OPENAI_API_KEY": "environment"}
    listing = usable(table_rows({**TABLE, **many}, found, TODAY), 3)
    assert [row.model for row in listing.rows] == ["openai/gpt-4.1", "openai/model-00", "openai/model-01"]
    assert listing.left_out == {"openai": 19}


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ({"max_input_tokens": 8000, **PRICED}, ModelFacts(8000, None, 2e-6, 8e-6, True)),
        ({"max_tokens": 4096}, ModelFacts(4096)),
        ({"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}, ModelFacts()),
        ({"input_cost_per_token": 1e-6}, ModelFacts()),
        ({"input_cost_per_token": float("nan"), "output_cost_per_token": 1e-6}, ModelFacts()),
        ({"supports_function_calling": "yes"}, ModelFacts()),
    ],
)
def test_what_nobody_knows_stays_unknown_and_is_never_nothing(entry: dict[str, object], facts: ModelFacts) -> None:
    assert facts_of(entry) == facts


def test_a_provider_that_the_table_does_not_know_is_named_where_its_key_is() -> None:
    found = {"OPENROUTER_API_KEY": ".env", "TAVILY_API_KEY": "environment", "OPENAI_API_KEY": "environment"}
    assert unlisted(rows(**found).values(), found) == {"openrouter": "OPENROUTER_API_KEY (.env)"}


def test_servers_say_more_in_words_of_their_own() -> None:
    answer = ServerAnswer(
        "http://localhost:8000/v1",
        "--server",
        [
            {"id": "vllm", "max_model_len": 32768},
            {"id": "llama.cpp", "meta": {"n_ctx_train": 8192}},
            {
                "id": "router/model",
                "context_length": 128000,
                "pricing": {"prompt": "0.000001", "completion": "0.000002"},
                "supported_parameters": ["tools", "temperature"],
            },
            {"id": "bare", "meta": None, "pricing": [], "max_model_len": True},
            {"id": 7},
            {"name": "no id"},
        ],
    )
    found = {row.model: row for row in server_rows(answer)}
    assert list(found) == ["openai/bare", "openai/llama.cpp", "openai/router/model", "openai/vllm"]
    assert found["openai/vllm"].facts == ModelFacts(window=32768)
    assert found["openai/llama.cpp"].facts.window == 8192
    assert found["openai/router/model"].facts == ModelFacts(128000, None, 1e-6, 2e-6, True)
    assert found["openai/bare"].facts == ModelFacts()
    assert found["openai/bare"].api_base == "http://localhost:8000/v1"


def test_the_policy_is_always_there_and_costs_nothing() -> None:
    assert builtin_row().facts.price(1000, 1000) == 0.0
    assert builtin_row().missing == ""


def test_the_table_is_litellms_own_and_read_without_it() -> None:
    code = (
        "import sys, json; from agents.models.price_table import price_table; table = price_table();"
        "early = 'litellm' in sys.modules;"
        "from agents.models.library import load_litellm; real = load_litellm().model_cost;"
        "print(json.dumps([early, sorted(set(real) - set(table)), table['gpt-4.1'] == real['gpt-4.1']]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    early, only_in_litellm, same = json.loads(done.stdout.splitlines()[-1])
    assert not early
    assert same
    assert only_in_litellm in ([], ["builtin/omics"], ["builtin/omics", "omics"])
