"""An event as a line."""

from datetime import UTC, datetime

import pytest

from agentomics_tui.lines import line_of
from agents import events as ev
from agents.certainty import Certainty
from agents.state import RunState
from agents.vocabulary import BUILTIN_MODEL, Gain, RunStatus

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVIL = "one\nFORGED\r\x1b[2J\u2028FORGED\x85FORGED"


@pytest.mark.parametrize(
    "event",
    [
        ev.RunStarted(dataset=EVIL, model=EVIL, iterations=1),
        ev.RunFinished(status=RunStatus.FAILED, reason=EVIL),
        ev.RunForked(iteration=1, parent=EVIL, parent_path=EVIL, parent_seq=1, changed={"note": EVIL}),
        ev.Held(reason=EVIL),
        ev.CommandReceived(command_id="c", command="pause", by=EVIL, outcome="refused", detail=EVIL),
        ev.ModelCallRetried(call=1, model=EVIL, reason=EVIL, retry=1, of=5, wait=8),
        ev.ModelChanged(call=1, model=EVIL, fallback=EVIL, reason=EVIL),
        ev.ParameterDropped(call=1, model=EVIL, parameter=EVIL, reason=EVIL),
        ev.ContextCompacted(call=1, left_out=[1], tokens_before=9, tokens_after=5, window=10),
        ev.ReplayDiverged(call=1, recorded_call=1, diff=EVIL),
        ev.LimitReached(limit="usd", used=1, allowed=1, message=EVIL),
        ev.LimitRaised(limit="time", allowed=60, by=EVIL),
        ev.TrainingWarned(call=1, rule="overfitting", message=EVIL),
        ev.OutputLost(iteration=1, step="data_split", path=EVIL, reason=EVIL),
        ev.IterationPlanned(iteration=1, mode="explore", combination=EVIL, change=EVIL, reason=EVIL, expectation=EVIL),
    ],
    ids=lambda event: event.type,
)
def test_no_event_makes_a_second_line(event: ev.Event) -> None:
    line = line_of(event.model_copy(update={"time": NINE}), RunState())
    assert line is not None
    assert len(line.splitlines()) == 1
    assert line.startswith("09:00:00  ")
    assert line.isprintable()


def test_a_line_keeps_its_indentation() -> None:
    event = ev.ToolCallStarted(call=3, tool="bash", title="ls  -l", log="l", arguments="a", time=NINE)
    assert line_of(event, RunState()) == "09:00:00        3 bash: ls  -l"


def test_what_only_screens_show_has_no_line() -> None:
    assert line_of(ev.ModelCallStarted(call=1, model="m", time=NINE), RunState()) is None


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            ev.ModelCallRetried(call=7, model="m", reason="503 from the provider.\nbody", retry=2, of=5, wait=8),
            "    model call 7: 503 from the provider; retry 2 of 5 in 8.0s",
        ),
        (
            ev.ModelChanged(call=7, model="a", fallback="b", reason="no reply"),
            "    no reply from a (no reply); b is asked instead",
        ),
        (
            ev.ParameterDropped(call=7, model="a", parameter="temperature", reason="refused"),
            "    asked without temperature: a does not take it (refused)",
        ),
        (
            ev.ContextCompacted(call=7, left_out=[3], tokens_before=120_000, tokens_after=40_000, window=128_000),
            "    conversation shortened before model call 7: the output of 1 tool call left out, "
            "about 120,000 to 40,000 of 128,000 tokens",
        ),
        (
            ev.ReplayDiverged(call=7, recorded_call=6, diff="--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n"),
            "    replay: call 7 asks something else than recorded call 6: -old",
        ),
        (
            ev.LimitReached(limit="usd", used=4.97, allowed=5, message="$0.03 is left of $5.00"),
            "limit reached: $0.03 is left of $5.00",
        ),
        (
            ev.LimitRaised(limit="tokens", allowed=300_000, by="ana@lab"),
            "limit raised by ana@lab: 300,000 tokens in all",
        ),
        (ev.LimitRaised(limit="usd", allowed=10), "limit raised: $10.00 in all"),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_what_happens_to_calls_and_limits_has_a_line(event: ev.Event, line: str) -> None:
    assert line_of(event.model_copy(update={"time": NINE}), RunState()) == f"09:00:00  {line}"


def test_a_score_of_any_scale_can_be_read() -> None:
    best = ev.BestChanged(metric="RMSE", value=2.5e-9, previous=1.5e308, split_version=1, time=NINE)
    assert line_of(best, RunState()) == "09:00:00    new best: RMSE 2.5e-09 on validation, before 1.5e+308"


def test_a_comparison_has_a_line_that_tells_how_sure_it_is() -> None:
    sure = Certainty(low=0.75, high=0.87, compared=3, against=1, verdict=Gain.REAL, difference=0.03, chance=0.984)
    first = Certainty(unsure="only 8 rows, fewer than 10")
    for certainty, line in (
        (
            sure,
            "95 % interval 0.7500–0.8700; against iteration 1: the gain is real (chance to be the better one 98 %); "
            "3 candidates on this split",
        ),
        (first, "no interval: only 8 rows, fewer than 10; 1 candidate on this split"),
    ):
        event = ev.CandidateCompared(metric="AUROC", value=0.81, split_version=1, certainty=certainty, time=NINE)
        assert line_of(event, RunState()) == f"09:00:00    {line}"


def test_what_became_of_the_best_on_a_new_split_has_a_line() -> None:
    scored = ev.BestRescored(of=2, metric="AUROC", split_version=2, value=0.8, rows=40, time=NINE)
    left_out = ev.BestRescored(of=2, metric="AUROC", split_version=2, reason="no new rows", time=NINE)
    lines = [line_of(event, RunState()) for event in (scored, left_out)]
    assert lines == [
        "09:00:00    iteration 2, the best: AUROC 0.8000 on 40 rows of the new split",
        "09:00:00    iteration 2, the best, is not compared on the new split: no new rows",
    ]


def test_one_iteration_is_no_iterations() -> None:
    started = ev.RunStarted(dataset="toy", model=BUILTIN_MODEL, iterations=1)
    assert (line_of(started, RunState()) or "").endswith("up to 1 iteration by the built-in policy (no LLM)")
