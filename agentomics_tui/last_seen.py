"""What this person saw last of each run: one small file a run in the user's state folder, never in the run's own.

A run's folder may be shared by several people, and each of them was away for another time.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Final

from platformdirs import user_state_path
from pydantic import TypeAdapter, ValidationError

from agents.files import write_atomically
from agents.run_folder import RunFolder
from screens.away import Seen

_SEEN: Final = TypeAdapter(Seen)


def read_seen(run: RunFolder) -> Seen | None:
    """None where this person has never looked at the run, or where that cannot be read."""
    try:
        return _SEEN.validate_json(_file(run).read_bytes())
    except (OSError, ValidationError):
        return None


def write_seen(run: RunFolder, seen: Seen) -> None:
    """Keep the marker. Where that fails the person is told once more what is known already."""
    path = _file(run)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _SEEN.dump_json(seen), durable=False)


def _file(run: RunFolder) -> Path:
    place = hashlib.sha256(str(run.root.resolve()).encode(errors="surrogateescape")).hexdigest()[:24]
    return user_state_path("agentomics-tui") / "seen" / f"{place}.json"
