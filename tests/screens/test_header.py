"""What a run costs is never told better than it is known."""

import pytest

from agents.state import Usage
from agents.vocabulary import BUILTIN_MODEL
from screens.widgets.header import usage_words


@pytest.mark.parametrize(
    ("usage", "model", "words"),
    [
        (Usage(calls=13), BUILTIN_MODEL, "13 model calls · free"),
        (Usage(2, 18_400, 950, 0.1234), "openai/m", "18.4k in · 950 out · $0.12"),
        (Usage(2, 500, 20, 0.0, unpriced=2), "local/m", "500 in · 20 out · unpriced"),
        (Usage(3, 500, 20, 0.5, unpriced=1), "local/m", "500 in · 20 out · $0.50 + unpriced"),
    ],
)
def test_tokens_and_cost_in_words(usage: Usage, model: str, words: str) -> None:
    assert usage_words(usage, model) == words
