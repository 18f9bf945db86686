"""The card of the best snapshot: its path and its command are whole on every screen, however long."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agents import events as ev
from agents.fold import fold
from agents.journal import JournalReader
from agents.run_folder import RunFolder
from agents.vocabulary import RunStatus
from screens.widgets.best_card import BestCard, BestView, best_view, packed
from tests.support import journals
from tests.support.watching import opened, settled, text_of, with_engine

RUN_ID = "20261126-003648-antimicrobial-peptides"


def _view(run: journals.StagedRun) -> BestView:
    return best_view(fold(JournalReader(run.folder.journal).read_all()), run.folder)


def _words(view: BestView, width: int = 44, height: int = 40) -> str:
    return "\n".join(line.plain for line in BestCard().draw(view, width, height))


def test_while_a_run_goes_on_it_says_that_the_test_comes_at_the_end(tmp_path: Path) -> None:
    view = _view(journals.running_run(tmp_path))
    assert (
        BestCard().heading(view)
        == BestCard().heading(replace(view, value=1.0))
        != BestCard().heading(replace(view, over=True))
    )
    assert "at the end of the run" in _words(view)


def test_of_a_run_that_is_over_it_tells_scores_origin_model_path_and_command(tmp_path: Path) -> None:
    words = _words(_view(journals.finished_run(tmp_path)), 60)
    for expected in ("AUROC 0.9510 on validation", "AUROC 0.9440", "iteration 4", "k-mers + extra trees", "predict"):
        assert expected in words, expected


def test_how_sure_the_score_is_stands_in_few_cells_and_nothing_where_nobody_knows(tmp_path: Path) -> None:
    view = _view(journals.finished_run(tmp_path))
    assert "[" not in _words(view)
    sure = replace(view, bounds="0.9312–0.9701", gain="real 98 %")
    assert "0.9312–0.9701 · real 98 %" in _words(sure, 44)
    for wide in (_words(sure, 90), _words(sure, 60, 1)):
        assert "AUROC 0.9510 [0.9312–0.9701]" in wide
        assert "real 98 %" in wide


def test_before_the_first_score_and_without_any_it_says_so(tmp_path: Path) -> None:
    assert "None yet" in _words(_view(journals.first_training_run(tmp_path, "a")))
    assert "No snapshot was made." in _words(_view(journals.failed_run(tmp_path, "b")))


def test_a_dataset_without_a_test_split_is_said_to_have_none(tmp_path: Path) -> None:
    view = replace(_view(journals.finished_run(tmp_path)), test=None, has_test=False)
    assert "the dataset has no test split" in _words(view)
    assert "–" in _words(replace(view, has_test=True))


def test_the_path_is_that_of_the_snapshot_and_not_of_the_link_to_it(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    assert _view(run).path == str(run.folder.root / "snapshots" / "004")


def test_another_best_lies_in_another_folder(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    before = _view(run).path
    run.emit(ev.BestChanged(iteration=7, metric="AUROC", value=0.99, previous=0.9, split_version=1))
    assert (before[-3:], _view(run).path[-3:]) == ("001", "007")


def test_hostile_names_stay_text() -> None:
    view = BestView("[/x]", 0.5, None, True, True, 0, "a [/etc/x] b", "/runs/x[/", ("p", "x[/", "--input …"))
    words = _words(view, 80)
    assert all(text in words for text in ("[/x] 0.5000", "a [/etc/x] b", "/runs/x[/", "p x[/ --input …"))


def _together(words: str) -> str:
    """What was broken into lines, without its blanks."""
    return "".join(words.split())


@given(
    st.integers(20, 160),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", fullmatch=True),
    st.lists(st.text("abc/é日", max_size=20), max_size=5),
)
def test_path_and_command_are_whole_at_any_width(width: int, run_id: str, folders: list[str]) -> None:
    path = "/".join(["", *folders, run_id, "snapshots", "001"])
    view = BestView("AUROC", 0.9, 0.8, True, True, 1, "model", path, ("agentomics-tui", "predict", run_id, "--input …"))
    lines = [line.plain for line in BestCard()._whole(view, width)]
    shown = _together("\n".join(lines))
    assert _together(path) in shown
    assert _together("".join(view.command)) in shown
    start = next(number for number, line in enumerate(lines) if line.startswith("path"))
    assert all(cell_len(line) <= width for line in lines[start:])


@given(st.lists(st.text("ab日", min_size=1, max_size=30), max_size=8), st.sampled_from(["", " "]), st.integers(2, 40))
def test_parts_are_broken_only_where_no_line_holds_them(parts: list[str], glue: str, room: int) -> None:
    lines = packed(parts, glue, room)
    assert all(cell_len(line) <= room for line in lines)
    assert _together("".join(lines)) == "".join(parts)
    if all(cell_len(part) <= room for part in parts) and glue:
        assert [word for line in lines for word in line.split()] == parts


@pytest.mark.parametrize("size", [(80, 24), (100, 50), (120, 40), (200, 60)])
async def test_path_and_command_of_a_run_that_is_over_are_on_every_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = journals.finished_run(Path("/".join(["runs", "of-the-laboratory-for-peptides"])), RUN_ID)
    async with opened(run, size) as pilot:
        card = (await settled(pilot)).query_one(BestCard)
        await pilot.pause()
        region = card.content_region
        rows = text_of(pilot).split("\n")[region.y : region.bottom]
        shown = _together("".join(row[region.x : region.right] for row in rows))
        assert f"runs/of-the-laboratory-for-peptides/{RUN_ID}/snapshots/004" in shown
        assert f"predict{RUN_ID}--input…--output…" in shown
        assert any(RUN_ID in row for row in rows), "an id is never cut"


async def test_on_a_small_screen_it_is_one_line_until_the_run_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = with_engine(journals.running_run(Path("runs")))
    async with opened(run, (80, 24)) as pilot:
        dashboard = await settled(pilot)
        card = dashboard.query_one(BestCard)
        assert card.outer_size.height == 1
        run.finish(RunStatus.STOPPED, "enough", best_iteration=1)
        await settled(pilot)
        for _ in range(100):
            await pilot.pause(0.05)
            if card.outer_size.height > 3:
                break
        assert "snapshots/001" in text_of(pilot)


def test_a_folder_elsewhere_is_named_from_the_root() -> None:
    assert RunFolder(Path("/a/b")).snapshot(3) == Path("/a/b/snapshots/003")
