"""litellm, set up for a run. Importing it takes seconds, so nothing of it is imported before it is asked for."""

import os
from typing import Any, Final

from agents.models.listing import has_known_variables, needed, where_found
from agents.vocabulary import BUILTIN_MODEL

_WANTS_A_BROWSER: Final = ("chatgpt", "github_copilot")
"""Providers at which litellm logs in by itself, over the network and with a person at a browser."""
_HAS_A_DEFAULT: Final = ("ollama", "ollama_chat")
"""Providers whose server is on this machine where no variable says otherwise."""
_NEEDS_AN_ADDRESS: Final = ("hosted_vllm", "lm_studio")
"""Providers that litellm would look for at OpenAI's address."""


def load_litellm() -> Any:
    """litellm, set up so that neither its import nor its price table goes to the network."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it reads whatever .env lies above its own folder
    # litellm's own HTTP client in place of OpenAI's SDK, which walks through every message of every request: that took
    # 40 ms and more at the 95th turn of a step.
    os.environ.setdefault("EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER", "true")
    # A model that writes a hundred zeros is not yet caught in a loop; how long a reply may be has limits of its own.
    os.environ.setdefault("REPEATED_STREAMING_CHUNK_LIMIT", "100000")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    from agents.policy.provider import register

    register()
    return litellm


def problem_with(model: str, api_base: str | None = None) -> str | None:
    """One line that says why ``model`` cannot be used here, or None. Nothing is sent anywhere.

    A server at ``api_base`` may need no key. Loads litellm, so that the first model call need not wait for it.
    """
    litellm = load_litellm()
    if model == BUILTIN_MODEL:
        return None
    provider = model.partition("/")[0]
    if provider in _WANTS_A_BROWSER:
        return f"model {model!r}: the provider {provider} asks for a login in a browser, which a run cannot give"
    try:
        provider = litellm.get_llm_provider(model, api_base=api_base)[1]
    except Exception:  # noqa: BLE001 - litellm raises several kinds for an unknown provider
        return (
            f"model {model!r}: unknown provider; name it as provider/model, for example "
            f"{'openai/' + model if api_base else 'openai/gpt-4.1'} or {BUILTIN_MODEL}"
        )
    if api_base is not None:
        return None
    missing = litellm.validate_environment(model).get("missing_keys") or []
    if provider in _NEEDS_AN_ADDRESS and not where_found(provider, dict.fromkeys(_set_variables(), "")):
        return f"model {model!r}: give the server's address with --api-base, or set {needed(provider)}"
    if missing and provider not in _HAS_A_DEFAULT:
        wanted = needed(provider) if has_known_variables(provider) else " and ".join(missing)
        return f"model {model!r}: set {wanted} in the environment or in a file .env"
    return None


def _set_variables() -> list[str]:
    return [name for name, value in os.environ.items() if value]
