"""The run library: all runs with their live state; Enter watches one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Footer, Input, Static

from agents.program import to_type
from agents.run_folder import RunFolder
from agents.run_summary import RunSummary
from screens.key_help import KEYS, KeyHelp
from screens.messages import LeaveWanted, ReadingSeen, RefreshWanted, RunsListed, RunWanted
from screens.plain import one_line
from screens.run_columns import GAP, MUTED, Column, cells_of, columns_for, is_match, metric_words
from screens.vocabulary import (
    UNREADABLE,
    count,
    model_words,
    run_look,
    shorten,
    shorten_left,
)
from screens.widgets.pane import justified

_AGE_SECONDS: Final = 20
"""Ages are drawn anew this often; no other clock moves a row."""
_EDGES: Final = 2
"""The blank cell before the table, and the scroll bar behind it."""


class FilterField(Input):
    """Where a person types which runs to show."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "accept", "Keep", key_display="enter"),
        Binding("escape", "clear", "All runs", priority=True),
    ]

    @dataclass
    class Closed(Message):
        """The person goes back to the list."""

    def action_accept(self) -> None:
        self.post_message(self.Closed())

    def action_clear(self) -> None:
        self.value = ""
        self.post_message(self.Closed())


class RunTable(DataTable[Text]):
    """The rows of the runs."""

    KEY_HELP: ClassVar[tuple[str, str]] = (
        "Runs",
        "↑ ↓ select · Home End first, last · Enter watches the run",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Watch"),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("home,g", "scroll_top", "First", show=False),
        Binding("end,G", "scroll_bottom", "Last", show=False),
    ]


class RunLibraryScreen(KeyHelp):
    """All runs of the runs folder, newest first.

    Takes :class:`RunsListed`. Posts :class:`RunWanted` (Enter), :class:`LeaveWanted` (``q``) and :class:`RefreshWanted`
    (``r``; nobody needs to answer, ages and durations are drawn anew at once).

    ``runs_dir`` is only shown; ``now`` is the clock of the ages. ``watched``: the run that was on the screen before, on
    which the cursor begins and to which ``escape`` goes back.
    """

    CSS_PATH = "run_library.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter",
            id="view.filter",
            key_display="/",
            tooltip="Only runs that the typed words match",
        ),
        Binding("r", "refresh", "Refresh", id="view.refresh", tooltip="Look at the runs folder now"),
        Binding("escape", "all", "All runs", id="view.all", tooltip="End the filter"),
        Binding(
            "escape", "back", "Back to the run", id="app.back", key_display="esc", tooltip="The run watched before"
        ),
        KEYS,
        Binding("q", "leave", "Leave", id="app.leave", tooltip="Close the app; runs go on"),
    ]

    def __init__(
        self,
        runs_dir: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        watched: RunFolder | None = None,
    ) -> None:
        super().__init__()
        self._watched = watched
        self._runs_dir = runs_dir
        self._now = now
        self._runs: list[RunSummary] | None = None
        self._problem = ""
        self._shown: dict[str, RunSummary] = {}
        self._drawn: dict[str, dict[str, tuple[str, str]]] = {}
        self._columns: list[Column] = []
        self._needed: dict[str, int] = {}
        """Cells of the widest text that each column has had to hold; they only grow, so that nothing jumps about."""
        self._filter = FilterField(placeholder="Words of the run, dataset, model, metric or state", compact=True)

    def compose(self) -> ComposeResult:
        yield Static("", id="title", markup=False)
        yield self._filter
        yield Static("", id="empty", markup=False)
        yield RunTable(cursor_type="row", cell_padding=0, id="runs")
        yield Static("", id="detail", markup=False)
        yield Footer(show_command_palette=False)

    @property
    def table(self) -> "RunTable":
        return self.query_one(RunTable)

    def on_mount(self) -> None:
        self.table.focus()
        self.set_interval(_AGE_SECONDS, self._draw)
        self._draw()

    def on_resize(self) -> None:
        self._needed = {}
        self.call_after_refresh(self._draw)

    @on(RunsListed)
    def _list(self, message: RunsListed) -> None:
        self._runs = message.runs
        self._draw()

    @on(ReadingSeen)
    def _reading_seen(self, message: ReadingSeen) -> None:
        self._problem = message.problem
        self._draw()

    # --- drawing -----------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Bring the list to what is known, touching only the cells that changed."""
        runs = self._runs or []
        wanted = self._filter.value
        shown = {str(run.folder.root): run for run in runs if is_match(run, wanted)}
        now = self._now()
        cells = {path: cells_of(run, now) for path, run in shown.items()}
        columns = self._fitting(cells.values())
        with self.app.batch_update():
            if list(shown) != list(self._shown) or columns != self._columns:
                self._fill(cells, list(shown), columns)
            else:
                self._touch(cells)
            self._shown, self._drawn = shown, cells
            self.set_class(not shown, "-empty")
            self._draw_words(runs, shown)

    def _fitting(self, rows: Iterable[dict[str, tuple[str, str]]]) -> list[Column]:
        """The columns that fit, for what they hold and have held since the last change of size."""
        for row in rows:
            for key, (text, _) in row.items():
                self._needed[key] = max(self._needed.get(key, 0), cell_len(text))
        return columns_for(self.size.width - _EDGES, self._needed)

    def _fill(self, cells: dict[str, dict[str, tuple[str, str]]], paths: Sequence[str], columns: list[Column]) -> None:
        """Draw all rows: the runs in the list, or the columns, are other ones. The selected run stays selected."""
        table = self.table
        selected, top = self._selected_path, table.scroll_y
        first = None if selected else self._path_of_watched(paths)
        table.clear(columns=columns != self._columns)
        if columns != self._columns:
            self._columns = columns
            for column in columns:
                table.add_column(Text(self._padded(column.label, column)), key=column.key, width=self._width(column))
        for path in paths:
            table.add_row(*(self._cell(column, cells[path][column.key]) for column in self._columns), key=path)
        if selected in cells:
            table.move_cursor(row=table.get_row_index(selected), animate=False)
            table.scroll_to(y=top, animate=False)
        elif first is not None:
            table.move_cursor(row=table.get_row_index(first), animate=False)

    def _path_of_watched(self, paths: Sequence[str]) -> str | None:
        """Which of ``paths`` is the run that was watched; it may have been named in another way."""
        if self._watched is None:
            return None
        root = self._watched.root.absolute()
        return next((path for path in paths if Path(path).absolute() == root), None)

    def _touch(self, cells: dict[str, dict[str, tuple[str, str]]]) -> None:
        for path, row in cells.items():
            before = self._drawn[path]
            for column in self._columns:
                if row[column.key] != before[column.key]:
                    self.table.update_cell(path, column.key, self._cell(column, row[column.key]))

    def _cell(self, column: Column, cell: tuple[str, str]) -> Text:
        text, style = cell
        if not (text.isascii() and len(text) <= column.width):
            text = shorten(text, column.width)
        return Text(self._padded(text, column), style=self._style(style), no_wrap=True)

    def _width(self, column: Column) -> int:
        """Of the column with the gap behind it; behind the last one that is what is left of the line."""
        if column is not self._columns[-1]:
            return column.width + GAP
        used = sum(one.width for one in self._columns) + GAP * (len(self._columns) - 1)
        return column.width + max(0, self.size.width - _EDGES - used)

    def _padded(self, text: str, column: Column) -> str:
        """``text`` in the column's width and the gap."""
        blank = max(0, column.width - cell_len(text))
        gap = " " * (self._width(column) - column.width)
        return f"{' ' * blank}{text}{gap}" if column.right else f"{text}{' ' * blank}{gap}"

    def _style(self, name: str) -> Style:
        """A style of the theme for a table, which draws with rich and knows no variables."""
        if name in {MUTED, "$text-muted"}:
            return Style(dim=True)
        if name.startswith("$"):
            return Style(color=self.app.theme_variables.get(name[1:]))
        return Style.parse(name)

    def _draw_words(self, runs: Sequence[RunSummary], shown: dict[str, RunSummary]) -> None:
        width = max(0, self.size.width - 2)
        live = sum(run.is_live for run in runs)
        number = f"{len(shown):,} of {len(runs):,}" if len(shown) != len(runs) else f"{len(runs):,}"
        title = Content.assemble(
            ("Runs", "bold $accent"), f"  {number}", (f"  ● {live} live" if live else "", "$accent")
        )
        if self._problem:
            title = Content.assemble(title, (f"  ! not readable right now: {one_line(self._problem)}", "$error"))
        place = Content.styled(shorten_left(one_line(self._runs_dir), max(0, width - title.cell_length - 2)), MUTED)
        self.query_one("#title", Static).update(justified(title, place, width), layout=False)
        self.query_one("#empty", Static).update(self._empty_words())
        self._draw_detail()

    def _empty_words(self) -> Content:
        if self._runs is None and self._problem:
            return Content.styled(f"The runs cannot be read right now: {one_line(self._problem)}", "$error")
        if self._runs is None:
            return Content.styled("Looking for runs …", MUTED)
        if self._runs:
            return Content.assemble(f"No run matches “{one_line(self._filter.value)}”.\n", ("esc shows all", MUTED))
        return Content.assemble(
            ("No runs yet.\n\n", "bold"),
            "A real run on an embedded dataset, without key or network:\n",
            (f"{to_type('demo')}\n\n", "bold $accent"),
            "On your own data:\n",
            (to_type("run", "DATASET"), "bold $accent"),
        )

    def _draw_detail(self) -> None:
        run = self._selected
        width = max(0, self.size.width - 2)
        if run is None:
            self.query_one("#detail", Static).update("", layout=False)
            return
        name = one_line(run.run_id)
        more = _more_of(run, self._columns, width - cell_len(name) - 1)
        first = justified(Content.styled(name, "bold"), Content.styled(more, MUTED), width)
        look = UNREADABLE if run.unreadable else run_look(run.status, run.engine_alive, at_limit=run.at_limit)
        reason = run.unreadable or run.reason
        state = Content.assemble(look.text, f"  {one_line(reason)}" if reason else "")
        room = max(0, width - state.cell_length - 2)
        second = justified(state, Content.styled(shorten_left(one_line(str(run.folder.root)), room), MUTED), width)
        self.query_one("#detail", Static).update(Content("\n").join([first, second]), layout=False)

    # --- keys --------------------------------------------------------------------------------------------------------

    @property
    def _selected_path(self) -> str:
        paths = list(self._shown)
        row = self.table.cursor_row
        return paths[row] if 0 <= row < len(paths) else ""

    @property
    def _selected(self) -> RunSummary | None:
        return self._shown.get(self._selected_path)

    @on(DataTable.RowHighlighted)
    def _highlighted(self) -> None:
        self._draw_detail()

    @on(DataTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_watch()

    @on(Input.Changed)
    def _filter_changed(self) -> None:
        self._draw()
        self.refresh_bindings()

    @on(FilterField.Closed)
    def _filter_closed(self) -> None:
        self._filter.set_class(bool(self._filter.value), "-open")
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"all", "back"}:
            filtered = bool(self._filter.value)
            return filtered if action == "all" else self._watched is not None and not filtered
        return True

    def action_watch(self) -> None:
        if run := self._selected:
            self.post_message(RunWanted(run.folder))

    def action_filter(self) -> None:
        self._filter.add_class("-open")
        self._filter.focus()

    def action_all(self) -> None:
        self._filter.action_clear()

    def action_back(self) -> None:
        if self._watched is not None:
            self.post_message(RunWanted(self._watched))

    def action_refresh(self) -> None:
        self.post_message(RefreshWanted())
        self._draw()

    @property
    def way_out(self) -> str:
        return "q leaves; runs go on"

    def action_leave(self) -> None:
        self.post_message(LeaveWanted())


def _more_of(run: RunSummary, shown: Sequence[Column], room: int) -> str:
    """What the line below the list says of the selected run, in ``room`` cells: first what no column shows."""
    price = "" if not run.cost_usd else f" · ${run.cost_usd:.2f}"
    used = f"{count(run.tokens)} tokens{price}"
    keys = {column.key for column in shown}
    metric = metric_words(run) if run.metric and "metric" not in keys else ""
    dataset = one_line(run.dataset) if "dataset" not in keys else ""
    model, whole_model = one_line(run.model), one_line(model_words(run.model))
    ways = (
        (metric, dataset, whole_model, used),
        (metric, whole_model, used),
        (metric, model, used),
        (metric, model),
        (metric or model,),
    )
    said = [" · ".join(part for part in way if part) for way in ways]
    if run.fork_of:
        fork = f"fork of {one_line(run.fork_of)}"
        said = [*(f"{fork} · {words}" for words in said), fork]
    return next((words for words in said if cell_len(words) <= room), shorten(said[-1], max(0, room)))
