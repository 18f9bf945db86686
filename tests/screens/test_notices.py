"""Notices: what was asked for, what came of it, and what stands in the way."""

import pytest

from agents.control import Pause, Resume, Say, SkipIteration, SkipStep, Stop
from agents.events import CommandReceived
from agents.state import LimitState, RunState
from agents.vocabulary import Limit, RunStatus
from screens.notices import asked, banner, receipt

COMMANDS = [
    Pause(),
    Resume(),
    SkipStep.seen(RunState()),
    SkipIteration.seen(RunState()),
    Stop(),
    Say(text="mind the charge"),
]


def _received(command: str, outcome: str, **more: str) -> CommandReceived:
    return CommandReceived.model_validate({"command_id": "1", "command": command, "outcome": outcome, **more})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.command)
def test_every_command_is_answered_at_once_with_a_sentence_of_its_own(command) -> None:  # type: ignore[no-untyped-def]
    assert asked(command).endswith(".")
    assert [asked(other) for other in COMMANDS].count(asked(command)) == 1


def test_ones_own_command_is_not_told_twice_but_a_refusal_always_is() -> None:
    assert receipt(_received("pause", "applied"), mine=True) is None
    assert receipt(_received("pause", "refused", detail="the run is over"), mine=True) == (
        "Pause refused: the run is over"
    )
    assert receipt(_received("skip_step", "applied"), mine=True) == "Skip step applied."


def test_the_command_of_another_person_is_told_with_their_name() -> None:
    told = receipt(_received("pause", "applied", by="ana@lab [/", detail="before call 7"), mine=False)
    assert told == "Pause by ana@lab [/ applied: before call 7"


def test_a_command_that_is_not_known_here_is_told_by_its_own_name_on_one_line() -> None:
    assert receipt(_received("dance\n\x1b[2J", "accepted"), mine=False) == "dance accepted."


@pytest.mark.parametrize("status", [RunStatus.STARTING, RunStatus.RUNNING, RunStatus.FINISHED])
def test_nothing_is_said_of_a_run_that_goes_well(status: RunStatus) -> None:
    assert banner(RunState(status=status), True, "", "") is None


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RunStatus.HELD, "The run stands still: paused by ana. Press p to go on."),
        (RunStatus.PAUSING, "pauses before its next call"),
        (RunStatus.STOPPING, "is being stopped"),
        (RunStatus.FAILED, "The run failed: paused by ana"),
        (RunStatus.REFUSED, "The run was refused: paused by ana"),
        (RunStatus.STOPPED, "The run was stopped: paused by ana"),
    ],
)
def test_what_a_person_has_to_know_is_said_with_its_reason(status: RunStatus, words: str) -> None:
    told = banner(RunState(status=status, reason="paused by ana"), True, "", "")
    assert told is not None
    assert words in told[0]


@pytest.mark.parametrize(
    ("limit", "command"),
    [
        (None, "agentomics-tui resume r1"),
        (LimitState(Limit.TIME, 60, 60, "m"), "agentomics-tui resume r1 --seconds MORE"),
    ],
    ids=["stopped", "at a limit"],
)
def test_a_run_that_can_be_taken_up_says_how_in_a_line_of_its_own(limit: LimitState | None, command: str) -> None:
    state = RunState(run_id="r1", status=RunStatus.STOPPED, reason="enough", planned_iterations=3, limit=limit)
    told = banner(state, False, "", "")
    assert told is not None
    assert told[0].split("\n") == ["■ The run was stopped: enough", f"Go on with: {command}"]


def test_a_run_with_nothing_left_to_do_does_not_say_how_to_go_on() -> None:
    for status in (RunStatus.REFUSED, RunStatus.FAILED):  # before anything was planned
        told = banner(RunState(run_id="r1", status=status, reason="no label"), False, "", "")
        assert told is not None
        assert "Go on" not in told[0]


def test_a_dead_engine_comes_before_the_state_and_says_what_to_press() -> None:
    told = banner(RunState(status=RunStatus.HELD), False, "", "MemoryError: [/] no room")
    assert told is not None
    assert "Press p to resume it." in told[0]
    assert told[0].endswith("It said last: MemoryError: [/] no room")
    assert banner(RunState(status=RunStatus.FINISHED), False, "", "") is None


def test_a_run_that_cannot_be_read_comes_before_everything() -> None:
    told = banner(RunState(status=RunStatus.FAILED), False, "events.jsonl: Stale file handle", "")
    assert told is not None
    assert "cannot be read right now (events.jsonl: Stale file handle)" in told[0]


def test_long_reasons_are_cut_so_that_the_banner_keeps_its_three_lines() -> None:
    told = banner(RunState(status=RunStatus.FAILED, reason="why " * 500), True, "", "")
    assert told is not None
    assert len(told[0]) < 3 * 78
    assert "\n" not in told[0]
