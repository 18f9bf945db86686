"""The keys: in a panel of all of them, on every screen under the same key, and in the footer."""

from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

KEYS: Final = Binding("question_mark", "help", "Keys", id="view.keys", key_display="?", tooltip="All keys")


class KeyHelp(Screen[None]):
    """A screen that shows and hides its keys; :data:`KEYS` stands among its bindings."""

    def action_help(self) -> None:
        if self.query("HelpPanel"):
            self.app.action_hide_help_panel()
        else:
            self.app.action_show_help_panel()


class KeyFooter(Footer):
    """A footer whose keys carry their action as a class, so that a style sheet can spare the room of one."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, FooterKey) and widget.action.isidentifier():
                widget.add_class(f"-{widget.action}")
            yield widget
