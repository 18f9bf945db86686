"""How a state is shown: one glyph, one word and one style each, the same on every screen.

The glyph and the word carry the meaning; the style only helps the eye. Styles are names of CSS variables of the
theme (:mod:`screens.theme`), blue for what goes well and orange for what does not, so that they stay apart for people
who do not see red from green.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from textual.content import Content

from agents.vocabulary import (
    BUILTIN_MODEL,
    IterationMode,
    IterationStatus,
    RunStatus,
    StepName,
    StepStatus,
    ToolOutcome,
)


@dataclass(frozen=True)
class Look:
    """A state as a person sees it."""

    glyph: str
    """One cell wide in every terminal."""
    word: str
    style: str
    """A Textual style such as ``$accent``."""

    @property
    def text(self) -> Content:
        """Glyph and word."""
        return Content.styled(f"{self.glyph} {self.word}", self.style)

    @property
    def mark(self) -> Content:
        """The glyph alone, where the word stands elsewhere in the row."""
        return Content.styled(self.glyph, self.style)


RUN: Final[dict[RunStatus, Look]] = {
    RunStatus.STARTING: Look("◌", "starting", "$text-muted"),
    RunStatus.RUNNING: Look("●", "running", "$accent"),
    RunStatus.PAUSING: Look("◐", "pausing", "$warning"),
    RunStatus.HELD: Look("‖", "paused", "$warning"),
    RunStatus.STOPPING: Look("◑", "stopping", "$warning"),
    RunStatus.FINISHED: Look("✓", "finished", "$success"),
    RunStatus.FAILED: Look("✗", "failed", "$error"),
    RunStatus.STOPPED: Look("■", "stopped", "$warning"),
    RunStatus.REFUSED: Look("✗", "refused", "$error"),
}

ENGINE_GONE: Final = Look("!", "engine not running", "$error")
"""The journal says that the run goes on, and no engine writes it."""

CUT_OFF: Final = Look("!", "cut off", "$error")
"""What ran when the engine ended, and goes on only when a person resumes the run."""

UNREADABLE: Final = Look("?", "unreadable", "$error")
"""The run's journal cannot be read at present: what else is shown of the run was read before, or is not known."""

STEP: Final[dict[StepStatus, Look]] = {
    StepStatus.PENDING: Look("·", "waiting", "$text-muted"),
    StepStatus.RUNNING: Look("●", "running", "$accent"),
    StepStatus.DONE: Look("✓", "done", "$success"),
    StepStatus.SKIPPED: Look("»", "skipped", "$text-muted"),
    StepStatus.FAILED: Look("✗", "failed", "$error"),
}

ITERATION: Final[dict[IterationStatus, Look]] = {
    IterationStatus.RUNNING: Look("●", "running", "$accent"),
    IterationStatus.DONE: Look("✓", "done", "$success"),
    IterationStatus.SKIPPED: Look("»", "skipped", "$text-muted"),
    IterationStatus.FAILED: Look("✗", "failed", "$error"),
}

TOOL_RUNNING: Final = Look("●", "running", "$accent")
TOOL: Final[dict[ToolOutcome, Look]] = {
    ToolOutcome.OK: Look("✓", "ok", "$success"),
    ToolOutcome.ERROR: Look("✗", "error", "$error"),
    ToolOutcome.TIMEOUT: Look("◷", "timeout", "$error"),
    ToolOutcome.CANCELLED: Look("»", "ended", "$text-muted"),
}

MODE: Final[dict[IterationMode, str]] = {
    IterationMode.BASELINE: "baseline",
    IterationMode.EXPLORE: "explores a new combination",
    IterationMode.REFINE: "refines the best",
}

_SHORT_STEP: Final[dict[StepName, str]] = {
    StepName.ITERATION_PLAN: "plan",
    StepName.DATA_EXPLORATION: "explore",
    StepName.DATA_SPLIT: "split",
    StepName.DATA_REPRESENTATION: "features",
    StepName.MODEL_ARCHITECTURE: "model",
    StepName.MODEL_TRAINING: "train",
    StepName.MODEL_INFERENCE: "infer",
    StepName.PREDICTION_EXPLORATION: "errors",
    StepName.VALIDATION_EVALUATION: "score",
}


MISSING: Final = "–"
"""What stands where a value is not known."""


def run_look(status: RunStatus, engine_alive: bool | None) -> Look:
    """Look of a run; ``engine_alive`` None means that nobody has looked at the lock yet."""
    started_or_over = status is RunStatus.STARTING or status.is_over
    return ENGINE_GONE if engine_alive is False and not started_or_over else RUN[status]


def standstill(status: RunStatus, engine_alive: bool | None) -> Look | None:
    """What every pane shows in the place of "running" while nothing of the run moves; None while it does."""
    if run_look(status, engine_alive) is ENGINE_GONE:
        return CUT_OFF
    return RUN[status] if status is RunStatus.HELD else None


def step_look(status: StepStatus, still: Look | None) -> Look:
    """Look of a step; ``still`` as :func:`standstill` gives it."""
    return still if still and status is StepStatus.RUNNING else STEP[status]


def iteration_look(status: IterationStatus, still: Look | None) -> Look:
    """Look of an iteration; ``still`` as :func:`standstill` gives it."""
    return still if still and status is IterationStatus.RUNNING else ITERATION[status]


def tool_look(outcome: ToolOutcome | None, still: Look | None = None) -> Look:
    """Look of a tool call; ``outcome`` is None while it runs, ``still`` as :func:`standstill` gives it."""
    return still or TOOL_RUNNING if outcome is None else TOOL[outcome]


def short_step(step: StepName | None) -> str:
    """The step in one word of at most eight letters."""
    return _SHORT_STEP[step] if step else ""


def direction(higher_is_better: bool) -> str:
    """Arrow and words for the direction in which a metric improves."""
    return "▲ higher is better" if higher_is_better else "▼ lower is better"


def model_words(model: str) -> str:
    """The model's name; the policy that is no LLM says so."""
    return f"{model}, built-in policy (no LLM)" if model == BUILTIN_MODEL else model


def duration(seconds: float | None) -> str:
    """``0.4s``, ``12s``, ``3m05s``, ``2h07m``, ``3d04h``: at most six characters."""
    if seconds is None:
        return MISSING
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def clock(elapsed: timedelta) -> str:
    """``0:04:07`` or ``3d 04:07:00``, of fixed form so that it can tick in place."""
    whole = int(elapsed.total_seconds())
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{days}d {hours:02d}:{minutes:02d}:{seconds:02d}" if days else f"{hours}:{minutes:02d}:{seconds:02d}"


def size(count: int) -> str:
    """``0 B``, ``812 B``, ``4.1 kB``, ``37 MB``: at most seven characters."""
    if count < 1_000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1_000
        if value < 999.5 or unit == "GB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def count(number: int) -> str:
    """``950``, ``18.4k``, ``2.3M``."""
    if number < 1_000:
        return str(number)
    if number < 999_950:
        return f"{number / 1_000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def score(value: float | None) -> str:
    """A metric's value with four significant decimals, without a tail of digits nobody reads."""
    if value is None:
        return MISSING
    magnitude = abs(value)
    if magnitude >= 1_000_000 or 0 < magnitude < 0.001:
        return f"{value:.3g}"
    return f"{value:.4f}" if magnitude < 10 else f"{value:.2f}" if magnitude < 1_000 else f"{value:.1f}"


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, an ellipsis at its end where something was cut."""
    content = Content(text)
    return content.truncate(max(0, width), ellipsis=True).plain if content.cell_length > width else text


def shorten_left(text: str, width: int) -> str:
    """Like :func:`shorten`, but the end is kept: for paths."""
    if len(text) <= width:
        return text
    return "…" + text[len(text) - width + 1 :] if width > 1 else "…"[:width]
