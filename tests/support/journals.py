"""Run folders as an engine would leave them, written through the real journal writer with a clock of their own.

Every stage of a run is a function that returns a :class:`StagedRun`; its ``folder`` is what a reader gets, its
methods append more, as the engine would.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents import events as ev
from agents.events import EventBase
from agents.files import write_json
from agents.journal import JournalWriter
from agents.models.gateway import Delta
from agents.models.stream import StreamWriter
from agents.run_folder import RunFolder, RunRecord
from agents.settings import RunSettings
from agents.vocabulary import (
    STEPS,
    Gate,
    IterationMode,
    IterationStatus,
    Limit,
    NoteTime,
    RunStatus,
    StepName,
    TaskType,
    ToolOutcome,
)

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RUN_ID = "peptides-demo"


@dataclass
class Clock:
    """Time that passes only when it is told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Candidate:
    """What one staged iteration tries and what comes of it."""

    mode: IterationMode
    combination: str
    change: str
    train: float
    validation: float
    minutes: float = 1.0


CANDIDATES = (
    Candidate(IterationMode.BASELINE, "composition + logistic regression", "A baseline to compare with.", 0.921, 0.893),
    Candidate(IterationMode.EXPLORE, "k-mers + extra trees", "3-mer counts and 500 trees.", 0.998, 0.931, 1.7),
    Candidate(IterationMode.EXPLORE, "k-mers + boosting", "Boosted trees on the same 3-mers.", 0.987, 0.924, 1.4),
    Candidate(IterationMode.REFINE, "k-mers + extra trees", "Net charge and hydrophobicity added.", 0.996, 0.947, 1.9),
    Candidate(IterationMode.REFINE, "k-mers + extra trees", "Leaves of at least 3 rows.", 0.981, 0.951, 1.8),
)

_SCRIPT = {
    StepName.DATA_EXPLORATION: (("write_python", "explore.py"), ("run_python", "explore.py")),
    StepName.DATA_SPLIT: (("write_python", "split.py"), ("run_python", "split.py")),
    StepName.DATA_REPRESENTATION: (("bash", "head -n 3 input/peptides.csv"),),
    StepName.MODEL_ARCHITECTURE: (("foundation_models_info", "esm2"),),
    StepName.MODEL_TRAINING: (("write_python", "model_training/train.py"), ("run_python", "model_training/train.py")),
    StepName.MODEL_INFERENCE: (("write_python", "model_inference/inference.py"), ("bash", "ls -l training_artifacts")),
    StepName.PREDICTION_EXPLORATION: (("run_python", "errors.py"),),
}


@dataclass
class StagedRun:
    """A run folder with its open journal."""

    folder: RunFolder
    clock: Clock
    writer: JournalWriter
    tools: int = 0
    models: int = 0
    model: str = "builtin/omics"
    _step_began: datetime = START
    written: list[EventBase] = field(default_factory=list)

    def emit(self, event: EventBase, seconds: float = 0.0) -> None:
        """Let ``seconds`` pass, then append ``event``."""
        self.clock.pass_(seconds)
        self.written.append(self.writer.write(event))

    # --- stages ------------------------------------------------------------------------------------------------------

    def begin(
        self,
        iterations: int = 5,
        model: str = "builtin/omics",
        metric: str = "AUROC",
        settings: dict[str, object] | None = None,
    ) -> None:
        self.model = model
        self.emit(
            ev.RunStarted(
                dataset="antimicrobial_peptides",
                model=model,
                iterations=iterations,
                settings=settings or {},
                version="0.1.0",
            )
        )
        self.emit(
            ev.DatasetChecked(
                task_type=TaskType.BINARY,
                metric=metric,
                higher_is_better=metric not in {"MAE", "RMSE", "LOG_LOSS"},
                rows={"train": 3_200, "test": 800},
                classes=["inactive", "antimicrobial"],
                withheld={"numeric_label": "equals the label"},
            ),
            0.8,
        )
        self.emit(
            ev.EnvironmentReady(
                python="3.11.9", packages={"scikit-learn": "1.9.1"}, isolation="own environment", seconds=3.4
            ),
            3.4,
        )

    def model_call(self, iteration: int, step: StepName, said: str, tools: Sequence[str] = ()) -> int:
        """One finished model call with its record."""
        number = self.start_model_call(iteration, step)
        path = self.folder.model_calls / f"{number:06d}.json"
        write_json(path, {"request": {"messages": []}, "reply": {"content": said}})
        self.emit(
            ev.ModelCallFinished(
                call=number,
                model=self.model,
                iteration=iteration,
                step=step,
                seconds=0.2,
                input_tokens=1_850,
                output_tokens=240,
                cached_tokens=0 if self.model == "builtin/omics" else 1_200,
                cost_usd=0.0 if self.model == "builtin/omics" else 0.0125,
                said=said,
                tools=list(tools),
                record=self.folder.relative(path),
            ),
            0.2,
        )
        return number

    def start_model_call(self, iteration: int, step: StepName) -> int:
        self.models += 1
        stream = None if self.model == "builtin/omics" else self.folder.relative(self.stream_file)
        self.emit(
            ev.ModelCallStarted(call=self.models, model=self.model, iteration=iteration, step=step, stream=stream), 0.1
        )
        return self.models

    @property
    def stream_file(self) -> Path:
        """Into which the reply to the newest model call streams."""
        return self.folder.model_calls / f"{self.models:06d}.stream"

    def stream(self, *pieces: Delta | None) -> None:
        """What comes of the reply to the newest model call; None where an attempt failed."""
        writer = StreamWriter(self.stream_file)
        for piece in pieces:
            if piece is None:
                writer.again()
            else:
                writer.heard(piece)
        writer.close()

    def retry_model_call(self, reason: str, retry: int = 1, of: int = 5, wait: float = 8.0) -> None:
        """An attempt at the newest model call failed."""
        self.stream(None)
        self.emit(
            ev.ModelCallRetried(call=self.models, model=self.model, reason=reason, retry=retry, of=of, wait=wait), 2.0
        )

    def start_tool(
        self, iteration: int, step: StepName, tool: str, title: str, output: str = "", arguments: object = None
    ) -> int:
        """A tool call that runs, with what it has printed so far."""
        self.tools += 1
        log = self.folder.tool_calls / f"{self.tools:06d}.log"
        log.write_text(output, encoding="utf-8")
        given = self.folder.tool_calls / f"{self.tools:06d}.json"
        given.write_text(json.dumps({"command": title} if arguments is None else arguments), encoding="utf-8")
        self.emit(
            ev.ToolCallStarted(
                call=self.tools,
                tool=tool,
                title=title,
                log=self.folder.relative(log),
                arguments=self.folder.relative(given),
                iteration=iteration,
                step=step,
            ),
            0.1,
        )
        return self.tools

    def end_tool(
        self,
        iteration: int,
        step: StepName,
        tool: str,
        seconds: float = 1.3,
        outcome: ToolOutcome = ToolOutcome.OK,
        exit_status: int | None = 0,
    ) -> None:
        log = self.folder.tool_calls / f"{self.tools:06d}.log"
        self.emit(
            ev.ToolCallFinished(
                call=self.tools,
                tool=tool,
                outcome=outcome,
                exit_status=exit_status,
                seconds=seconds,
                bytes=log.stat().st_size,
                iteration=iteration,
                step=step,
            ),
            seconds,
        )

    def start_step(self, iteration: int, step: StepName) -> None:
        self.emit(ev.StepStarted(iteration=iteration, step=step), 0.1)
        self._step_began = self.clock.now

    def end_step(self, iteration: int, step: StepName, summary: str = "Done.") -> None:
        self.emit(
            ev.StepFinished(
                iteration=iteration,
                step=step,
                summary=summary,
                output=f"iterations/{iteration:03d}/{step.value}/output.json",
                seconds=(self.clock.now - self._step_began).total_seconds(),
            )
        )

    def plan(self, iteration: int, candidate: Candidate) -> None:
        self.emit(ev.IterationStarted(iteration=iteration))
        self.start_step(iteration, StepName.ITERATION_PLAN)
        self.model_call(iteration, StepName.ITERATION_PLAN, f"I plan: {candidate.change}")
        self.emit(
            ev.IterationPlanned(
                iteration=iteration,
                mode=candidate.mode,
                combination=candidate.combination,
                change=candidate.change,
                reason="Longer motifs carried signal.",
                expectation="Validation AUROC rises by 0.01.",
            )
        )
        self.end_step(iteration, StepName.ITERATION_PLAN)

    def work(self, iteration: int, step: StepName, candidate: Candidate) -> None:
        """One whole step that goes well."""
        self.start_step(iteration, step)
        for tool, title in _SCRIPT.get(step, ()):
            self.model_call(iteration, step, f"Next I run {title}.", [tool])
            training = title.endswith("train.py") and tool == "run_python"
            self.start_tool(iteration, step, tool, title, f"{title}: 3200 rows, 20 columns\nready\n")
            if training:
                self.train(iteration, candidate.train, candidate.validation)
            self.end_tool(iteration, step, tool, candidate.minutes * 20 if training else 1.3)
        if step is StepName.DATA_SPLIT and iteration == 0:
            rows = {"train": 2_560, "validation": 640, "mini_train": 200}
            self.emit(ev.SplitCreated(version=1, rows=rows, strategy="stratified", iteration=0, step=step))
        self.end_step(iteration, step)

    def train(self, iteration: int, train: float, validation: float, epochs: int = 10, of: int = 10) -> None:
        """Training reports of the newest tool call."""
        for epoch in range(1, epochs + 1):
            part = 1 - 0.6**epoch
            self.emit(
                ev.TrainingProgress(
                    call=self.tools,
                    epoch=epoch,
                    of=of,
                    values={
                        "train_loss": round(0.7 - 0.5 * part, 4),
                        "validation_loss": round(0.7 - 0.4 * part, 4),
                        "train_AUROC": round(0.5 + (train - 0.5) * part, 4),
                        "validation_AUROC": round(0.5 + (validation - 0.5) * part, 4),
                    },
                    iteration=iteration,
                    step=StepName.MODEL_TRAINING,
                ),
                0.5,
            )

    def evaluate(self, iteration: int, candidate: Candidate, best: float | None, metric: str = "AUROC") -> float | None:
        step = StepName.VALIDATION_EVALUATION
        self.start_step(iteration, step)
        for split, value, rows in (("train", candidate.train, 2_560), ("validation", candidate.validation, 640)):
            self.emit(
                ev.MetricsComputed(
                    split=split,
                    metric=metric,
                    values={metric: value, "ACC": round(value - 0.06, 3)},
                    rows=rows,
                    split_version=1,
                    iteration=iteration,
                    step=step,
                ),
                0.4,
            )
        if best is None or candidate.validation > best:
            self.emit(
                ev.BestChanged(
                    metric=metric,
                    value=candidate.validation,
                    previous=best,
                    split_version=1,
                    combination=candidate.combination,
                    iteration=iteration,
                    step=step,
                )
            )
            best = candidate.validation
        self.end_step(iteration, step)
        return best

    def iterate(self, iteration: int, candidate: Candidate, best: float | None) -> float | None:
        """One whole iteration that goes well; the best after it."""
        self.plan(iteration, candidate)
        for step in STEPS[1:-1]:
            self.work(iteration, step, candidate)
        best = self.evaluate(iteration, candidate, best)
        self.emit(
            ev.IterationFinished(iteration=iteration, status=IterationStatus.DONE, seconds=candidate.minutes * 60)
        )
        return best

    def fail_iteration(self, iteration: int, candidate: Candidate) -> None:
        """An iteration whose training fails."""
        step = StepName.MODEL_TRAINING
        self.plan(iteration, candidate)
        for earlier in STEPS[1:5]:
            self.work(iteration, earlier, candidate)
        self.start_step(iteration, step)
        self.model_call(iteration, step, "I train it.", ["run_python"])
        self.start_tool(iteration, step, "run_python", "model_training/train.py", "MemoryError\n")
        self.end_tool(iteration, step, "run_python", 12.5, ToolOutcome.ERROR, 1)
        self.emit(ev.OutputRejected(iteration=iteration, step=step, attempt=1, reason="train.py ended with status 1"))
        self.emit(ev.StepFailed(iteration=iteration, step=step, reason="no train.py that runs"))
        failed = IterationStatus.FAILED
        self.emit(ev.IterationFinished(iteration=iteration, status=failed, reason="no train.py that runs", seconds=41))

    def test(self, value: float, metric: str = "AUROC") -> None:
        self.emit(ev.MetricsComputed(split="test", is_test=True, metric=metric, values={metric: value}, rows=800), 1)

    def finish(self, status: RunStatus, reason: str = "", best_iteration: int | None = None) -> None:
        self.emit(ev.RunFinished(status=status, reason=reason, best_iteration=best_iteration), 0.5)
        self.writer.close()


def stage(runs_dir: Path, run_id: str = RUN_ID, iterations: int = 5) -> StagedRun:
    """A new run folder with ``run.json`` and an empty journal, created at a fixed time."""
    folder = RunFolder(runs_dir / run_id)
    for path in (folder.control / "done", folder.model_calls, folder.tool_calls, folder.iterations, folder.splits):
        path.mkdir(parents=True)
    settings = RunSettings(dataset=Path("/data/antimicrobial_peptides"), iterations=iterations)
    record = RunRecord(
        run_id=run_id, created=START, dataset="antimicrobial_peptides", version="0.1.0", settings=settings
    )
    write_json(folder.run_json, record.model_dump(mode="json"))
    clock = Clock()
    return StagedRun(folder, clock, JournalWriter(folder.journal, run_id, clock))


def _after_three_iterations(
    runs_dir: Path, run_id: str, model: str = "builtin/omics", settings: dict[str, object] | None = None
) -> tuple[StagedRun, float | None]:
    run = stage(runs_dir, run_id)
    run.begin(model=model, settings=settings)
    best = run.iterate(0, CANDIDATES[0], None)
    best = run.iterate(1, CANDIDATES[1], best)
    run.fail_iteration(2, CANDIDATES[2])
    return run, best


def running_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """Iteration 3 of 5 trains: a tool runs and prints; nothing is over."""
    run, _ = _after_three_iterations(runs_dir, run_id)
    candidate = CANDIDATES[3]
    step = StepName.MODEL_TRAINING
    run.plan(3, candidate)
    for earlier in STEPS[1:5]:
        run.work(3, earlier, candidate)
    run.start_step(3, step)
    run.model_call(3, step, "The script is written. I train on the whole split and watch the curve.", ["run_python"])
    lines = ["fitting 500 trees on 2560 rows, 8420 features", "validation: 640 rows", *_epoch_lines(6)]
    run.start_tool(
        3, step, "run_python", "model_training/train.py --train-data splits/v1/train", "\n".join(lines) + "\n"
    )
    run.train(3, 0.996, 0.947, epochs=6)
    return run


LLM = "openai/gpt-5"
REASONING = """The trees overfit: 0.996 on train and 0.947 on validation. Net charge helped: the features carry signal.
I will ask for at least 3 rows in a leaf and keep the number of trees, so that one thing changes."""
SAID = "I write the training script with larger leaves, then run it on the whole split."
SCRIPT = """import argparse
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-data", type=Path, required=True)
    parser.add_argument("--validation-data", type=Path, required=True)
    parser.add_argument("--artifacts-dir", type=Path, required=True)
    options = parser.parse_args()
    model = ExtraTreesClassifier(500, min_samples_leaf=3, n_jobs=1, random_state=0)
    print("fitting", flush=True)
"""


def asking_run(runs_dir: Path, run_id: str = RUN_ID, settings: dict[str, object] | None = None) -> StagedRun:
    """Iteration 3 of an LLM's run: a model has been asked, and nothing of its reply has come."""
    run, _ = _after_three_iterations(runs_dir, run_id, LLM, {"budget_usd": 5.0} if settings is None else settings)
    candidate = CANDIDATES[3]
    run.plan(3, candidate)
    for earlier in STEPS[1:5]:
        run.work(3, earlier, candidate)
    run.start_step(3, StepName.MODEL_TRAINING)
    run.model_call(3, StepName.MODEL_TRAINING, "First I look at what the features are.", ["bash"])
    run.start_tool(3, StepName.MODEL_TRAINING, "bash", "head -n 2 features.csv", "id,AAA,AAC\ntrain-0,0,1\n")
    run.end_tool(3, StepName.MODEL_TRAINING, "bash")
    run.start_model_call(3, StepName.MODEL_TRAINING)
    return run


def streaming_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """The reply of :func:`asking_run` comes: it has got to the middle of a script."""
    run = asking_run(runs_dir, run_id)
    arguments = json.dumps({"path": "model_training/train.py", "content": SCRIPT})
    run.stream(Delta("reasoning", REASONING), Delta("text", SAID), Delta("tool", arguments[:-20], name="write_python"))
    run.clock.pass_(34)
    return run


def retrying_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """The model call of :func:`asking_run` failed, and waits to be made again."""
    run = asking_run(runs_dir, run_id)
    run.stream(Delta("text", "I write the tra"))
    run.retry_model_call("429 Too Many Requests: the provider asks to wait", retry=2, wait=30)
    run.clock.pass_(18)
    return run


def limit_run(runs_dir: Path, run_id: str = RUN_ID, limit: Limit = Limit.USD) -> StagedRun:
    """A run that stands at a limit, and at no pause of a person."""
    used, allowed, what = {
        Limit.USD: (0.41, 0.45, "the next model call may cost $0.12, and $0.04 is left of $0.45"),
        Limit.TOKENS: (198_400, 200_000, "the next model call takes about 9,000 tokens, and 1,600 are left"),
        Limit.TIME: (3_300, 3_600, "what is left of the time is kept for the final evaluation and the report"),
    }[limit]
    run, _ = _after_three_iterations(runs_dir, run_id, LLM, {"budget_usd": 0.45})
    run.plan(3, CANDIDATES[3])
    run.start_step(3, StepName.DATA_EXPLORATION)
    run.emit(ev.LimitReached(limit=limit, used=used, allowed=allowed, message=what), 0.2)
    run.emit(ev.Held(reason=what))
    return run


def first_training_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """Iteration 0 trains: no score of any iteration exists yet, only the training curve."""
    run = stage(runs_dir, run_id)
    run.begin()
    run.plan(0, CANDIDATES[0])
    for earlier in STEPS[1:5]:
        run.work(0, earlier, CANDIDATES[0])
    run.start_step(0, StepName.MODEL_TRAINING)
    run.start_tool(
        0, StepName.MODEL_TRAINING, "run_python", "model_training/train.py", "\n".join(_epoch_lines(6)) + "\n"
    )
    run.train(0, 0.92, 0.89, epochs=6)
    return run


def held_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """A run that a person paused."""
    run = running_run(runs_dir, run_id)
    run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
    run.emit(ev.CommandReceived(command_id="c1", command="pause", by="ana@lab", outcome="accepted"))
    run.emit(ev.Held(reason="paused by ana@lab"))
    return run


PLAN_TEXT = """\
summary: Learn from the charge at each end, and keep the trees shallow.
mode: refine
combination: k-mers + extra trees
change: 3-mers instead of 2-mers
reason: the best iteration so far gained from k-mers, and its errors are short peptides
expectation: AUROC above 0.93 on validation
data_exploration_instructions: Look at peptides of fewer than eight residues.
data_split_instructions: null
data_representation_instructions: >
  Count 3-mers of a reduced alphabet of six groups, and put length and net charge beside them; fit nothing
  on validation.
model_architecture_instructions: Extra trees, 800 of them, at least 2 samples a leaf.
model_training_instructions: Report the out-of-bag score every 100 trees.
model_inference_instructions: Take peptides of any length.
prediction_exploration_instructions: Compare errors by length.
"""

SCRIPT_CHANGE = """\
--- train.py of iteration 2
+++ train.py
@@ -12,3 +12,3 @@
-TREES = 400
+TREES = 800
"""


def approval_run(runs_dir: Path, run_id: str = RUN_ID, gate: Gate = Gate.PLAN) -> StagedRun:
    """A run that waits for a person's approval of a plan, or of a training whose script changed."""
    run, _ = _after_three_iterations(runs_dir, run_id)
    folder = run.folder.approvals / "001"
    folder.mkdir(parents=True)
    change = None
    if gate is Gate.PLAN:
        run.emit(ev.IterationStarted(iteration=3))
        step, subject, title, text = StepName.ITERATION_PLAN, "plan.yaml", "3-mers instead of 2-mers", PLAN_TEXT
    else:
        run.plan(3, CANDIDATES[3])
        step, subject, title = StepName.MODEL_TRAINING, "train.py", "train.py --train-data splits/v1/train"
        text, change = "import sys\n\nTREES = 800\n", "approvals/001/change.diff"
        (folder / "change.diff").write_text(SCRIPT_CHANGE)
    run.start_step(3, step)
    (folder / subject).write_text(text)
    run.emit(
        ev.ApprovalAsked(
            iteration=3,
            step=step,
            approval=1,
            gate=gate,
            title=title,
            subject=f"approvals/001/{subject}",
            change=change,
        )
    )
    run.emit(ev.Held(reason=f"the {gate} waits for an approval"))
    return run


def noted_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """A run with a note that was heeded, one that waits and one that was withdrawn."""
    run = running_run(runs_dir, run_id)
    step = StepName.DATA_REPRESENTATION
    for number, text in enumerate(("try the charge at each end", "no more than 2 GB of memory", "forget it"), start=1):
        run.emit(ev.NoteReceived(note_id=f"note-{number}", text=text, by="ana@lab", when=NoteTime.PLAN))
    run.emit(ev.NoteDelivered(note_id="note-1", iteration=3, step=step))
    run.emit(ev.StepFinished(iteration=3, step=step, summary="Charge of both ends added.", output="output.json"))
    run.emit(ev.NoteWithdrawn(note_id="note-3", by="ana@lab"))
    return run


def finished_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """Five iterations, one of them failed, a best snapshot and a test score."""
    run, best = _after_three_iterations(runs_dir, run_id)
    best = run.iterate(3, CANDIDATES[3], best)
    run.iterate(4, CANDIDATES[4], best)
    run.test(0.944)
    run.finish(RunStatus.FINISHED, best_iteration=4)
    return run


def failed_run(runs_dir: Path, run_id: str = RUN_ID) -> StagedRun:
    """The only iteration failed: no snapshot."""
    run = stage(runs_dir, run_id, iterations=1)
    run.begin(iterations=1)
    run.fail_iteration(0, CANDIDATES[0])
    run.finish(RunStatus.FAILED, "no iteration produced a candidate")
    return run


def refused_run(runs_dir: Path, run_id: str = RUN_ID, reason: str = "train.csv: row 7: no label") -> StagedRun:
    """The dataset was bad: refused before the first iteration."""
    run = stage(runs_dir, run_id)
    run.emit(ev.RunStarted(dataset="antimicrobial_peptides", model="builtin/omics", iterations=5))
    run.finish(RunStatus.REFUSED, reason)
    return run


def big_run(runs_dir: Path, n_events: int, run_id: str = RUN_ID) -> StagedRun:
    """At least ``n_events`` events, nearly all of them tool calls of one step; the run goes on."""
    run = stage(runs_dir, run_id)
    run.begin()
    run.plan(0, CANDIDATES[0])
    step = StepName.DATA_EXPLORATION
    run.start_step(0, step)
    while len(run.written) < n_events:
        run.tools += 1
        names = {"log": f"tool_calls/{run.tools:06d}.log", "arguments": f"tool_calls/{run.tools:06d}.json"}
        title = f"python count_kmers.py --k {run.tools % 9}"
        run.emit(ev.ToolCallStarted(call=run.tools, tool="bash", title=title, iteration=0, step=step, **names), 0.1)
        run.emit(
            ev.ToolCallFinished(
                call=run.tools,
                tool="bash",
                outcome=ToolOutcome.OK,
                exit_status=0,
                seconds=0.4,
                bytes=run.tools * 37,
                iteration=0,
                step=step,
            ),
            0.4,
        )
    return run


def _epoch_lines(count: int) -> list[str]:
    return [
        f"epoch {epoch:>2}/10  train 0.{700 - 40 * epoch}  validation 0.{705 - 35 * epoch}"
        for epoch in range(1, count + 1)
    ]
