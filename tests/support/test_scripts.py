"""A forked script sees and leaves behind what one in a new interpreter does."""

import os
from pathlib import Path

import pytest

from tests.support.scripts import run_interpreter, run_script

PROBE = """
import json, os, sys
from pathlib import Path
import beside
found = {
    "name": __name__,
    "main": sys.modules["__main__"].__dict__.get("beside") is beside,
    "file": __file__,
    "arguments": sys.argv,
    "path": sys.path[0],
    "cwd": os.getcwd(),
    "environment": {name: value for name, value in os.environ.items() if name != "LC_CTYPE"},  # set by an interpreter
    "input": sys.stdin.read(),
    "encoding": sys.stdout.encoding,
    "umask": os.umask(0),
}
print(json.dumps(found))
print("warning", file=sys.stderr)
"""
ENDINGS = {
    "returns": ("pass", 0),
    "a number": ("import sys; sys.exit(7)", 7),
    "a message": ("import sys; sys.exit('it failed')", 1),
    "an exception": ("raise ValueError('it failed')", 1),
    "at once": ("import os; print('x', flush=True); os._exit(9)", 9),
    "a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_forked_script_sees_what_a_new_interpreter_shows_it(tmp_path: Path) -> None:
    write(tmp_path / "beside.py", "")
    script = write(tmp_path / "probe.py", PROBE)
    new = run_interpreter(script, "--x", 1, cwd=tmp_path)
    forked = run_script(script, "--x", 1, cwd=tmp_path)
    assert new.returncode == 0, new.stderr
    assert (forked.returncode, forked.stdout, forked.stderr) == (0, new.stdout, new.stderr)


@pytest.mark.parametrize(("body", "status"), ENDINGS.values(), ids=ENDINGS)
def test_a_forked_script_ends_as_one_in_a_new_interpreter_does(tmp_path: Path, body: str, status: int) -> None:
    script = write(tmp_path / "script.py", f"import atexit\natexit.register(print, 'bye')\n{body}\n")
    new, forked = run_interpreter(script), run_script(script)
    assert forked.returncode == new.returncode == status
    assert forked.stdout == new.stdout
    assert forked.stderr.splitlines()[-1:] == new.stderr.splitlines()[-1:]


def test_nothing_of_one_script_reaches_the_next(tmp_path: Path) -> None:
    spoil = "import os, sys, numpy\nos.environ['X'] = '1'\nnumpy.spoiled = 1\nos.chdir('/tmp')\nsys.path.append('/x')\n"
    assert run_script(write(tmp_path / "first.py", spoil)).returncode == 0
    look = "import os, sys, numpy\nprint('X' in os.environ, hasattr(numpy, 'spoiled'), os.getcwd(), '/x' in sys.path)"
    assert run_script(write(tmp_path / "second.py", look)).stdout == "False False / False\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a new interpreter finds the project where it is installed")
def test_a_forked_script_cannot_import_this_project(tmp_path: Path) -> None:
    refused = run_script(write(tmp_path / "script.py", "import agents"))
    assert refused.returncode == 1
    assert "import of agents halted" in refused.stderr
