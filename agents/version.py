"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

DISTRIBUTION: Final = "agentomics-tui"


def software_version() -> str:
    """Version of the installed distribution; ``unknown`` where it is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
