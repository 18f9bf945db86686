"""The dashboard of a replay: the same panes over what was, with keys that play it instead of keys that steer."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from agents.clock import utc_now
from agents.program import to_type
from agents.run_folder import RunFolder
from screens.availability import CONTROL, STEERING
from screens.charts import ChartSource
from screens.dashboard import DashboardScreen
from screens.messages import ReplayJumped, ReplayMoved, ReplayPhase, ReplayWanted, ReplayWish
from screens.plain import one_line
from screens.widgets.replay_strip import ReplayStrip, StripView

_PLAY: Final = (
    Binding("space", "wish('PLAY_OR_PAUSE')", "Play/pause", priority=True, id="replay.play", tooltip="Play or pause"),
    Binding(
        "plus,equals_sign",
        "wish('FASTER')",
        "Faster",
        priority=True,
        id="replay.faster",
        key_display="+",
        tooltip="×2, 5, 10, 30, 100, 300, 1000",
    ),
    Binding("minus", "wish('SLOWER')", "Slower", priority=True, id="replay.slower", key_display="-"),
    Binding(
        "left_square_bracket",
        "wish('PREVIOUS_ITERATION')",
        "Previous",
        priority=True,
        id="replay.previous",
        key_display="[",
        tooltip="To the beginning of this iteration, then of the one before",
    ),
    Binding(
        "right_square_bracket",
        "wish('NEXT_ITERATION')",
        "Next",
        priority=True,
        id="replay.next",
        key_display="]",
        tooltip="To the beginning of the next iteration",
    ),
    Binding("home", "wish('START')", "Start", priority=True, show=False, id="replay.start", tooltip="To the start"),
    Binding(
        "end", "wish('END')", "End", priority=True, show=False, id="replay.end", tooltip="To the end; there it is live"
    ),
)
_TOOL_KEYS: Final = ("Tool calls", "↑ ↓ select · Enter opens the call")
"""Home and End are the replay's."""
_OFF: Final = Binding("p,P,t,s,n,x,a,h,colon,o,r,A", "steering_is_off", show=False)


class ReplayScreen(DashboardScreen):
    """A run that is played back. Nothing that is pressed here reaches its engine."""

    STEERS = False
    CSS_PATH: ClassVar[list[str]] = ["dashboard.tcss", "replay.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [*_PLAY, _OFF]

    def __init__(self, folder: RunFolder, now: Callable[[], datetime] = utc_now) -> None:
        self._moved: ReplayMoved | None = None
        self._real_now = now
        super().__init__(folder, self._then)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield ReplayStrip(id="replay")

    def on_mount(self) -> None:
        self.tools.KEY_HELP = _TOOL_KEYS  # type: ignore[misc]
        super().on_mount()

    def _then(self) -> datetime:
        """The clock of the moment that is shown, so that what ticks tells what it told then."""
        moved = self._moved
        return self._real_now() if moved is None or moved.phase is ReplayPhase.LIVE else moved.moment

    # --- facts -------------------------------------------------------------------------------------------------------

    def on_replay_moved(self, message: ReplayMoved) -> None:
        self._moved = message
        self._show_place()

    def on_replay_jumped(self, message: ReplayJumped) -> None:
        """Show another moment: what was folded until now is not of it."""
        self.state = message.state
        self._charts = ChartSource()
        self._caught_up = True
        self._changed_call = 0
        self.tools.forget()
        self.draw()

    def draw(self, *, chart: bool = True) -> None:
        super().draw(chart=chart)
        self._show_place()

    def _show_place(self) -> None:
        if (moved := self._moved) is None:
            return
        iteration = self.state.iteration
        number = iteration.index + 1 if iteration else 0
        view = StripView(
            phase=moved.phase,
            speed=moved.speed,
            share=moved.share,
            moment=moved.moment,
            iteration=number,
            iterations=max(self.state.planned_iterations, number),
        )
        self.query_one(ReplayStrip).show(view)

    def mind_what_waits(self) -> None:
        """What was asked then is not asked again."""

    @property
    def _after_leaving(self) -> str:
        return ""

    # --- wishes ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        steers = action in STEERING or action in CONTROL
        return False if steers else super().check_action(action, parameters)

    def action_wish(self, wish: str) -> None:
        self.post_message(ReplayWanted(ReplayWish[wish]))

    def action_steering_is_off(self) -> None:
        how = to_type("watch", one_line(self.folder.run_id))
        self.notify(f"This is a replay: keys that steer the run are off. They are on with: {how}", markup=False)
