"""The card of a screen's keys: ours, in groups, with what each does now, and nothing of the toolkit's own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.key_help import KeyHelp
from screens.widgets.pane import cell, labelled, wrapped

_GROUPS: Final = {"replay": "Replay", "run": "Steer", "view": "Look", "app": "App"}
"""What stands before the point in a binding's id, in the order of the card, and how the group is called."""
_PALETTE: Final = Binding(
    "ctrl+p", "palette", "Commands", id="app.palette", tooltip="All commands by name, and the themes"
)
_LABELS: Final = 7
_GAP: Final = 2


@dataclass(frozen=True)
class KeyLine:
    """One key: how it is written, its name, what it does; ``works`` is False where it cannot be pressed now."""

    group: str
    keys: str
    name: str
    purpose: str
    works: bool = True


@dataclass(frozen=True)
class Card:
    """What the card says: keys in the order of their groups, then a line for each widget that has keys of its own."""

    keys: tuple[KeyLine, ...]
    widgets: tuple[tuple[str, str], ...]


def card_of(screen: KeyHelp) -> Card:
    """The keys of ``screen`` as they are now; those that do not apply are left out."""
    lines = [line for binding in (*screen.keys(), _PALETTE) if (line := _line(screen, binding))]
    order = list(_GROUPS.values())
    lines.sort(key=lambda line: order.index(line.group))
    helps = (getattr(widget, "KEY_HELP", None) for widget in screen.query("*") if widget.display)
    return Card(tuple(lines), tuple(dict.fromkeys(one for one in helps if one)))


def _line(screen: KeyHelp, binding: Binding) -> KeyLine | None:
    works = screen.check_action(binding.action.partition("(")[0], ())
    group = _GROUPS.get((binding.id or "").partition(".")[0])
    if works is False or group is None:
        return None
    singles = Binding.make_bindings([replace(binding, key_display=None)])
    keys = " ".join(screen.app.get_key_display(single) for single in singles)
    return KeyLine(group, keys, binding.description, screen.purpose(binding), works=works is True)


def card_content(card: Card, width: int) -> Content:
    """The card in ``width`` cells: group, key, name, purpose; what is too long goes on in the next line."""
    keys = max((cell_len(line.keys) for line in card.keys), default=0) + _GAP
    names = max((cell_len(line.name) for line in card.keys), default=0) + _GAP
    lines: list[Content] = []
    group = ""
    for line in card.keys:
        purpose = wrapped(line.purpose, max(1, width - _LABELS - keys - names), 3) or [Content("")]
        label = Content.styled("" if line.group == group else line.group, "$text-muted")
        group = line.group
        style = "" if line.works else "$text-muted"
        head = Content.assemble(
            cell(label, _LABELS),
            cell(Content.styled(line.keys, "bold $accent" if line.works else style), keys),
            cell(Content.styled(line.name, style), names),
            Content.styled(purpose[0].plain, style),
        )
        indent = " " * (_LABELS + keys + names)
        lines += [head, *(Content.styled(indent + more.plain, style) for more in purpose[1:])]
    own = list(_widget_lines(card.widgets, width))
    return Content("\n").join([*lines, *([Content(""), *own] if own else [])])


def _widget_lines(widgets: Iterable[tuple[str, str]], width: int) -> Iterator[Content]:
    for name, text in widgets:
        column = max(_LABELS, cell_len(name) + _GAP)
        yield from labelled(name, wrapped(text, max(1, width - column), 3), column)


class KeyCard(ModalScreen[None]):
    """A card of keys over the screen that they belong to."""

    CSS_PATH = "key_card.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", show=False, id="card.close"),
    ]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card
        self._words = Static("", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="card"):
            with VerticalScroll():
                yield self._words
            yield Static("esc or ? closes this", id="foot", markup=False)

    def on_mount(self) -> None:
        card = self.query_one("#card")
        card.border_title = "Keys"
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self._words.update(card_content(self._card, self._words.size.width))
