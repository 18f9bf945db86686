"""``agentomics-tui`` and ``python -m agentomics_tui``."""

import gc
import sys
from typing import Final

_OBJECTS_BEFORE_COLLECTION: Final = 50_000


def main() -> None:
    """Run the command that the person typed and leave with its exit status."""
    # Starting makes some hundred thousand objects that stay; looking through them for garbage at every 700th, as is
    # the default, would be a tenth of the time until the first picture.
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    from agentomics_tui.cli import run_command

    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
