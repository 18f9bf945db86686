"""What the engine itself asks of a step's output before it accepts it."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agents.data.dataset import load_dataset
from agents.data.workspace import DatasetFacts, import_dataset
from agents.environment import RunEnvironment
from agents.processes import ProcessResult, run_process
from agents.scripts import Scripts
from agents.steps.checks import (
    artifact_names,
    inference_problems,
    plan_problems,
    split_folders,
    split_problems,
    training_problems,
)
from agents.steps.facts import IterationFacts, PathFacts, StepFacts, TaskFacts
from agents.steps.outputs import DataSplitOutput, IterationPlanOutput, ModelInferenceOutput, ModelTrainingOutput
from agents.vocabulary import IterationMode, IterationStatus, SplitName, StepName, TaskType
from tests.support.expert import script
from tests.support.shell import write_dataset

ITERATION = 2
BASELINE, EXPLORE, REFINE = IterationMode.BASELINE, IterationMode.EXPLORE, IterationMode.REFINE


def facts(
    iteration: int = ITERATION,
    *,
    exploring: bool = False,
    may_split: bool = False,
    tried: Sequence[str] = (),
    split: Mapping[SplitName, str] | None = None,
) -> StepFacts:
    history = [
        IterationFacts(
            iteration=number,
            status=IterationStatus.FAILED,
            mode=EXPLORE,
            combination=combination,
            split_version=1,
            train={},
            validation={},
            is_best=False,
            seconds=1.0,
            outputs={},
        )
        for number, combination in enumerate(tried)
    ]
    return StepFacts(
        step=StepName.ITERATION_PLAN,
        iteration=iteration,
        iterations=5,
        exploring=exploring,
        may_split=may_split,
        split_version=None if split is None else 1,
        seed=0,
        cpus=1,
        time_left=None,
        task=TaskFacts(
            dataset="toxicity",
            task_type=TaskType.BINARY,
            metric="AUROC",
            higher_is_better=True,
            classes=["safe", "toxic"],
            rows={"train": 160},
            has_groups=False,
            brings_validation=False,
        ),
        paths=PathFacts(data="/data", iteration="/i", step="/i/s", split=None if split is None else dict(split)),
        plan=None,
        outputs={},
        history=history,
    )


# --- plan ------------------------------------------------------------------------------------------------------------


def plan(mode: IterationMode, combination: str = "k-mers + forest", split: str | None = None) -> IterationPlanOutput:
    words = dict.fromkeys(
        (name for name, field in IterationPlanOutput.model_fields.items() if field.is_required()), "as before"
    )
    return IterationPlanOutput.model_validate(
        {**words, "mode": mode, "combination": combination, "data_split_instructions": split}
    )


@pytest.mark.parametrize(
    ("mode", "iteration", "exploring", "accepted"),
    [
        (BASELINE, 0, False, True),
        (EXPLORE, 0, True, False),
        (REFINE, 0, False, False),
        (BASELINE, 1, False, False),
        (EXPLORE, 1, True, True),
        (REFINE, 1, True, False),
        (REFINE, 3, False, True),
        (EXPLORE, 3, False, True),
    ],
)
def test_the_baseline_comes_first_and_exploring_is_not_put_off(
    mode: IterationMode, iteration: int, exploring: bool, accepted: bool
) -> None:
    problems = plan_problems(plan(mode), facts(iteration, exploring=exploring))
    assert (problems == []) == accepted
    assert all(problem.startswith("mode: ") for problem in problems)


@pytest.mark.parametrize("combination", ["K-Mers + Forest", " k mers, forest ", "k-mers+forest"])
def test_a_combination_that_was_tried_is_known_however_it_is_spelled_and_whatever_became_of_it(
    combination: str,
) -> None:
    past = facts(tried=["embeddings + ridge", "k-mers + forest"])
    [problem] = plan_problems(plan(EXPLORE, combination), past)
    assert "iteration 1" in problem
    assert plan_problems(plan(REFINE, combination), past) == []


def test_an_iteration_that_failed_before_it_had_a_plan_stands_in_no_one_s_way() -> None:
    assert plan_problems(plan(EXPLORE), facts(tried=["", ""])) == []


def test_the_split_is_planned_only_where_it_may_change() -> None:
    asked = plan(REFINE, split="by gene")
    assert plan_problems(asked, facts(may_split=True)) == []
    assert "data_split_instructions" in plan_problems(asked, facts())[0]


# --- split -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFacts:
    return import_dataset(load_dataset(write_dataset(tmp_path / "toxicity", rows=60)), tmp_path / "data")


def test_folders_of_a_split_are_named_from_the_iteration_s_folder(tmp_path: Path) -> None:
    output = DataSplitOutput(
        summary="s", strategy="s", train="data_split/train", validation="data_split/../v", mini_train="/elsewhere/m"
    )
    assert split_folders(output, tmp_path) == {
        SplitName.TRAIN: tmp_path / "data_split" / "train",
        SplitName.VALIDATION: tmp_path / "v",
        SplitName.MINI_TRAIN: Path("/elsewhere/m"),
    }


def test_a_split_in_force_may_be_handed_over_as_it_is_and_nothing_else_once_it_is_fixed(
    tmp_path: Path, dataset: DatasetFacts
) -> None:
    in_force = {name: tmp_path / "splits" / "v1" / name.value for name in SplitName}
    fixed = facts(split={name: str(path) for name, path in in_force.items()})
    step = tmp_path / "step"
    assert split_problems(in_force, fixed, step, tmp_path / "data", dataset) == []
    swapped = {**in_force, SplitName.TRAIN: in_force[SplitName.VALIDATION]}
    [problem] = split_problems(swapped, fixed, step, tmp_path / "data", dataset)
    assert "the split is fixed" in problem
    assert all(str(path) in problem for path in in_force.values())


def test_a_new_split_lies_in_the_step_s_folder_even_behind_a_link(tmp_path: Path, dataset: DatasetFacts) -> None:
    step, outside = tmp_path / "step", tmp_path / "outside"
    step.mkdir()
    outside.mkdir()
    (step / "linked").symlink_to(outside)
    output = DataSplitOutput(
        summary="s", strategy="s", train="step/linked", validation="step/../data/train", mini_train="step/mini"
    )
    folders = split_folders(output, tmp_path)
    problems = split_problems(folders, facts(may_split=True), step, tmp_path / "data", dataset)
    assert [problem.partition(":")[0] for problem in problems] == ["train", "validation"]


# --- scripts ---------------------------------------------------------------------------------------------------------


class Unrecorded:
    """Runs what the engine runs, without a journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.titles: list[str] = []

    async def engine(
        self, title: str, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], cell: object = None
    ) -> ProcessResult:
        self.titles.append(title)
        log = self.folder / f"{len(self.titles)}.log"
        return await run_process(argv, cwd=cwd, environment=environment, log=log, timeout=60)


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    environment = RunEnvironment(Path(sys.executable), {"PATH": "/usr/bin:/bin"}, {}, "3")
    calls = Unrecorded(tmp_path)
    return Scripts(calls, environment, tmp_path / "work", TaskType.BINARY, 2)  # type: ignore[arg-type]


@pytest.fixture
def split(tmp_path: Path, dataset: DatasetFacts) -> dict[SplitName, Path]:
    """One folder for all three: the checks of scripts do not compare them."""
    return dict.fromkeys(SplitName, tmp_path / "data" / "train")


class Training:
    """A step's folder with a train.py, as it lies there when the step hands it over."""

    def __init__(self, root: Path, content: str, *artifacts: str) -> None:
        self.folder = root / f"{ITERATION:03d}" / "model_training"
        self.artifacts = self.folder / "training_artifacts"
        self.artifacts.mkdir(parents=True)
        (self.folder / "train.py").write_text(content)
        for name in artifacts:
            (self.artifacts / name).parent.mkdir(parents=True, exist_ok=True)
            (self.artifacts / name).touch()

    async def problems(
        self, scripts: Scripts, split: Mapping[SplitName, Path], given: str = "model_training/train.py"
    ) -> list[str]:
        output = ModelTrainingOutput(summary="s", train_script=given)
        return await training_problems(output, self.folder, ITERATION, split, scripts)


@pytest.mark.parametrize("given", ["model_training/train.py", "train.py", "./train.py"])
async def test_a_train_script_is_accepted_by_either_of_its_names(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path], given: str
) -> None:
    training = Training(tmp_path, script("train.py"), "model.json")
    assert await training.problems(scripts, split, given) == []
    assert not list(scripts.work.iterdir()), "no scratch folder stays"
    assert artifact_names(training.artifacts) == {"model.json"}


async def test_another_file_than_train_py_is_refused_and_not_run(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path]
) -> None:
    training = Training(tmp_path, script("train.py"), "model.json")
    (training.folder / "other.py").touch()
    for given in ("other.py", "../001/model_training/train.py", "/etc/passwd", ""):
        [problem] = await training.problems(scripts, split, given)
        assert "expected model_training/train.py" in problem
    assert not scripts.work.exists()


async def test_modules_and_packages_beside_train_py_come_along_and_data_beside_it_does_not(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path]
) -> None:
    good = "import helper, package.part\n" + script("train.py")
    training = Training(tmp_path, good, "model.json")
    (training.folder / "helper.py").touch()
    (training.folder / "package").mkdir()
    for name in ("__init__.py", "part.py"):
        (training.folder / "package" / name).touch()
    (training.folder / "cached.npy").touch()
    assert await training.problems(scripts, split) == []
    (training.folder / "train.py").write_text("open('cached.npy')\n" + script("train.py"))
    [problem] = await training.problems(scripts, split)
    assert "does not run on mini_train in a clean folder" in problem
    assert "cached.npy" in problem, "what it printed last is told"


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ((), "missing or empty"),
        (("model.json", "epoch_7/weights.bin"), "missing ['epoch_7/weights.bin'], new none"),
        (("weights.bin",), "missing ['weights.bin'], new ['model.json']"),
    ],
)
async def test_the_artifacts_are_the_same_on_every_run(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path], there: tuple[str, ...], words: str
) -> None:
    [problem] = await Training(tmp_path, script("train.py"), *there).problems(scripts, split)
    assert words in problem


@pytest.mark.parametrize("path", ["iterations/001/x.npy", "iterations//000/x", r"iterations\\001\\x"])
async def test_a_path_into_another_iteration_is_refused_also_in_a_module_beside_it(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path], path: str
) -> None:
    training = Training(tmp_path, f"# iterations/{ITERATION:03d}/ is its own\n{script('train.py')}", "model.json")
    (training.folder / "helper.py").write_text(f"WEIGHTS = '{path}'\n")
    [problem] = await training.problems(scripts, split)
    assert problem.startswith("helper.py names a path into another iteration (00")


class Inference:
    """A step's folder with an inference.py beside what training left."""

    def __init__(self, root: Path, content: str) -> None:
        self.folder = root / f"{ITERATION:03d}" / "model_inference"
        self.folder.mkdir(parents=True)
        (self.folder / "inference.py").write_text(content)
        self.artifacts = root / "artifacts"
        self.artifacts.mkdir()
        (self.artifacts / "model.json").write_text('{"column": "length", "cut": 0, "slope": 4}')

    async def problems(self, scripts: Scripts, split: Mapping[SplitName, Path]) -> list[str]:
        output = ModelInferenceOutput(summary="s", inference_script="model_inference/inference.py")
        return await inference_problems(output, self.folder, self.artifacts, ITERATION, split, scripts)


async def test_an_inference_script_that_predicts_every_row_is_accepted(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path]
) -> None:
    inference = Inference(tmp_path, script("inference.py"))
    assert await inference.problems(scripts, split) == []
    assert not list(scripts.work.iterdir()), "no scratch folder stays"


async def test_an_inference_script_finds_no_labels_around_its_inputs(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path]
) -> None:
    look = """
found = sorted(path.name for path in options.input.resolve().parent.rglob("*") if path.is_file())
assert found == ["data.csv", "inference.py", "model.json"], found
with (options.input / "data.csv").open() as file:
    assert "label" not in file.readline()
"""
    before, at, after = script("inference.py").partition("model = json")
    assert await Inference(tmp_path, before + look + at + after).problems(scripts, split) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("model = json", "raise SystemExit('no such gene')\nmodel = json", "no such gene"),
        ("options.output.open", "(options.output.parent / 'x.csv').open", "wrote no predictions.csv"),
        ("int(one > 0.5), 1 - one, one", "int(one > 0.5), 1 - one, float('nan')", "inference.py on the inputs"),
        (
            "model = json",
            "(options.artifacts_dir / 'cache').write_text('seen')\nmodel = json",
            "changed files of its own model (model_training/training_artifacts/cache)",
        ),
        ("for row in csv.DictReader(source):", "for row in list(csv.DictReader(source))[1:]:", "no prediction"),
    ],
)
async def test_an_inference_script_that_breaks_its_contract_is_told_how(
    tmp_path: Path, scripts: Scripts, split: dict[SplitName, Path], old: str, new: str, words: str
) -> None:
    text = script("inference.py")
    assert old in text
    [problem] = await Inference(tmp_path, text.replace(old, new)).problems(scripts, split)
    assert words in problem
