"""When a run will be done, and what it will have cost."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agents import events as ev
from agents.fold import fold
from agents.forecast import Forecast, forecast
from agents.state import RunState
from agents.vocabulary import STEPS, IterationStatus, Limit, RunStatus, StepName

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Story:
    """Events with times, as a run would write them."""

    def __init__(self, planned: int = 5, **settings: object) -> None:
        self.now = NOW
        self.events: list[ev.EventBase] = []
        self.calls = 0
        self.emit(ev.RunStarted(dataset="d", model="openai/gpt-5", iterations=planned, settings=settings))

    def emit(self, event: ev.EventBase, seconds: float = 0.0) -> None:
        self.now += timedelta(seconds=seconds)
        self.events.append(event.model_copy(update={"seq": len(self.events), "time": self.now}))

    def steps(self, iteration: int, steps: Sequence[StepName], each: float, usd: float | None) -> None:
        for step in steps:
            at = {"iteration": iteration, "step": step}
            self.calls += 1
            self.emit(ev.StepStarted(**at))
            self.emit(ev.ModelCallStarted(call=self.calls, model="m", **at))
            spent = {"cost_usd": usd, "input_tokens": 1_000}
            self.emit(ev.ModelCallFinished(call=self.calls, model="m", seconds=each, **spent, **at), each)
            self.emit(ev.StepFinished(summary="", output="", seconds=each, **at))

    def iterate(self, iteration: int, each: float = 60, usd: float | None = 0.01, **end: object) -> "Story":
        """An iteration whose nine steps take ``each`` seconds and dollars."""
        self.emit(ev.IterationStarted(iteration=iteration))
        self.steps(iteration, STEPS, each, usd)
        status = {"status": IterationStatus.DONE, **end}
        self.emit(ev.IterationFinished(iteration=iteration, seconds=9 * each, **status))  # type: ignore[arg-type]
        return self

    @property
    def state(self) -> RunState:
        return fold(self.events)

    def forecast(self, later: float = 0.0) -> Forecast:
        coming = forecast(self.state, self.now + timedelta(seconds=later))
        assert coming is not None
        return coming


def test_there_is_none_before_an_iteration_is_done_and_after_the_end() -> None:
    story = Story()
    assert forecast(story.state, NOW) is None
    story.emit(ev.IterationStarted(iteration=0))
    story.steps(0, STEPS[:4], 60, 0.01)
    assert forecast(story.state, NOW) is None
    ended = Story().iterate(0)
    ended.emit(ev.RunFinished(status=RunStatus.STOPPED))
    assert forecast(ended.state, ended.now) is None
    assert forecast(Story(planned=1).iterate(0).state, NOW) is None, "nothing is left but the final evaluation"


def test_what_is_left_is_as_long_and_as_dear_as_what_was() -> None:
    coming = Story().iterate(0).iterate(1).forecast()
    assert coming.seconds.middle == pytest.approx(3 * 540)
    assert coming.cost_usd is not None
    assert coming.cost_usd.middle == pytest.approx(5 * 0.09)
    assert coming.seconds.low < coming.seconds.middle < coming.seconds.high
    assert coming.limit is None


def test_the_range_narrows_with_what_is_known_and_widens_with_how_it_varied() -> None:
    def width(*lengths: float) -> float:
        story = Story(planned=len(lengths) + 2)
        for iteration, each in enumerate(lengths):
            story.iterate(iteration, each)
        seconds = story.forecast().seconds
        return (seconds.high - seconds.low) / seconds.middle

    assert width(60, 60, 60, 60) < width(60)
    assert width(60, 60, 60, 60) < width(20, 100, 30, 90)


def test_the_steps_of_the_current_iteration_count_as_they_pass() -> None:
    story = Story(planned=2).iterate(0)
    story.emit(ev.IterationStarted(iteration=1))
    assert story.forecast().seconds.middle == pytest.approx(540)
    story.steps(1, STEPS[:5], 10, 0.05)
    coming = story.forecast()
    assert coming.seconds.middle == pytest.approx(4 * 60)
    assert coming.cost_usd is not None
    assert coming.cost_usd.middle == pytest.approx(0.09 + 0.25 + 4 * 0.01)
    story.emit(ev.StepStarted(iteration=1, step=STEPS[5]))
    assert story.forecast(20).seconds.middle == pytest.approx(220)
    assert story.forecast(2_000).seconds.middle == pytest.approx(180), "the running step is longer than the one before"


def test_held_time_is_no_work() -> None:
    story = Story(planned=2).iterate(0)
    story.emit(ev.IterationStarted(iteration=1))
    story.emit(ev.StepStarted(iteration=1, step=STEPS[0]))
    story.emit(ev.Held(reason="paused"))
    assert story.forecast(50_000).seconds == story.forecast().seconds


def test_an_iteration_that_a_person_skipped_is_no_measure() -> None:
    story = Story(planned=4).iterate(0)
    story.iterate(1, 1, status=IterationStatus.SKIPPED)
    assert story.forecast().seconds.middle == pytest.approx(2 * 540)


def test_a_failed_iteration_is_a_measure_only_where_there_is_no_other() -> None:
    story = Story(planned=4).iterate(0, 5, usd=0.001, status=IterationStatus.FAILED)
    coming = story.forecast()
    assert coming.by_failed
    assert coming.seconds.middle == pytest.approx(3 * 45)
    coming = story.iterate(1).forecast()
    assert not coming.by_failed
    assert coming.seconds.middle == pytest.approx(2 * 540)
    assert coming.cost_usd is not None
    assert coming.cost_usd.middle == pytest.approx(0.009 + 3 * 0.09)


def test_a_run_that_is_to_stop_ends_with_its_iteration() -> None:
    story = Story(planned=50).iterate(0)
    story.emit(ev.IterationStarted(iteration=1))
    story.emit(ev.CommandReceived(command_id="c", command="stop", outcome="accepted"))
    assert story.forecast().seconds.middle == pytest.approx(540)


def test_a_cost_that_nobody_knows_is_not_forecast() -> None:
    assert Story().iterate(0, usd=None).forecast().cost_usd is None


@pytest.mark.parametrize(
    ("settings", "limit", "is_certain"),
    [
        ({"budget_usd": 0.2}, Limit.USD, True),
        ({"budget_usd": 0.46}, Limit.USD, False),
        ({"budget_usd": 5.0}, None, False),
        ({"budget_tokens": 20_000}, Limit.TOKENS, True),
        ({"timeout": 1_500}, Limit.TIME, True),
        ({"timeout": 90_000}, None, False),
        ({"budget_usd": 0.2, "timeout": 700}, Limit.TIME, True),
    ],
)
def test_a_limit_that_ends_it_earlier_is_told(
    settings: dict[str, object], limit: Limit | None, is_certain: bool
) -> None:
    coming = Story(**settings).iterate(0).forecast()
    assert (coming.limit, coming.is_certain) == (limit, is_certain)
    assert coming.cost_usd is not None
    assert coming.cost_usd.high <= settings.get("budget_usd", 100)  # type: ignore[operator]
    assert coming.seconds.high <= settings.get("timeout", 100_000)  # type: ignore[operator]
    if is_certain:
        assert coming.seconds.middle < 4 * 540


def test_the_end_is_counted_from_now() -> None:
    first, last = Story().iterate(0).forecast().end(NOW)
    assert NOW < first < last
