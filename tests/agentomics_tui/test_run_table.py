"""The list of runs as plain text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from agentomics_tui.run_table import run_table
from agents.run_folder import RunFolder
from agents.run_summary import RunSummary
from agents.vocabulary import RunStatus

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def summary(run_id: str = "one", dataset: str = "peptides", **changes: object) -> RunSummary:
    run = RunSummary(
        folder=RunFolder(Path("/runs") / run_id),
        created=NOW - timedelta(hours=3),
        dataset=dataset,
        model="builtin/omics",
        status=RunStatus.FINISHED,
        engine_alive=False,
        iteration=2,
        planned_iterations=5,
        metric="AUROC",
        higher_is_better=True,
        best=0.951,
        test=None,
        elapsed=60.0,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def test_a_run_is_one_line_below_a_header() -> None:
    header, row = run_table([summary()], NOW, None)
    assert header.split() == ["Run", "State", "Dataset", "Iter", "Metric", "Best", "Test", "Age"]
    assert row.split() == ["one", "✓", "finished", "peptides", "3/5", "▲", "AUROC", "0.9510", "–", "3h"]


def test_where_a_run_is_a_fork_the_last_column_says_of_what() -> None:
    header, fork, parent = run_table([summary("kid", fork_of="one at iteration 2"), summary()], NOW, None)
    assert header.endswith("Age  Fork of")
    assert fork.endswith("3h  one at iteration 2")
    assert parent.endswith("3h")


def test_texts_begin_and_figures_end_below_one_another() -> None:
    header, *rows = run_table([summary(best=1234.5), summary("longer-id", best=2.5e-9)], NOW, None)
    assert {line.index("✓") for line in rows} == {header.index("State")}
    end = header.index("Best") + len("Best")
    assert [line[:end].split()[-1] for line in rows] == ["1234.5", "2.5e-09"]


def test_no_run_is_just_a_header() -> None:
    assert [line.split()[0] for line in run_table([], NOW, 40)] == ["Run"]


def test_without_a_width_nothing_is_cut() -> None:
    name = "a" * 200
    assert any(name in line for line in run_table([summary(name)], NOW, None))


def test_the_widest_column_gives_way_first_and_none_vanishes() -> None:
    run = summary("r" * 60, "d" * 20)
    free = max(map(cell_len, run_table([run], NOW, None)))
    _, row = run_table([run], NOW, free - 30)
    assert "d" * 20 in row and "r" * 29 + "…" in row
    _, row = run_table([run], NOW, 10)
    assert "r" * 11 + "…" in row and "d" * 7 + "…" in row


@pytest.mark.parametrize("text", ["[bold]x[/", "a\x1b[2Jb", "two\nlines"])
def test_what_a_dataset_is_called_stays_on_its_line(text: str) -> None:
    lines = list(run_table([summary(dataset=text)], NOW, None))
    assert len(lines) == 2
    assert lines[1].isprintable()


@settings(max_examples=50)
@given(
    names=st.lists(st.tuples(st.text(min_size=1, max_size=70), st.text(max_size=70)), max_size=4),
    width=st.integers(80, 200),
)
def test_every_line_fits_the_terminal_whatever_the_script(names: list[tuple[str, str]], width: int) -> None:
    runs = [summary(run_id.replace("/", "_"), dataset) for run_id, dataset in names]
    assert all(cell_len(line) <= width for line in run_table(runs, NOW, width))
