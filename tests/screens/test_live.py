"""The live pane: what the running tool prints, without what stands in figures beside it."""

from pathlib import Path

import pytest

from agents.fold import fold
from screens.widgets.live import live_view
from tests.support.journals import running_run


def printed(tmp_path: Path, output: str) -> str:
    return live_view(fold(running_run(tmp_path).written), output).output


def test_training_reports_stand_in_figures_and_not_among_what_is_printed(tmp_path: Path) -> None:
    report = 'TRAINING_REPORT: {"epoch": 3, "of": 10, "train_loss": 0.41}'
    assert printed(tmp_path, f"fitting 500 trees\n{report}\n  {report}\ndone\n") == "fitting 500 trees\ndone"


@pytest.mark.parametrize("text", ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+"])
def test_what_a_tool_prints_is_shown_as_it_is(tmp_path: Path, text: str) -> None:
    assert printed(tmp_path, text) == text
