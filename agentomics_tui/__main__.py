"""``agentomics-tui`` and ``python -m agentomics_tui``."""

import sys

from agentomics_tui.cli import run_command


def main() -> None:
    """Run the command that the person typed and leave with its exit status."""
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
