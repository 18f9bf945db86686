"""``metadata.json``: what a dataset says of itself."""

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agents.data.tables import some
from agents.errors import UserError

FILE_NAME: Final = "metadata.json"


class Metadata(BaseModel):
    """The keys of ``metadata.json``, all of them optional. Other keys are kept in ``unknown`` and otherwise ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_column: str | None = Field(None, min_length=1)
    id_column: str | None = Field(None, min_length=1)
    input_columns: list[str] | None = Field(None, min_length=1)
    group_column: str | None = Field(None, min_length=1)
    task_type: Literal["classification", "regression"] | None = None
    positive_class: str | None = None
    negative_class: str | None = None
    metric: str | None = Field(None, min_length=1)
    unknown: tuple[str, ...] = Field((), exclude=True, description="Keys of the file that mean nothing here.")

    @field_validator("positive_class", "negative_class", mode="before")
    @classmethod
    def _number_as_text(cls, value: Any) -> Any:
        """Classes are text in a CSV file; ``1`` and ``"1"`` in JSON mean the same class."""
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    def for_label(self, label_column: str | None) -> "Metadata":
        """What still holds where a person names another label column than the file does."""
        if label_column is None or label_column == self.label_column or self.label_column is None:
            return self.model_copy(update={"label_column": label_column or self.label_column})
        forgotten = ("task_type", "positive_class", "negative_class", "metric")
        return self.model_copy(update={"label_column": label_column, **dict.fromkeys(forgotten)})


def read_metadata(folder: Path) -> Metadata:
    """Read ``metadata.json`` of a dataset; an empty one where the file is absent.

    Raises :class:`UserError` with file, key and what was expected.
    """
    path = folder / FILE_NAME
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is {'a folder' if path.is_dir() else 'no ordinary file'}; expected a JSON file")
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Metadata.model_validate({})
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except ValueError:
        # What the parser refuses of well-formed JSON: Python reads no whole number of more than 4,300 digits.
        raise UserError(f"{path}: a number there has too many digits") from None
    except RecursionError:
        raise UserError(f"{path}: brackets are nested too deeply") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    if not isinstance(values, dict):
        raise UserError(f'{path}: expected an object such as {{"label_column": "label"}}')
    try:
        metadata = Metadata.model_validate({key: value for key, value in values.items() if key != "unknown"})
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise UserError(f"{path}: {key}: {_in_words(problem['type'], problem['msg'])}") from None
    _check(path, metadata)
    unknown = tuple(key for key in values if key not in Metadata.model_fields or key == "unknown")
    return metadata.model_copy(update={"unknown": unknown})


def _in_words(kind: str, message: str) -> str:
    if kind == "string_type":
        return "expected a text in quotes"
    if kind == "list_type":
        return 'expected a list of column names such as ["a", "b"]'
    return message[:1].lower() + message[1:]


def _check(path: Path, metadata: Metadata) -> None:
    names = metadata.input_columns or []
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise UserError(f"{path}: input_columns: named twice: {some(twice)}")
    if metadata.positive_class is not None and metadata.positive_class == metadata.negative_class:
        raise UserError(f"{path}: negative_class: the same as positive_class, {metadata.positive_class!r}")
    roles: dict[str, str] = {}
    for key in ("label_column", "id_column", "group_column"):
        name = getattr(metadata, key)
        if name is not None and name in roles:
            raise UserError(f"{path}: {key}: column {name!r} is {roles[name]} already")
        if name is not None:
            roles[name] = key
