"""The run's environment holds the scientific stack and nothing of the person's or of this program."""

import os
import subprocess
from pathlib import Path

import pytest

from agents.environment import STACK, RunEnvironment, make_environment


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> RunEnvironment:
    folder = tmp_path_factory.mktemp("run")
    return make_environment(folder / "environment", folder / "home", cpus=2, seed=7)


def python(environment: RunEnvironment, code: str) -> str:
    done = subprocess.run(
        [environment.python, "-c", code], env=environment.variables, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_scientific_stack_works_at_the_versions_that_are_written_down(environment: RunEnvironment) -> None:
    code = """
import numpy, pandas, scipy, sklearn, joblib
from sklearn.linear_model import LogisticRegression
LogisticRegression().fit([[0.0], [1.0]], [0, 1])
print(numpy.__version__, pandas.__version__, scipy.__version__, sklearn.__version__, joblib.__version__)
"""
    assert python(environment, code).split() == [environment.packages[name] for name in sorted(STACK, key=ORDER.index)]
    assert f"scikit-learn=={environment.packages['scikit-learn']}\n" in environment.requirements()


ORDER = ["numpy", "pandas", "scipy", "scikit-learn", "joblib"]


@pytest.mark.parametrize("name", ["litellm", "textual", "pydantic", "agents", "agentomics_tui", "screens", "pytest"])
def test_nothing_of_this_program_can_be_imported(environment: RunEnvironment, name: str) -> None:
    code = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
    assert python(environment, code) == "None"


def test_no_key_and_no_home_of_the_person_reach_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sk-canary")
    made = make_environment(tmp_path / "environment", tmp_path / "home", cpus=3, seed=1)
    assert "sk-canary" not in " ".join(made.variables.values())
    assert made.variables["HOME"] != os.environ.get("HOME")
    assert made.variables["OMP_NUM_THREADS"] == "3"
    seen = python(made, "import os; print(sorted(os.environ))")
    assert "KEY" not in seen


def test_an_environment_that_exists_is_taken_as_it_is(environment: RunEnvironment) -> None:
    folder = environment.python.parents[1]
    (folder / "mark").touch()
    again = make_environment(folder, folder.parent / "home", cpus=2, seed=7)
    assert (folder / "mark").exists()
    assert again == environment


def test_one_that_was_left_half_made_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "rubbish").touch()
    made = make_environment(folder, tmp_path / "home", cpus=1, seed=0)
    assert python(made, "import numpy; print(1)") == "1"
    assert not (folder / "lib" / "rubbish").exists()


def test_one_whose_versions_are_no_longer_those_installed_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    made = make_environment(folder, tmp_path / "home", cpus=1, seed=0)
    (folder / "packages.txt").write_text("numpy==0.1\n")
    (next(folder.glob("lib/python3.*/site-packages")) / "numpy").unlink()
    assert make_environment(folder, tmp_path / "home", cpus=1, seed=0) == made
    assert python(made, "import numpy; print(1)") == "1"
