"""The strip of a replay: that it is one, how fast it goes, which moment is shown, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textual.content import Content

from screens.messages import ReplayPhase
from screens.vocabulary import Look
from screens.widgets.pane import Pane

_LOOKS: Final = {
    ReplayPhase.PLAYING: Look("▶", "playing", "$accent"),
    ReplayPhase.PAUSED: Look("‖", "paused", "$warning"),
    ReplayPhase.END: Look("■", "end", "$text-muted"),
    ReplayPhase.LIVE: Look("●", "live", "$success"),
}
_WORD: Final = max(len(look.word) for look in _LOOKS.values())
_SPEED: Final = len("×1000")
_LEAST_BAR, _MOST_BAR = 6, 40
_FULL, _EMPTY = "━", "─"


@dataclass(frozen=True)
class StripView:
    """``iteration`` counts from 1; 0 before the first."""

    phase: ReplayPhase
    speed: int
    share: float
    moment: datetime
    iteration: int
    iterations: int


class ReplayStrip(Pane[StripView]):
    """One line, at any width from 60 cells on."""

    def draw(self, view: StripView, width: int, height: int) -> Sequence[Content]:
        look = _LOOKS[view.phase]
        left = Content.assemble(
            ("REPLAY", "bold $accent"),
            " ",
            (f"{look.glyph} {look.word:<{_WORD}}", look.style),
            f" {f'×{view.speed}':<{_SPEED}} ",
            f"{view.moment:%Y-%m-%d %H:%M:%S} UTC ",
        )
        place = f"{view.iteration} of {view.iterations}" if view.iteration else "not begun"
        percent = f" {int(100 * view.share):>3}%"
        for words in (f"{percent}  iteration {place}", f"{percent}  {place}"):
            room = width - left.cell_length - len(words)
            if room >= _LEAST_BAR:
                return [Content.assemble(left, _bar(view.share, min(room, _MOST_BAR)), words)]
        return [Content.assemble(left, percent.strip())]


def _bar(share: float, width: int) -> Content:
    full = round(share * width)
    return Content.assemble((_FULL * full, "$accent"), (_EMPTY * (width - full), "$text-muted"))
