"""Which of the keys that steer a run can be pressed at present. Pure: the footer, the palette and `?` all ask here."""

from typing import Final

from agents.state import RunState
from agents.vocabulary import NEEDED_STEPS, IterationStatus, RunStatus, StepName
from screens.spending import asks_a_model
from screens.vocabulary import short_step

STEERING: Final = frozenset(
    {
        "pause",
        "pause_now",
        "resume",
        "review",
        "skip_step",
        "skip_iteration",
        "redo",
        "stop",
        "ask_again",
        "say",
        "notes",
        "gates",
    }
)
"""Actions of the dashboard that leave a command for the engine."""

CONTROL: Final = frozenset({"take_control", "give_up_control"})
"""Actions that change who may steer."""


def available(action: str, state: RunState, engine_alive: bool | None, *, readable: bool = True) -> bool | None:
    """Whether a steering ``action`` applies: False hides its key, None greys it out.

    ``engine_alive`` is None where nobody knows yet; ``readable`` whether the run's files can be read at present.
    """
    if action == "notes":
        return bool(state.notes)
    if state.status.is_over or (action == "ask_again" and not asks_a_model(state)):
        return False
    engine_gone = engine_alive is False
    waits = state.approval is not None and not engine_gone
    if action == "review" or (waits and action in {"pause", "resume", "pause_now"}):
        return waits and action == "review"
    standing = engine_gone or state.status in {RunStatus.HELD, RunStatus.PAUSING}
    if action in {"pause", "resume"} and (action == "resume") is not standing:
        return False
    if action == "resume" and engine_gone:
        return True
    if not readable or engine_alive is not True:
        return None
    if action in {"skip_step", "skip_iteration", "redo"} and not _iteration_runs(state):
        return None
    if action == "redo" and state.step is None:
        return None
    if action == "pause_now" and state.status is RunStatus.HELD:
        return None
    if action == "ask_again" and state.running_model_call is None:
        return None
    return True


def ends_iteration(state: RunState) -> str:
    """Why skipping the step that runs would end its iteration, as a sentence; empty where the iteration goes on."""
    step = state.step.name if state.step else None
    if step in NEEDED_STEPS or (step is StepName.DATA_SPLIT and state.split_version is None):
        return f"Nothing after step {short_step(step)} can run without it."
    return ""


def _iteration_runs(state: RunState) -> bool:
    return state.iteration is not None and state.iteration.status is IterationStatus.RUNNING
