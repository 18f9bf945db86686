"""The Textual app: opens screens, starts and stops the workers that feed them, and says good-bye."""

import gc
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.events import AppBlur, AppFocus
from textual.message import Message
from textual.notifications import Notify
from textual.screen import Screen

from agentomics_tui.library_watcher import LibraryWatcher
from agentomics_tui.terminal_nudges import Pacing, sequence, tell_desktop, wants_desktop
from agentomics_tui.thin_app import ThinApp
from agentomics_tui.user_settings import Nudge
from agentomics_tui.worker import RunWatcher
from agents.clock import utc_now
from agents.outcome import exit_status
from agents.program import to_type
from agents.run_folder import RunFolder
from agents.state import RunState, ToolCallState
from agents.vocabulary import RunStatus
from screens.dashboard import DashboardScreen
from screens.figures import size
from screens.key_help import KeyHelp
from screens.messages import (
    ApprovalWanted,
    CommandWanted,
    ControlWanted,
    InspectorWanted,
    LeaveWanted,
    LibraryWanted,
    NewsSeen,
    RefreshWanted,
    ReplayWanted,
    RunEnded,
    RunSeen,
    RunWanted,
    ToolCallChanged,
)
from screens.plain import one_line
from screens.spending import standing_at
from screens.theme import DARK, LIGHT
from screens.toasts import make_room

if TYPE_CHECKING:
    from agentomics_tui.replay_watcher import ReplayWatcher
    from screens.tool_inspector import ToolInspectorScreen

_LINK_SECONDS: Final = 5.0
"""From one look at the link to the terminal to the next."""
_REPLACED: Final = {"Quit", "Keys"}
"""Textual's own commands for which the screens have better ones."""


class AgentomicsApp(ThinApp[str]):
    """The screens over one runs folder; opens on ``run``, or on the run library where there is none.

    The app only watches: nothing that it does when it ends reaches an engine. It returns the line that is to stand in
    the terminal afterwards, and its ``return_code`` is the exit status. ``now`` is the clock of what ticks. With
    ``replay`` the run is played back, by the clock ``ticking`` in seconds.
    """

    TITLE = "agentomics"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Leave", show=False, priority=True, id="app.quit"),
    ]

    def __init__(
        self,
        run: RunFolder | None,
        runs_dir: Path,
        now: Callable[[], datetime] = utc_now,
        *,
        steers: bool = True,
        replay: bool = False,
        low_bandwidth: bool = False,
        nudge: Nudge = "off",
        ticking: Callable[[], float] = monotonic,
    ) -> None:
        """``steers``: take control of ``run`` at once, if nobody else holds it."""
        super().__init__()
        self._steers = steers
        for theme in (DARK, LIGHT):
            self.register_theme(theme)
        self.theme = DARK.name  # before the style sheets are parsed, or they are parsed twice
        self._first_run = run
        self._runs_dir = runs_dir
        self._now = now
        self._nudge: Nudge = nudge
        self._pacing = Pacing()
        self._reports_focus = False
        """The terminal has said once whether a person looks; many never do."""
        self._replay = replay
        self._ticking = ticking
        self._watcher: RunWatcher | None = None
        self._player: ReplayWatcher | None = None
        self._library: LibraryWatcher | None = None
        self._dashboard: DashboardScreen | None = None
        self._inspector: ToolInspectorScreen | None = None
        self.save_bandwidth(low_bandwidth)
        self._chose_bandwidth = low_bandwidth

    def on_mount(self) -> None:
        self.set_interval(_LINK_SECONDS, self._look_at_link)
        gc.freeze()  # what was imported stays; looking through it again and again would hold keys up
        if self._first_run is None:
            self._open_library()
        elif self._replay:
            self._open_replay(self._first_run)
        else:
            self._open_run(self._first_run)

    def on_unmount(self) -> None:
        self._stop_watcher()
        self._stop_library()

    # --- screens and their workers -----------------------------------------------------------------------------------

    def _open_run(self, folder: RunFolder) -> None:
        self._stop_watcher()
        dashboard = DashboardScreen(folder, self._now)
        dashboard.save_bandwidth(self.low_bandwidth)
        self._dashboard = dashboard
        steers = self._steers and folder == self._first_run
        self._watcher = RunWatcher(folder, dashboard.post_message, steers=steers)
        self._show(dashboard)
        self.run_worker(self._watcher.run, thread=True, group="run", exit_on_error=False)

    def _open_replay(self, folder: RunFolder) -> None:
        from agentomics_tui.replay_watcher import ReplayWatcher  # who watches a run does not wait for it
        from screens.replay import ReplayScreen

        dashboard = ReplayScreen(folder, self._now)
        player = ReplayWatcher(folder, dashboard.post_message, self._ticking)
        self._dashboard, self._player = dashboard, player
        self._show(dashboard)
        self.run_worker(player.run, thread=True, group="run", exit_on_error=False)

    def _open_library(self) -> None:
        watched = self._dashboard.folder if self._dashboard else None
        self._stop_watcher()
        from screens.run_library import RunLibraryScreen  # a run's first picture needs neither it nor its table

        library = RunLibraryScreen(str(self._runs_dir), self._now, watched)
        self._library = LibraryWatcher(self._runs_dir, library.post_message, now=self._now)
        self._show(library)
        self.run_worker(self._library.run, thread=True, group="library", exit_on_error=False)

    def _show(self, screen: Screen[None]) -> None:
        """Put ``screen`` in the place of all others."""
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def _stop_watcher(self) -> None:
        if self._watcher is not None:
            if self._dashboard is not None and (seen := self._dashboard.seen_now()):
                self._watcher.remember(seen)
            self._watcher.stop()
        if self._player is not None:
            self._player.stop()
        self._watcher = self._player = self._dashboard = None

    def _stop_library(self) -> None:
        if self._library is not None:
            self._library.stop()
        self._library = None

    # --- the link to the terminal ------------------------------------------------------------------------------------

    def save_bandwidth(self, on: bool) -> None:
        super().save_bandwidth(on)
        if self._dashboard is not None:
            self._dashboard.save_bandwidth(on)
            self._dashboard.tell_link("")

    def _look_at_link(self) -> None:
        """Save bandwidth where the terminal is slow, unless a person decided; tell in the head what goes over."""
        link = self.link
        if link is not None and not self.low_bandwidth and not self._chose_bandwidth and link.is_slow():
            self._chose_bandwidth = True
            self.save_bandwidth(True)
            self.notify("The terminal is slow: less is drawn now. The command palette switches that.", markup=False)
        if link is not None and self.low_bandwidth and self._dashboard is not None:
            self._dashboard.tell_link(f"{size(round(link.rate()))}/s")

    def _switch_bandwidth(self) -> None:
        self._chose_bandwidth = True
        self.save_bandwidth(not self.low_bandwidth)

    # --- wishes of the screens ---------------------------------------------------------------------------------------

    def on_run_wanted(self, message: RunWanted) -> None:
        self._stop_library()
        self._open_run(message.folder)

    def on_library_wanted(self, _: LibraryWanted) -> None:
        self._open_library()

    def on_refresh_wanted(self, _: RefreshWanted) -> None:
        if self._library is not None:
            self._library.refresh()

    def on_command_wanted(self, message: CommandWanted) -> None:
        if self._watcher is not None:
            self._watcher.submit(message.command)

    def on_control_wanted(self, message: ControlWanted) -> None:
        if self._watcher is not None:
            self._watcher.control(take=message.take)

    def on_approval_wanted(self, message: ApprovalWanted) -> None:
        if self._watcher is not None:
            self._watcher.read_approval(message.approval)

    def on_run_seen(self, message: RunSeen) -> None:
        if self._watcher is not None:
            self._watcher.remember(message.seen)

    def on_replay_wanted(self, message: ReplayWanted) -> None:
        if self._player is not None:
            self._player.wish(message.wish)

    def on_inspector_wanted(self, message: InspectorWanted) -> None:
        if self._dashboard is None:
            return
        from agentomics_tui.log_source import LogSource, read_arguments
        from screens.tool_inspector import ToolInspectorScreen

        dashboard, root = self._dashboard, self._dashboard.folder.root

        def find(call: int) -> ToolCallState | None:
            return dashboard.state.tool_call(call)

        def open_log(call: ToolCallState, post: Callable[[Message], object]) -> LogSource:
            return LogSource(root / call.log, post).start()

        def arguments_of(call: ToolCallState) -> str:
            return read_arguments(root / call.arguments)

        self._inspector = ToolInspectorScreen(
            message.call, find, open_log, arguments_of, self._dashboard.clock, str(root.absolute())
        )
        self.push_screen(self._inspector)

    # --- a person who looks elsewhere --------------------------------------------------------------------------------

    def on_app_focus(self, _: AppFocus) -> None:
        self._reports_focus = True

    def on_app_blur(self, _: AppBlur) -> None:
        self._reports_focus = True

    def on_news_seen(self, message: NewsSeen) -> None:
        """Call the person, unless they look or do not want it; where a terminal reports nothing nobody knows."""
        if self._nudge == "off" or (self._reports_focus and self.app_focus):
            return
        if not self._pacing.allows(message.news, monotonic()):
            return
        self.write_to_terminal(sequence(message.text, self._nudge, os.environ))
        if self._nudge == "all" and wants_desktop(os.environ):
            self.run_worker(partial(tell_desktop, message.text), thread=True, group="nudges", exit_on_error=False)

    def write_to_terminal(self, codes: str) -> None:
        """Write what Textual has no word for, on the way that its own bell takes."""
        if codes and self._driver is not None and not self.is_headless:
            self._driver.write(codes)

    # --- more wishes -------------------------------------------------------------------------------------------------

    def on_notify(self, message: Notify) -> None:
        """Called before Textual's own, which shows the toast."""
        make_room(self, message.notification)

    def on_tool_call_changed(self, message: ToolCallChanged) -> None:
        """Hand it to the inspector, which may lie below the palette or another screen."""
        if self._inspector is not None and self._inspector in self.screen_stack:
            self._inspector.post_message(ToolCallChanged(message.call))

    def on_run_ended(self, message: RunEnded) -> None:
        """A dataset that is refused leaves nothing to look at, unless a person went to look at it."""
        if self._player is None and message.state.status is RunStatus.REFUSED and message.folder == self._first_run:
            self._leave(message.state)

    # --- good-bye ----------------------------------------------------------------------------------------------------

    def on_leave_wanted(self, _: LeaveWanted) -> None:
        self.action_leave()

    def action_leave(self) -> None:
        self._leave(self._dashboard.state if self._dashboard else None)

    async def action_quit(self) -> None:
        self.action_leave()

    def action_help_quit(self) -> None:
        """Ctrl-C ends nothing, lest a slip of the hand does; it says what leaves."""
        if isinstance(self.screen, KeyHelp):  # of a question, its own words tell
            self.notify(self.screen.way_out, markup=False)

    def _leave(self, state: RunState | None) -> None:
        if state is None or self._dashboard is None:
            self.exit()
            return
        if self._player is not None:
            how = to_type("watch", one_line(self._dashboard.folder.run_id), "--replay")
            self.exit(f"The replay is over. Play it again with: {how}")
            return
        words = farewell(state, self._dashboard.folder.run_id, self._dashboard.engine_alive)
        self.exit(words, return_code=exit_status(state))

    # --- the command palette -----------------------------------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        if isinstance(screen, DashboardScreen):
            yield from screen.palette()
        if self.low_bandwidth:
            yield SystemCommand("High bandwidth", "Draw at once whatever changes", self._switch_bandwidth)
        else:
            words = "Draw at most twice a second, clocks every ten seconds, and tell the bytes per second"
            yield SystemCommand("Low bandwidth", words, self._switch_bandwidth)
        for command in super().get_system_commands(screen):
            if command.title not in _REPLACED:
                yield command


def farewell(state: RunState, run_id: str, engine_alive: bool | None) -> str:
    """The one line that stands in the terminal when the app has closed; ``engine_alive`` is None where unknown."""
    run_id = one_line(run_id)
    match state.status:
        case RunStatus.REFUSED:
            return f"agentomics-tui: {one_line(state.reason)}"
        case RunStatus.FINISHED | RunStatus.FAILED | RunStatus.STOPPED:
            return f"The run is over. Look at it again with: {to_type('watch', run_id)}"
        case _ if engine_alive is False:
            return f"No engine is running; go on with: {to_type('resume', run_id)}"
        case RunStatus.HELD if standing_at(state):
            return f"The run stands at its limit; decide how it goes on with: {to_type('watch', run_id)}"
        case RunStatus.HELD | RunStatus.PAUSING:
            pauses = "is paused" if state.status is RunStatus.HELD else "pauses before its next call"
            return f"The run {pauses}; it goes on when you resume it: {to_type('resume', run_id)}"
        case RunStatus.STOPPING:
            return f"The run is being stopped. Watch it again with: {to_type('watch', run_id)}"
        case _:
            return f"The run goes on. Watch it again with: {to_type('watch', run_id)}"
