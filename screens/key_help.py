"""The keys of a screen: on one card under the same key everywhere, in the footer, and which of them leaves."""

from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

KEYS: Final = Binding("question_mark", "help", "Keys", id="view.keys", key_display="?", tooltip="All keys")


class KeyHelp(Screen[None]):
    """A screen that shows its keys; :data:`KEYS` stands among its bindings."""

    @classmethod
    def keys(cls) -> list[Binding]:
        """What it and the screens that it is made from bind under a name of ours, theirs first."""
        classes = [one for one in reversed(cls.__mro__) if issubclass(one, KeyHelp)]
        return [key for one in classes for key in vars(one).get("BINDINGS", ()) if isinstance(key, Binding) and key.id]

    def purpose(self, binding: Binding) -> str:
        """What a key of this screen does now, in a phrase."""
        return binding.tooltip

    @property
    def way_out(self) -> str:
        """How a person leaves this screen, for one who tried it in another way."""
        return "q leaves"

    def action_help(self) -> None:
        from screens.key_card import KeyCard, card_of  # no first picture needs it

        self.app.push_screen(KeyCard(card_of(self)))


class KeyFooter(Footer):
    """A footer whose keys carry their action as a class, so that a style sheet can spare the room of one."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, FooterKey) and widget.action.isidentifier():
                widget.add_class(f"-{widget.action}")
            yield widget
