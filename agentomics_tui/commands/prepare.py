"""Before a run: what a dataset is, which metrics there are."""

import argparse

from agentomics_tui.commands.out import say, say_json
from agentomics_tui.commands.paths import absolute
from agents.evaluation.metrics import METRICS


def check(options: argparse.Namespace) -> int:
    """Say on one screen what is understood of a dataset."""
    from agents.data.check import as_json, describe
    from agents.data.dataset import load_dataset

    dataset = load_dataset(absolute(options.dataset), options.label_column, options.metric)
    if options.json:
        say_json(as_json(dataset))
        return 0
    given = (("--label-column", options.label_column), ("--metric", options.metric))
    for line in describe(dataset, [f"{flag}={value}" for flag, value in given if value is not None]):
        say(line)
    return 0


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
