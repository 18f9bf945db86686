"""How sure a score is, in few cells and in words, and what the journal keeps of it."""

import pytest

from agents.certainty import Certainty, gain_in_words, percent
from agents.events import (
    EVENT,
    BestChanged,
    BestRescored,
    CandidateCompared,
    EventBase,
    IterationStarted,
    MetricsComputed,
)
from agents.fold import fold
from agents.vocabulary import Gain

REAL = Certainty(low=0.75, high=0.87, compared=3, against=1, verdict=Gain.REAL, difference=0.03, chance=0.984)


@pytest.mark.parametrize(
    ("chance", "shown"),
    [(0.9999, ">99 %"), (1.0, ">99 %"), (0.984, "98 %"), (0.5, "50 %"), (0.001, "<1 %"), (0.0, "<1 %"), (None, "")],
)
def test_a_chance_counted_in_resamples_is_never_shown_as_certain(chance: float | None, shown: str) -> None:
    assert percent(chance) == shown


def test_in_few_cells_and_in_words() -> None:
    assert (REAL.bounds, REAL.gain) == ("0.7500–0.8700", "real 98 %")
    assert gain_in_words(REAL) == "the gain is real (chance to be the better one 98 %)"
    noise = Certainty(verdict=Gain.NOISE, chance=0.7)
    assert (noise.bounds, noise.gain) == ("", "within noise 70 %")
    unknown = Certainty(verdict=Gain.UNKNOWN, why="only 8 rows, fewer than 10")
    assert (unknown.gain, gain_in_words(unknown)) == ("not comparable", "not comparable: only 8 rows, fewer than 10")
    assert (Certainty().gain, gain_in_words(Certainty())) == ("", "")


def test_a_journal_line_carries_all_of_it() -> None:
    event = CandidateCompared(seq=4, iteration=1, metric="AUROC", value=0.81, split_version=1, certainty=REAL)
    assert EVENT.validate_json(event.model_dump_json()) == event


def scored(seq: int, iteration: int, value: float) -> list[EventBase]:
    """What the journal tells of an iteration that becomes the best of the first split."""
    certainty = REAL if iteration else Certainty(low=0.5, high=0.9)
    metrics = MetricsComputed(split="validation", metric="AUROC", values={"AUROC": value}, rows=40, split_version=1)
    compared = CandidateCompared(metric="AUROC", value=value, split_version=1, certainty=certainty)
    best = BestChanged(metric="AUROC", value=value, split_version=1)
    events = (IterationStarted(), metrics, compared, best)
    return [
        event.model_copy(update={"seq": number, "iteration": iteration}) for number, event in enumerate(events, seq)
    ]


def rescored(**fields: object) -> BestRescored:
    return BestRescored.model_validate(
        {"seq": 4, "iteration": 1, "of": 0, "metric": "AUROC", "split_version": 2, **fields}
    )


def test_the_best_has_the_certainty_of_its_iteration() -> None:
    state = fold([*scored(0, 0, 0.7), *scored(4, 1, 0.8)])
    assert state.best is not None
    assert state.best.certainty == state.iterations[1].certainty == REAL


def test_a_journal_of_before_has_a_best_without_certainty() -> None:
    state = fold(event for event in scored(0, 0, 0.7) if not isinstance(event, CandidateCompared))
    assert state.best is not None
    assert (state.best.value, state.best.certainty) == (0.7, None)


def test_a_best_that_was_scored_again_belongs_to_the_new_split() -> None:
    again = Certainty(low=0.6, high=0.7, rows=20)
    event = BestRescored(
        seq=4, iteration=1, of=0, metric="AUROC", split_version=2, value=0.65, rows=20, certainty=again
    )
    state = fold([*scored(0, 0, 0.7), event])
    assert state.best is not None
    assert (state.best.iteration, state.best.value, state.best.split_version) == (0, 0.65, 2)
    assert state.best.certainty == again
    assert state.iterations[0].score("validation", "AUROC") == 0.7, "what it scored on its own split stays"


def test_a_best_that_could_not_be_scored_again_stays_what_it_was() -> None:
    state = fold([*scored(0, 0, 0.7), rescored(reason="it saw every row")])
    assert state.best is not None
    assert (state.best.value, state.best.split_version) == (0.7, 1)
