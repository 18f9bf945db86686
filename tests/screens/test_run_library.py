from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.message import Message
from textual.pilot import Pilot

from agents.run_folder import RunFolder
from agents.run_summary import RunSummary
from agents.vocabulary import RunStatus
from screens.messages import LeaveWanted, ReadingSeen, RefreshWanted, RunsListed, RunWanted
from screens.run_columns import age, cells_of, columns_for, is_match, rough
from screens.run_library import RunLibraryScreen
from screens.theme import DARK
from tests.support.journals import START
from tests.support.watching import text_of

NOW = START + timedelta(hours=2)


def summary(
    run_id: str,
    status: RunStatus = RunStatus.FINISHED,
    *,
    alive: bool = False,
    minutes_ago: float = 60,
    dataset: str = "antimicrobial_peptides",
    model: str = "builtin/omics",
) -> RunSummary:
    return RunSummary(
        folder=RunFolder(Path("/runs") / run_id),
        created=NOW - timedelta(minutes=minutes_ago),
        dataset=dataset,
        model=model,
        status=status,
        engine_alive=alive,
        iteration=2,
        planned_iterations=5,
        metric="AUROC",
        higher_is_better=True,
        best=0.9312,
        test=None,
        elapsed=725,
        tokens=83_600,
    )


RUNS = [
    summary("20260302-112500-antimicrobial-peptides", RunStatus.RUNNING, alive=True, minutes_ago=5),
    summary("20260302-110000-ago2-clash", RunStatus.HELD, alive=True, minutes_ago=30, dataset="AGO2_CLASH_Hejret"),
    replace(summary("20260302-103000-antimicrobial-peptides"), iteration=4, best=0.951, test=0.944, elapsed=7_530.0),
    summary("20260301-090000-enhancers", RunStatus.RUNNING, minutes_ago=1_500, dataset="human_enhancers_cohn"),
    replace(
        summary("20260228-090000-solubility", RunStatus.STOPPED, minutes_ago=3_000, dataset="solubility [/x]"),
        metric="MAE",
        higher_is_better=False,
        best=38.172,
        model="openai/gpt-5-mini",
        cost_usd=1.234,
        reason="stopped by ana@lab [/",
    ),
    replace(
        summary("20260227-090000-broken", RunStatus.REFUSED, minutes_ago=4_500, dataset="broken"),
        iteration=None,
        metric="",
        best=None,
        elapsed=2,
        tokens=0,
        reason="train.csv: row 7: no label",
    ),
]


class Host(App[None]):
    def __init__(self, runs: Sequence[RunSummary] | None, watched: RunFolder | None = None) -> None:
        super().__init__()
        self.runs = runs
        self.library = RunLibraryScreen("/data/runs", lambda: NOW, watched)
        self.wishes: list[Message] = []

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name
        self.push_screen(self.library)
        if self.runs is not None:
            self.show(self.runs)

    def show(self, runs: Sequence[RunSummary]) -> None:
        self.library.post_message(RunsListed(list(runs)))

    def on_run_wanted(self, message: RunWanted) -> None:
        self.wishes.append(message)

    def on_leave_wanted(self, message: LeaveWanted) -> None:
        self.wishes.append(message)

    def on_refresh_wanted(self, message: RefreshWanted) -> None:
        self.wishes.append(message)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()
    await pilot.pause()


async def watched(pilot: Pilot[None]) -> str:
    """The run that Enter watches now."""
    assert isinstance(pilot.app, Host)
    await press(pilot, "enter")
    wish = pilot.app.wishes.pop()
    assert isinstance(wish, RunWanted)
    return wish.folder.run_id


async def test_each_run_shows_its_state_and_its_scores() -> None:
    async with Host(RUNS).run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        shown = text_of(pilot)
        for words in ("● running", "‖ paused", "✓ finished", "! no engine", "■ stopped", "✗ refused", "6  ● 2 live"):
            assert words in shown, words
        finished = next(line for line in shown.splitlines() if "✓ finished" in line)
        assert finished.split()[-7:] == ["5/5", "▲", "AUROC", "0.9510", "0.9440", "2h05m", "1h"]


@pytest.mark.parametrize(
    ("keys", "run"), [("", 0), ("down", 1), ("j j", 2), ("down down up", 1), ("down k", 0), ("G", 5), ("end g", 0)]
)
async def test_enter_watches_the_selected_run(keys: str, run: int) -> None:
    async with Host(RUNS).run_test(size=(120, 30)) as pilot:
        await press(pilot, *keys.split())
        assert await watched(pilot) == RUNS[run].run_id


async def test_a_run_that_cannot_be_read_says_so_with_glyph_word_and_reason() -> None:
    broken = replace(RUNS[0], unreadable="events.jsonl: Permission denied [/")
    async with Host([broken, *RUNS[1:]]).run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        shown = text_of(pilot)
        assert "? unreadable" in shown
        assert "events.jsonl: Permission denied [/" in shown
        assert "1 live" in shown  # of the two with an engine only one can be read


async def test_a_runs_folder_that_cannot_be_reached_is_told_beside_the_list() -> None:
    app = Host(RUNS)
    async with app.run_test(size=(120, 30)) as pilot:
        app.library.post_message(ReadingSeen("runs: Stale file handle [/"))
        await pilot.pause()
        assert "not readable right now: runs: Stale file handle [/" in text_of(pilot)
        assert "✓ finished" in text_of(pilot)
        app.library.post_message(ReadingSeen(""))
        await pilot.pause()
        assert "right now" not in text_of(pilot)


async def test_q_leaves_and_r_asks_for_a_fresh_list() -> None:
    app = Host(RUNS)
    async with app.run_test() as pilot:
        await press(pilot, "r", "q")
        assert [type(wish) for wish in app.wishes] == [RefreshWanted, LeaveWanted]


async def test_a_refresh_keeps_the_selection_and_touches_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host(RUNS)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "down", "down")
        table = app.library.table
        touched: list[tuple[str, str]] = []
        update = table.update_cell

        def noting(row: str, column: str, value: object) -> None:
            touched.append((Path(row).name, column))
            update(row, column, value)  # type: ignore[arg-type]

        monkeypatch.setattr(table, "update_cell", noting)
        app.show([replace(RUNS[0], best=0.94), *RUNS[1:]])
        await pilot.pause()
        assert touched == [(RUNS[0].run_id, "best")]
        assert "0.9400" in text_of(pilot)
        app.show([summary("new", RunStatus.STARTING, minutes_ago=0), *RUNS])
        await pilot.pause()
        assert await watched(pilot) == RUNS[2].run_id


async def test_typing_filters_and_escape_shows_all_again() -> None:
    async with Host(RUNS).run_test(size=(120, 30)) as pilot:
        await press(pilot, "slash", *"ago2 paused")
        assert "AGO2_CLASH" in text_of(pilot)
        assert "✓ finished" not in text_of(pilot)
        assert "1 of 6" in text_of(pilot)
        await press(pilot, "enter")
        assert await watched(pilot) == RUNS[1].run_id
        await press(pilot, "escape")
        assert "✓ finished" in text_of(pilot)
        await press(pilot, "slash", *"x[/", "escape")
        assert "✓ finished" in text_of(pilot)


async def test_a_filter_that_nothing_matches_says_so_and_how_to_go_on() -> None:
    async with Host(RUNS).run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash", *"[/nothing")
        assert "No run matches “[/nothing”." in text_of(pilot)


async def test_without_runs_it_says_how_to_start_one() -> None:
    async with Host([]).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "agentomics-tui demo" in text_of(pilot)
        assert "agentomics-tui run DATASET" in text_of(pilot)
        await press(pilot, "enter")


async def test_before_the_first_list_it_claims_nothing() -> None:
    async with Host(None).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "Looking for runs" in text_of(pilot)
        assert "No runs yet" not in text_of(pilot)


async def test_the_selected_run_is_told_in_full() -> None:
    async with Host(RUNS).run_test(size=(80, 24)) as pilot:
        await press(pilot, *["down"] * 4)
        for words in ("20260228-090000-solubility", "openai/gpt-5-mini", "$1.23", "stopped by ana@lab [/"):
            assert words in text_of(pilot), words


async def test_resizing_fits_the_columns_and_keeps_the_selection() -> None:
    async with Host(RUNS).run_test(size=(80, 24)) as pilot:
        await press(pilot, "down")
        assert "Model" not in text_of(pilot)
        await pilot.resize_terminal(160, 30)
        await pilot.pause()
        await pilot.pause()
        assert "Model" in text_of(pilot)
        assert await watched(pilot) == RUNS[1].run_id


async def test_hostile_names_are_text() -> None:
    names = ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+", "\x1b[2Jq"]
    async with Host([summary(f"r{n}", dataset=name) for n, name in enumerate(names)]).run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        shown = text_of(pilot)
        assert all(name in shown for name in names[:5])
        assert "\x1b" not in shown


# --- functions -------------------------------------------------------------------------------------------------------


_needed = st.dictionaries(st.sampled_from([column.key for column in columns_for(999, {})]), st.integers(0, 90))


@given(st.integers(20, 400), _needed)
def test_columns_never_need_more_than_the_width(width: int, needed: dict[str, int]) -> None:
    columns = columns_for(width, needed)
    assert sum(column.width for column in columns) + 2 * (len(columns) - 1) <= width
    assert columns[0].key == "state" or needed.get("state", 0) > width


@given(st.integers(77, 400), _needed)
def test_a_run_id_is_cut_only_where_nothing_stands_beside_it_but_the_state(width: int, needed: dict[str, int]) -> None:
    needed = {**needed, "state": 11}
    columns = {column.key: column for column in columns_for(width, needed)}
    assert columns["run"].width >= needed.get("run", 0) or len(columns) == 2


def test_columns_are_as_wide_as_what_they_hold() -> None:
    columns = {column.key: column.width for column in columns_for(200, {"metric": 10, "model": 12, "dataset": 22})}
    assert (columns["metric"], columns["model"], columns["dataset"], columns["best"]) == (10, 12, 22, 6)


def test_the_least_important_column_goes_first() -> None:
    needed = {"state": 10, "run": 38, "dataset": 22, "model": 12}
    gone: list[str] = []
    before = {column.key for column in columns_for(250, needed)}
    for width in range(250, 76, -1):
        now = {column.key for column in columns_for(width, needed)}
        gone += sorted(before - now)
        before = now
    assert gone == ["cost", "tokens", "model", "elapsed", "dataset", "age", "metric"]


async def test_ids_are_whole_and_so_is_what_stands_beside_them() -> None:
    runs = [replace(RUNS[0], metric="SPEARMAN"), *RUNS[1:]]
    for width in (80, 120, 200):
        async with Host(runs).run_test(size=(width, 24)) as pilot:
            await pilot.pause()
            await pilot.pause()
            shown = text_of(pilot)
            assert all(run.run_id in shown for run in runs), width
            assert ("Metric" in shown) == (width > 80)
            assert "omi…" not in shown
            assert "antimicrobial_peptides" in shown.split("Dataset")[-1] if width > 80 else "Dataset" not in shown


async def test_a_longer_text_that_comes_later_makes_its_column_wider_and_keeps_the_selection() -> None:
    app = Host(RUNS)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "down")
        app.show([replace(RUNS[0], metric="SPEARMAN"), *RUNS[1:]])
        await pilot.pause()
        assert "▲ SPEARMAN" in text_of(pilot)
        assert await watched(pilot) == RUNS[1].run_id


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-3, "0s"), (4.6, "4s"), (59, "59s"), (61, "1m"), (3_599, "59m"), (7_530, "2h05m")]
)
def test_durations_are_rough(seconds: float, shown: str) -> None:
    assert rough(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-3, "<1m"), (30, "<1m"), (90, "1m"), (7_300, "2h"), (170_000, "47h"), (400_000, "4d")]
)
def test_ages_are_in_one_unit(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


def test_lower_is_better_points_down_and_an_unpriced_model_has_no_cost() -> None:
    cells = cells_of(replace(RUNS[4], unpriced_calls=3, cost_usd=0.0), NOW)
    assert cells["metric"][0] == "▼ MAE"
    assert cells["cost"][0] == "–"


def test_a_filter_wants_every_word_in_any_case() -> None:
    assert is_match(RUNS[1], "ago2 PAUSED")
    assert not is_match(RUNS[1], "ago2 finished")
    assert is_match(RUNS[1], "  ")


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_how_it_looks(snap_compare, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(Host(RUNS), terminal_size=size, press=["down", "down"])


def test_how_it_looks_without_runs(snap_compare) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(Host([]), terminal_size=(80, 24))


async def test_the_cursor_begins_on_the_run_that_was_watched_and_escape_goes_back_to_it() -> None:
    runs = [summary(f"run-{number:03d}") for number in range(60)]
    watched = runs[45].folder
    async with Host(runs, watched).run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.library.table.cursor_row == 45
        assert "run-045" in "".join(text_of(pilot).split("\n")[:-3]), "in view, and not only in the lines below"
        assert "Back to the run" in text_of(pilot)
        await press(pilot, "down", "slash", *"run-01", "enter", "escape")
        assert pilot.app.wishes == [], "the first escape ends the filter"
        await press(pilot, "escape")
        assert pilot.app.wishes == [RunWanted(watched)]


async def test_escape_goes_nowhere_where_no_run_was_watched() -> None:
    async with Host(RUNS).run_test(size=(100, 24)) as pilot:
        await press(pilot, "escape")
        assert pilot.app.wishes == []
        assert "Back" not in text_of(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_metric_of_the_selected_run_and_its_direction_are_always_told(size: tuple[int, int]) -> None:
    async with Host(RUNS).run_test(size=size) as pilot:
        await press(pilot, "down", "down", "down", "down")
        assert "▼ MAE" in text_of(pilot)
        await press(pilot, "home")
        assert "▲ AUROC" in text_of(pilot)


async def test_of_what_the_selected_run_is_a_fork_is_told_below_the_list() -> None:
    forked = replace(RUNS[0], fork_of="peptides at iteration 2, Model [training]")
    async with Host([forked]).run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert "fork of peptides at iteration 2, Model [training]" in text_of(pilot)
