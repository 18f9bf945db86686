"""The loop of a run: prepare, iterate, evaluate the best on the hidden test, report."""

import asyncio
from dataclasses import dataclass

from agents.budget import Budget
from agents.calls import Calls
from agents.clock import Stopwatch
from agents.context import RunContext
from agents.data.dataset import load_dataset
from agents.data.layout import DESCRIPTION
from agents.data.workspace import import_dataset, read_facts
from agents.environment import RunEnvironment, make_environment
from agents.errors import UserError, words_of
from agents.events import DatasetChecked, EnvironmentReady, OutputLost, RunFinished
from agents.files import digest_of, remove_tree, sync_tree
from agents.final_evaluation import SnapshotNotUsable, TestNotScored, evaluate_on_tests
from agents.history import full_reason, lost_outputs
from agents.interruptions import Interruption, RunInterrupted, StepRepeats
from agents.iteration import Iteration
from agents.limits import unpriced
from agents.model_calls import ModelCalls
from agents.models.gateway import Gateway, ModelError
from agents.models.routing import problem_with
from agents.outcome import is_tested
from agents.recorder import Recorder
from agents.report import write_run_report
from agents.run_folder import RunFolder
from agents.sandbox.choose import describe, sandbox_for
from agents.scripts import Scripts
from agents.settings import RunSettings
from agents.snapshot import drop_candidates, open_snapshot, point_best_at
from agents.steering import Steering
from agents.steps.agent import StepAgent
from agents.vocabulary import IterationStatus, RunStatus
from agents.wording import first_line


@dataclass(frozen=True)
class Ending:
    """How a run ends, and why in words."""

    status: RunStatus
    reason: str = ""


async def run_loop(
    run: RunFolder, settings: RunSettings, recorder: Recorder, steering: Steering, gateway: Gateway
) -> RunStatus:
    """Lead the run from where its journal ends to its end. Everything that it does is in the journal."""
    try:
        context = await _prepare(run, settings, recorder, steering, gateway)
    except UserError as error:
        ending = Ending(RunStatus.REFUSED, str(error))
    else:
        ending = await _iterate(context)
        ending = await _evaluate(context, ending)
    _finish(run, recorder, ending)
    return ending.status


async def _prepare(
    run: RunFolder, settings: RunSettings, recorder: Recorder, steering: Steering, gateway: Gateway
) -> RunContext:
    # Importing litellm takes seconds; it goes on while the dataset is read.
    models = asyncio.create_task(asyncio.to_thread(_problem_with_models, settings, gateway))
    try:
        if recorder.state.task_type is None:
            recorder.emit(await asyncio.to_thread(_import, run, settings), durable=True)
        dataset = read_facts(run.data)
    finally:
        problem = await models
    if problem:
        raise UserError(problem)
    watch = Stopwatch()
    environment = await asyncio.to_thread(
        make_environment,
        run.environment,
        run.root / "work" / "home",
        settings.cpus,
        settings.seed,
        await asyncio.to_thread(sandbox_for, settings.sandbox),
    )
    _announce_environment(recorder, environment, watch.seconds)
    # An engine may have died between taking a snapshot and telling of it; the journal is what counts.
    drop_candidates(run)
    point_best_at(run, recorder.state.best.iteration if recorder.state.best else None)
    budget = Budget(settings, recorder, steering)
    calls = Calls(run, recorder, settings, steering, budget)
    model_calls = ModelCalls(run, recorder, settings, gateway, steering, budget)
    description = run.data / DESCRIPTION
    return RunContext(
        run=run,
        settings=settings,
        recorder=recorder,
        steering=steering,
        budget=budget,
        agent=StepAgent(recorder, settings, model_calls, calls, steering),
        scripts=Scripts(
            calls, environment, run.root / "work" / "scratch", dataset.task_type, max(1, len(dataset.classes))
        ),
        environment=environment,
        dataset=dataset,
        description=description.read_text(encoding="utf-8", errors="replace") if description.is_file() else "",
    )


def _problem_with_models(settings: RunSettings, gateway: Gateway) -> str | None:
    """Why the run cannot be led with its models and within its budget, in one line; None where it can."""
    for model in settings.models:
        if problem := problem_with(model, settings.api_base):
            return problem
    if settings.budget_usd is not None and (unknown := unpriced(settings, gateway.facts)):
        return (
            f"budget_usd {settings.budget_usd:g}: no price is known of {', '.join(unknown)}, so this budget could not "
            "be kept; use budget_tokens (--budget-tokens) instead"
        )
    return None


def _import(run: RunFolder, settings: RunSettings) -> DatasetChecked:
    """Read and check the dataset and copy into the run what an agent may see of it."""
    dataset = load_dataset(settings.dataset, settings.label_column, settings.metric)
    beside = run.root / ".data.part"
    for left in (beside, run.data):
        remove_tree(left)
    import_dataset(dataset, beside)
    beside.rename(run.data)
    sync_tree(run.data)
    return DatasetChecked(
        task_type=dataset.task_type,
        metric=dataset.metric.name,
        higher_is_better=dataset.metric.higher_is_better,
        rows={name: len(split) for name, split in dataset.splits.items()},
        classes=list(dataset.classes),
        withheld=dataset.withheld,
        findings=dataset.all_findings,
        fingerprint=dataset.fingerprint,
        data_digest=digest_of(run.data),
    )


def _announce_environment(recorder: Recorder, environment: RunEnvironment, seconds: float) -> None:
    if not recorder.state.packages:
        recorder.emit(
            EnvironmentReady(
                python=environment.python_version,
                packages=dict(environment.packages),
                isolation=describe(environment.sandbox),
                seconds=seconds,
            )
        )


def _tell_lost(context: RunContext) -> None:
    """Outputs of ended iterations that are lost since; of an iteration that goes on, the step begins again."""
    for iteration in context.recorder.state.iterations:
        if iteration.status is IterationStatus.RUNNING:
            continue
        for step, lost in lost_outputs(context.run, iteration).items():
            event = OutputLost(iteration=iteration.index, step=step, path=lost.path, reason=lost.reason)
            context.recorder.emit(event)


async def _iterate(context: RunContext) -> Ending:
    state, settings = context.recorder.state, context.settings
    _tell_lost(context)
    unfinished = [it.index for it in state.iterations if it.status is IterationStatus.RUNNING]
    for index in range(unfinished[0] if unfinished else len(state.iterations), settings.iterations):
        context.steering.look()
        if context.steering.stop_asked:
            return Ending(RunStatus.STOPPED, "stopped by a person")
        try:
            await context.budget.afford()
            await Iteration(context, index).run()
        except RunInterrupted as interruption:
            return Ending(RunStatus.STOPPED, str(interruption))
        except ModelError as failure:
            return Ending(RunStatus.FAILED, str(failure))
    if state.best is None:
        reasons = [first_line(full_reason(iteration)) for iteration in state.iterations]
        last = next((reason for reason in reversed(reasons) if reason), "no reason was recorded")
        return Ending(RunStatus.FAILED, f"no iteration gave a valid model; the last one: {last}")
    return Ending(RunStatus.FINISHED)


async def _evaluate(context: RunContext, ending: Ending) -> Ending:
    """The final evaluation, also of a run that was stopped: what there is, is scored.

    A person may stop it too. That ends the run as stopped, so that it can be taken up again for its test score.
    """
    state = context.recorder.state
    if state.best is None or not context.steering.evaluation_wanted:
        return ending
    status = ending.status
    try:
        if _is_scored(context):
            return ending
        await _evaluate_on_tests(context)
    except TestNotScored as why:
        reason = f"no test score: {why}"
    except SnapshotNotUsable as why:
        # The model that the run was to make does not do on new rows what it is for.
        reason = f"no test score: {why}"
        status = RunStatus.FAILED
    except (UserError, OSError) as why:
        # Something outside the run, such as a full disk: when it is mended, the run can be taken up for its test score.
        reason = f"no test score: {first_line(words_of(why))}"
        status = RunStatus.FAILED
    except Interruption as why:
        if is_tested(state):
            return ending  # what was asked to stop was done
        reason = f"no test score: {why}"
        if isinstance(why, RunInterrupted) and status is RunStatus.FINISHED:
            status = RunStatus.STOPPED
    else:
        return ending
    return Ending(status, f"{ending.reason}; {reason}" if ending.reason else reason)


async def _evaluate_on_tests(context: RunContext) -> None:
    """The final evaluation; one that a person paused at once begins again."""
    while True:
        try:
            await context.steering.interruptible(evaluate_on_tests(context))
        except StepRepeats:
            continue
        return


def _is_scored(context: RunContext) -> bool:
    """Whether every test split has a score of the present snapshot, in the journal and in the snapshot."""
    state = context.recorder.state
    return is_tested(state) and open_snapshot(context.run).record().test == state.test_scores


def _finish(run: RunFolder, recorder: Recorder, ending: Ending) -> None:
    best = recorder.state.best
    recorder.iteration = recorder.step = None
    if ending.status is not RunStatus.REFUSED:
        write_run_report(run, recorder.state, ending.status, ending.reason)
    recorder.emit(
        RunFinished(status=ending.status, reason=ending.reason, best_iteration=best.iteration if best else None),
        durable=True,
    )
