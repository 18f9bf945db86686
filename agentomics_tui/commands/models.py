"""Which models can be used: with the keys found here, and on the servers that a person named."""

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from agentomics_tui.addresses import problem_with_address
from agentomics_tui.arguments import BAD_INPUT
from agentomics_tui.commands.out import complain, say, say_json
from agentomics_tui.keys import keys_of_files
from agentomics_tui.servers import ask_servers
from agentomics_tui.user_settings import settle
from agents.clock import utc_now
from agents.errors import UserError
from agents.models.listing import (
    COMMON_KEYS,
    Listing,
    ModelRow,
    ServerAnswer,
    builtin_row,
    server_rows,
    table_rows,
    unlisted,
    usable,
)
from agents.models.price_table import price_table
from agents.vocabulary import BUILTIN_MODEL

_MOST: Final = 12
"""Models of one provider that are shown without ``--all``."""
_MOST_OF_A_SERVER: Final = 100
_FLAG: Final = "--server"
_MILLION: Final = 1_000_000
_TITLES: Final = ("Model", "Provider", "Window", "Tools", "In/M tok", "Out/M tok", "Found in")
_TO_THE_RIGHT: Final = (2, 4, 5)


def models(options: argparse.Namespace) -> int:
    """List the models. A server that gives no list is told; it is a failure where none that a flag names gives one."""
    found = {name: "environment" for name, value in os.environ.items() if value} | keys_of_files().files
    answers = ask_servers(_addresses(options.server))
    failed = [answer for answer in answers if answer.problem]
    named = [answer for answer in answers if answer.place == _FLAG]
    if named and all(answer.problem for answer in named):
        return _nothing_of(failed, as_json=options.json)
    known = table_rows(price_table(), found, utc_now().date())
    ready = Listing(known, {}) if options.all else usable(known, None if options.json else _MOST)
    served = [row for answer in answers for row in server_rows(answer)]
    if not (options.all or options.json):
        served, ready = _capped(served, ready)
    near = [builtin_row(), *served]
    if options.json:
        for row in (*near, *ready.rows):
            say_json(_as_json(row))
        _say_failures(failed)
        return 0
    for line in _table((*near, *ready.rows), ready.left_out):
        say(line)
    others = unlisted(known, found)
    for line in (
        *_remarks_on_servers(answers),
        *_remarks(others, bool(others) or any(not row.missing for row in known)),
    ):
        say(line)
    return 0


def _nothing_of(failed: Iterable[ServerAnswer], *, as_json: bool) -> int:
    """A line for each server, where what the person asked for is not to be had; the exit status."""
    if as_json:
        _say_failures(failed)
    for answer in failed:
        complain(_problem(answer))
    return BAD_INPUT


def _say_failures(failed: Iterable[ServerAnswer]) -> None:
    for answer in failed:
        say_json({"server": answer.address, "found": answer.place, "problem": answer.problem})


def _problem(answer: ServerAnswer) -> str:
    return f"server {answer.address} ({answer.place}): {answer.problem}"


def _capped(served: Sequence[ModelRow], ready: Listing) -> tuple[list[ModelRow], Listing]:
    """The first models of each server, and the listing with how many more there are."""
    kept: list[ModelRow] = []
    left_out = dict(ready.left_out)
    for provider, rows in groupby(served, key=lambda row: row.provider):
        group = list(rows)
        kept += group[:_MOST_OF_A_SERVER]
        if len(group) > _MOST_OF_A_SERVER:
            left_out[provider] = len(group) - _MOST_OF_A_SERVER
    return kept, Listing(ready.rows, left_out)


def _addresses(flags: Sequence[str] | None) -> dict[str, str]:
    """The servers to ask, and who named each."""
    for address in flags or ():
        if problem := problem_with_address(address):
            raise UserError(f"{_FLAG}: {problem}")
    addresses = {address.strip().rstrip("/"): _FLAG for address in flags or ()}
    settled = settle({})
    if (base := settled.values.get("api_base")) is not None:
        addresses.setdefault(base.strip().rstrip("/"), settled.places["api_base"])
    return addresses


def _table(rows: Iterable[ModelRow], left_out: Mapping[str, int]) -> Iterable[str]:
    """A header and a line for each row; after the last one of a provider, how many of it are not shown."""
    shown = list(rows)
    lines = [_TITLES, *(_cells(row) for row in shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TITLES))]
    yield _aligned(_TITLES, widths)
    for row, after in zip(shown, [*shown[1:], None], strict=True):
        yield _aligned(_cells(row), widths)
        if row.provider in left_out and (after is None or after.provider != row.provider):
            yield f"… {left_out[row.provider]} more of {row.provider}; --all"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        f"{cell:>{width}}" if column in _TO_THE_RIGHT else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _cells(row: ModelRow) -> tuple[str, ...]:
    facts = row.facts
    tools = {True: "yes", False: "no", None: "unknown"}[facts.takes_tools]
    window = f"{facts.window:,}" if facts.window else "–" if row.model == BUILTIN_MODEL else "unknown"
    found = f"set {row.missing}" if row.missing else row.found
    return row.model, row.provider, window, tools, _price(facts.input_price), _price(facts.output_price), found


def _price(price: float | None) -> str:
    return "unpriced" if price is None else f"{price * _MILLION:,.2f}" if price else "free"


def _remarks_on_servers(answers: Iterable[ServerAnswer]) -> Iterable[str]:
    for answer in answers:
        if answer.problem:
            yield _problem(answer)
        elif not answer.models:
            yield f"server {answer.address} ({answer.place}): has no models"
        else:
            yield f"use a model of {answer.address} with: --api-base {answer.address} --model MODEL"


def _remarks(others: Mapping[str, str], has_key: bool) -> Iterable[str]:
    for provider, place in others.items():
        yield f"{place}: litellm's table has no models of {provider}; name one as {provider}/MODEL"
    if not has_key:
        yield (
            f"no key of a provider was found; set {', '.join(COMMON_KEYS)} or that of another provider in the "
            "environment or in a file .env (names: --all), or name a server of your own with --server URL"
        )
    yield "Prices are US dollars for a million tokens. replay:RUN repeats the replies that a run recorded."


def _as_json(row: ModelRow) -> dict[str, Any]:
    facts = row.facts
    return {
        "model": row.model,
        "provider": row.provider,
        "window": facts.window,
        "max_output": facts.max_output,
        "tools": facts.takes_tools,
        "input_usd_per_million": None if facts.input_price is None else facts.input_price * _MILLION,
        "output_usd_per_million": None if facts.output_price is None else facts.output_price * _MILLION,
        "found": row.found,
        "missing": row.missing,
        "api_base": row.api_base,
    }
