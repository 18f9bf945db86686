"""Before a run: what a dataset is, which metrics there are."""

import argparse

from agentomics_tui.commands.out import say, say_json
from agents.evaluation.metrics import METRICS


def check(options: argparse.Namespace) -> int:
    """Say on one screen what is understood of a dataset."""
    from agents.data.check import main

    arguments = [options.dataset]
    for flag, value in (("--label-column", options.label_column), ("--metric", options.metric)):
        arguments += [flag, value] if value is not None else []
    return main([*arguments, "--json"] if options.json else arguments)


def metrics(options: argparse.Namespace) -> int:
    """List the metrics."""
    for metric in METRICS.values():
        kind = "regression" if metric.for_regression else "classification"
        better = "higher" if metric.higher_is_better else "lower"
        if options.json:
            say_json({"name": metric.name, "title": metric.title, "for": kind, "better": better})
        else:
            say(f"{metric.name:<10} {kind:<15} {better + ' is better':<17} {metric.title}")
    return 0
