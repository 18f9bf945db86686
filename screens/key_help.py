"""The panel of all keys, on every screen under the same key."""

from typing import Final

from textual.binding import Binding
from textual.screen import Screen

KEYS: Final = Binding("question_mark", "help", "Keys", id="view.keys", key_display="?", tooltip="All keys")


class KeyHelp(Screen[None]):
    """A screen that shows and hides its keys; :data:`KEYS` stands among its bindings."""

    def action_help(self) -> None:
        if self.query("HelpPanel"):
            self.app.action_hide_help_panel()
        else:
            self.app.action_show_help_panel()
