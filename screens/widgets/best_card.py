"""The best snapshot so far: how good it is, where it lies, how it is used."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from textual.content import Content
from textual.geometry import Size

from agents.program import parts_to_type
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.vocabulary import is_test
from screens.plain import one_line
from screens.vocabulary import MISSING, score
from screens.widgets.pane import Pane, labelled, wrapped

_LABELS = 9
_INDENT = 2
_WIDE = 64
"""Cells from which the figures stand in one line."""


@dataclass(frozen=True)
class BestView:
    """The best candidate, or none yet."""

    metric: str
    value: float | None
    test: float | None
    over: bool
    has_test: bool
    iteration: int | None
    combination: str
    path: str
    command: tuple[str, ...]
    """In parts that stay whole."""
    bounds: str = ""
    """Of the validation score, at 95 %; empty where nothing can be said."""
    gain: str = ""
    """Whether it is a real gain over the best before, in few cells."""


def best_view(state: RunState, folder: RunFolder) -> BestView:
    best = state.best
    tests = [scores.get(state.metric) for scores in state.test_scores.values()]
    return BestView(
        metric=one_line(best.metric if best else state.metric),
        value=best.value if best else None,
        test=tests[0] if tests else None,
        over=state.status.is_over,
        has_test=any(is_test(name) for name in state.rows),
        iteration=best.iteration if best else None,
        combination=one_line(best.combination) if best else "",
        path=one_line(str(folder.snapshot(best.iteration))) if best else "",
        bounds=best.certainty.bounds if best and best.certainty else "",
        gain=best.certainty.gain if best and best.certainty else "",
        command=(*parts_to_type("predict", one_line(folder.run_id)), "--input …", "--output …"),
    )


class BestCard(Pane[BestView]):
    """A card as high as it needs to be, so that path and command are whole; one line where the layout gives no more."""

    def show(self, view: BestView) -> None:
        if view != self._view:
            super().show(view)
            self.set_class(view.over, "-over")
            self.refresh(layout=True)  # it may need another height

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._whole(self._view, width)) if self._view else 1

    def heading(self, view: BestView) -> Content | None:
        return Content("Best snapshot" if view.over else "Best snapshot so far")

    def has_nothing(self, view: BestView) -> bool:
        return view.value is None

    def draw(self, view: BestView, width: int, height: int) -> Sequence[Content]:
        return self._whole(view, width) if height > 2 or view.value is None else [_line(view, "best ")]

    def _whole(self, view: BestView, width: int) -> Sequence[Content]:
        if view.value is None:
            words = "No snapshot was made." if view.over else "None yet: the first evaluated iteration makes it."
            return wrapped(words, width, 2)
        return _card(view, width)


def _value(view: BestView) -> Content:
    return Content.assemble(("◆ ", "$warning"), (f"{view.metric} {score(view.value)}", "bold"))


def _test(view: BestView) -> str:
    if view.test is not None:
        return f"{view.metric} {score(view.test)}"
    if not view.has_test:
        return "the dataset has no test split"
    return MISSING if view.over else "at the end of the run"


def _card(view: BestView, width: int) -> list[Content]:
    folders = [f"{folder}/" for folder in view.path.split("/")]
    return [
        *([_line(view)] if width >= _WIDE else _figures(view, width)),
        *_whole_parts("path", [*folders[:-1], folders[-1].rstrip("/")], "", width),
        *_whole_parts("use", view.command, " ", width, "$accent"),
    ]


def _figures(view: BestView, width: int) -> list[Content]:
    sure = " · ".join(words for words in (view.bounds, view.gain) if words)
    return [
        Content.assemble(_value(view), (" on validation", "$text-muted")),
        *(labelled("95 %", wrapped(sure, max(1, width - _LABELS), 2), _LABELS) if sure else ()),
        *labelled("test", [Content(_test(view))], _LABELS),
        *labelled("from", [Content(f"iteration {view.iteration}")], _LABELS),
        *labelled("model", wrapped(view.combination, max(1, width - _LABELS), 2), _LABELS),
    ]


def _whole_parts(label: str, parts: Sequence[str], glue: str, width: int, style: str = "") -> list[Content]:
    """``parts`` behind their label, or below it where one of them is too long to stand there whole."""
    if all(cell_len(part) <= width - _LABELS for part in parts):
        lines = packed(parts, glue, max(1, width - _LABELS))
        return labelled(label, [Content.styled(line, style) for line in lines], _LABELS)
    lines = packed(parts, glue, max(1, width - _INDENT))
    indented = (Content.assemble(" " * _INDENT, (line, style)) for line in lines)
    return [Content.styled(label, "$text-muted"), *indented]


def packed(parts: Sequence[str], glue: str, room: int) -> list[str]:
    """``parts`` in as few lines as they fit into; only one that is wider than a whole line is broken."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}{glue}{part}" if lines else part
        if lines and cell_len(joined) <= room:
            lines[-1] = joined
        else:
            lines += chop_cells(part, room)
    return lines


def _line(view: BestView, label: str = "") -> Content:
    test = f" · test {score(view.test)}" if view.test is not None else ""
    sure = f" [{view.bounds}]" if view.bounds else ""
    test += f" · {view.gain}" if view.gain else ""
    rest = f"{sure}{test} · iteration {view.iteration} · {view.combination}"
    return Content.assemble((label, "$text-muted"), _value(view), (rest, "$text-muted"))
