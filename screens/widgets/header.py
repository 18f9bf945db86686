"""The head of the dashboard: which run, what it optimises, with which model, in what state, at what price."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from agents.state import RunState, Usage
from agents.vocabulary import BUILTIN_MODEL, Limit
from agents.wording import fork_words
from screens.plain import one_line
from screens.spending import asks_a_model, cost_words, standing_at
from screens.vocabulary import Look, clock, count, direction, run_look
from screens.widgets.pane import Pane


@dataclass(frozen=True)
class HeaderView:
    """What the head says, the clock left out."""

    run_id: str
    dataset: str
    fork_of: str
    """Of which run it is a fork, and where; empty where it is none."""
    metric: str
    higher_is_better: bool
    model: str
    look: Look
    usage: tuple[str, ...]
    """Wordings, the longest first."""


def header_view(state: RunState, run_id: str, engine_alive: bool | None, link: str = "") -> HeaderView:
    """``link`` says how much goes over it, where that is to be told."""
    usage = usage_words(
        state.usage,
        free=not asks_a_model(state),
        usd=state.allowed(Limit.USD),
        tokens=state.allowed(Limit.TOKENS),
    )
    return HeaderView(
        run_id=one_line(run_id),
        dataset=one_line(state.dataset),
        fork_of=one_line(fork_words(state.parent)) if state.parent else "",
        metric=one_line(state.metric),
        higher_is_better=state.higher_is_better,
        model=one_line(state.model),
        look=run_look(state.status, engine_alive, at_limit=standing_at(state) is not None),
        usage=(*(f"{link} · {words}" for words in usage), link) if link else usage,
    )


def usage_words(
    usage: Usage, *, free: bool = False, usd: float | None = None, tokens: float | None = None
) -> tuple[str, ...]:
    """Tokens and cost against what is allowed, in phrases of which the first is the longest.

    A price that nobody knows is not shown as nothing.
    """
    if free:
        return (f"{count(usage.calls)} model {'call' if usage.calls == 1 else 'calls'} · free",)
    cost = cost_words(usage, usd)
    given, got = f"{count(usage.input_tokens)} in", f"{count(usage.output_tokens)} out"
    cached = f"{given} ({count(usage.cached_tokens)} cached)" if usage.cached_tokens else given
    if tokens is None:
        phrases = [f"{cached} · {got}", f"{given} · {got}", f"{count(usage.tokens)} tokens"]
    else:
        used = f"{count(usage.tokens)} of {count(round(tokens))}"
        phrases = [f"{cached} · {got} · {used} tokens", f"{given} · {got} · {used} tokens", f"{used} tokens", used]
    return (*(f"{phrase} · {cost}" for phrase in phrases), cost)


class Facts(Pane[HeaderView]):
    """Run, dataset, metric and model in two lines."""

    def draw(self, view: HeaderView, width: int, height: int) -> Sequence[Content]:
        return [_first_line(view, width), _second_line(view, width)]


class Clock(Static):
    """Time since the start. It alone changes every second."""

    def show(self, elapsed: timedelta) -> None:
        self.update(Content(clock(elapsed)), layout=False)


class StateCell(Pane[Look]):
    """The run's state: glyph and word."""

    def draw(self, view: Look, width: int, height: int) -> Sequence[Content]:
        return [Content.styled(f"{view.glyph} {view.word}", f"bold {view.style}")]


class UsageCell(Pane[tuple[str, ...]]):
    """Tokens and cost, in the longest wording that fits."""

    def draw(self, view: tuple[str, ...], width: int, height: int) -> Sequence[Content]:
        return [Content.styled(next((words for words in view if len(words) <= width), view[-1]), "$text-muted")]


class Header(Horizontal):
    """Facts on the left; state, clock and usage on the right."""

    def compose(self) -> ComposeResult:
        yield Facts(id="facts")
        with Vertical(id="corner"):
            with Horizontal(id="state-line"):
                yield StateCell(id="state")
                yield Clock("0:00:00", id="clock")
            yield UsageCell(id="usage")

    def show(self, view: HeaderView) -> None:
        self.query_one(Facts).show(view)
        self.query_one(StateCell).show(view.look)
        self.query_one(UsageCell).show(view.usage)

    def tick(self, elapsed: timedelta) -> None:
        self.query_one(Clock).show(elapsed)


def _first_line(view: HeaderView, width: int) -> Content:
    run = Content.styled(view.run_id, "bold $accent")
    whole = Content.assemble(run, "  ", Content(view.dataset))
    forked = Content.assemble(run, "  ", Content(view.dataset), (f"  fork of {view.fork_of}", "$text-muted"))
    ways = (forked, whole) if view.fork_of else (whole,)
    return next((way for way in ways if way.cell_length <= width), run)


def _second_line(view: HeaderView, width: int) -> Content:
    """The longest wording that fits; the shortest one where none does."""
    if not view.model:
        return Content.styled("The run is being set up.", "$text-muted")
    line = Content("")
    arrow = "▲" if view.higher_is_better else "▼"
    for goal in (direction(view.higher_is_better), arrow):
        for model in _wordings(view.model):
            metric = Content.assemble((view.metric, "bold"), f" {goal}   ") if view.metric else Content("")
            line = Content.assemble(metric, (model, "$text-muted"))
            if line.cell_length <= width:
                return line
    return line


def _wordings(model: str) -> tuple[str, ...]:
    if model == BUILTIN_MODEL:
        return (f"{model}, built-in policy (no LLM)", f"{model} (no LLM)")
    return (model,)
