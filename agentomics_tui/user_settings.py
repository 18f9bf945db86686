"""What a person has settled once and for all: the environment, the project's file and the user's file.

A flag wins over the environment, that over ``agentomics.toml`` in the current folder, that over ``settings.toml`` in
the user's configuration folder. The fields are those of :class:`RunSettings` and ``runs_dir``; pydantic-settings is
loaded only by the commands that start a run, because it costs a tenth of a second.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from platformdirs import user_config_path
from pydantic import ValidationError, ValidationInfo, create_model, field_validator

from agentomics_tui.addresses import problem_with_address
from agents.errors import UserError
from agents.secrets import is_secret_name
from agents.settings import RunSettings

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

PROJECT_FILE: Final = "agentomics.toml"
USER_FILE: Final = "settings.toml"
PREFIX: Final = "AGENTOMICS_"
RUNS_DIR: Final = "runs_dir"
NOTIFY_COMMAND: Final = "notify_command"
FIELDS: Final = {name: info for name, info in RunSettings.model_fields.items() if name != "dataset"}
"""Every setting of a run that can be settled; a dataset is named anew for each run."""
DEMO_ITERATIONS: Final = 3
"""Of a demo, where no flag says otherwise: it is short whatever is settled for real runs."""
NUDGE: Final = "nudge"
Nudge = Literal["off", "bell", "all"]
"""How a screen may call a person who looks elsewhere: not at all, by the bell alone, or by notifications too."""
SETTINGS: Final = (*FIELDS, RUNS_DIR, NUDGE)
FLAG_OF: Final = {
    "run_python_tool_timeout": "--run-python-timeout",
    "bash_tool_timeout": "--bash-timeout",
    "fallback_models": "--fallback-model",
}
"""Settings whose flag has another name."""
OFF: Final = "none"
_NOTHING: Final[Mapping[str, Any]] = {
    "iteration_plan_model": None,
    "fallback_models": (),
    "api_base": None,
    "metric": None,
    "note": None,
    "timeout": None,
    "budget_usd": None,
    "budget_tokens": None,
    "approve": (),
    "iteration_plan_temperature": None,
    "context_window": None,
    "notify_command": None,
}
"""What :data:`OFF` means for a setting, whatever a place that counts less says of it.

Where the word is a value of its own, as an effort or the name of a column may be, it switches nothing off.
"""
_EXPECTED: Final = {
    "tuple_type": 'expected a list of texts, such as ["one", "two"]',
    "string_type": "expected text in quotes",
    "path_type": "expected the path of a folder, in quotes",
}
"""What to write, where Pydantic's words name a type of Python; only a file can be wrong in these ways."""


def flag_of(setting: str) -> str:
    """The flag that gives ``setting``."""
    return FLAG_OF.get(setting, f"--{setting.replace('_', '-')}")


def or_nothing(setting: str, value: Any) -> Any:
    """``value``, or what ``setting`` is where it is switched off by the word :data:`OFF`."""
    word = value[0] if isinstance(value, list) and len(value) == 1 else value
    off = setting in _NOTHING and isinstance(word, str) and word.strip().lower() == OFF
    return _NOTHING[setting] if off else value


@dataclass(frozen=True)
class Source:
    """One place where settings were found, with what it says. ``name`` is a file, or empty for flags and variables."""

    kind: str
    values: Mapping[str, Any]
    name: str = ""

    def place(self, setting: str) -> str:
        """Where a person finds ``setting`` in this source."""
        if self.kind == "flag":
            return flag_of(setting)
        return PREFIX + setting.upper() if self.kind == "variable" else f"{self.name}: {setting}"


@dataclass(frozen=True)
class Settled:
    """Settings that somebody gave, and where each was found."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def settle(flags: Mapping[str, Any], here: Path | None = None) -> Settled:
    """All that was given: for each setting the first of flags, environment, project file and user file.

    ``flags`` maps settings to values, None where a flag was not given. Raises :class:`UserError`: one line with the
    place, the setting and what was expected.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    files = list(read_files(here))
    variables = {
        name.lower().removeprefix(PREFIX.lower()): value for name, value in os.environ.items() if _is_ours(name)
    }
    sources = [
        Source("flag", given),
        Source("variable", {name: value for name, value in variables.items() if value}),
        *(Source("file", values, str(path)) for path, values in files),
    ]
    for source in sources:
        _refuse_unknown(source)
        _refuse_yes_and_no(source)
        _refuse_program(source)
    try:
        settings = _model([values for _, values in files])(**given)
    except ValidationError as error:
        raise UserError(_complaint(error, sources)) from None
    values = {name: getattr(settings, name) for name in SETTINGS if name in settings.model_fields_set}
    places = {name: next(source for source in sources if name in source.values).place(name) for name in values}
    _refuse_address(values, places.get)
    return Settled(values, places)


def changed(settings: RunSettings, given: Mapping[str, Any]) -> RunSettings:
    """``settings`` with what flags have ``given``; raises :class:`UserError` that names the flag."""
    given = {name: or_nothing(name, value) for name, value in given.items()}
    _refuse_address(given, flag_of)
    try:
        return RunSettings.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        raise UserError(_complaint(error, [Source("flag", given)])) from None


def runs_dir_of_files() -> Path | None:
    """The folder of the runs that a settings file names, from that file's folder on; no other setting is looked at."""
    for path, values in read_files():
        if (named := values.get(RUNS_DIR)) is None:
            continue
        if not isinstance(named, str) or not named.strip():
            raise UserError(f"{path}: {RUNS_DIR}: expected the path of a folder as text")
        return path.parent.absolute() / Path(named).expanduser()
    return None


def nudge_setting() -> Nudge:
    """How the screens may call a person who looks elsewhere; raises :class:`UserError`."""
    allowed: tuple[Nudge, ...] = get_args(Nudge)
    variable = Source("variable", {NUDGE: os.environ.get(PREFIX + NUDGE.upper())})
    for source in (variable, *(Source("file", values, str(path)) for path, values in read_files())):
        if not (given := source.values.get(NUDGE)):
            continue
        for known in allowed:
            if given == known:
                return known
        raise UserError(f"{source.place(NUDGE)} {given!r}: expected one of {', '.join(allowed)}")
    return "all"


def read_files(here: Path | None = None) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The settings files that there are, the project's first, with what they hold; raises :class:`UserError`."""
    for path in (Path(here or "", PROJECT_FILE), user_folder() / USER_FILE):
        if os.path.lexists(path):  # what is there and cannot be read is told, not passed over
            yield path, _read(path)


def user_folder() -> Path:
    """Where the user's own settings and keys lie."""
    return user_config_path("agentomics-tui")


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: is no TOML: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _refuse_unknown(source: Source) -> None:
    """A slip of the pen in ``budget_usd`` must not cost money. Values are not repeated: one may be a key."""
    for name in source.values:
        if name in SETTINGS:
            continue
        if is_secret_name(name):
            hint = "keys belong in the environment or in a file .env"
        elif isinstance(source.values[name], dict):
            raise UserError(f"{source.name}: [{name}]: settings stand in no section; leave the line [{name}] out")
        elif name == "dataset":
            hint = "a dataset is named on the command line"
        elif close := get_close_matches(name, SETTINGS, 1):
            hint = f"did you mean {close[0]}?"
        else:
            hint = f"there are {', '.join(sorted(SETTINGS))}"
        raise UserError(f"{source.place(name)}: no such setting; {hint}")


def _refuse_yes_and_no(source: Source) -> None:
    """No setting is a matter of yes or no, and TOML's ``true`` must not count as the number 1."""
    for name, value in source.values.items():
        if isinstance(value, bool):
            raise UserError(f"{source.place(name)}: {str(value).lower()} is no value for it")


def _refuse_program(source: Source) -> None:
    """A folder that came from elsewhere must not say what is run on this machine."""
    if NOTIFY_COMMAND in source.values and Path(source.name).name == PROJECT_FILE:
        where = f"the environment or {user_folder() / USER_FILE}"
        raise UserError(f"{source.place(NOTIFY_COMMAND)}: a project names no program to run; put it into {where}")


def _refuse_address(values: Mapping[str, Any], place: Callable[[str], str | None]) -> None:
    """The address must be one, and hold no key; it is not repeated."""
    address = values.get("api_base")
    if address is not None and (problem := problem_with_address(address)):
        raise UserError(f"{place('api_base')}: {problem}")


def _complaint(error: ValidationError, sources: list[Source]) -> str:
    problem = error.errors()[0]
    setting = str(problem["loc"][0])
    place = next((source.place(setting) for source in sources if setting in source.values), setting)
    given = problem["input"]
    shown = "" if setting == "api_base" else f" {given!r}" if isinstance(given, str) and not given else f" {given}"
    if isinstance(given, dict):  # a section, which may hold anything
        shown = ""
    if len(problem["loc"]) > 1 and isinstance(entry := problem["loc"][1], int):
        shown = f", entry {entry + 1}:{shown}"
    return f"{place}{shown}: {_EXPECTED.get(problem['type'], problem['msg'])}"


def _model(files: Sequence[Mapping[str, Any]]) -> "type[BaseSettings]":
    """RunSettings without its dataset, with ``runs_dir``, filled from arguments, the environment, then ``files``."""
    from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

    class Base(BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX, env_ignore_empty=True, enable_decoding=False, extra="forbid", allow_inf_nan=False
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, *(InitSettingsSource(settings_cls, dict(values)) for values in files)

        @field_validator(*_NOTHING, mode="before", check_fields=False)
        @classmethod
        def _off(cls, value: Any, info: ValidationInfo) -> Any:
            return or_nothing(info.field_name or "", value)

        @field_validator("fallback_models", "approve", mode="before", check_fields=False)
        @classmethod
        def _names(cls, value: Any) -> Any:
            """A variable holds several names with commas between them."""
            return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    fields: dict[str, Any] = {name: (info.annotation, info) for name, info in FIELDS.items()}
    return create_model(
        "UserSettings", __base__=Base, **fields, runs_dir=(Path | None, None), nudge=(Nudge | None, None)
    )
