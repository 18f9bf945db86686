"""Keys for model providers from ``.env`` files. They go to the engine's environment and nowhere else."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentomics_tui.user_settings import user_folder
from agents.errors import UserError
from agents.secrets import is_secret_name

DOTENV: Final = ".env"
_ADDRESS: Final = ("_API_BASE", "_BASE_URL", "_API_VERSION")
_ALSO: Final = frozenset(
    {
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_REGION_NAME",
        "AWS_ROLE_ARN",
        "CLOUDFLARE_ACCOUNT_ID",
        "OPENAI_ORGANIZATION",
        "VERTEXAI_LOCATION",
        "VERTEXAI_PROJECT",
        "WATSONX_PROJECT_ID",
        "WATSONX_URL",
    }
)


@dataclass(frozen=True)
class KeysFound:
    """Variables of ``.env`` files that the environment does not have. ``files`` says which came from where."""

    values: dict[str, str]
    files: dict[str, str]

    def __repr__(self) -> str:
        return f"KeysFound({', '.join(self.values)})"  # a traceback must not show a value


def keys_of_files(here: Path | None = None) -> KeysFound:
    """What a provider needs, from ``.env`` in the current folder and in the user's: the first that has a name counts.

    Variables that are set already win; an empty one counts as not set. Other variables are not taken, so that a folder
    from elsewhere cannot change how programs run. Raises :class:`UserError` for a file that cannot be read.
    """
    found = KeysFound({}, {})
    for path in (Path(here or "", DOTENV), user_folder() / DOTENV):
        for name, value in _read(path) if path.is_file() else ():
            if value and is_for_provider(name) and not os.environ.get(name) and name not in found.values:
                found.values[name], found.files[name] = value, str(path)
    return found


def is_for_provider(name: str) -> bool:
    """Whether a variable may be a provider's key, address or region."""
    return is_secret_name(name) or name.endswith(_ADDRESS) or name in _ALSO


def _read(path: Path) -> Iterator[tuple[str, str | None]]:
    from dotenv import dotenv_values

    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # a line that is no assignment is passed over
    try:
        yield from dotenv_values(path, encoding="utf-8-sig").items()
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
