"""The time of a replay: the journal's own, with long waits made short."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agentomics_tui.timeline import LONGEST_WAIT, Timeline
from agents import events as ev

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def timeline_of(*events: tuple[float, ev.EventBase]) -> Timeline:
    """Events, each with the second at which it came."""
    timeline = Timeline()
    for seconds, event in events:
        timeline.add(event.model_copy(update={"time": START + timedelta(seconds=seconds)}))
    return timeline


def test_what_comes_quickly_takes_its_time_and_a_long_wait_takes_five_seconds() -> None:
    timeline = timeline_of((0, ev.Held(reason="r")), (2, ev.Released()), (2 + 36_000, ev.Held(reason="r")))
    assert timeline.length == 2 + LONGEST_WAIT
    assert [timeline.events_until(at) for at in (0, 1.9, 2, 6.9, 7)] == [1, 1, 2, 2, 3]
    assert timeline.moment(1) == START + timedelta(seconds=1)
    assert timeline.moment(2 + LONGEST_WAIT / 2) == START + timedelta(seconds=2 + 18_000)
    assert timeline.moment(99) == START + timedelta(seconds=36_002)


@given(st.lists(st.floats(-10, 1e5), min_size=1, max_size=20), st.lists(st.floats(0, 200), min_size=2, max_size=2))
def test_the_clock_of_then_never_goes_back(waits: list[float], at: list[float]) -> None:
    seconds, events = 0.0, []
    for wait in waits:
        seconds += wait
        events.append((seconds, ev.Released()))
    timeline = timeline_of(*events)
    early, late = sorted(at)
    assert timeline.moment(early) <= timeline.moment(late)
    assert timeline.events_until(early) <= timeline.events_until(late) <= timeline.events
    assert timeline.events_until(timeline.length) == timeline.events


def test_iterations_are_found_from_everywhere() -> None:
    begun = ev.IterationStarted(iteration=0)
    timeline = timeline_of((0, ev.Released()), (1, begun), (4, begun), (8, begun), (9, ev.Released()))
    assert [timeline.next_iteration(at) for at in (0, 1, 3, 8)] == [1, 4, 4, 9]
    assert [timeline.previous_iteration(at, slack=1) for at in (0.5, 1.5, 4.5, 6, 8, 9.5)] == [0, 0, 1, 4, 4, 8]


def test_a_call_shows_as_much_as_its_share_of_time() -> None:
    timeline = timeline_of(
        (0, ev.ToolCallStarted(call=1, tool="bash", title="t", log="l", arguments="a")),
        (4, ev.ToolCallFinished(call=1, tool="bash", outcome="ok", seconds=4)),
        (4, ev.ToolCallStarted(call=2, tool="bash", title="t", log="l", arguments="a")),
    )
    assert [timeline.tools[1].share(at) for at in (0, 1, 4, 9)] == [0, 0.25, 1, 1]
    assert timeline.tools[2].share(4) == 1, "one that runs now shows all that there is"


def test_calls_that_an_engine_left_open_end_with_it() -> None:
    timeline = timeline_of(
        (0, ev.ModelCallStarted(call=1, model="m")),
        (1, ev.ToolCallStarted(call=1, tool="bash", title="t", log="l", arguments="a")),
        (3, ev.RunResumed()),
    )
    assert (timeline.models[1].end, timeline.tools[1].end) == (3, 3)


def test_an_empty_journal_has_no_length() -> None:
    assert (Timeline().length, Timeline().events_until(5)) == (0.0, 0)
