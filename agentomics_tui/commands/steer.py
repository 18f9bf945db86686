"""Steering a run from anywhere: each command leaves a file for the engine and waits for its receipt."""

import argparse
import subprocess
import time

from pydantic import ValidationError

from agentomics_tui.commands.out import complain
from agentomics_tui.commands.out import say as print_line
from agentomics_tui.commands.paths import find_run
from agentomics_tui.commands.sending import send
from agentomics_tui.commands.talk import check_note
from agentomics_tui.keys import keys_of_files
from agents import control
from agents.checkpoint import load_state, state_of
from agents.errors import UserError
from agents.fold import fold
from agents.launch import POLL_SECONDS, start_engine
from agents.lock import is_alive, read_lock
from agents.outcome import nothing_left_to_do
from agents.program import to_type
from agents.run_folder import RunFolder


def pause(options: argparse.Namespace) -> int:
    return send(options, control.Pause(now=options.now))


def skip(options: argparse.Namespace) -> int:
    kind = control.SkipStep if options.step else control.SkipIteration
    run = find_run(options.run, options.runs_dir)
    return send(options, kind.seen(state_of(run.journal)))


def redo(options: argparse.Namespace) -> int:
    """Begin the current step again, or an earlier one of its iteration."""
    note = options.note or ""
    check_note("redo", note)
    run = find_run(options.run, options.runs_dir)
    seen = control.Redo.seen(state_of(run.journal))
    back_to = None if options.step is True else options.step
    return send(options, seen.model_copy(update={"back_to": back_to, "note": note}))


def stop(options: argparse.Namespace) -> int:
    return send(options, control.Stop(now=options.now))


def ask_again(options: argparse.Namespace) -> int:
    return send(options, control.AskAgain())


def raise_limit(options: argparse.Namespace) -> int:
    """Allow the run more money, tokens or time."""
    more = _raise_of(options)
    if more is None:
        raise UserError("raise: say by how much with --usd, --tokens or --seconds")
    return send(options, more)


def _raise_of(options: argparse.Namespace) -> control.RaiseLimit | None:
    """What the flags allow the run more; None where none was given."""
    if options.usd is None and options.tokens is None and options.seconds is None:
        return None
    try:
        return control.RaiseLimit(usd=options.usd, tokens=options.tokens, seconds=options.seconds)
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f"--{problem['loc'][0]} {problem['input']}: {problem['msg']}") from None


def resume(options: argparse.Namespace) -> int:
    """Go on after a pause; where the engine is gone, start another one at the step that the run had reached.

    A run that stands at a limit, or ended because of one, comes no further without more of it.
    """
    run = find_run(options.run, options.runs_dir)
    more = _raise_of(options)
    if is_alive(read_lock(run.lock)):
        return send(options, more or control.Resume())
    state, reader = load_state(run.journal, whole=True)  # a new engine relies upon all of it
    fold(reader.read_all(), state)
    if 0 < reader.spoilt_line < reader.lines:  # the engine sets a spoilt last line aside
        raise UserError(f"{reader.damage}; run {run.run_id} cannot be resumed")
    if reason := nothing_left_to_do(state):
        raise UserError(f"run {run.run_id} cannot be resumed: {reason}")
    if more is not None and (
        unlimited := [
            name for limit, name in control.FLAG_OF.items() if getattr(more, name) and state.allowed(limit) is None
        ]
    ):
        raise UserError(f"run {run.run_id} has no limit of {' and '.join(unlimited)} that could be raised")
    if state.limit is not None and more is None:
        flag = control.FLAG_OF[state.limit.limit]
        how = to_type("resume", run.run_id, f"--{flag}", "MORE")
        raise UserError(f"run {run.run_id} is at its limit: {state.limit.message}; allow it more: {how}")
    if more is not None:
        control.submit(run, more)
    engine = start_engine(run, keys_of_files().values)
    if not _has_taken_up(run, engine):
        complain(f"the engine of run {run.run_id} ended at once; see {run.engine_log}")
        return 1
    if options.headless or options.json:
        from agentomics_tui.commands.run import headless  # no other word that steers needs all of that

        return headless(run, as_json=options.json, after=state.last_seq)
    print_line(f"run {run.run_id} goes on; watch it with: {to_type('watch', run.run_id)}")
    return 0


def _has_taken_up(run: RunFolder, engine: "subprocess.Popen[bytes]") -> bool:
    """Wait until the engine holds the run's lock; False where it ended without having done its work."""
    while engine.poll() is None:
        if is_alive(read_lock(run.lock)):
            engine.returncode = 0  # it goes on without us; Python must not wait for it at exit
            return True
        time.sleep(POLL_SECONDS)
    return engine.returncode == 0
