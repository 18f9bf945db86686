"""Engines killed at every kind of event, disks that fail at every kind of file: nothing is lost, nothing paid twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agents.journal import JournalReader
from agents.vocabulary import RunStatus
from tests.faults.plan import Broken, Kill, Moment, Place, Plan
from tests.faults.runs import KILLED, Launcher, Led, led, leftovers, outcome

POINTS = 34
"""Kills in one run, at least; there are two such runs."""


@dataclass(frozen=True)
class Undisturbed:
    """A run that met with no accident."""

    outcome: dict[str, Any]
    tokens: int
    places: list[Place]
    """Where its events came, in their order, each once."""
    operations: list[tuple[str, str]]
    """What it did to which kind of file, in its order."""


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture(scope="module")
def undisturbed(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    log = folder / "operations"
    with led(folder, launcher) as run:
        assert run.engine(Plan(log=str(log))) == 0
        assert run.state.status is RunStatus.FINISHED
        events = JournalReader(run.run.journal).read_all()
        places = dict.fromkeys(Place(event.type, event.iteration, event.step) for event in events)
        operations = [tuple(line.split(" ", 1)) for line in log.read_text().splitlines()]
        return Undisturbed(outcome(run), run.tokens, list(places), operations)  # type: ignore[arg-type]


def chosen(places: Sequence[Place], count: int, first: int) -> list[Place]:
    """``count`` of them in their order: the ``first``-th of each type where there is one, and others in between."""
    by_type: dict[str, list[Place]] = {}
    for place in places:
        by_type.setdefault(place.type, []).append(place)
    wanted = {alike[min(first, len(alike) - 1)] for alike in by_type.values()}
    others = [place for place in places if place not in wanted]
    missing = max(0, count - len(wanted))
    step = max(1, len(others) // max(1, missing))
    wanted |= set(others[first % step :: step][:missing])
    return [place for place in places if place in wanted]


def is_as_if_nothing_had_happened(run: Led, undisturbed: Undisturbed) -> None:
    now = outcome(run)
    for name, value in undisturbed.outcome["outputs"].items():
        assert now["outputs"].get(name) == value, name
    assert now == undisturbed.outcome
    assert run.paid_again == []
    assert run.state.usage.tokens >= run.tokens, "what the provider has counted counts in the budget"
    assert leftovers(run.run) == []


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "first"), [("before", 0), ("after", 1)])
def test_an_engine_that_is_killed_again_and_again(
    tmp_path: Path, launcher: Launcher, undisturbed: Undisturbed, moment: Moment, first: int
) -> None:
    places = chosen(undisturbed.places, POINTS, first)
    places.insert(2, Place("run_resumed"))
    assert {place.type for place in undisturbed.places} <= {place.type for place in places}
    killed = 0
    with led(tmp_path, launcher) as run:
        for place in places:
            killed += run.engine(Plan(kills=[Kill(place, moment)])) == KILLED
        over = run.state.status.is_over
        assert run.engine() == (2 if over else 0), "whoever comes last finds nothing to do, and clears up"
        is_as_if_nothing_had_happened(run, undisturbed)
        print(f"{killed} kills {moment} an event, {len(run.counting.answers)} replies paid, {run.tokens:,} tokens")
    assert killed >= POINTS - 4


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_fails_at_each_kind_of_file(
    tmp_path: Path, launcher: Launcher, undisturbed: Undisturbed, error: Any
) -> None:
    waiting = [
        Broken("".join(f"[{c}]" if c in ".+()[]" else c for c in name), operation, error)  # type: ignore[arg-type]
        for operation, name in undisturbed.operations
        if operation in ("open", "write", "rename", "mkdir")
    ]
    if error == "EIO":
        waiting = waiting[::3]  # the code does not tell the two apart
    failed, survived, runs = 0, 0, 0
    while waiting:
        runs += 1
        (tmp_path / str(runs)).mkdir()
        with led(tmp_path / str(runs), launcher) as run:
            while waiting:
                rule = waiting.pop(0)
                status = run.engine(Plan(broken=[rule]))
                if run.run.journal.exists() and run.state.status is RunStatus.FINISHED:
                    survived += 1
                    break
                assert status != KILLED, str(rule)
                failed += 1
                said = run.run.engine_log.read_text() + (run.state.reason if run.run.journal.exists() else "")
                assert "Traceback" not in said or "when that is mended, resume the run" in said, str(rule)
            else:
                assert run.engine() == 0
            is_as_if_nothing_had_happened(run, undisturbed)
    print(f"{error}: {failed} kinds of file end a run that is then resumed, {survived} do not, in {runs} runs")
    assert failed + survived >= 20
