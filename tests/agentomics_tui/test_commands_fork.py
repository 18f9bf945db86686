"""The settings of a fork: its parent's, and what flags change."""

import argparse
from pathlib import Path

import pytest

from agentomics_tui.commands.fork import forked_settings
from agents.errors import UserError
from agents.settings import RunSettings
from tests.support import journals
from tests.support.command_line import Runs

PARENT = RunSettings(dataset=Path("/data/toxicity"), iterations=7, budget_usd=3.0, seed=4, at_limit="ask", cpus=3)


def options(**given: object) -> argparse.Namespace:
    shown = {"detach": False, "headless": True, "json": False, "runs_dir": Path("/runs"), "run": "parent"}
    return argparse.Namespace(**(shown | given))


def test_what_no_flag_says_is_as_in_the_parent_whatever_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agentomics.toml").write_text("iterations = 2\nbudget_usd = 100.0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTOMICS_SEED", "9")
    settings = forked_settings(PARENT, options(iterations=None, temperature=0.5))
    assert settings == PARENT.model_copy(update={"temperature": 0.5, "at_limit": "finish"})


def test_a_fork_waits_at_its_limit_only_where_somebody_can_be_asked_or_wants_it() -> None:
    assert forked_settings(PARENT, options()).at_limit == "finish"
    assert forked_settings(PARENT, options(at_limit="ask")).at_limit == "ask"


def test_a_model_that_repeats_a_run_is_named_by_its_path(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    settings = forked_settings(PARENT, options(model=f"replay:{run.folder.run_id}", runs_dir=tmp_path))
    assert settings.model == f"replay:{run.folder.root}"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temperature": 9.0}, "--temperature 9.0: "),
        ({"bash_tool_timeout": -1.0}, "--bash-timeout -1.0: "),
        ({"api_base": "no address"}, "--api-base: "),
    ],
)
def test_a_flag_that_cannot_be_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=f"^{words}"):
        forked_settings(PARENT, options(**given))


def test_what_cannot_be_forked_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    journals.running_run(runs.folder)
    name = journals.RUN_ID
    before = sorted(runs.folder.rglob("*"))
    assert "--iteration 9: the run has iterations 0 to 3" in runs.error("fork", name, "--iteration", 9)
    assert "no step is called 'lunch'" in runs.error("fork", name, "--step", "lunch")
    assert "no run 'nobody'" in runs.error("fork", "nobody")
    assert "cannot be forked" in runs.error("fork", name), "its files are not there"
    assert sorted(runs.folder.rglob("*")) == before
