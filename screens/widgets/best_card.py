"""The best snapshot so far: how good it is, where it lies, how it is used."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from agents.data.layout import is_test
from agents.program import to_type
from agents.run_folder import RunFolder
from agents.state import RunState
from screens.plain import one_line
from screens.vocabulary import MISSING, score, shorten_left
from screens.widgets.pane import Pane, labelled, wrapped

_LABELS = 9


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
        command=(to_type("predict"), one_line(folder.run_id), "--input … --output …"),
    )


class BestCard(Pane[BestView]):
    """A card where there is room, one line where there is not."""

    def heading(self, view: BestView) -> Content | None:
        return Content("Best snapshot" if view.over else "Best snapshot so far")

    def has_nothing(self, view: BestView) -> bool:
        return view.value is None

    def draw(self, view: BestView, width: int, height: int) -> Sequence[Content]:
        if view.value is None:
            words = "No snapshot was made." if view.over else "None yet: the first evaluated iteration makes it."
            return wrapped(words, width, height)
        return _card(view, width) if height > 2 else [_line(view)]


def _value(view: BestView) -> Content:
    return Content.assemble(("◆ ", "$warning"), (f"{view.metric} {score(view.value)}", "bold"))


def _test(view: BestView) -> str:
    if view.test is not None:
        return f"{view.metric} {score(view.test)}"
    if not view.has_test:
        return "the dataset has no test split"
    return MISSING if view.over else "at the end of the run"


def _card(view: BestView, width: int) -> list[Content]:
    room = max(1, width - _LABELS)
    return [
        Content.assemble(_value(view), (" on validation", "$text-muted")),
        *labelled("test", [Content(_test(view))], _LABELS),
        *labelled("from", [Content(f"iteration {view.iteration}")], _LABELS),
        *labelled("model", wrapped(view.combination, room, 2), _LABELS),
        *labelled("path", [Content(shorten_left(view.path, room))], _LABELS),
        *labelled("use", [Content.styled(part, "$accent") for part in _command(view, room)], _LABELS),
    ]


def _command(view: BestView, room: int) -> list[str]:
    """The command in as few lines as it fits into, broken only where that is readable."""
    lines = [view.command[0]]
    for part in view.command[1:]:
        if len(lines[-1]) + 1 + len(part) <= room:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def _line(view: BestView) -> Content:
    test = f" · test {score(view.test)}" if view.test is not None else ""
    rest = f"{test} · iteration {view.iteration} · {view.combination}"
    return Content.assemble(("best ", "$text-muted"), _value(view), (rest, "$text-muted"))
