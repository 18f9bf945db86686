"""What happens to model calls and limits in one sentence each, for a log and a toast alike. Without Textual."""

from agents import events as ev
from agents.wording import first_line
from screens.figures import duration
from screens.spending import amount


def sentence(event: ev.Event) -> str | None:
    """The sentence of ``event``, text from outside still in it as it came; None for other events."""
    match event:
        case ev.ModelCallRetried():
            again = f"retry {event.retry} of {event.of} in {duration(event.wait)}"
            return f"model call {event.call}: {_because(event.reason)}; {again}"
        case ev.ModelChanged():
            return f"no reply from {event.model} ({_because(event.reason)}); {event.fallback} is asked instead"
        case ev.ParameterDropped():
            return f"asked without {event.parameter}: {event.model} does not take it ({_because(event.reason)})"
        case ev.ContextCompacted():
            return _compacted(event)
        case ev.ReplayDiverged():
            place = f"call {event.call} asks something else than recorded call {event.recorded_call}"
            return f"replay: {place}: {_first_difference(event.diff)}"
        case ev.LimitReached():
            return f"limit reached: {first_line(event.message)}"
        case ev.LimitRaised():
            by = f" by {event.by}" if event.by else ""
            return f"limit raised{by}: {amount(event.limit, event.allowed)} in all"
        case _:
            return None


def _because(reason: str) -> str:
    return first_line(reason).rstrip(".") or "no reason given"


def _compacted(event: ev.ContextCompacted) -> str:
    n = len(event.left_out)
    outputs = f"the output of {n} tool call{'' if n == 1 else 's'} left out"
    tokens = f"about {event.tokens_before:,} to {event.tokens_after:,} of {event.window:,} tokens"
    return f"conversation shortened before model call {event.call}: {outputs}, {tokens}"


def _first_difference(diff: str) -> str:
    """The first line of a unified diff that differs; the first one of any other text."""
    changed = (line for line in diff.splitlines() if line.startswith(("-", "+")) and line[:3] not in ("---", "+++"))
    return next(changed, first_line(diff))
