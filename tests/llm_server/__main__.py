"""The server for a person who wants to point the program at it."""

import argparse
import contextlib
import signal
import sys
import time

from tests.llm_server.brain import ExpertBrain
from tests.llm_server.scenario import Scenario, all_scenarios
from tests.llm_server.serving import Served, serve


def main() -> int:
    known = {scenario.name: scenario for scenario in all_scenarios()}
    parser = argparse.ArgumentParser(prog="python -m tests.llm_server", description=__doc__)
    parser.add_argument("scenario", nargs="?", help="one of --list; a server without faults if none is named")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    arguments = parser.parse_args()
    if arguments.list:
        for name, scenario in known.items():
            print(f"{name:38} {scenario.title}")
        return 0
    if arguments.scenario is not None and arguments.scenario not in known:
        print(f"there is no scenario {arguments.scenario!r}; --list names them", file=sys.stderr)
        return 2
    scenario = known.get(arguments.scenario)
    with serve(ExpertBrain(), scenario, port=arguments.port) as served, contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        _tell(served, scenario)
    return 0


def _tell(served: Served, scenario: Scenario | None) -> None:
    if scenario is not None:
        print(f"{scenario.title}\nsettings: {scenario.run_settings}\nexpected: {scenario.expect!r}")
    model = served.app.models[0]
    print(f"OPENAI_API_KEY=any OPENAI_BASE_URL={served.address} agentomics-tui run DATASET --model openai/{model}")
    told = 0
    while True:
        requests = served.requests
        while told < len(requests) and requests[told].is_over:
            request = requests[told]
            how = f"struck by {request.fault}" if request.fault else "answered"
            print(f"request {request.number}: {how}{', the client hung up' if request.hung_up else ''}", flush=True)
            told += 1
        time.sleep(0.1)


if __name__ == "__main__":
    raise SystemExit(main())
