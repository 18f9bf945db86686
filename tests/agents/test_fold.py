"""The fold: the same events give the same state, however they were read."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import events as ev
from agents.fold import fold
from agents.state import LimitState, Retry, RunState, Usage
from agents.vocabulary import (
    IterationMode,
    IterationStatus,
    Limit,
    RunStatus,
    StepName,
    StepStatus,
    TaskType,
    ToolOutcome,
)

START = datetime(2026, 1, 2, 12, tzinfo=UTC)
numbers = st.none() | st.floats(allow_nan=False)
steps = st.sampled_from(StepName)
places = {"iteration": st.none() | st.integers(0, 3), "step": st.none() | steps}

any_event = st.one_of(
    st.builds(ev.RunStarted, dataset=st.just("d"), model=st.just("m"), iterations=st.integers(1, 5)),
    st.builds(ev.RunResumed),
    st.builds(ev.RunForked, parent=st.just("p"), parent_path=st.just("/p"), parent_seq=st.integers(0, 9), **places),
    st.builds(ev.RunFinished, status=st.sampled_from([RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.FAILED])),
    st.builds(ev.IterationStarted, **places),
    st.builds(ev.IterationFinished, status=st.sampled_from(IterationStatus), **places),
    st.builds(ev.StepStarted, **places),
    st.builds(ev.StepFinished, summary=st.text(max_size=5), output=st.just("o"), **places),
    st.builds(ev.StepSkipped, reason=st.just("r"), **places),
    st.builds(ev.StepFailed, reason=st.just("r"), **places),
    st.builds(ev.OutputRejected, attempt=st.integers(1, 3), reason=st.just("r"), **places),
    st.builds(
        ev.ModelCallStarted, call=st.integers(-1, 5), model=st.just("m"), stream=st.none() | st.just("s"), **places
    ),
    st.builds(
        ev.ModelCallRetried,
        call=st.integers(-1, 5),
        model=st.just("m"),
        reason=st.just("r"),
        retry=st.integers(1, 3),
        of=st.just(3),
        wait=st.floats(0, 60),
        **places,
    ),
    st.builds(ev.ModelChanged, call=st.integers(-1, 5), model=st.just("m"), fallback=st.just("f"), reason=st.just("r")),
    st.builds(
        ev.ParameterDropped, call=st.integers(-1, 5), model=st.just("m"), parameter=st.just("p"), reason=st.just("r")
    ),
    st.builds(
        ev.ContextCompacted,
        call=st.integers(-1, 5),
        left_out=st.lists(st.integers(1, 5)),
        tokens_before=st.just(9),
        tokens_after=st.just(5),
        window=st.just(10),
    ),
    st.builds(ev.ReplayDiverged, call=st.integers(-1, 5), recorded_call=st.integers(1, 5), diff=st.just("d")),
    st.builds(
        ev.ModelCallFinished,
        call=st.integers(-1, 5),
        model=st.just("m"),
        seconds=st.floats(0, 9),
        input_tokens=st.integers(0, 99),
        output_tokens=st.integers(0, 99),
        cached_tokens=st.integers(0, 99),
        cost_usd=st.none() | st.floats(0, 9),
        error=st.none() | st.just("e"),
        **places,
    ),
    st.builds(
        ev.ToolCallStarted,
        call=st.integers(-1, 5),
        tool=st.just("bash"),
        title=st.just("t"),
        log=st.just("l"),
        arguments=st.just("a"),
        **places,
    ),
    st.builds(
        ev.ToolCallFinished,
        call=st.integers(-1, 5),
        tool=st.just("bash"),
        outcome=st.sampled_from(ToolOutcome),
        seconds=st.floats(0, 9),
    ),
    st.builds(ev.TrainingProgress, call=st.integers(-1, 5), epoch=st.floats(0, 9), values=st.just({"train_loss": 0.5})),
    st.builds(
        ev.MetricsComputed,
        split=st.just("validation"),
        metric=st.just("AUROC"),
        values=st.just({"AUROC": 0.7}),
        rows=st.just(9),
        is_test=st.booleans(),
        **places,
    ),
    st.builds(ev.BestChanged, metric=st.just("AUROC"), value=st.floats(0, 1), split_version=st.just(1), **places),
    st.builds(ev.Held, reason=st.just("r")),
    st.builds(ev.Released),
    st.builds(
        ev.LimitReached,
        limit=st.sampled_from(Limit),
        used=st.floats(0, 9),
        allowed=st.floats(0, 9),
        message=st.just("m"),
    ),
    st.builds(ev.LimitRaised, limit=st.sampled_from(Limit), allowed=st.floats(0, 9)),
    st.builds(
        ev.CommandReceived,
        command_id=st.just("c"),
        command=st.sampled_from(["pause", "resume", "stop", "skip_step"]),
        outcome=st.sampled_from(["accepted", "refused"]),
    ),
    st.builds(ev.NoteReceived, note_id=st.sampled_from("ab"), text=st.just("t")),
    st.builds(ev.NoteDelivered, note_id=st.sampled_from("abc")),
)


def stamped(*facts: ev.EventBase) -> list[ev.Event]:
    return [
        fact.model_copy(update={"seq": seq, "time": START + timedelta(seconds=seq), "run_id": "run-1"})
        for seq, fact in enumerate(facts)
    ]


def started() -> list[ev.EventBase]:
    return [
        ev.RunStarted(dataset="peptides", model="builtin/omics", iterations=3),
        ev.DatasetChecked(task_type=TaskType.BINARY, metric="AUPRC", higher_is_better=True, rows={"train": 10}),
    ]


@given(st.lists(any_event, max_size=40), st.integers(0, 40))
def test_any_events_in_any_order_fold_and_folding_in_two_parts_is_the_same(facts, cut) -> None:
    events = stamped(*facts)
    assert fold(events) == fold(events[cut:], fold(events[:cut]))


@given(st.lists(any_event, max_size=20))
def test_events_that_were_folded_already_change_nothing(facts) -> None:
    events = stamped(*facts)
    assert fold([*events, *events]) == fold(events)


def test_a_step_goes_from_pending_to_done_with_its_summary() -> None:
    here = {"iteration": 0, "step": StepName.DATA_SPLIT}
    running = fold(stamped(*started(), ev.IterationStarted(iteration=0), ev.StepStarted(**here)))
    assert running.step is not None
    assert running.step.name is StepName.DATA_SPLIT
    done = fold(
        stamped(
            *started(),
            ev.IterationStarted(iteration=0),
            ev.StepStarted(**here),
            ev.OutputRejected(attempt=1, reason="groups straddle", **here),
            ev.StepFinished(summary="80/20 by group", output="o.json", seconds=2.5, **here),
        )
    )
    step = done.iterations[0].steps[StepName.DATA_SPLIT]
    assert (step.status, step.summary, step.seconds, step.rejections) == (StepStatus.DONE, "80/20 by group", 2.5, 1)
    assert done.step is None


def test_test_scores_are_kept_apart_from_an_iterations_scores() -> None:
    state = fold(
        stamped(
            *started(),
            ev.IterationStarted(iteration=0),
            ev.MetricsComputed(
                iteration=0, split="validation", metric="AUPRC", values={"AUPRC": 0.8}, rows=5, split_version=1
            ),
            ev.MetricsComputed(split="test", is_test=True, metric="AUPRC", values={"AUPRC": 0.7}, rows=5),
        )
    )
    assert state.iterations[0].score("validation", "AUPRC") == 0.8
    assert state.iterations[0].score("test", "AUPRC") is None
    assert state.test_scores == {"test": {"AUPRC": 0.7}}


def test_why_a_test_score_is_undefined_goes_with_the_snapshot_that_it_is_of() -> None:
    undefined = ev.MetricsComputed(
        split="test", is_test=True, metric="AUPRC", values={"AUPRC": None}, undefined="only one class (a)", rows=5
    )
    assert fold(stamped(*started(), undefined)).test_undefined == {"test": "only one class (a)"}
    better = ev.BestChanged(iteration=1, metric="AUPRC", value=0.9, split_version=1)
    assert fold(stamped(*started(), undefined, better)).test_undefined == {}


def test_a_call_without_a_price_is_counted_as_unpriced_and_never_as_free() -> None:
    calls = [
        ev.ModelCallStarted(call=1, model="m"),
        ev.ModelCallFinished(call=1, model="m", seconds=1, input_tokens=10, output_tokens=5, cost_usd=0.25),
        ev.ModelCallStarted(call=2, model="m"),
        ev.ModelCallFinished(call=2, model="m", seconds=1, input_tokens=1, output_tokens=1, cost_usd=None),
        ev.ModelCallStarted(call=3, model="m"),
        ev.ModelCallFinished(call=3, model="m", seconds=1, error="no reply"),
    ]
    usage = fold(stamped(*started(), *calls)).usage
    assert (usage.calls, usage.cost_usd, usage.unpriced, usage.failed) == (3, 0.25, 1, 1)
    assert (usage.input_tokens, usage.output_tokens) == (11, 6)


def spent(usage: Usage) -> tuple[int, int, int, int, int, int]:
    """What can be added up without rounding."""
    tokens = usage.input_tokens, usage.output_tokens, usage.cached_tokens
    return usage.calls, *tokens, usage.unpriced, usage.failed


def total(usages: Iterable[Usage]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*map(spent, usages), strict=True))) or (0,) * 6


@given(st.lists(any_event, max_size=40))
def test_what_steps_iterations_and_the_run_spent_adds_up(facts) -> None:
    state = fold(stamped(*facts))
    ends = [fact for fact in facts if isinstance(fact, ev.ModelCallFinished)]
    assert spent(state.usage)[:3] == (
        len(ends),
        sum(end.input_tokens for end in ends),
        sum(end.output_tokens for end in ends),
    )
    of_iterations = total(iteration.usage for iteration in state.iterations)
    assert all(part <= whole for part, whole in zip(of_iterations, spent(state.usage), strict=True))
    for iteration in state.iterations:
        of_steps = total(step.usage for step in iteration.steps.values())
        assert all(part <= whole for part, whole in zip(of_steps, spent(iteration.usage), strict=True))
    if all(end.iteration is not None for end in ends):
        assert of_iterations == spent(state.usage)


def test_tokens_and_cost_are_counted_at_the_step_the_iteration_and_the_run() -> None:
    here = {"iteration": 0, "step": StepName.DATA_SPLIT}
    end = ev.ModelCallFinished(
        call=1, model="m", seconds=1, input_tokens=10, output_tokens=5, cached_tokens=8, cost_usd=0.25, **here
    )
    state = fold(
        stamped(*started(), ev.IterationStarted(iteration=0), ev.ModelCallStarted(call=1, model="m", **here), end)
    )
    iteration = state.iterations[0]
    expected = Usage(calls=1, input_tokens=10, output_tokens=5, cached_tokens=8, cost_usd=0.25)
    assert state.usage == iteration.usage == iteration.steps[StepName.DATA_SPLIT].usage == expected
    assert state.usage.tokens == 15


def test_a_running_model_call_has_its_stream_and_its_newest_retry_until_it_ends() -> None:
    begin = ev.ModelCallStarted(call=1, model="m", stream="model_calls/000001.stream")
    retries = [
        ev.ModelCallRetried(call=1, model="m", reason="503", retry=1, of=5, wait=2),
        ev.ModelCallRetried(call=1, model="m", reason="429", retry=2, of=5, wait=30),
    ]
    waiting = fold(stamped(*started(), begin, *retries)).running_model_call
    assert waiting is not None
    assert waiting.stream == "model_calls/000001.stream"
    assert waiting.retry == Retry("429", 2, 5, START + timedelta(seconds=4 + 30))
    change = ev.ModelChanged(call=1, model="m", fallback="f", reason="429")
    changed = fold(stamped(*started(), begin, *retries, change)).running_model_call
    assert changed is not None
    assert (changed.model, changed.retry) == ("f", None)
    for end in (
        ev.ModelCallFinished(call=1, model="m", seconds=40),
        ev.RunResumed(),
        ev.RunFinished(status=RunStatus.FAILED),
    ):
        over = fold(stamped(*started(), begin, *retries, end))
        assert over.running_model_call is None
        assert over.model_calls[0].retry is None


def test_a_limit_holds_until_it_is_raised_or_another_engine_takes_the_run_up() -> None:
    reached = ev.LimitReached(limit=Limit.USD, used=4.97, allowed=5, message="too dear")
    at_limit = [*started(), reached, ev.Held(reason="too dear")]
    state = fold(stamped(*at_limit))
    assert state.status is RunStatus.HELD
    assert state.limit == LimitState(Limit.USD, 4.97, 5, "too dear")
    raised = fold(stamped(*at_limit, ev.LimitRaised(limit=Limit.USD, allowed=10), ev.Released()))
    assert (raised.limit, raised.raised, raised.status) == (None, {Limit.USD: 10}, RunStatus.RUNNING)
    resumed = fold(stamped(*at_limit, ev.LimitRaised(limit=Limit.TIME, allowed=60), reached, ev.RunResumed()))
    assert resumed.limit is None
    assert resumed.raised == {Limit.TIME: 60}, "what was raised stays raised"
    ended = fold(stamped(*at_limit, ev.RunFinished(status=RunStatus.STOPPED)))
    assert ended.limit is not None, "the reason of the end"


def test_pausing_becomes_held_and_time_on_hold_is_counted() -> None:
    pause = ev.CommandReceived(command_id="1", command="pause", outcome="accepted")
    resume = ev.CommandReceived(command_id="2", command="resume", outcome="accepted")
    assert fold(stamped(*started(), pause)).status is RunStatus.PAUSING
    held = stamped(*started(), pause, ev.Held(reason="paused"))
    assert fold(held).status is RunStatus.HELD
    assert fold(stamped(*started(), pause, resume)).status is RunStatus.RUNNING
    released = fold(stamped(*started(), pause, ev.Held(reason="paused"), resume, ev.Released()))
    assert released.status is RunStatus.RUNNING
    assert released.active(START + timedelta(seconds=9)) == timedelta(seconds=7)


def test_a_stop_that_was_asked_for_survives_the_release_from_a_pause() -> None:
    pause = ev.CommandReceived(command_id="1", command="pause", outcome="accepted")
    stop = ev.CommandReceived(command_id="2", command="stop", outcome="accepted")
    state = fold(stamped(*started(), pause, ev.Held(reason="paused"), stop, ev.Released()))
    assert state.status is RunStatus.STOPPING


def test_a_refused_command_changes_nothing_but_leaves_its_receipt() -> None:
    refused = ev.CommandReceived(command_id="1", command="pause", outcome="refused", detail="paused already")
    state = fold(stamped(*started(), refused))
    assert state.status is RunStatus.RUNNING
    assert [receipt.detail for receipt in state.receipts] == ["paused already"]


def test_calls_that_a_dead_engine_left_open_are_closed_when_the_run_is_resumed() -> None:
    facts = [
        *started(),
        ev.ToolCallStarted(call=1, tool="bash", title="sleep", log="l", arguments="a"),
        ev.ModelCallStarted(call=1, model="m"),
    ]
    assert fold(stamped(*facts)).running_tool_call is not None
    state = fold(stamped(*facts, ev.RunResumed()))
    assert state.running_tool_call is None
    assert state.tool_calls[0].outcome is ToolOutcome.CANCELLED
    assert state.model_calls[0].error is not None


def test_elapsed_time_stops_when_the_run_is_over() -> None:
    events = stamped(*started(), ev.RunFinished(status=RunStatus.FINISHED))
    assert fold(events[:-1]).elapsed(START + timedelta(hours=1)) == timedelta(hours=1)
    assert fold(events).elapsed(START + timedelta(hours=1)) == timedelta(seconds=2)
    assert RunState().elapsed(START) == timedelta()


def test_the_plan_is_shown_with_its_reason() -> None:
    plan = ev.IterationPlanned(
        iteration=1, mode=IterationMode.EXPLORE, combination="k-mers", change="k", reason="why", expectation="more"
    )
    iteration = fold(stamped(*started(), ev.IterationStarted(iteration=1), plan)).iterations[1]
    assert (iteration.mode, iteration.plan_reason) == (IterationMode.EXPLORE, "why")


def test_an_internal_error_leaves_nothing_running_and_touches_nothing_that_ended() -> None:
    split, training = StepName.DATA_SPLIT, StepName.MODEL_TRAINING
    state = fold(
        stamped(
            *started(),
            ev.IterationStarted(iteration=0),
            ev.IterationFinished(iteration=0, status=IterationStatus.DONE, seconds=1.0),
            ev.IterationStarted(iteration=1),
            ev.StepStarted(iteration=1, step=split),
            ev.StepFinished(iteration=1, step=split, summary="80/20", output="o.json", seconds=1.0),
            ev.StepStarted(iteration=1, step=training),
            ev.RunFinished(status=RunStatus.FAILED, reason="internal error: KeyError"),
        )
    )
    done, broken = state.iterations
    assert (done.status, done.reason, done.seconds) == (IterationStatus.DONE, "", 1.0)
    assert (broken.status, broken.reason, broken.seconds) == (IterationStatus.FAILED, "internal error: KeyError", 4.0)
    assert broken.steps[split].status is StepStatus.DONE
    step = broken.steps[training]
    assert (step.status, step.reason, step.seconds) == (StepStatus.FAILED, "internal error: KeyError", 1.0)
    assert state.step is None


def test_an_interrupted_iteration_goes_on_and_the_step_that_was_open_waits_to_begin_again() -> None:
    here = {"iteration": 0, "step": StepName.DATA_SPLIT}
    facts = [*started(), ev.IterationStarted(iteration=0), ev.StepStarted(**here), ev.RunResumed()]
    resumed = fold(stamped(*facts))
    assert resumed.iterations[0].status is IterationStatus.RUNNING
    assert resumed.step is None
    assert fold(stamped(*facts, ev.StepStarted(**here))).step is not None


def test_the_clock_of_a_step_stands_still_while_the_run_is_held_or_has_no_engine() -> None:
    here = {"iteration": 0, "step": StepName.MODEL_TRAINING}
    begun = [*started(), ev.IterationStarted(iteration=0), ev.StepStarted(**here)]
    later = START + timedelta(seconds=100)

    def clock(*facts: ev.EventBase) -> float:
        state = fold(stamped(*begun, *facts))
        iteration = state.iterations[0]
        assert state.active_since(iteration.started, later) <= state.active(later).total_seconds()
        return state.active_since(START + timedelta(seconds=3), later)

    assert clock() == 97
    assert clock(ev.Held(reason="paused")) == 1
    assert clock(ev.Held(reason="paused"), ev.Released()) == 96
    assert clock(ev.Held(reason="paused"), ev.RunResumed()) == 96
    assert clock(ev.RunResumed()) == 96
    assert clock(ev.RunFinished(status=RunStatus.FAILED)) == 1


def test_a_step_that_ends_early_counts_no_time_on_hold() -> None:
    here = {"iteration": 0, "step": StepName.MODEL_TRAINING}
    hold = [ev.Held(reason="paused"), ev.Released()]
    for end in (ev.StepFailed(reason="r", **here), ev.StepSkipped(reason="r", **here)):
        events = stamped(*started(), ev.IterationStarted(iteration=0), ev.StepStarted(**here), *hold, end)
        assert fold(events).iterations[0].steps[StepName.MODEL_TRAINING].seconds == 2


@given(st.lists(any_event, max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_no_clock_runs_backwards_or_faster_than_time(facts, since, now) -> None:
    state = fold(stamped(*facts))
    start, end = START + timedelta(seconds=since), START + timedelta(seconds=now)
    assert 0 <= state.active_since(start, end) <= max(0, now - since)


@pytest.mark.parametrize(
    ("ending", "shown"), [(RunStatus.STOPPED, StepStatus.SKIPPED), (RunStatus.FAILED, StepStatus.FAILED)]
)
def test_a_step_that_the_end_of_the_run_cut_off_begins_again_and_one_that_a_person_skipped_does_not(
    ending: RunStatus, shown: StepStatus
) -> None:
    training, inference = StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE
    told = [
        ev.RunStarted(dataset="d", model="m", iterations=1),
        ev.IterationStarted(iteration=0),
        ev.StepStarted(iteration=0, step=training),
        ev.StepSkipped(iteration=0, step=training, reason="skipped by ada"),
        ev.StepStarted(iteration=0, step=inference),
        ev.RunFinished(status=ending, reason="no money left"),
    ]
    stamped = [event.model_copy(update={"seq": number}) for number, event in enumerate(told)]
    state = fold(stamped)
    [iteration] = state.iterations
    assert iteration.is_cut_off
    assert iteration.steps[inference].status is shown
    assert iteration.reason == iteration.steps[inference].reason == "no money left"
    fold([ev.RunResumed(seq=len(told))], state)
    assert iteration.status is IterationStatus.RUNNING
    assert (iteration.reason, iteration.steps[inference].reason) == ("", "")
    assert iteration.steps[inference].status is StepStatus.PENDING
    assert iteration.steps[training].status is StepStatus.SKIPPED


def test_a_fork_keeps_what_was_found_and_nothing_of_how_its_parent_stood() -> None:
    here = {"iteration": 0, "step": StepName.DATA_EXPLORATION}
    parent = [
        *started(),
        ev.IterationStarted(iteration=0),
        ev.StepStarted(**here),
        ev.ModelCallStarted(call=1, model="m", **here),
        ev.ModelCallFinished(call=1, model="m", seconds=1, input_tokens=40, cost_usd=0.5, **here),
        ev.LimitRaised(limit=Limit.USD, allowed=9),
        ev.Held(reason="paused by a person"),
    ]
    settings = {"model": "other", "iterations": 7, "budget_usd": 1.0}
    fork = ev.RunForked(
        iteration=0,
        step=StepName.DATA_EXPLORATION,
        parent="p",
        parent_path="/p",
        parent_seq=len(parent) - 1,
        settings=settings,
        changed={"iterations": 7},
        test_evaluations={"test": 1},
    )
    state = fold(stamped(*parent, fork))
    assert state.status is RunStatus.STARTING
    assert (state.model, state.planned_iterations, state.settings) == ("other", 7, settings)
    assert (state.usage, state.inherited.tokens, state.inherited.cost_usd) == (Usage(), 40, 0.5)
    assert (state.allowed(Limit.USD), state.held_since, state.packages) == (1.0, None, {})
    assert state.iterations[0].steps[StepName.DATA_EXPLORATION].status is StepStatus.PENDING
    assert state.parent is not None
    assert (state.parent.seq, state.parent.iteration, state.parent.test_evaluations) == (
        len(parent) - 1,
        0,
        {"test": 1},
    )
    assert state.started is not None
    assert state.active(state.started + timedelta(seconds=3)).total_seconds() == 3
