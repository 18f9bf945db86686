"""An app that sends its terminal only what has changed in the picture."""

from typing import TYPE_CHECKING, Final, TypeVar

from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.driver import Driver
from textual.events import Resize
from textual.geometry import Offset
from textual.screen import Screen

from agentomics_tui.picture import Picture

if TYPE_CHECKING:
    from agentomics_tui.thin_driver import Link

R = TypeVar("R")
_AT_ONCE: Final = 512
"""Characters that a terminal takes up at once, so that they need no bracket of a synchronised update."""
_NOWHERE: Final = Offset(0, 0)
"""Where the cursor is said to be while nobody types: then nothing depends on where a terminal has it."""


class _Rendered(CompositorUpdate):
    """An update that has become text already."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, console: Console) -> str:
        return self._text


class ThinApp(App[R]):
    """Textual's app, which draws the cells that differ from those that stand there."""

    def __init__(self) -> None:
        super().__init__()
        self.low_bandwidth = False
        self._all_animations = self.animation_level
        self._picture = Picture()
        self._drawn_screen: Screen[object] | None = None

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, counted where it is a terminal of this host."""
        chosen = super().get_driver_class()
        if chosen.__name__ != "LinuxDriver":
            return chosen
        from agentomics_tui.thin_driver import ThinDriver  # needs what only a Unix has

        return ThinDriver

    def save_bandwidth(self, on: bool) -> None:
        """Send little over the link to the terminal, or as much as serves."""
        self.low_bandwidth = on
        self.animation_level = "none" if on else self._all_animations

    @property
    def link(self) -> "Link | None":
        """The way to the terminal; None where it is not counted."""
        return getattr(self._driver, "link", None)

    def on_resize(self, _: Resize) -> None:
        self._picture.forget()  # also where the size comes back: terminals cut what does not fit

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """What Textual calls to write an update. Another screen, like a terminal of another size, is drawn whole."""
        goes_out = self._running and not self._closed and not self._batch_count and not self.is_headless
        if isinstance(renderable, CompositorUpdate) and goes_out and self._driver and not self._driver.is_inline:
            if self.screen is not self._drawn_screen:
                self._drawn_screen = self.screen
                self._picture.forget()
            self._picture.fit(*self.screen.outer_size)
            text = self._picture.update(renderable, self.console)
            if not text:
                return
            if len(text) < _AT_ONCE and self.cursor_position == self._previous_cursor_position == _NOWHERE:
                self._driver.write(text)
                self._driver.flush()
                return
            renderable = _Rendered(text)
        super()._display(screen, renderable)
