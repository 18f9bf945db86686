"""litellm's price table, read without importing litellm: that takes seconds, and listing models should not."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from agents.models.listing import Table

_FILE: Final = "model_prices_and_context_window_backup.json"


def price_table() -> Table:
    """What litellm knows of models when it does not ask the network: model to its window, prices and abilities."""
    found = find_spec("litellm")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder, _FILE)
        if path.is_file():
            return _entries(json.loads(path.read_bytes()))
    from agents.models.library import load_litellm  # another version may keep its table elsewhere

    return _entries(load_litellm().model_cost)


def _entries(table: object) -> Table:
    items = table.items() if isinstance(table, dict) else ()
    return {name: entry for name, entry in items if isinstance(entry, dict)}
