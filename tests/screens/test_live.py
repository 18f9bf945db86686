"""The live pane: what the running tool prints, without what stands in figures beside it."""

from pathlib import Path

import pytest

from agents import events as ev
from agents.fold import fold
from agents.policy.moves import MARKER
from agents.policy.steps.model_training import SAVED
from agents.vocabulary import RunStatus
from screens.widgets.live import _training, live_view
from tests.support.journals import running_run


def printed(tmp_path: Path, output: str) -> str:
    return live_view(fold(running_run(tmp_path).written), output).output


def test_training_reports_stand_in_figures_and_not_among_what_is_printed(tmp_path: Path) -> None:
    report = 'TRAINING_REPORT: {"epoch": 3, "of": 10, "train_loss": 0.41}'
    assert printed(tmp_path, f"fitting 500 trees\n{report}\n  {report}\ndone\n") == "fitting 500 trees\ndone"


@pytest.mark.parametrize("marker", [MARKER, SAVED])
def test_what_the_policy_reads_is_left_out_and_what_a_person_reads_is_not(tmp_path: Path, marker: str) -> None:
    for_people = f"{marker}97 rows"
    assert printed(tmp_path, f'looking\n{marker}{{"rows": 97}}\n{for_people}\n') == f"looking\n{for_people}"


@pytest.mark.parametrize(("room", "lines", "bar"), [(120, 1, 20), (75, 1, 5), (66, 2, 20), (30, 4, 14), (17, 4, 0)])
def test_a_training_is_told_in_whole_figures_and_the_bar_costs_no_line(room: int, lines: int, bar: int) -> None:
    figures = ("val_AUROC 0.9120", "val_loss 0.3412", "train_loss 0.2903")
    shown = [line.plain for line in _training(12, 40, figures, room)]
    told = "  ".join(shown)
    assert told.replace("━", "").replace("─", "").split() == f"epoch 12 of 40 {' '.join(figures)}".split()
    assert max(map(len, shown)) <= room
    assert len(shown) == lines
    assert told.count("━") + told.count("─") == bar


def test_a_result_tells_the_metric_of_the_run_and_the_report_before_the_other_test_metrics(tmp_path: Path) -> None:
    run = running_run(tmp_path)
    values = {"LOG_LOSS": 0.31, "AUROC": 0.944, "MCC": 0.7}
    run.emit(ev.MetricsComputed(split="test", is_test=True, metric="AUROC", values=values, rows=800), 1)
    run.finish(RunStatus.FINISHED, best_iteration=1)
    facts = live_view(fold(run.written), "").facts
    assert facts[2:5] == (
        ("test", "AUROC 0.9440"),
        ("report", "report/report.md in the run's folder"),
        ("test", "also LOG_LOSS 0.3100, MCC 0.7000"),
    )


@pytest.mark.parametrize(("reason", "told_here"), [("enough", False), ("why " * 90, True)], ids=["short", "long"])
def test_the_result_repeats_no_reason_that_the_banner_tells_whole(tmp_path: Path, reason: str, told_here: bool) -> None:
    run = running_run(tmp_path)
    run.finish(RunStatus.STOPPED, reason, best_iteration=1)
    assert ("because" in dict(live_view(fold(run.written), "").facts)) is told_here


@pytest.mark.parametrize("text", ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+"])
def test_what_a_tool_prints_is_shown_as_it_is(tmp_path: Path, text: str) -> None:
    assert printed(tmp_path, text) == text
