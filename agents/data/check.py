"""``check``: what was understood of a dataset, on one screen. ``python -m agents.data.check DATASET``."""

import sys
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agents.data.audit import missing_cells
from agents.data.dataset import Dataset, SplitData, load_dataset
from agents.data.kinds import Kind, kind_of, length_range
from agents.data.layout import DatasetForm
from agents.data.tables import some
from agents.data.workspace import facts_of
from agents.errors import UserError
from agents.excerpt import clean
from agents.program import to_type
from agents.vocabulary import TaskType
from agents.wording import counted

WIDTH: Final = 78
HEIGHT: Final = 24
_MARGIN: Final = 10
_MOST_CLASSES: Final = 4
_MOST_COLUMNS: Final = 4
_FORMS: Final = {DatasetForm.CSV: "CSV form", DatasetForm.FOLDER: "folder form"}


def describe(dataset: Dataset, options: Sequence[str] = ()) -> list[str]:
    """At most :data:`HEIGHT` lines of at most :data:`WIDTH` columns; the last line is the command that runs it.

    ``options`` are repeated in that command, which alone may be wider: a path is not cut.
    """
    command = to_type("run", _shown_path(dataset.root), *options)
    lines = [
        *_entry("dataset", f"{dataset.name} ({_FORMS[dataset.form]})"),
        *_entry("task", _task(dataset)),
        *_entry("metric", f"{dataset.metric.name}, {dataset.metric.title}: {dataset.metric.direction}"),
        *_rows(dataset),
        *_inputs(dataset),
        *_entry("missing", _missing(dataset), most=1),
        *_entry("groups", _groups(dataset), most=1),
        *_withheld(dataset),
    ]
    if dataset.roles.others:
        others = [name for name in dataset.roles.others if name not in dataset.withheld]
        lines += _entry("unused", some(others, 20), most=1) if others else []
    room = HEIGHT - 1 - len(lines)
    return [*lines, *_findings(dataset.all_findings, room), f"run it: {command}"]


def as_json(dataset: Dataset) -> dict[str, Any]:
    """Everything that :func:`describe` shows, and what it had no room for."""
    facts = facts_of(dataset).model_dump(mode="json")
    frame = dataset.train.frame
    return facts | {
        "form": dataset.form.value,
        "label_column": dataset.roles.label,
        "group_column": dataset.roles.group,
        "rows": {name: len(split) for name, split in dataset.splits.items()},
        "class_rows": {name: _class_rows(dataset, split) for name, split in dataset.splits.items()},
        "input_kinds": {} if frame is None else {str(name): kind_of(series) for name, series in frame.items()},
        "missing": {} if frame is None else dict(missing_cells(frame)),
        "unused": list(dataset.roles.others),
        "findings": dataset.all_findings,
        "fingerprint": dataset.fingerprint,
    }


def main(arguments: Sequence[str]) -> int:
    """Describe the dataset named by the only argument; 2 with one line on stderr where it cannot be used."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m agents.data.check DATASET\n")
        return 2
    try:
        lines = describe(load_dataset(Path(arguments[0])))
    except UserError as error:
        sys.stderr.write(f"{clean(str(error))}\n")
        return 2
    sys.stdout.write("".join(f"{clean(line)}\n" for line in lines))
    return 0


def _entry(title: str, text: str, most: int = 2) -> list[str]:
    """``title`` in the margin and ``text`` beside it, wrapped to at most ``most`` lines."""
    if not text:
        return []
    plain = " ".join(text.split())
    wrapped = textwrap.wrap(plain, WIDTH - _MARGIN, max_lines=most, placeholder=" …", break_on_hyphens=False)
    return [f"{title if number == 0 else '':<{_MARGIN}}{line}" for number, line in enumerate(wrapped)]


def _task(dataset: Dataset) -> str:
    kind = {
        TaskType.BINARY: "binary classification",
        TaskType.MULTICLASS: f"classification, {len(dataset.classes)} classes",
        TaskType.REGRESSION: "regression",
    }[dataset.task_type]
    return f"{kind}; the label is column {dataset.roles.label!r}"


def _rows(dataset: Dataset) -> list[str]:
    ids = "numbered" if dataset.roles.id is None else f"named by column {dataset.roles.id!r}"
    lines = _entry("rows", ", ".join(f"{name} {len(split)}" for name, split in dataset.splits.items()) + f", {ids}")
    if dataset.task_type is TaskType.REGRESSION:
        spans = [f"{name} {s.labels.min():.4g} to {s.labels.max():.4g}" for name, s in dataset.splits.items()]
        return lines + _entry("labels", ", ".join(spans))
    counts = {name: _class_rows(dataset, split) for name, split in dataset.splits.items()}
    for number, title in enumerate(dataset.classes[:_MOST_CLASSES]):
        told = ", ".join(
            f"{name} {rows[title]} ({rows[title] / sum(rows.values()):.0%})" for name, rows in counts.items()
        )
        role = ("negative", "positive")[number] if dataset.task_type is TaskType.BINARY else title
        role = "" if role == title else f" ({role})"
        lines += _entry("" if number else "classes", f"{number} = {title}{role}: {told}", most=1)
    more = len(dataset.classes) - _MOST_CLASSES
    return lines + (_entry("", f"and {more} more") if more > 0 else [])


def _class_rows(dataset: Dataset, split: SplitData) -> dict[str, int]:
    return {name: int((split.labels == number).sum()) for number, name in enumerate(dataset.classes)}


def _inputs(dataset: Dataset) -> list[str]:
    frame = dataset.train.frame
    if frame is None:
        files = sum(path.is_file() for path in dataset.train.source.rglob("*"))
        return _entry("inputs", f"{counted(files, 'file')} in input/ of train, handed over as they are")
    if len(frame.columns) <= _MOST_COLUMNS:
        told = []
        for name, series in frame.items():
            kind = kind_of(series)
            low, high = length_range(series) if kind.has_length else (0, 0)
            size = f", {low} to {high} characters" if low != high else f", {high} characters" if high else ""
            told.append(f"{name}: {kind}{size}")
        return [line for number, text in enumerate(told) for line in _entry("" if number else "inputs", text, most=1)]
    names: defaultdict[Kind, list[str]] = defaultdict(list)
    for name, series in frame.items():
        names[kind_of(series)].append(str(name))
    kinds = sorted(names.items(), key=lambda item: -len(item[1]))
    lines = _entry("inputs", f"{len(frame.columns)} columns")
    return lines + [
        line for kind, found in kinds[:5] for line in _entry("", f"{len(found)} {kind}: {some(found, 3)}", 1)
    ]


def _missing(dataset: Dataset) -> str:
    if dataset.train.frame is None:
        return ""
    counts = missing_cells(dataset.train.frame)
    if not counts:
        return "no empty cell in train"
    worst = sorted(counts.items(), key=lambda item: -item[1])
    return f"{counted(sum(counts.values()), 'cell')} of train in {counted(len(counts), 'column')}: " + some(
        [f"{name} ({count})" for name, count in worst], 4
    )


def _groups(dataset: Dataset) -> str:
    groups = dataset.train.groups
    if groups is None:
        return ""
    return f"{len(set(groups))} in train by column {dataset.roles.group!r}"


def _withheld(dataset: Dataset) -> list[str]:
    told = [f"{name}: {reason}" for name, reason in dataset.withheld.items()]
    shown = told if len(told) <= 3 else [*told[:2], f"and {len(told) - 2} more"]
    return [line for number, text in enumerate(shown) for line in _entry("" if number else "withheld", text, 1)]


def _findings(findings: Sequence[str], room: int) -> list[str]:
    lines: list[str] = []
    for number, finding in enumerate(findings):
        entry = _entry("" if number else "note", finding)
        last = number == len(findings) - 1
        if len(lines) + len(entry) + (not last) > room:
            return [*lines, *_entry("" if number else "note", f"and {len(findings) - number} more, see --json")]
        lines += entry
    return lines


def _shown_path(root: Path) -> str:
    """The shorter of the absolute path and the one from here."""
    here = Path.cwd()
    return str(root.relative_to(here)) if root.is_relative_to(here) else str(root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
