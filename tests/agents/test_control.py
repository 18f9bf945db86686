"""Commands are files: whole or not there, in the order of their time, readable or refused in one line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import control
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings

commands = st.one_of(
    st.builds(control.Pause),
    st.builds(control.Resume),
    st.builds(control.SkipStep),
    st.builds(control.SkipIteration),
    st.builds(control.Stop, now=st.booleans()),
    st.builds(control.Say, text=st.text(min_size=1, max_size=200)),
)


def new_run(folder: Path) -> RunFolder:
    return create_run(folder, RunSettings(dataset=Path("/data/d")), "1.0")


@given(st.lists(commands, max_size=8))
def test_commands_are_read_back_in_the_order_in_which_they_were_given(
    tmp_path_factory: pytest.TempPathFactory, given_commands
) -> None:
    run = new_run(tmp_path_factory.mktemp("runs"))
    for command in given_commands:
        control.submit(run, command)
    assert [control.load(path) for path in control.pending(run)] == given_commands


@given(st.binary(max_size=60))
def test_a_file_that_is_no_command_is_one_line_and_no_crash(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("control") / "0-x.json"
    path.write_bytes(data)
    problem = control.load(path)
    assert isinstance(problem, str)
    assert problem.strip()


def test_a_consumed_command_moves_to_done(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    control.submit(run, control.Pause())
    [path] = control.pending(run)
    control.retire(run, path)
    assert control.pending(run) == []
    assert [done.name for done in (run.control / "done").iterdir()] == [path.name]


def test_a_half_written_command_is_not_seen(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    (run.control / ".0-x.json.12.part").write_text('{"command"')
    (run.control / ".0-y.json").write_text("{")
    assert control.pending(run) == []
