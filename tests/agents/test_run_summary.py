import os
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.files import write_json
from agents.fold import fold
from agents.journal import JournalReader
from agents.run_folder import RunFolder
from agents.run_summary import RunCatalogue, RunDigest, summarise, summary_of
from agents.vocabulary import RunStatus
from tests.support import journals
from tests.support.journals import START, StagedRun

LATER = START + timedelta(hours=3)


def give_engine(run: StagedRun) -> None:
    now = time.time()
    write_json(run.folder.lock, {"host": socket.gethostname(), "pid": os.getpid(), "started": now, "heartbeat": now})


def test_a_finished_run_tells_its_best_its_test_score_and_how_long_it_took(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    summary = summarise(run.folder, LATER)
    assert (summary.run_id, summary.dataset, summary.model) == (
        run.folder.run_id,
        "antimicrobial_peptides",
        "builtin/omics",
    )
    assert (summary.status, summary.engine_alive) == (RunStatus.FINISHED, False)
    assert (summary.iteration, summary.planned_iterations) == (4, 5)
    assert (summary.metric, summary.higher_is_better, summary.best, summary.test) == ("AUROC", True, 0.951, 0.944)
    assert summary.elapsed == pytest.approx((run.clock.now - START).total_seconds(), abs=2)
    assert summary.tokens > 0
    assert summary.last_event == run.clock.now


@pytest.mark.parametrize(
    "stage",
    [
        journals.running_run,
        journals.held_run,
        journals.finished_run,
        journals.failed_run,
        journals.refused_run,
        journals.first_training_run,
    ],
)
def test_a_summary_says_what_the_whole_fold_says(tmp_path: Path, stage: object) -> None:
    assert callable(stage)
    folder: RunFolder = stage(tmp_path).folder
    whole = fold(JournalReader(folder.journal).read_all())
    assert summarise(folder, LATER) == summary_of(folder, folder.record(), whole, engine_alive=False, now=LATER)


def test_time_goes_on_while_an_engine_lives_and_stands_still_at_the_last_event_when_it_died(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    dead = summarise(run.folder, datetime.now(UTC))
    assert not dead.is_live
    assert dead.elapsed < 3600
    give_engine(run)
    live = summarise(run.folder, datetime.now(UTC))
    assert live.is_live
    assert live.elapsed != dead.elapsed


def test_a_run_without_a_journal_tells_what_its_settings_say(tmp_path: Path) -> None:
    summary = summarise(journals.stage(tmp_path, iterations=7).folder, LATER)
    assert (summary.status, summary.iteration, summary.planned_iterations) == (RunStatus.STARTING, None, 7)
    assert (summary.best, summary.test, summary.last_event, summary.elapsed) == (None, None, None, 0)


def test_a_folder_that_is_no_run_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run"):
        summarise(RunFolder(tmp_path), LATER)


def test_a_digest_reads_only_what_was_added_and_leaves_an_unchanged_journal_closed(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    digest = RunDigest(run.folder)
    before = digest.read(LATER)
    stamp = run.folder.journal.stat()
    # Same size, same time, other bytes: a reader that opened it would find them unreadable.
    run.folder.journal.write_bytes(b"x" * (stamp.st_size - 1) + b"\n")
    os.utime(run.folder.journal, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert digest.read(LATER) == before
    run.test(0.9)
    assert digest.read(LATER).test == 0.9


def test_a_journal_that_was_replaced_by_a_shorter_one_is_read_anew(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    digest = RunDigest(run.folder)
    assert digest.read(LATER).status is RunStatus.FINISHED
    lines = run.folder.journal.read_bytes().splitlines(keepends=True)
    run.folder.journal.write_bytes(b"".join(lines[:5]))
    assert digest.read(LATER).status is RunStatus.RUNNING


def test_a_journal_of_nothing_but_tool_calls_beyond_one_read_is_followed_to_its_end(tmp_path: Path) -> None:
    run = journals.big_run(tmp_path, 6_000)
    assert run.folder.journal.stat().st_size > 1 << 20
    assert summarise(run.folder, LATER).last_event == run.clock.now


def test_a_catalogue_lists_newest_first_takes_up_new_runs_and_forgets_removed_ones(tmp_path: Path) -> None:
    first = journals.finished_run(tmp_path, "a").folder
    journals.stage(tmp_path, "b")
    (tmp_path / "no-run").mkdir()
    catalogue = RunCatalogue()
    catalogue.scan(tmp_path)
    assert [run.run_id for run in catalogue.summaries] == ["b", "a"]
    assert catalogue.summaries[1].status is RunStatus.STARTING, "nothing but run.json has been read"
    assert catalogue.refresh(str(first.root), LATER).status is RunStatus.FINISHED
    assert catalogue.summaries[1].best == 0.951
    first.run_json.rename(tmp_path / "elsewhere.json")
    first.root.rename(tmp_path.parent / "moved")
    catalogue.scan(tmp_path)
    assert [run.run_id for run in catalogue.summaries] == ["b"]
    catalogue.scan(tmp_path / "missing")
    assert catalogue.summaries == []


def test_a_journal_that_cannot_be_read_is_told_and_the_rest_stays_as_it_was(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    digest = RunDigest(run.folder)
    assert digest.read(LATER).unreadable == ""
    run.folder.journal.rename(tmp_path / "aside")
    run.folder.journal.mkdir()
    summary = digest.read(LATER)
    assert (summary.unreadable, summary.best) == ("events.jsonl: Is a directory", 0.951)
    assert not summary.is_live
