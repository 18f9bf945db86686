"""What a run costs is never told better than it is known, and of what it is a fork where there is room."""

import pytest

from agents.state import ParentState, RunState, Usage
from agents.vocabulary import StepName
from screens.widgets.header import Facts, header_view, usage_words


def usage(tokens_in: int, tokens_out: int, usd: float, *, unpriced: int = 0, cached: int = 0) -> Usage:
    return Usage(2, tokens_in, tokens_out, cached, usd, unpriced)


@pytest.mark.parametrize(
    ("usage", "limits", "words"),
    [
        (Usage(calls=13), {"free": True}, "13 model calls · free"),
        (usage(18_400, 950, 0.1234), {}, "18.4k in · 950 out · $0.12"),
        (usage(18_400, 950, 0.0042), {}, "18.4k in · 950 out · $0.0042"),
        (usage(12_300, 4_100, 0.42), {"usd": 5.0}, "12.3k in · 4.1k out · $0.42 of $5.00"),
        (usage(500, 20, 0.0, unpriced=2), {}, "500 in · 20 out · unpriced"),
        (usage(500, 20, 0.5, unpriced=1), {}, "500 in · 20 out · $0.50 + unpriced"),
        (usage(500, 20, 0.5, unpriced=1), {"usd": 2.0}, "500 in · 20 out · $0.50 of $2.00 + unpriced"),
        (usage(9_000, 999, 0.1, cached=8_000), {}, "9.0k in (8.0k cached) · 999 out · $0.10"),
        (usage(9_000, 999, 0.1), {"tokens": 100_000}, "9.0k in · 999 out · 10.0k of 100.0k tokens · $0.10"),
    ],
)
def test_tokens_and_cost_in_words(usage: Usage, limits: dict, words: str) -> None:
    assert usage_words(usage, **limits)[0] == words


def test_the_cost_is_the_last_that_gives_way_to_a_narrow_screen() -> None:
    wordings = usage_words(usage(12_300, 4_100, 0.42, cached=9), usd=5.0, tokens=200_000)
    assert [len(words) for words in wordings] == sorted(map(len, wordings), reverse=True)
    assert all(words.endswith("$0.42 of $5.00") for words in wordings)
    assert any(len(words) <= 32 and "16.4k of 200.0k" in words for words in wordings), "room at 80 cells"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "kid  peptides  fork of [red] at iteration 2, Model training"),
        (40, "kid  peptides"),
        (10, "kid"),
    ],
)
def test_of_what_a_run_is_a_fork_stands_behind_its_dataset_where_there_is_room(width: int, line: str) -> None:
    parent = ParentState("[red]", "/p", 9, 2, StepName.MODEL_TRAINING, {}, {})
    view = header_view(RunState(dataset="peptides", parent=parent), "kid", engine_alive=True)
    assert Facts().draw(view, width, 2)[0].plain == line
