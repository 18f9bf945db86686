"""The budget: keeps a run within its limits, and asks a person or ends the run where one is reached."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from agents.clock import utc_now
from agents.events import LimitReached
from agents.interruptions import RunInterrupted
from agents.limits import Breach, breach, time_left, working_time_left
from agents.models.gateway import ModelFacts
from agents.recorder import Recorder
from agents.settings import RunSettings
from agents.steering import Steering
from agents.time_limit import TimeLimit

_LEAST_FOR_THE_END: Final = 60.0
"""Seconds that a script of the final evaluation may take even where the time limit has passed."""
_LEAST_FOR_A_CALL: Final = 1.0
"""Seconds that a tool call may take in any case, once it is begun."""


class LimitEndsRun(RunInterrupted):
    """A limit was reached and nobody is asked."""


class Budget:
    """Keeps a run within its limits: what cannot be afforded waits for a person, or ends the run."""

    def __init__(
        self,
        settings: RunSettings,
        recorder: Recorder,
        steering: Steering,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._recorder = recorder
        self._steering = steering
        self._now = now

    async def afford(self, input_tokens: int = 0, facts: ModelFacts | None = None) -> None:
        """Return when a call may be made: at once, or when a person has raised the limit that stands against it.

        Raises :class:`LimitEndsRun` where nobody is to be asked, or where a person has asked the run to stop.
        """
        while found := self._breach(input_tokens, facts):
            if self._recorder.state.limit is None:
                self._recorder.emit(
                    LimitReached(
                        limit=found.limit,
                        used=found.used,
                        allowed=found.allowed,
                        needed=found.needed,
                        message=found.message,
                    ),
                    durable=True,
                )
            if self._settings.at_limit == "finish" or self._steering.stop_asked:
                raise LimitEndsRun(found.message)
            await self._steering.hold(found.message)

    def _breach(self, input_tokens: int, facts: ModelFacts | None) -> Breach | None:
        return breach(self._recorder.state, self._now(), input_tokens=input_tokens, facts=facts)

    def time_for_a_call(self) -> float | None:
        """Seconds that a model call may take in all, its retries included; None without a limit."""
        left = working_time_left(self._recorder.state, self._now())
        return None if left is None else max(left, 0.1)

    def cap(self, seconds: float) -> TimeLimit:
        """The time limit of a tool call: its own of ``seconds``, or what is left of the run where that is less.

        Outside an iteration the run is at its end: then the reserve may be used, and a little more than nothing.
        """
        state, now = self._recorder.state, self._now()
        if self._recorder.iteration is None:
            left, least = time_left(state, now), _LEAST_FOR_THE_END
        else:
            left, least = working_time_left(state, now), _LEAST_FOR_A_CALL
        if left is None or max(left, least) >= seconds:
            return TimeLimit(seconds)
        return TimeLimit(max(left, least), own=seconds)
