"""The inspector: one tool call with its arguments and its whole output, while it runs and afterwards."""

import json
import logging
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Footer, Static

from agents.state import ToolCallState
from agents.vocabulary import ToolOutcome
from screens.key_help import KEYS, KeyHelp
from screens.messages import ToolCallChanged
from screens.plain import harmless, one_line
from screens.vocabulary import duration, size, tool_look
from screens.widgets.log_messages import LineSource
from screens.widgets.log_pane import LogPane
from screens.widgets.log_view import LogView
from screens.widgets.pane import justified

_HIGHLIGHT_LIMIT: Final = 50_000
"""Characters beyond which code is shown plain: highlighting takes about a second for a megabyte."""
_LANGUAGE: Final = {("write_python", "content"): "python", ("bash", "command"): "bash"}
_INLINE: Final = 60
"""Characters of a value that still stands beside its name."""

_logger: Final = logging.getLogger(__name__)
_MUTED: Final = "$foreground 60%"

OpenLog = Callable[[ToolCallState, Callable[[Message], object]], LineSource]
"""Starts reading the output of a call; answers go to the second argument, a view's ``post_message``."""


class ToolInspectorScreen(KeyHelp):
    """One tool call on the whole screen.

    Takes :class:`ToolCallChanged` (of the call it shows; others are ignored). Posts nothing; ``escape`` and ``q``
    dismiss it.

    ``call``: the call to begin with. ``find``: the call of a number, None where there is none; for the neighbours.
    ``open_log``: starts reading a call's output (called in the app's thread, must not wait). ``read_arguments``: the
    text of a call's arguments (called in a thread, may wait). ``now``: the clock for the seconds of a running call.
    ``root``: the run's folder, below which the paths of a command are shown relative to it.
    """

    CSS_PATH = "tool_inspector.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="app.back", key_display="esc", tooltip="Back to the run"),
        Binding(
            "left_square_bracket",
            "neighbour(-1)",
            "Previous",
            id="view.previous",
            key_display="[",
            tooltip="The tool call before this one",
        ),
        Binding(
            "right_square_bracket",
            "neighbour(1)",
            "Next",
            id="view.next",
            key_display="]",
            tooltip="The tool call after this one",
        ),
        # The log has these keys itself and tells of them; here they serve while the arguments have the focus.
        Binding("slash", "search", "Search", key_display="/"),
        Binding("f", "follow", "Follow"),
        Binding("a", "arguments", "Arguments", id="view.arguments", tooltip="Arguments whole, hidden, in part"),
        KEYS,
    ]

    def __init__(
        self,
        call: ToolCallState,
        find: Callable[[int], ToolCallState | None],
        open_log: OpenLog,
        read_arguments: Callable[[ToolCallState], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        root: str = "",
    ) -> None:
        super().__init__()
        self.call = call
        self._root = root
        self._find = find
        self._open_log = open_log
        self._read_arguments = read_arguments
        self._now = now
        self._header = Static("", id="call", markup=False)

    def compose(self) -> ComposeResult:
        yield self._header
        yield CallFiles(self.call)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self._open()
        self.set_interval(1, self._tick)

    @property
    def files(self) -> "CallFiles":
        return self.query_one(CallFiles)

    def _open(self) -> None:
        files = self.files
        files.pane.log_view.connect(self._open_log(self.call, files.pane.log_view.post_message))
        files.pane.log_view.focus()
        self._load_arguments(self.call, files)
        self._show_call()

    @work(thread=True, exit_on_error=False)
    def _load_arguments(self, call: ToolCallState, files: "CallFiles") -> None:
        try:
            content = arguments_content(call.tool, self._read_arguments(call), self._root)
        except Exception as error:
            _logger.exception("the arguments of a tool call cannot be shown")
            content = Content(one_line(f"The arguments cannot be shown: {type(error).__name__}: {error}"))
        self.app.call_later(files.show_arguments, content)

    def _show_call(self) -> None:
        self._header.update(header_content(self.call, self._now(), max(0, self.size.width - 2)), layout=False)
        files = next(iter(self.query(CallFiles)), None)
        if files is None or not files.query("#arguments"):
            return  # between two calls: the next one's files are not composed yet, and showing them comes with that
        files.pane.log_view.grows = self.call.outcome is None
        files.pane.empty_words = empty_words(self.call)
        files.pane.refresh_status()
        files.share_height()

    def _tick(self) -> None:
        if self.call.outcome is None:
            self._show_call()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_call)

    @on(ToolCallChanged)
    def _call_changed(self, message: ToolCallChanged) -> None:
        message.stop()  # or it bubbles to the app, which would hand it back for ever
        if message.call.call == self.call.call:
            self.call = message.call
            self._show_call()

    # --- keys --------------------------------------------------------------------------------------------------------

    @property
    def way_out(self) -> str:
        return "esc goes back to the run"

    def action_leave(self) -> None:
        if not self.files.pane.cancel_search():
            self.dismiss()

    def action_search(self) -> None:
        self.files.pane.action_search()

    def action_follow(self) -> None:
        self.files.pane.log_view.focus()
        self.files.pane.log_view.action_follow()

    def action_arguments(self) -> None:
        self.files.next_layout()

    async def action_neighbour(self, by: int) -> None:
        neighbour = self._find(self.call.call + by)
        if neighbour is None:
            first = "This is the first call." if self.call.call == 1 else "Calls before this one are no longer listed."
            self.notify("This is the last call." if by > 0 else first, markup=False)
            return
        self.call = neighbour
        # A new view for each call: what the source of the old one still says cannot reach it.
        with self.app.batch_update():
            await self.files.remove()
            await self.mount(CallFiles(neighbour), after=self._header)
            self._open()


class CallFiles(Vertical):
    """The arguments of a call above its output."""

    def __init__(self, call: ToolCallState) -> None:
        super().__init__()
        # The end of a failure says why it failed; what went well reads from its beginning.
        self.pane = LogPane("Output", following=call.outcome is not ToolOutcome.OK, id="output")
        self._arguments = Static("", markup=False)

    def compose(self) -> ComposeResult:
        yield VerticalScroll(self._arguments, id="arguments")
        yield self.pane

    def show_arguments(self, content: Content) -> None:
        if self.is_attached:
            self._arguments.update(content)

    @on(LogView.Moved)
    def share_height(self) -> None:
        """Give the arguments what a short output leaves over; beside a long one two fifths, or all but a fifth."""
        view = self.pane.log_view
        height = self.size.height
        fifths = height * (4 if self.has_class("-arguments-whole") else 2) // 5
        spare = height - max(view.lines, 2) - 2 if view.counted and not view.grows else 0
        self.query_one("#arguments").styles.max_height = max(fifths, spare)

    def next_layout(self) -> None:
        """Arguments in part, whole, or not at all."""
        if self.has_class("-arguments-whole"):
            self.remove_class("-arguments-whole")
            self.add_class("-arguments-hidden")
            self.pane.log_view.focus()
        elif self.has_class("-arguments-hidden"):
            self.remove_class("-arguments-hidden")
        else:
            self.add_class("-arguments-whole")
            self.query_one("#arguments").focus()
        self.share_height()


# --- what is shown, as functions of what is known --------------------------------------------------------------------


def header_content(call: ToolCallState, now: datetime, width: int) -> Content:
    """Two lines: what is done and how it stands; where it belongs and what it took."""
    look = tool_look(call.outcome)
    exit_status = "" if call.exit_status is None else f"  exit {call.exit_status}"
    title = Content.assemble((f"#{call.call} {one_line(call.tool)}", "bold $accent"), "  ", one_line(call.title))
    seconds = (now - call.started).total_seconds() if call.seconds is None else call.seconds
    place = [] if call.iteration is None else [f"iteration {call.iteration}"]
    place += [call.step.label] if call.step else []
    took = [duration(seconds)] + ([size(call.bytes)] if call.outcome is not None else [])
    first = justified(title, Content.assemble(look.text, exit_status), width)
    second = justified(
        Content.styled(" · ".join([*place, f"started {call.started:%H:%M:%S} UTC"]), _MUTED),
        Content.styled(" · ".join(took), _MUTED),
        width,
    )
    return Content("\n").join([first, second])


def empty_words(call: ToolCallState) -> str:
    """What is said in the place of an output that is not there."""
    if call.outcome is None:
        return "no output yet"
    return "printed nothing" if call.exit_status is None else f"printed nothing, exit status {call.exit_status}"


def arguments_content(tool: str, text: str, root: str = "") -> Content:
    """Arguments as a person reads them: short values beside their names, code highlighted, the rest as JSON."""
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return Content(harmless(text))
    if not isinstance(arguments, dict):
        return _highlighted(json.dumps(arguments, indent=2, ensure_ascii=False), "json")
    parts = [_argument(tool, str(name), value, root) for name, value in arguments.items()]
    return Content("\n").join(parts) if parts else Content.styled("no arguments", _MUTED)


def _argument(tool: str, name: str, value: object, root: str) -> Content:
    label = Content.styled(one_line(name), _MUTED)
    if name == "command" and isinstance(value, list):
        words = [str(word) for word in value]
        short = [_below(word, root) for word in words]
        if short != words:
            label = Content.styled(f"{one_line(name)}, paths from the run's folder", _MUTED)
        body = _highlighted(command_text(short), "bash")
    elif isinstance(value, str):
        body = _highlighted(value.rstrip("\n"), _LANGUAGE.get((tool, name)))
    else:
        inline = json.dumps(value, ensure_ascii=False)
        text = inline if len(inline) <= _INLINE else json.dumps(value, indent=2, ensure_ascii=False)
        body = _highlighted(text, "json")
    is_short = "\n" not in body.plain and body.cell_length <= _INLINE
    return Content.assemble(label, "  " if is_short else "\n", body)


def _below(word: str, root: str) -> str:
    """``word`` of a command without the run's folder, which makes paths longer than a line."""
    if not root:
        return word
    return "." if word == root else word.replace(f"{root}/", "")


def command_text(argv: Sequence[str]) -> str:
    """A command as one would type it, each option on a line of its own."""
    words = [shlex.quote(word) for word in argv]
    return " ".join(f"\\\n  {word}" if word.startswith("--") else word for word in words)


def _highlighted(code: str, language: str | None) -> Content:
    code = harmless(code)
    if language is None or len(code) > _HIGHLIGHT_LIMIT:
        return Content(code)
    from textual.highlight import highlight  # loads a highlighter: only for a call that holds code

    return highlight(code, language=language)
