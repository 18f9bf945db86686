"""One step of one run, with a scripted model and real tools."""

import sys
from collections.abc import Sequence
from pathlib import Path

from agents.budget import Budget
from agents.calls import Calls, Workplace
from agents.engine import announce
from agents.model_calls import ModelCalls
from agents.models.gateway import Gateway
from agents.recorder import Recorder
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.agent import StepAgent, StepRequest
from agents.steps.outputs import DataRepresentationOutput, StepOutput
from agents.vocabulary import StepName
from tests.support.models import ScriptedGateway, Turn

GOOD = {"summary": "k-mers", "representation": "3-mers", "fitted_on_train_only": ["vocabulary"]}


class Bench:
    """One step of one run, with a scripted model and real tools."""

    def __init__(
        self, tmp_path: Path, *turns: Turn, problems: Sequence[Sequence[str]] = (), **settings: object
    ) -> None:
        values = RunSettings(dataset=tmp_path, **settings)  # type: ignore[arg-type]
        self.run: RunFolder = create_run(tmp_path / "runs", values, "1.0")
        self.recorder = Recorder(self.run.journal, self.run.run_id)
        announce(self.run, self.recorder, self.run.record())
        self.recorder.iteration, self.recorder.step = 0, StepName.DATA_REPRESENTATION
        self.steering = Steering(self.run, self.recorder)
        self.gateway = ScriptedGateway(list(turns))
        self.model = "scripted"
        self.problems = list(problems)
        self.step_dir = self.run.step(0, StepName.DATA_REPRESENTATION)
        self.step_dir.mkdir(parents=True)
        budget = Budget(values, self.recorder, self.steering)
        self.agent = StepAgent(
            self.recorder,
            values,
            ModelCalls(self.run, self.recorder, values, self.gateway, self.steering, budget),
            Calls(self.run, self.recorder, values, self.steering, budget),
            self.steering,
        )

    def request(self, *, with_tools: bool = True) -> StepRequest[DataRepresentationOutput]:
        async def check(_: StepOutput) -> Sequence[str]:
            return self.problems.pop(0) if self.problems else ()

        place = Workplace(self.step_dir, self.run.iteration(0), Path(sys.executable), {"PATH": "/usr/bin:/bin"})
        return StepRequest(self.model, "system", "task", DataRepresentationOutput, check, place, with_tools)

    def use(self, gateway: Gateway, model: str = "scripted") -> None:
        """Let ``gateway`` answer in the script's place."""
        self.agent._model_calls._gateway = gateway
        if isinstance(gateway, ScriptedGateway):
            self.gateway = gateway
        self.model = model

    async def work(self) -> DataRepresentationOutput:
        return await self.agent.run(self.request())

    @property
    def rejections(self) -> int:
        return self.recorder.state.iterations[0].steps[StepName.DATA_REPRESENTATION].rejections

    def last_answer(self) -> str:
        return self.gateway.requests[-1][-1]["content"]
