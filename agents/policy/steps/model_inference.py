"""model_inference: write the inference script and check what it predicts for mini_train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agents.policy.carried import split_folder
from agents.policy.conversation import GaveUp, Moves
from agents.policy.moves import analyse, failure, hand_over, run, write
from agents.policy.steps.decided import decided
from agents.policy.steps.model_training import ARTIFACTS
from agents.policy.texts import script_texts
from agents.steps.facts import StepFacts
from agents.steps.outputs import ModelInferenceOutput
from agents.vocabulary import SplitName, StepName
from agents.wording import counted

SCRIPT: Final = f"{StepName.MODEL_INFERENCE.value}/inference.py"
_CHECK: Final = "checks/check_predictions.py"
"""In a folder of its own that is no package: what lies beside the inference script goes into the snapshot."""
_OUTPUT: Final = "mini_train_predictions.csv"


def artifacts(facts: StepFacts) -> str:
    """Where this iteration's training left its model."""
    return str(Path(facts.paths.iteration) / StepName.MODEL_TRAINING.value / ARTIFACTS)


def model_inference(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Predict mini_train without its labels; hand over only what gives one finite prediction for each id."""
    profile, candidate = yield from decided(facts)
    texts = script_texts(facts, profile, candidate)
    yield from write("I write the inference script.", "inference.py", texts["inference.py"])
    inputs = str(split_folder(facts, SplitName.MINI_TRAIN) / "input")
    arguments = ["--input", inputs, "--output", _OUTPUT, "--artifacts-dir", artifacts(facts)]
    done = yield from run("I run it on the inputs of mini_train, without labels.", "inference.py", arguments)
    if not done.ok:
        raise GaveUp(failure("inference.py on mini_train", done))
    found = yield from analyse(
        "I write a script that checks the predictions.",
        "One finite prediction for each id, and none else?",
        _CHECK,
        ["--input", inputs, "--predictions", _OUTPUT, "--classes", str(len(facts.task.classes))],
    )
    if found["problems"]:
        raise GaveUp(f"The predictions are not in order: {'; '.join(found['problems'])}.")
    same = " All of them are equal: the model has learnt nothing." if found["constant"] else ""
    summary = (
        f"inference.py predicts {counted(found['rows'], 'row')} of mini_train, one finite prediction for each id.{same}"
    )
    return (yield from hand_over(summary, ModelInferenceOutput(summary=summary, inference_script=SCRIPT)))
