"""What each column of a dataset is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.data.metadata import FILE_NAME, Metadata
from agents.data.tables import places_of, separator_hint, some
from agents.errors import UserError

DEFAULT_ID: Final = "id"
DEFAULT_LABEL: Final = "label"


@dataclass(frozen=True)
class ColumnRoles:
    """Roles of the columns of the table that holds the labels."""

    label: str
    id: str | None
    """None: rows are numbered in file order."""
    group: str | None
    inputs: tuple[str, ...]
    """What a model may see, in file order; empty in the folder form, where inputs lie in ``input/``."""
    others: tuple[str, ...]
    """Columns without a role: never shown to a model."""
    findings: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that every split must have."""
        return tuple(name for name in (self.label, self.id, self.group) if name is not None) + self.inputs

    def check_header(self, path: Path, header: Sequence[str]) -> None:
        """Raise :class:`UserError` where a split lacks a column that train has."""
        places_of(path, header, self.needed)


def assign_roles(table: Path, header: Sequence[str], metadata: Metadata, folder_form: bool) -> ColumnRoles:
    """Roles by ``metadata`` and, where it is silent, by name: ``id``, and ``label`` in the folder form.

    Raises :class:`UserError` where a named column is absent, the label column is not known or nothing is left to
    learn from.
    """
    label = metadata.label_column or (DEFAULT_LABEL if folder_form else None)
    if label is None:
        if hint := separator_hint(table, header):
            raise UserError(f"{table}, line 1: {hint}")
        raise UserError(
            f"{table}: which column is the label? Name it with --label-column, or as label_column in "
            f"{FILE_NAME}; the columns are: {some(header, 8)}"
        )
    identity = metadata.id_column or (DEFAULT_ID if DEFAULT_ID in header or folder_form else None)
    named = metadata.input_columns
    if metadata.id_column is None and not folder_form and (identity == label or identity in (named or ())):
        identity = None
    special = [name for name in (label, identity, metadata.group_column) if name is not None]
    places_of(table, header, (*special, *(named or ())))
    if len(set(special)) < len(special):
        raise UserError(f"{table}: one column cannot be two of label, id and group: {some(special)}")
    free = [name for name in header if name not in special]
    chosen = set(() if folder_form else free if named is None else named)
    inputs = [name for name in free if name in chosen]
    if not inputs and not folder_form:
        raise UserError(f"{table}: no input column is left beside {some(special)}")
    findings = [
        f"input_columns names {name!r}, which is the {role} column; it is not an input"
        for name, role in zip(special, _role_names(identity, metadata.group_column), strict=True)
        if name in (named or ())
    ]
    if folder_form and named is not None:
        findings.append("input_columns means nothing in the folder form: input/ is handed over as it is")
    if identity is not None and metadata.id_column is None and not folder_form:
        findings.append("column 'id' is taken as the rows' id")
    return ColumnRoles(
        label=label,
        id=identity,
        group=metadata.group_column,
        inputs=tuple(inputs),
        others=tuple(name for name in free if name not in chosen),
        findings=tuple(findings),
    )


def _role_names(identity: str | None, group: str | None) -> list[str]:
    return ["label", *(["id"] if identity else []), *(["group"] if group else [])]
