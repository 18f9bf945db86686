"""Forks: what they share with their parent, what is theirs, and that nothing of the parent is touched."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.events import Event, IterationStarted, RunForked, StepFinished
from agents.fold import fold
from agents.fork import fork_run
from agents.journal import JournalReader
from agents.models.gateway import ModelError
from agents.predict import predict
from agents.run_folder import RunFolder, list_runs
from agents.settings import RunSettings
from agents.snapshot import open_snapshot
from agents.state import RunState
from agents.steps.facts import StepFacts
from agents.vocabulary import IterationStatus, RunStatus, StepName, StepStatus
from tests.support.expert import Expert, competent, script
from tests.support.leading import Ended, lead
from tests.support.models import calls

PLAN, TRAINING, INFERENCE = StepName.ITERATION_PLAN, StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE


@pytest.fixture(scope="module")
async def finished(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A finished run whose best is its second and last iteration. Tests only read it."""
    return await lead(tmp_path_factory.mktemp("parent"))


@pytest.fixture
def parent(finished: Ended) -> Iterator[RunFolder]:
    """The finished run; it is the same afterwards."""
    before = checksums(finished.run)
    yield finished.run
    assert checksums(finished.run) == before


def checksums(run: RunFolder) -> dict[str, str]:
    """Each file and link of a run; the environment left out, which is links to what is installed."""
    found = {}
    for path in run.root.rglob("*"):
        name = path.relative_to(run.root)
        if name.parts[0] == "environment":
            continue
        if path.is_symlink():
            found[str(name)] = f"link to {path.readlink()}"
        elif path.is_file():
            found[str(name)] = f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return found


def fork(parent: RunFolder, runs_dir: Path, changes: dict[str, object] | None = None, **place: object) -> RunFolder:
    settings = RunSettings.model_validate({**parent.record().settings.model_dump(), **(changes or {})})
    return fork_run(parent, runs_dir, settings, "1.0", **place)  # type: ignore[arg-type]


def events_of(run: RunFolder) -> list[Event]:
    return list(JournalReader(run.journal).read_all())


def state_of(run: RunFolder) -> RunState:
    return fold(events_of(run))


async def test_a_fork_goes_on_with_the_step_that_was_named_and_is_led_to_its_end(
    parent: RunFolder, tmp_path: Path
) -> None:
    run = fork(parent, tmp_path, {"seed": 9}, run_id="kid", iteration=1, step=TRAINING)
    ended = await lead(tmp_path, run=run)
    assert ended.expert.asked[0] == (1, TRAINING)
    assert {place for place in ended.expert.asked if place[0] == 0} == set(), "nothing finished is asked again"
    assert ended.state.status is RunStatus.FINISHED
    assert [iteration.status for iteration in ended.state.iterations] == [IterationStatus.DONE] * 2
    assert ended.state.settings["seed"] == ended.expert.seen[1, INFERENCE].seed == 9
    assert ended.state.best is not None
    assert ended.state.best.iteration == 1
    assert open_snapshot(run).record().run_id == "kid"


def test_its_journal_is_its_parents_up_to_there_and_then_says_so(parent: RunFolder, tmp_path: Path) -> None:
    run = fork(parent, tmp_path, {"seed": 9, "model": "other/model"}, run_id="kid", iteration=1)
    own, before = events_of(run), events_of(parent)
    assert [event.seq for event in own] == list(range(len(own)))
    assert {event.run_id for event in own} == {"kid"}
    *shared, forked = own
    assert isinstance(forked, RunForked)
    assert isinstance(before[len(shared)], IterationStarted)
    assert [event.model_copy(update={"run_id": ""}) for event in shared] == [
        event.model_copy(update={"run_id": ""}) for event in before[: len(shared)]
    ]
    assert (forked.parent, forked.parent_path) == (parent.run_id, str(parent.root))
    assert (forked.iteration, forked.step, forked.parent_seq) == (1, None, len(shared) - 1)
    assert forked.changed == {"seed": 9, "model": "other/model"}
    assert run.record().shared_events == len(shared)
    state = fold(own)
    assert state.parent is not None
    assert state.parent.run_id == parent.run_id
    assert (state.status, state.model) == (RunStatus.STARTING, "other/model")


def test_without_a_place_it_goes_on_behind_the_last_finished_step(parent: RunFolder, tmp_path: Path) -> None:
    run = fork(parent, tmp_path, {"iterations": 3})
    state = state_of(run)
    assert len(state.iterations) == 2
    assert state.planned_iterations == 3
    assert state.parent is not None
    assert (state.parent.iteration, state.parent.step) == (2, None)
    assert state.test_scores == {}


def test_what_was_the_best_by_then_is_the_forks_snapshot_without_the_test_scores_of_the_parents(
    parent: RunFolder, tmp_path: Path
) -> None:
    assert parent.best.resolve().name == "001"
    run = fork(parent, tmp_path, run_id="kid", iteration=1)
    snapshot = open_snapshot(run)
    assert snapshot.record().iteration == 0
    assert snapshot.record().test == {}
    assert (snapshot.root / "requirements.txt").read_text() == (parent.best / "requirements.txt").read_text()
    (tmp_path / "new.csv").write_text("length,charge,noise\n1,2,3\n")
    assert predict(run, tmp_path / "new.csv", tmp_path / "predictions.csv") == 1


async def test_a_fork_can_be_stopped_and_resumed(parent: RunFolder, tmp_path: Path) -> None:
    def gone(facts: StepFacts, turn: int):
        raise ModelError("scripted: no reply")

    run = fork(parent, tmp_path, iteration=1)
    first = await lead(tmp_path, Expert({(1, INFERENCE): gone}), run=run)
    assert first.state.status is RunStatus.FAILED
    ended = await lead(tmp_path, run=run)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.expert.asked[0] == (1, INFERENCE)


async def test_a_fork_of_a_fork_knows_both_and_shares_what_both_made(parent: RunFolder, tmp_path: Path) -> None:
    kid = (await lead(tmp_path, run=fork(parent, tmp_path, {"iterations": 3}, run_id="kid"))).run
    before = checksums(kid)
    late = fork(kid, tmp_path, {"iterations": 4, "seed": 2}, run_id="late")
    early = fork(kid, tmp_path, {"seed": 2}, run_id="early", iteration=1)
    ended = await lead(tmp_path, run=late)
    assert checksums(kid) == before
    assert [iteration.status for iteration in ended.state.iterations] == [IterationStatus.DONE] * 4
    assert [event.parent for event in events_of(late) if isinstance(event, RunForked)] == [parent.run_id, "kid"]
    assert ended.state.inherited.calls == state_of(kid).usage.calls + state_of(kid).inherited.calls
    state = state_of(early)
    assert state.parent is not None
    assert state.parent.run_id == "kid"
    assert (state.settings["iterations"], state.settings["seed"]) == (3, 2), "what the kid had changed holds"
    assert state.parent.changed == {"seed": 2}


async def test_a_test_score_that_the_parent_had_is_told_in_the_report(parent: RunFolder, tmp_path: Path) -> None:
    run = fork(parent, tmp_path, run_id="kid", iteration=1)
    ended = await lead(tmp_path, run=run)
    assert ended.state.test_evaluations == {"test": 2}
    report = (run.report / "report.md").read_text()
    assert f"test was scored 1 time before this run was forked from {parent.run_id}" in report
    assert "taken up again after its end" not in report
    assert f"| Fork of | {parent.run_id} at iteration 1 |" in report
    assert "not counted above" in report


def test_what_is_spent_counts_from_the_fork(parent: RunFolder, tmp_path: Path) -> None:
    state = state_of(fork(parent, tmp_path, {"budget_tokens": 1000}, iteration=1))
    assert state.usage.calls == 0
    assert state.inherited.calls == len(state.model_calls) > 0
    assert state.started is not None
    assert state.active(state.started).total_seconds() == 0
    assert state.started == state.last_event


def test_paths_of_the_parent_become_those_of_the_fork(parent: RunFolder, tmp_path: Path) -> None:
    output = parent.step(1, StepName.DATA_SPLIT) / "output.json"
    assert str(parent.root) in output.read_text()
    run = fork(parent, tmp_path, run_id="kid", iteration=1, step=TRAINING)
    own = run.step(1, StepName.DATA_SPLIT) / "output.json"
    assert json.loads(own.read_text())["train"] == str(run.split(1) / "train")
    assert output.stat().st_mode == own.stat().st_mode
    arguments = [path.read_text() for path in run.tool_calls.glob("*.json")]
    assert any(str(run.root) in text for text in arguments)
    assert not any(str(parent.root) in text for text in arguments)


async def test_nothing_that_a_script_does_in_the_fork_reaches_the_parent(parent: RunFolder, tmp_path: Path) -> None:
    """It runs as the same person, may be root, and knows the way up from its folder."""
    content = (
        "import pathlib, os\n"
        "for path in pathlib.Path.cwd().parents[2].rglob('*'):\n"
        "    if path.is_file() and 'environment' not in path.parts and path.suffix not in ('.json', '.jsonl'):\n"
        "        path.chmod(0o666)\n"
        "        with path.open('r+b') as file:\n"
        "            file.write(b'!')\n"
    )

    def vandalise(facts: StepFacts, turn: int):
        if turn:
            return competent(facts, turn)
        return calls(("write_python", {"path": "vandal.py", "content": content}), ("run_python", {"path": "vandal.py"}))

    run = fork(parent, tmp_path, iteration=1)
    ended = await lead(tmp_path, Expert({(1, StepName.DATA_EXPLORATION): vandalise}), run=run)
    assert ended.state.iterations[1].status is IterationStatus.FAILED


def test_links_and_what_is_no_file_are_no_way_back_to_the_parent(finished: Ended, tmp_path: Path) -> None:
    parent = RunFolder(tmp_path / "runs" / "odd")
    shutil.copytree(finished.run.root, parent.root, symlinks=True)
    step = parent.step(0, StepName.DATA_EXPLORATION)
    (step / "absolute").symlink_to(parent.data / "train")
    (step / "relative").symlink_to("output.json")
    (step / "elsewhere").symlink_to("/etc/hostname")
    os.mkfifo(step / "pipe")
    run = fork(parent, tmp_path / "runs", iteration=1)
    own = run.step(0, StepName.DATA_EXPLORATION)
    assert (own / "absolute").readlink() == run.data / "train"
    assert (own / "relative").readlink() == Path("output.json")
    assert (own / "elsewhere").readlink() == Path("/etc/hostname")
    assert not (own / "pipe").exists()


async def test_a_run_that_goes_on_is_forked_behind_its_last_finished_step(tmp_path: Path) -> None:
    """What its engine is just writing is no finished work."""
    forks = []

    def fork_now(facts: StepFacts, turn: int):
        if turn == 1:
            forks.append(fork(list_runs(tmp_path / "runs")[0], tmp_path / "forks", run_id="kid"))
        return competent(facts, turn)

    ended = await lead(tmp_path, Expert({(1, TRAINING): fork_now}))
    assert ended.state.status is RunStatus.FINISHED
    [run] = forks
    state = state_of(run)
    assert state.iterations[1].steps[TRAINING].status is StepStatus.PENDING
    assert not run.step(1, TRAINING).exists()
    assert isinstance(events_of(run)[-2], StepFinished)
    led = await lead(tmp_path, run=run)
    assert led.expert.asked[0] == (1, TRAINING)
    assert led.state.status is RunStatus.FINISHED
    assert led.state.test_evaluations == {"test": 1}, "the parent had not looked at it when it was forked"


@pytest.mark.parametrize(
    ("changes", "place", "reason"),
    [
        ({}, {}, "nothing is left to do there: 2 iterations begun, and --iterations is 2"),
        ({"iterations": 1}, {"iteration": 1, "step": TRAINING}, "nothing is left to do there: 2 iterations begun"),
        ({}, {"iteration": 5}, "--iteration 5: the run has iterations 0 to 1"),
        ({}, {"iteration": -1}, "--iteration -1: the run has iterations 0 to 1"),
        ({}, {"iteration": 0, "run_id": "a b"}, "--run-id 'a b'"),
    ],
)
def test_what_cannot_be_forked_leaves_nothing(
    parent: RunFolder, tmp_path: Path, changes: dict[str, object], place: dict[str, object], reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        fork(parent, tmp_path / "runs", changes, **place)
    assert not (tmp_path / "runs").exists() or list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    "part", ["data/train/labels.csv", "splits/v1/train/labels.csv", "iterations/000/model_training/train.py"]
)
def test_what_was_changed_since_the_engine_wrote_it_is_not_shared(finished: Ended, tmp_path: Path, part: str) -> None:
    parent = RunFolder(tmp_path / "spoilt")
    shutil.copytree(finished.run.root, parent.root, symlinks=True)
    (parent.root / part).chmod(0o644)
    with (parent.root / part).open("a") as file:
        file.write("# x\n")
    with pytest.raises(UserError, match="changed since"):
        fork(parent, tmp_path / "runs", iteration=1)
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_fork_that_is_interrupted_leaves_nothing(
    parent: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert list_runs(tmp_path / "runs") == [], "half a fork is no run"
        raise KeyboardInterrupt

    monkeypatch.setattr("agents.fork.install_snapshot", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fork(parent, tmp_path / "runs", run_id="kid", iteration=1)
    assert list((tmp_path / "runs").iterdir()) == []
    monkeypatch.undo()
    assert fork(parent, tmp_path / "runs", run_id="kid", iteration=1).run_id == "kid"


async def test_a_best_of_an_iteration_before_the_newest_is_found_too(tmp_path: Path) -> None:
    """The parent's best is iteration 0; the fork begins at the end, with the snapshot that the parent still has."""

    def noise(facts: StepFacts, turn: int):
        reply = competent(facts, turn)
        if turn:
            return reply
        content = script("train.py", length="noise" if facts.iteration else "length")
        run = json.loads(reply.tool_calls[1].arguments)
        return calls(("write_python", {"path": "train.py", "content": content}), ("run_python", run))

    parent = (await lead(tmp_path, Expert({(0, TRAINING): noise, (1, TRAINING): noise}))).run
    run = fork(parent, tmp_path / "runs", {"iterations": 3})
    assert open_snapshot(run).record().iteration == 0
    assert open_snapshot(run).digest() == open_snapshot(parent).digest()
