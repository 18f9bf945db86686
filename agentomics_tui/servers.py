"""Asking OpenAI-compatible servers which models they have. Only the addresses that a person named are asked."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from agents.models.listing import ServerAnswer

LIMIT_SECONDS: Final = 3.0
_MOST_BYTES: Final = 20_000_000


class _NoModels(Exception):
    """The server answered with something else than a list of models; the message is one line."""


def ask_servers(places: Mapping[str, str], limit: float = LIMIT_SECONDS) -> list[ServerAnswer]:
    """What each server says, all asked at once. ``places`` maps addresses to who named them.

    A server that does not answer within ``limit`` seconds, or not with a list, is an answer with its problem.
    """
    return asyncio.run(_ask_all(places, limit)) if places else []


class _WantsKey(_NoModels):
    """The server is there and tells its models only to who has a key. None is sent: it may be anybody's server."""

    def __init__(self, base: str, status: int) -> None:
        use = f"set OPENAI_API_KEY and give --api-base {base} --model openai/MODEL"
        super().__init__(f"wants a key (HTTP {status}), and to list models none is sent; for a run {use}")


async def _ask_all(places: Mapping[str, str], limit: float) -> list[ServerAnswer]:
    # Neither a proxy nor a .netrc is asked about: the servers are near, and no password may go to them unseen.
    async with httpx.AsyncClient(trust_env=False, timeout=limit) as client:
        return await asyncio.gather(*(_ask(client, address, place, limit) for address, place in places.items()))


async def _ask(client: httpx.AsyncClient, address: str, place: str, limit: float) -> ServerAnswer:
    base = address.rstrip("/")
    bases = [base] if base.endswith("/v1") else [base, f"{base}/v1"]
    problem = ""
    try:
        async with asyncio.timeout(limit):  # httpx's own limit is per read, so a slow drip would never end
            for base in bases:
                try:
                    return ServerAnswer(base, place, await _models(client, base))
                except _WantsKey as error:
                    problem = str(error)
                    break
                except _NoModels as error:
                    problem = problem or str(error)
    except TimeoutError:
        problem = f"no answer within {limit:g} s"
    except httpx.TimeoutException:
        problem = f"no answer within {limit:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        problem = f"no answer ({' '.join(str(error).split()) or type(error).__name__})"
    return ServerAnswer(address, place, problem=problem)


async def _models(client: httpx.AsyncClient, base: str) -> Sequence[Mapping[str, Any]]:
    async with client.stream("GET", f"{base}/models", headers={"Accept": "application/json"}) as reply:
        if reply.status_code in (401, 403):
            raise _WantsKey(base, reply.status_code)
        if reply.status_code != 200:
            raise _NoModels(f"answered {base}/models with HTTP {reply.status_code}")
        body = bytearray()
        async for piece in reply.aiter_bytes():
            body += piece
            if len(body) > _MOST_BYTES:
                raise _NoModels("its list of models is too long")
    try:
        listed = json.loads(body)
    except (ValueError, RecursionError):
        raise _NoModels(f"answered {base}/models with something that is no JSON") from None
    entries = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(entries, list):
        raise _NoModels(f"answered {base}/models with no list of models")
    return [entry for entry in entries if isinstance(entry, dict)]
