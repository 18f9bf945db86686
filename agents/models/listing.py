"""Which models can be used here: litellm's price table, names of variables and answers of servers become rows.

Everything here is a function of its arguments, and nothing is imported from litellm.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from agents.models.gateway import ModelFacts
from agents.vocabulary import BUILTIN_MODEL

Table = Mapping[str, Mapping[str, Any]]
"""litellm's table: model to what is known of it."""

_CHAT: Final = ("chat", "responses")
_AWS: Final = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_PROFILE",),
    ("AWS_ROLE_ARN",),
    ("AWS_WEB_IDENTITY_TOKEN_FILE",),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
)
_VARIABLES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "anthropic": (("ANTHROPIC_API_KEY",), ("ANTHROPIC_AUTH_TOKEN",)),
    "azure": (("AZURE_API_KEY", "AZURE_API_BASE", "AZURE_API_VERSION"),),
    "azure_ai": (("AZURE_AI_API_KEY", "AZURE_AI_API_BASE"),),
    "bedrock": _AWS,
    "sagemaker": _AWS,
    "cloudflare": (("CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"), ("CLOUDFLARE_API_KEY", "CLOUDFLARE_API_BASE")),
    "cohere_chat": (("COHERE_API_KEY",),),
    "databricks": (("DATABRICKS_API_KEY", "DATABRICKS_API_BASE"),),
    "datarobot": (("DATAROBOT_API_TOKEN",),),
    "fireworks_ai": (
        ("FIREWORKS_AI_API_KEY",),
        ("FIREWORKS_API_KEY",),
        ("FIREWORKSAI_API_KEY",),
        ("FIREWORKS_AI_TOKEN",),
    ),
    "gemini": (("GEMINI_API_KEY",), ("GOOGLE_API_KEY",)),
    "hosted_vllm": (("HOSTED_VLLM_API_BASE",),),
    "lm_studio": (("LM_STUDIO_API_BASE",),),
    "ollama": (("OLLAMA_API_BASE",),),
    "ollama_chat": (("OLLAMA_API_BASE",),),
    "perplexity": (("PERPLEXITYAI_API_KEY",), ("PERPLEXITY_API_KEY",)),
    "qwencloud": (("QWENCLOUD_API_KEY",), ("DASHSCOPE_API_KEY",)),
    "qwen_ai_platform": (("QWEN_AI_PLATFORM_API_KEY",), ("DASHSCOPE_API_KEY",)),
    "together_ai": (("TOGETHERAI_API_KEY",), ("TOGETHER_AI_API_KEY",)),
    "vertex_ai": (("VERTEXAI_PROJECT", "VERTEXAI_LOCATION"),),
}
COMMON_KEYS: Final = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")
"""What a person most likely has, to be named where nothing was found."""
_FAMILY: Final = {"bedrock_converse": "bedrock"}
_WITHOUT_TABLE: Final = ("hosted_vllm", "huggingface", "lm_studio", "nvidia_nim", "openrouter")
"""Providers of which litellm's table may know no model, though they have some."""
_UNUSABLE: Final = frozenset({"chatgpt", "github_copilot"})
"""A run cannot log in at a browser."""
_LONGEST_ID: Final = 200
"""Characters; what is longer is no name that a person could give to `--model`."""
_DATED: Final = re.compile(r"[-@]\d{4}-?\d{2}-?\d{2}$|-\d{4}$|-00\d$")


@dataclass(frozen=True)
class ModelRow:
    """A model that can be asked, or could be if ``missing`` were set."""

    model: str
    """As ``--model`` takes it."""
    provider: str
    facts: ModelFacts
    found: str
    """Where its key or its server was found: names of variables and files, never a value."""
    missing: str = ""
    """Variables to set; empty where nothing is missing."""
    api_base: str | None = None
    """Address of the server, where it is one that was asked."""


@dataclass(frozen=True)
class ServerAnswer:
    """What a server said when asked for its models. ``problem`` is one line where it said nothing of use."""

    address: str
    place: str
    """Who named it: a flag, a variable or a file."""
    models: Sequence[Mapping[str, Any]] = ()
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """The rows to show, and how many of each provider are not among them."""

    rows: Sequence[ModelRow]
    left_out: Mapping[str, int]


def builtin_row() -> ModelRow:
    """The policy without an LLM, which is always there."""
    facts = ModelFacts(takes_tools=True, input_price=0.0, output_price=0.0)
    return ModelRow(BUILTIN_MODEL, "builtin", facts, "always there; no LLM")


def table_rows(table: Table, found: Mapping[str, str], today: date) -> list[ModelRow]:
    """Every chat model of litellm's table, by provider and name; retired ones and doublets are left out.

    ``found`` maps names of variables to where they were found.
    """
    rows: dict[str, ModelRow] = {}
    for name, entry in table.items():
        provider = _family(str(entry.get("litellm_provider", "")))
        if (
            entry.get("mode") not in _CHAT
            or provider in _UNUSABLE
            or name.startswith("ft:")
            or _is_retired(entry, today)
        ):
            continue  # ft: the beginning of a name that each customer ends differently
        model = _full_name(name, provider)
        if model not in rows:
            where = where_found(provider, found)
            missing = "" if where else needed(provider)
            rows[model] = ModelRow(model, provider, facts_of(entry), where, missing)
    rows.pop(BUILTIN_MODEL, None)
    return sorted(rows.values(), key=lambda row: (row.provider, row.model))


def server_rows(answer: ServerAnswer) -> list[ModelRow]:
    """The models of a server that speaks the OpenAI protocol, by name."""
    ids = ((entry.get("id"), entry) for entry in answer.models)
    names = {name: entry for name, entry in ids if isinstance(name, str) and 0 < len(name) <= _LONGEST_ID}
    return [
        ModelRow(f"openai/{name}", answer.address, _served_facts(entry), answer.place, api_base=answer.address)
        for name, entry in sorted(names.items())
    ]


def usable(rows: Iterable[ModelRow], most: int | None = None) -> Listing:
    """Those that can be used as things stand and that take tools; of each provider at most ``most``.

    Dated versions of a model that is also there without a date go first.
    """
    left_out: dict[str, int] = {}
    by_provider: dict[str, list[ModelRow]] = {}
    for row in rows:
        if not row.missing and row.facts.takes_tools:
            by_provider.setdefault(row.provider, []).append(row)
    kept: list[ModelRow] = []
    for provider, group in by_provider.items():
        chosen = group if most is None else _undated(group)[:most]
        kept.extend(chosen)
        if len(chosen) < len(group):
            left_out[provider] = len(group) - len(chosen)
    return Listing(kept, left_out)


def unlisted(rows: Iterable[ModelRow], found: Mapping[str, str]) -> dict[str, str]:
    """Providers that can be used and of which no row tells, to where their key is."""
    listed = {row.provider for row in rows}
    places = {provider: where_found(provider, found) for provider in _WITHOUT_TABLE if provider not in listed}
    return {provider: place for provider, place in places.items() if place}


def facts_of(entry: Mapping[str, Any]) -> ModelFacts:
    """What a row of litellm's table says; a price of nothing for both ways means that nobody knows it."""
    prices = _number(entry.get("input_cost_per_token")), _number(entry.get("output_cost_per_token"))
    known = any(prices) and None not in prices
    tools = entry.get("supports_function_calling")
    return ModelFacts(
        window=_whole(entry.get("max_input_tokens")) or _whole(entry.get("max_tokens")),
        max_output=_whole(entry.get("max_output_tokens")),
        input_price=prices[0] if known else None,
        output_price=prices[1] if known else None,
        takes_tools=tools if isinstance(tools, bool) else None,
    )


def where_found(provider: str, found: Mapping[str, str]) -> str:
    """The variables with which ``provider`` can be used and where they are, or nothing."""
    for names in provider_variables(provider):
        if all(name in found for name in names):
            places = dict.fromkeys(found[name] for name in names)
            return f"{', '.join(names)} ({', '.join(places)})"
    return ""


def needed(provider: str) -> str:
    """What has to be set for ``provider``: ``GEMINI_API_KEY or GOOGLE_API_KEY``."""
    ways = [" and ".join(names) for names in provider_variables(provider)[:2]]
    return " or ".join(ways)


def provider_variables(provider: str) -> tuple[tuple[str, ...], ...]:
    """The ways to use ``provider``: of each, all the variables that have to be set."""
    return _VARIABLES.get(provider) or ((f"{re.sub(r'[^A-Za-z0-9]', '_', provider).upper()}_API_KEY",),)


def has_known_variables(provider: str) -> bool:
    """Whether :func:`needed` knows ``provider`` and does not only follow the general rule."""
    return provider in _VARIABLES


def _served_facts(entry: Mapping[str, Any]) -> ModelFacts:
    """Servers say more than the protocol asks for, each in its own words (vLLM, llama.cpp, LM Studio, OpenRouter)."""
    meta, pricing = entry.get("meta"), entry.get("pricing")
    meta = meta if isinstance(meta, Mapping) else {}
    pricing = pricing if isinstance(pricing, Mapping) else {}
    said = (entry.get("max_model_len"), entry.get("context_length"), entry.get("max_context_length"))
    windows = (_whole(value) for value in (*said, meta.get("n_ctx"), meta.get("n_ctx_train")))
    parameters = entry.get("supported_parameters")
    prices = _number(pricing.get("prompt")), _number(pricing.get("completion"))
    return ModelFacts(
        window=next((window for window in windows if window), None),
        input_price=None if None in prices else prices[0],
        output_price=None if None in prices else prices[1],
        takes_tools="tools" in parameters if isinstance(parameters, list) else None,
    )


def _undated(group: Sequence[ModelRow]) -> list[ModelRow]:
    names = {row.model for row in group}
    return [row for row in group if (plain := _DATED.sub("", row.model)) == row.model or plain not in names]


def _family(provider: str) -> str:
    """litellm's table parts some providers further than their names in ``--model`` do."""
    return "vertex_ai" if provider.startswith("vertex_ai-") else _FAMILY.get(provider, provider)


def _full_name(name: str, provider: str) -> str:
    first, slash, rest = name.partition("/")
    has_provider = bool(slash) and first.replace("-", "_") == provider.replace("-", "_")
    return f"{provider}/{rest if has_provider else name}"


def _is_retired(entry: Mapping[str, Any], today: date) -> bool:
    try:
        return date.fromisoformat(str(entry.get("deprecation_date"))) < today
    except ValueError:
        return False


def _number(value: object) -> float | None:
    """A price; the table has it as a number, servers as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number else None
