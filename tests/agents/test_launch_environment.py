"""What an engine is started with: the environment of this process, and keys that only it gets."""

import os
import sys
from pathlib import Path

import pytest

from agents.launch import start_engine
from agents.run_folder import RunFolder


def test_keys_reach_the_engine_alone_and_a_variable_that_is_set_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nprintf "%s|%s|%s|%s" "$SET" "$EMPTY" "$NEW" "$HOME" > environment.txt\n')
    stand_in.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    monkeypatch.setenv("SET", "here")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("HOME", "/home/ana")
    engine = start_engine(RunFolder(tmp_path), {"SET": "file", "EMPTY": "file", "NEW": "file"})
    assert engine.wait(60) == 0
    assert (tmp_path / "environment.txt").read_text() == "here|file|file|/home/ana"
    assert "NEW" not in os.environ
