"""Run folders are made once, listed newest first, and found by whatever a person calls them."""

import resource
import signal
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.run_folder import RunFolder, create_run, default_runs_dir, list_runs, resolve_run
from agents.settings import RunSettings


def make(runs_dir: Path, run_id: str | None = None, dataset: str = "peptides") -> RunFolder:
    return create_run(runs_dir, RunSettings(dataset=Path("/data") / dataset), "1.0", run_id)


def test_a_new_run_keeps_its_settings_and_a_readable_id(tmp_path: Path) -> None:
    run = make(tmp_path, dataset="AGO2_CLASH Hejret")
    record = run.record()
    assert record.run_id == run.run_id
    assert run.run_id.endswith("-ago2-clash-hejret")
    assert record.settings.iterations == 5
    assert run.control.is_dir()


def test_two_runs_in_the_same_second_get_different_folders(tmp_path: Path) -> None:
    assert len({make(tmp_path).run_id for _ in range(5)}) == 5


def test_a_taken_id_is_refused_and_the_first_run_is_untouched(tmp_path: Path) -> None:
    first = make(tmp_path, "mine")
    before = first.run_json.read_bytes()
    with pytest.raises(UserError, match="exists already"):
        make(tmp_path, "mine")
    assert first.run_json.read_bytes() == before


@pytest.mark.parametrize("bad", ["", "../up", "a/b", ".hidden", "a b", "x" * 81, "a\n", "last"])
def test_an_id_that_is_no_folder_name_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(UserError, match="--run-id"):
        make(tmp_path, bad)
    assert list(tmp_path.iterdir()) == []


def test_runs_are_listed_newest_first_and_other_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    old, new = make(tmp_path, "old"), make(tmp_path, "new")
    assert [run.run_id for run in list_runs(tmp_path)] == [new.run_id, old.run_id]
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_id_prefix_path_and_last(tmp_path: Path) -> None:
    alpha, beta = make(tmp_path, "alpha-1"), make(tmp_path, "beta-1")
    for reference, expected in {"alpha-1": alpha, "al": alpha, str(beta.root): beta, "last": beta}.items():
        assert resolve_run(reference, tmp_path).root == expected.root


def test_an_exact_id_wins_over_a_longer_one_that_begins_alike(tmp_path: Path) -> None:
    make(tmp_path, "a")
    make(tmp_path, "ab")
    assert resolve_run("a", tmp_path).run_id == "a"


def test_a_reference_that_fits_none_or_several_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no runs in"):
        resolve_run("last", tmp_path)
    make(tmp_path, "alpha-1")
    make(tmp_path, "alpha-2")
    with pytest.raises(UserError, match=r"not unique.*alpha-"):
        resolve_run("alpha", tmp_path)
    with pytest.raises(UserError, match="no run 'gamma'"):
        resolve_run("gamma", tmp_path)


def test_the_runs_folder_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENTOMICS_RUNS_DIR", str(tmp_path))
    assert default_runs_dir() == tmp_path
    monkeypatch.delenv("AGENTOMICS_RUNS_DIR")
    assert default_runs_dir().name == "runs"


def test_a_full_disk_leaves_no_half_made_run(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(UserError, match="cannot be made"):
            make(tmp_path, "mine")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
