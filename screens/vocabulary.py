"""How a state is shown: one glyph, one word and one style each, the same on every screen.

The glyph and the word carry the meaning; the style only helps the eye. Styles are names of CSS variables of the
theme (:mod:`screens.theme`), blue for what goes well and orange for what does not, so that they stay apart for people
who do not see red from green.
"""

from dataclasses import dataclass
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
from screens.figures import MISSING as MISSING
from screens.figures import clock as clock
from screens.figures import count as count
from screens.figures import duration as duration
from screens.figures import score as score
from screens.figures import size as size
from screens.figures import ticking as ticking


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

AT_LIMIT: Final = Look("‖", "at limit", "$warning")
"""The run is held because a budget is used up, and waits for a person to raise it or to end the run."""

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


def run_look(status: RunStatus, engine_alive: bool | None, *, at_limit: bool = False) -> Look:
    """Look of a run; ``engine_alive`` None means that nobody has looked at the lock yet."""
    started_or_over = status is RunStatus.STARTING or status.is_over
    if engine_alive is False and not started_or_over:
        return ENGINE_GONE
    return AT_LIMIT if at_limit and status is RunStatus.HELD else RUN[status]


def standstill(status: RunStatus, engine_alive: bool | None, *, at_limit: bool = False) -> Look | None:
    """What every pane shows in the place of "running" while nothing of the run moves; None while it does."""
    look = run_look(status, engine_alive, at_limit=at_limit)
    if look is ENGINE_GONE:
        return CUT_OFF
    return look if status is RunStatus.HELD else None


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


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, an ellipsis at its end where something was cut."""
    content = Content(text)
    return content.truncate(max(0, width), ellipsis=True).plain if content.cell_length > width else text


def shorten_left(text: str, width: int) -> str:
    """Like :func:`shorten`, but the end is kept: for paths."""
    if len(text) <= width:
        return text
    return "…" + text[len(text) - width + 1 :] if width > 1 else "…"[:width]
