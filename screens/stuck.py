"""Whether the call that runs gets on, in one line. Pure, and without Textual but for its content."""

from collections.abc import Iterable, Iterator
from typing import Final

from textual.content import Content

from agents.program import to_type
from agents.pulse import Pulse, Verdict, verdict, verdict_words
from agents.state import RunState
from agents.wording import counted
from screens.figures import MISSING, size, ticking
from screens.spending import asks_a_model
from screens.vocabulary import Look

_WORDS: Final = 14
"""Cells of the longest verdict."""
_LOOKS: Final = {
    Verdict.WORKING: ("●", "$accent"),
    Verdict.QUIET: ("○", "$text-muted"),
    Verdict.HUNG: ("!", "bold $warning"),
}


def look_of(pulse: Pulse) -> Look:
    """Glyph, words and style of the verdict."""
    glyph, style = _LOOKS[verdict(pulse)]
    return Look(glyph, verdict_words(pulse), style)


def current(pulse: Pulse | None, state: RunState) -> Pulse | None:
    """``pulse`` where it is of the call that runs: a measurement may be a beat behind the journal."""
    if pulse is None or state.status.is_over:
        return None
    tool, asked = state.running_tool_call, state.running_model_call
    if pulse.kind == "tool":
        return pulse if tool is not None and tool.call == pulse.call else None
    return pulse if asked is not None and asked.call == pulse.call and asks_a_model(state) else None


def strip(pulse: Pulse | None, state: RunState, waiting: str, width: int) -> Content:
    """The line of at most ``width`` cells; ``waiting`` is what is said of a model call, the pulse apart.

    Of a tool each part has its fixed width, so that nothing but digits changes from beat to beat.
    """
    pulse = current(pulse, state)
    if pulse is None:
        return Content(waiting)
    look = look_of(pulse)
    if pulse.kind == "model":
        return _fitting(look.text, _of_model(pulse, waiting), " · ", width)
    mark = Content.styled(f"{look.glyph} {look.word:<{_WORDS}}", look.style)
    return _fitting(mark, _of_tool(pulse), "  ", width)


def _fitting(line: Content, parts: Iterable[str], between: str, width: int) -> Content:
    """``line`` and those of the ``parts`` that fit."""
    for part in parts:
        longer = Content.assemble(line, between, part)
        if longer.cell_length <= width:
            line = longer
    return line


def _of_tool(pulse: Pulse) -> Iterator[str]:
    """The parts, the most important first."""
    age = f"tool for {ticking(pulse.seconds)}".ljust(15)
    silence = f"output {ticking(pulse.silent)} ago".ljust(17)
    yield from (silence, "s skips the step", age) if verdict(pulse) is Verdict.HUNG else (age, silence)
    yield f"CPU {_percent(pulse.cpu_percent)}".ljust(9)
    if pulse.gpu_percent is not None:
        yield f"GPU {_percent(pulse.gpu_percent)}".ljust(8)
    yield size(pulse.memory).ljust(7)
    yield counted(pulse.processes, "process", "processes").ljust(13)


def _of_model(pulse: Pulse, waiting: str) -> Iterator[str]:
    says = verdict(pulse)
    if says is not Verdict.WORKING:
        limit = f" of {ticking(pulse.silence_limit)}" if pulse.silence_limit else ""
        yield f"no byte for {ticking(pulse.silent)}{limit}"
    if says is Verdict.HUNG:
        yield "a asks again"
    elif waiting:
        yield waiting


def standing_words(pulse: Pulse, run_id: str) -> str:
    """The line for ``status``, with the command that ends what hangs."""
    call = f"{pulse.kind} call {pulse.call} for {ticking(pulse.seconds)}"
    measured = [call, f"last byte {ticking(pulse.silent)} ago"]
    if pulse.kind == "tool":
        measured.append(f"CPU {_percent(pulse.cpu_percent)}")
        if pulse.gpu_percent is not None:
            measured.append(f"GPU {_percent(pulse.gpu_percent)}")
        measured.append(f"{counted(pulse.processes, 'process', 'processes')} with {size(pulse.memory)}")
    words = f"{verdict_words(pulse)}: {', '.join(measured)}"
    if verdict(pulse) is not Verdict.HUNG:
        return words
    way_out = to_type("ask-again", run_id) if pulse.kind == "model" else to_type("skip", run_id, "--step")
    return f"{words}; end it with: {way_out}"


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.0f}%"
