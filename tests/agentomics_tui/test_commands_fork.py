"""The settings of a fork: its parent's, and what flags change."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentomics_tui.commands.fork import _made_elsewhere, forked_settings
from agents.errors import UserError
from agents.fork_request import ForkRequest
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


def test_the_word_none_takes_a_limit_of_the_parent_off() -> None:
    parent = PARENT.model_copy(update={"budget_usd": 5.0, "timeout": 60.0, "fallback_models": ("a/b",)})
    settings = forked_settings(parent, options(budget_usd="none", fallback_models=["none"]))
    assert (settings.budget_usd, settings.fallback_models, settings.timeout) == (None, (), 60.0)


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
    assert "no step 'lunch'" in runs.error("fork", name, "--step", "lunch")
    assert "no run 'nobody'" in runs.error("fork", "nobody")
    assert "cannot be forked" in runs.error("fork", name), "its files are not there"
    assert sorted(runs.folder.rglob("*")) == before


def test_a_fork_that_is_interrupted_leaves_nothing_whenever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has finished already here: what it made is as if it had never been asked for."""
    made = tmp_path / "kid"
    made.mkdir()
    script = tmp_path / "made.py"
    script.write_text(f"import os\nos.read(0, 1)\nprint({str(made)!r}, flush=True)\n")
    real = subprocess.Popen

    def start(_: list[str], **given: Any) -> "subprocess.Popen[str]":
        process = real([sys.executable, str(script)], **given)
        ask = process.communicate

        def interrupted(request: str) -> None:
            monkeypatch.setattr(process, "communicate", ask)
            ask(request)
            raise KeyboardInterrupt

        monkeypatch.setattr(process, "communicate", interrupted)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    request = ForkRequest(parent=tmp_path, runs_dir=tmp_path, settings=PARENT, version="1")
    with pytest.raises(KeyboardInterrupt):
        _made_elsewhere(request)
    assert not made.exists()
