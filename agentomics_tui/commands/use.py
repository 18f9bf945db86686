"""Using what a run made."""

import argparse

from agentomics_tui.commands.out import say
from agents.errors import UserError
from agents.run_folder import resolve_run


def predict(options: argparse.Namespace) -> int:
    """Predict new data with the best snapshot."""
    from agents.predict import predict as predict_with

    run = resolve_run(options.run, options.runs_dir)
    output = options.output.expanduser().absolute()
    rows = predict_with(run, options.input.expanduser().absolute(), output)
    say(f"{rows:,} predictions written to {output}")
    return 0


def report(options: argparse.Namespace) -> int:
    """Print the run's report."""
    run = resolve_run(options.run, options.runs_dir)
    path = run.report / "report.md"
    if not path.is_file():
        raise UserError(f"run {run.run_id} has no report yet: it is written when the run ends")
    say(path.read_text(encoding="utf-8").rstrip())
    return 0
