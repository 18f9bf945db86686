"""A scripted model that does all nine steps well, and whatever else a test tells it to do at one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.models.gateway import Listener, Message, ModelFacts, ModelReply, ModelRequest
from agents.steps.facts import StepFacts
from agents.vocabulary import StepName
from tests.support.models import calls

_SCRIPTS: Final = Path(__file__).parent / "expert_scripts"
COLUMNS: Final = ("noise", "length", "charge")
"""The column that iteration 0, 1, 2 … learns from: the baseline learns nothing, the next one the most."""

Turn = Callable[[StepFacts, int], ModelReply]
"""What to answer: from the facts of the step and the number of the turn in its conversation, from 0."""


def script(name: str, **put: str) -> str:
    """A script of the expert's, with some of its constants put in."""
    text = (_SCRIPTS / name).read_text()
    for old, new in put.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    return text


@dataclass
class Expert:
    """A gateway that knows its trade. ``instead`` replaces what it does at one step of one iteration."""

    instead: dict[tuple[int, StepName], Turn] = field(default_factory=dict)
    asked: list[tuple[int, StepName]] = field(default_factory=list)
    seen: dict[tuple[int, StepName], StepFacts] = field(default_factory=dict)

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        return self.answer(request.messages)

    def answer(self, messages: Sequence[Message]) -> ModelReply:
        """The reply to a conversation, whoever carries it here."""
        facts = StepFacts.find(messages[1]["content"])
        assert facts is not None
        place = (facts.iteration, facts.step)
        self.asked.append(place)
        self.seen[place] = facts
        turn = sum(message["role"] == "assistant" for message in messages)
        return self.instead.get(place, competent)(facts, turn)

    def facts(self, model: str) -> ModelFacts:
        return ModelFacts()


def competent(facts: StepFacts, turn: int) -> ModelReply:
    """What a good model answers at this turn of the step."""
    match facts.step:
        case StepName.ITERATION_PLAN:
            turns = [_plan(facts)]
        case StepName.DATA_EXPLORATION:
            turns = [_exploration()]
        case StepName.DATA_SPLIT:
            turns = _split(facts)
        case StepName.DATA_REPRESENTATION:
            turns = [_done("One column.", representation="as it is", fitted_on_train_only=["cut"])]
        case StepName.MODEL_ARCHITECTURE:
            turns = [_architecture(facts)]
        case StepName.MODEL_TRAINING:
            turns = _training(facts)
        case StepName.MODEL_INFERENCE:
            turns = _inference()
        case _:
            turns = [_errors()]
    return turns[min(turn, len(turns) - 1)]


def final_result(**fields: Any) -> ModelReply:
    return calls(("final_result", fields))


def _done(summary: str, **fields: Any) -> ModelReply:
    return final_result(summary=summary, **fields)


def _column(facts: StepFacts) -> str:
    return COLUMNS[facts.iteration % len(COLUMNS)]


def _plan(facts: StepFacts) -> ModelReply:
    mode = "baseline" if facts.iteration == 0 else "explore" if facts.exploring else "refine"
    parts = ("exploration", "representation")
    instructions = {f"data_{part}_instructions": "look" for part in parts}
    instructions |= {f"model_{part}_instructions": "do" for part in ("architecture", "training", "inference")}
    return _done(
        f"Learn from {_column(facts)}.",
        mode=mode,
        combination=f"{_column(facts)} + cut {facts.iteration}",
        change=f"the column {_column(facts)}",
        reason="it was not tried",
        expectation="better than chance",
        data_split_instructions="a new one" if facts.may_split else None,
        prediction_exploration_instructions="look",
        **instructions,
    )


def _exploration() -> ModelReply:
    return _done("Seen.", data_description="a table", feature_analysis="-", quality_findings=[], domain_insights="-")


def _split(facts: StepFacts) -> list[ModelReply]:
    names = ("train", "validation", "mini_train")
    if not facts.may_split:
        assert facts.paths.split is not None
        return [_done("As before.", strategy="as before", **{name: facts.paths.split[name] for name in names})]  # type: ignore[index]
    return [
        calls(
            ("write_python", {"path": "split.py", "content": script("split.py")}),
            ("run_python", {"path": "split.py", "arguments": [facts.paths.data, str(facts.iteration % 4)]}),
        ),
        _done("Split.", strategy="every fourth row", **{name: f"data_split/{name}" for name in names}),
    ]


def _architecture(facts: StepFacts) -> ModelReply:
    return _done(
        "A cut.",
        combination=f"{_column(facts)} + cut {facts.iteration}",
        architecture="a threshold",
        hyperparameters={"slope": 4},
        regularisation="none",
    )


def _training(facts: StepFacts) -> list[ModelReply]:
    assert facts.paths.split is not None
    split = {name.value: path for name, path in facts.paths.split.items()}
    arguments = ["--train-data", split["train"], "--validation-data", split["validation"]]
    return [
        calls(
            ("write_python", {"path": "train.py", "content": script("train.py", length=_column(facts))}),
            ("run_python", {"path": "train.py", "arguments": [*arguments, "--artifacts-dir", "training_artifacts"]}),
        ),
        _done("Trained.", train_script="model_training/train.py"),
    ]


def _inference() -> list[ModelReply]:
    return [
        calls(("write_python", {"path": "inference.py", "content": script("inference.py")})),
        _done("Written.", inference_script="model_inference/inference.py"),
    ]


def _errors() -> ModelReply:
    return _done("Looked.", statistics={"errors": 3}, successes="many", failures="few", insights="use another column")
