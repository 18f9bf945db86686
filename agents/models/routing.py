"""Which gateway answers for which model: litellm for all of them, but for a recorded run."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agents.models.gateway import Gateway, Listener, ModelFacts, ModelReply, ModelRequest
from agents.models.library import problem_with as problem_with_model
from agents.models.litellm_gateway import LiteLLMGateway
from agents.models.replay import ReplayGateway, problem_with_replay
from agents.settings import RunSettings
from agents.vocabulary import REPLAY


@dataclass
class Gateways:
    """The gateway of a run in ``root``."""

    settings: RunSettings
    root: Path
    redact: Callable[[str], str]
    _replays: dict[str, ReplayGateway] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._litellm = LiteLLMGateway(self.settings, self.redact)

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        """One reply; raises ``ModelError``."""
        return await self._of(request.model).complete(request, listener)

    def facts(self, model: str) -> ModelFacts:
        return self._of(model).facts(model)

    def _of(self, model: str) -> Gateway:
        if not model.startswith(REPLAY):
            return self._litellm
        if model not in self._replays:
            self._replays[model] = ReplayGateway(Path(model.removeprefix(REPLAY)), self.root)
        return self._replays[model]


def problem_with(model: str, api_base: str | None = None) -> str | None:
    """One line that says why ``model`` cannot be used here, or None. Nothing is sent anywhere."""
    return problem_with_replay(model) if model.startswith(REPLAY) else problem_with_model(model, api_base)
