"""Using what a run made."""

import argparse

from agentomics_tui.commands.out import complain, say, say_text
from agentomics_tui.commands.paths import absolute, find_run
from agents.errors import UserError


def predict(options: argparse.Namespace) -> int:
    """Predict new data with the best snapshot."""
    from agents.predict import predict as predict_with

    run = find_run(options.run, options.runs_dir)
    output = absolute(options.output)
    rows = predict_with(run, absolute(options.input), output, complain)
    say(f"{rows:,} predictions written to {output}")
    return 0


def report(options: argparse.Namespace) -> int:
    """Print the run's report."""
    run = find_run(options.run, options.runs_dir)
    path = run.report / "report.md"
    if not path.is_file():
        raise UserError(f"run {run.run_id} has no report yet: it is written when the run ends")
    say_text(path.read_text(encoding="utf-8", errors="replace").rstrip())
    return 0
