"""The dashboard: one run, live or over, folded from what the worker read."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import ClassVar, Final

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from agents.clock import utc_now
from agents.events import (
    CommandReceived,
    Event,
    RunFinished,
    ToolCallFinished,
    ToolCallStarted,
    TrainingProgress,
    TrainingWarned,
)
from agents.fold import apply
from agents.models.stream import ReplyProgress
from agents.nudges import news_of, sentence_of
from agents.pulse import Pulse
from agents.run_folder import RunFolder
from agents.vocabulary import RunStatus
from screens.away import Seen, away_view, seen_of
from screens.charts import ChartSource
from screens.forecast_words import forecast_words
from screens.key_help import KEYS, KeyFooter
from screens.messages import (
    EngineSeen,
    EventsRead,
    JournalRead,
    LeaveWanted,
    LibraryWanted,
    NewsSeen,
    OutputRead,
    PulseSeen,
    ReadingSeen,
    ReplyRead,
    RunEnded,
    RunSeen,
    SeenBefore,
    StateRestored,
    ToolCallChanged,
)
from screens.notices import banner, told
from screens.reply import waiting_words
from screens.spending import standing_at
from screens.steering import SteeringScreen
from screens.stuck import strip
from screens.vocabulary import standstill
from screens.widgets.best_card import BestCard, best_view
from screens.widgets.header import Header, header_view
from screens.widgets.iterations import Iterations, iterations_view
from screens.widgets.live import NO_REPLY_YET, Live, live_view
from screens.widgets.metrics_chart import MetricsChart
from screens.widgets.pane import border_room, fitting
from screens.widgets.steps import Steps, running_words, steps_view
from screens.widgets.tool_log import ToolLog

DRAW_SECONDS: Final = 0.25
CHART_SECONDS: Final = 1.0
"""From one picture of the chart to the next: it costs as much as all others together."""
LOW_DRAW_SECONDS: Final = 0.5
LOW_CHART_SECONDS: Final = 5.0
LOW_TICK_SECONDS: Final = 10
"""The same, and from one tick of the clocks to the next, where little shall go over the link."""
_SEEN_SECONDS: Final = 30.0
"""Between two markers of what was seen, for a screen that ends without a farewell."""
_START_GRACE: Final = timedelta(seconds=20)
"""A run whose engine has not written anything for so long after one began to watch was not started."""


class DashboardScreen(SteeringScreen):
    """Everything about one run. It reads no file: facts come as messages, wishes leave as messages."""

    STEERS: ClassVar[bool] = True
    """Whether there are keys that leave commands for the engine."""
    CSS_PATH = "dashboard.tcss"
    AUTO_FOCUS = "#tools"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide"), (170, "-huge")]  # noqa: RUF012 - not a ClassVar in Screen
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall"), (50, "-high")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "chart", "Chart", show=False, id="view.chart", tooltip="Chart in place of the tool calls"),
        Binding("l", "library", "Runs", show=False, id="view.library", tooltip="All runs"),
        KEYS,
        Binding("q", "leave", "Leave", id="app.leave", tooltip="Close the app"),
    ]

    head = getters.query_one(Header)
    tools = getters.query_one("#tools", ToolLog)

    def __init__(self, folder: RunFolder, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(folder)
        self.engine: EngineSeen | None = None
        self._now = now
        self._opened = now()
        self._caught_up = False
        self._read_part: float | None = None
        """How much of a long journal was read, while it is."""
        self._dirty = True
        self._changed_call: int | None = 0
        """The first tool call that changed since the last picture."""
        self._output: tuple[int, str] = (0, "")
        self._reply: tuple[int, ReplyProgress] = (0, NO_REPLY_YET)
        self._pulse: Pulse | None = None
        self._saves = False
        self._link = ""
        self._before: Seen | None = None
        """What the person saw the last time, until they were told what came after."""
        self._charts = ChartSource()
        self._drawn = self._chart_drawn = 0.0
        self._chart_waits = False
        self._drawing: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Header(id="head")
        yield Static(id="banner", markup=False)
        with Container(id="body"):
            with Container(id="left"):
                yield Steps(id="steps")
                yield BestCard(id="best")
                yield Iterations(id="iterations")
            with Container(id="right"):
                yield Live(id="live")
                with Container(id="lower"):
                    yield MetricsChart(id="chart")
                    yield ToolLog(id="tools")
        yield KeyFooter(show_command_palette=False)

    def on_mount(self) -> None:
        self.draw()
        self._drawing = self.set_interval(DRAW_SECONDS, self._catch_up)
        self.set_interval(1.0, self._tick)
        self.set_interval(_SEEN_SECONDS, self._mark_seen)

    # --- facts -------------------------------------------------------------------------------------------------------

    def on_events_read(self, message: EventsRead) -> None:
        """Fold a chunk. Drawing waits for the timer, so that a burst costs one picture."""
        first_picture = not self._caught_up
        changed: set[int] = set()
        for event in message.events:
            apply(self.state, event)
            self._note_change(event, changed)
            self._note_news(event)
        for number in sorted(changed):
            if self._caught_up and (call := self.state.tool_call(number)):
                self.post_message(ToolCallChanged(call))
        self._caught_up = message.caught_up or self._caught_up
        self._change()
        if first_picture and self._caught_up:
            self.draw()

    def on_state_restored(self, message: StateRestored) -> None:
        """Take over what the worker folded of a long journal."""
        self.state = message.state
        self._changed_call, self._read_part = 0, None
        self._caught_up = True
        if self.state.status.is_over:
            self.post_message(RunEnded(self.folder, self.state))
        self.draw()

    def on_journal_read(self, message: JournalRead) -> None:
        self._read_part = message.part
        self._change()

    def _note_change(self, event: Event, changed: set[int]) -> None:
        """Take note of what follows beside the picture; tool calls that ``event`` changed go into ``changed``."""
        match event:
            case ToolCallStarted() | ToolCallFinished() | TrainingProgress() | TrainingWarned():
                before = self._changed_call
                self._changed_call = event.call if before is None else min(before, event.call)
                changed.add(event.call)
            case RunFinished():
                self.post_message(RunEnded(self.folder, self.state))
            case CommandReceived() if self._caught_up:
                self.answered(event)
            case _ if self._caught_up and (news := told(event)):
                text, is_warning = news
                self.notify(text, severity="warning" if is_warning else "information", markup=False)
            case _:
                pass

    def _note_news(self, event: Event) -> None:
        """Hand on what somebody who looks elsewhere wants to hear; what was asked for here is no news."""
        news = news_of(event) if self._caught_up else None
        newest = self.state.receipts[-1] if self.state.receipts else None
        asked_for = news in ("held", "stopped") and newest is not None and newest.command_id in self._mine
        if news is not None and not asked_for:
            self.post_message(NewsSeen(news, f"{self.folder.run_id}: {sentence_of(event, self.state)}"))

    def on_seen_before(self, message: SeenBefore) -> None:
        self._before = message.seen

    def on_engine_seen(self, message: EngineSeen) -> None:
        self.engine = message
        self._change()

    def control_changed(self) -> None:
        self.set_class(not self.may_steer, "-only-watches")
        self._change()

    def on_output_read(self, message: OutputRead) -> None:
        self._output = (message.call, message.text)
        self._change()

    def on_reply_read(self, message: ReplyRead) -> None:
        self._reply = (message.call, message.progress)
        self._change()

    def on_pulse_seen(self, message: PulseSeen) -> None:
        self._pulse = message.pulse
        self._tick_clocks()

    def on_reading_seen(self, message: ReadingSeen) -> None:
        self._problem = message.problem
        self._change()

    @property
    def is_current_with_its_run(self) -> bool:
        """Whether the whole journal, the lock, the output of a running tool and a reply that comes were read once."""
        tool, asked = self.state.running_tool_call, self.state.running_model_call
        has_output = tool is None or self._output[0] == tool.call
        has_reply = asked is None or asked.stream is None or self._reply[0] == asked.call
        return self._caught_up and self.engine is not None and has_output and has_reply

    @property
    def _reply_now(self) -> ReplyProgress:
        """What has come for the model call that runs."""
        call, reply = self._reply
        asked = self.state.running_model_call
        return reply if asked is not None and asked.call == call else NO_REPLY_YET

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock of what ticks here."""
        return self._now

    # --- drawing -----------------------------------------------------------------------------------------------------

    @property
    def engine_alive(self) -> bool | None:
        """None until the lock was looked at, and while a new run's engine has yet to write its first event."""
        if self.engine is None or self.engine.alive:
            return None if self.engine is None else True
        starting = self.state.status is RunStatus.STARTING and self._now() - self._opened < _START_GRACE
        return None if starting else False

    def _change(self) -> None:
        """Let the timer draw what has changed; it sleeps while nothing does."""
        self._dirty = True
        if self._drawing is not None:
            self._drawing.resume()

    def _catch_up(self) -> None:
        now = monotonic()
        due = now - self._chart_drawn >= (LOW_CHART_SECONDS if self._saves else CHART_SECONDS)
        waits = self._saves and now - self._drawn < LOW_DRAW_SECONDS
        if not waits and (self._dirty or (due and self._chart_waits)):
            self.draw(chart=due)
        self._mind()
        if self._drawing is not None and not (self._dirty or self._chart_waits):
            self._drawing.pause()

    def _mind(self) -> None:
        """What a person is to be told or asked as soon as nothing lies over this screen."""
        self._mind_the_absence()
        self.mind_what_waits()

    def draw(self, *, chart: bool = True) -> None:
        """Show the state, the chart where ``chart`` says so. A pane whose view is what it was repaints nothing."""
        self._dirty = False
        self._drawn = monotonic()
        state = self.state
        call, output = self._output
        newest = state.tool_calls[-1].call if state.tool_calls else 0
        still = standstill(state.status, self.engine_alive, at_limit=standing_at(state) is not None)
        with self.app.batch_update():
            self.set_class(state.status.is_over, "-over")
            self.head.show(header_view(state, self.folder.run_id, self.engine_alive, self._link))
            self._tick_clocks()
            self.query_one(Steps).show(steps_view(state, still))
            self.query_one(Live).show(live_view(state, output if call == newest else "", still, self._reply_now))
            self._chart_waits = not chart
            if chart:
                self._chart_drawn = monotonic()
                self.query_one(MetricsChart).show(self._charts.chart(state))
            self.query_one(BestCard).show(best_view(state, self.folder))
            self.query_one(Iterations).show(iterations_view(state, still))
            small = self.check_action("chart", ())
            self.query_one(MetricsChart).note("c goes back" if small and self.has_class("-chart") else "")
            also = ", c shows the chart" if small else ""
            self.tools.stand(still)
            self.tools.set_hint(f"Enter opens a call{also}")
            if self._changed_call is not None:
                self.tools.show(state.tool_calls, self._changed_call, state.earlier_tool_calls)
                self._changed_call = None
            self._show_banner()
        self.refresh_keys()
        self.show_notes()

    def _now_for_clock(self) -> datetime:
        """Time stands still for a run that nobody works on."""
        if self.engine_alive is False and self.state.last_event is not None:
            return self.state.last_event
        now = self._now()
        return now.replace(second=now.second - now.second % LOW_TICK_SECONDS, microsecond=0) if self._saves else now

    def _tick(self) -> None:
        if not self.state.status.is_over:
            self._tick_clocks()
        if self.state.status is RunStatus.STARTING:
            self._change()  # the time of grace may be over
        self._mind()

    def _tick_clocks(self) -> None:
        """Bring what counts seconds up to date; nothing else is drawn anew."""
        now = self._now_for_clock()
        self.head.tick(self.state.elapsed(now))
        self._note_forecast(now)
        gone = self.engine_alive is False
        live = self.query_one(Live)
        waiting = "" if gone else waiting_words(self.state, self._reply_now, now)
        live.note(strip(None if gone else self._pulse, self.state, waiting, border_room(live)))

    def _note_forecast(self, now: datetime) -> None:
        """Below the iterations, or where these are hidden below the steps, beside the time of the current one."""
        steps, iterations = self.query_one(Steps), self.query_one(Iterations)
        running = running_words(self.state, now)
        stands = self.engine_alive is False or self.state.status is RunStatus.HELD
        coming = forecast_words(self.state, now, stands=stands)
        if iterations.display:
            iterations.note(fitting(coming, border_room(iterations)))
            coming = ()
        joined = tuple(" · ".join(part for part in (running, words) if part) for words in coming)
        steps.note(fitting((*joined, running), border_room(steps)))

    def _show_banner(self) -> None:
        words = self.engine.last_words if self.engine else ""
        told = banner(
            self.state, self.engine_alive, self._problem, words, self._read_part, self.control, steers=self.STEERS
        )
        shown = self.query_one("#banner", Static)
        shown.display = told is not None
        if told is not None:
            shown.update(Content.styled(*told))

    def save_bandwidth(self, on: bool) -> None:
        """Draw at most twice a second, and let the clocks tick every ten seconds; or not any more."""
        self._saves = on
        self._change()

    def tell_link(self, words: str) -> None:
        """How much goes over the link, for the head; empty where that is not to be told."""
        if words != self._link:
            self._link = words
            self._change()

    # --- a person who comes back -------------------------------------------------------------------------------------

    def seen_now(self) -> Seen | None:
        """The marker of what is on the screen; None while something of it is not."""
        return seen_of(self.state, self._now()) if self._caught_up and self._before is None else None

    def _mind_the_absence(self) -> None:
        """Tell once what happened since the last look, when all of it is known."""
        if self._before is None or not self._caught_up or self.engine_alive is None or not self.is_active:
            return
        before, self._before = self._before, None
        alive = self.engine_alive is not False
        if view := away_view(before, self.state, self._now(), engine_alive=alive):
            from screens.away_card import AwayScreen

            self.app.push_screen(AwayScreen(view))

    def _mark_seen(self) -> None:
        if self.app.app_focus and (seen := self.seen_now()):
            self.post_message(RunSeen(seen))

    # --- wishes ------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "chart":
            return self.has_class("-short") or self.has_class("-narrow")
        return super().check_action(action, parameters)

    def action_chart(self) -> None:
        self.toggle_class("-chart")
        if not self.has_class("-chart"):
            self.tools.focus()  # which they lost when they were hidden
        self.draw()

    def action_library(self) -> None:
        self.post_message(LibraryWanted())

    def action_leave(self) -> None:
        self.post_message(LeaveWanted())

    def purpose(self, binding: Binding) -> str:
        """What a key does now; of leaving also what becomes of the run."""
        after = self._after_leaving if binding.action == "leave" else ""
        return f"{binding.tooltip}; {after}" if after else binding.tooltip

    @property
    def way_out(self) -> str:
        return f"q leaves; {self._after_leaving}" if self._after_leaving else "q leaves"

    @property
    def _after_leaving(self) -> str:
        """What becomes of the run when a person leaves; empty where nothing becomes of it."""
        if self.state.status.is_over or self.engine_alive is False:
            return ""
        return "the run stays paused" if self.state.status is RunStatus.HELD else "the run goes on"
