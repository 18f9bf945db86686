"""A small dataset's facts, for tests that need some and do not care which."""

from agents.data.workspace import DatasetFacts
from agents.vocabulary import TaskType


def toy_facts() -> DatasetFacts:
    """Four rows of one column, two classes."""
    return DatasetFacts(
        name="toy",
        task_type=TaskType.BINARY,
        metric="AUROC",
        higher_is_better=True,
        classes=["safe", "toxic"],
        rows={"train": 4},
        has_groups=False,
        brings_validation=False,
        input_columns=["x"],
        id_column=None,
        is_table=True,
        withheld={},
        findings=[],
        fingerprint={},
    )
