"""``make bench``: every benchmark in its turn, or those that are named: ``python -m bench startup journal``."""

import sys
from importlib import import_module

ALL = ("startup", "journal", "tool_call", "log_view", "screen", "loop")


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    for name in names or ALL:
        print(f"\n{name}")
        import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
