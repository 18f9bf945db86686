"""How the whole suite runs: the same examples each time, no clock that fails a test, dear fixtures made once."""

import os
import signal
import time

import pytest
from hypothesis import HealthCheck, settings

RUNS_OF_THEIR_MODULE = ("test_attach", "test_end_to_end", "test_environment", "test_fork")
"""Modules whose tests share whole runs or environments: each stays on one worker, so that those are made once."""

# A screen tells a time of day in the machine's time zone, and a picture of it must be the same everywhere.
os.environ["TZ"] = "UTC"
time.tzset()

# A shell that starts the suite in the background has SIGINT ignored, and nohup has SIGHUP; so would every process that
# a test starts, which then outlives the signal that should end it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No test pulls the plug, and waiting for the disk is a fifth of a run in this process. Engines of their own do wait.
os.fsync = lambda descriptor: None

# Another profile can be chosen with --hypothesis-profile; "default" draws new examples each time.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("repeatable")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in RUNS_OF_THEIR_MODULE:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(autouse=True)
def _state_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what a person has seen of their runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
