"""The planner: what it tries next, and that its reasons come from the history."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.carried import find_candidate, same
from agents.policy.changes import USUAL, capacity_change, difference
from agents.policy.figures import figure
from agents.policy.history import Trials, trials
from agents.policy.planning import Choice, Outlook, choose, expectation, gap_evidence, verdict
from agents.policy.wishes import Wishes, open_wishes
from agents.recipes.candidate import ENSEMBLE
from agents.recipes.catalogue import Candidate, InputKind, candidates, refinements
from agents.recipes.scripts import SOURCES
from agents.steps.facts import IterationFacts, StepFacts
from agents.vocabulary import IterationMode, TaskType
from tests.agents.policy.histories import facts_for, past, profile_for

PROFILE = profile_for()
KNOWN = candidates(PROFILE)


def outlook_of(facts: StepFacts, wanted: Wishes | None = None) -> Outlook:
    return Outlook(
        profile=PROFILE,
        trials=trials(facts, PROFILE),
        first=facts.iteration == 0,
        exploring=facts.exploring,
        remaining=facts.iterations - facts.iteration,
        time_left=facts.time_left,
        wishes=wanted or Wishes(),
    )


def choice_after(*history: IterationFacts, wanted: Wishes | None = None, **facts: Any) -> Choice:
    return choose(outlook_of(facts_for(history=history, **facts), wanted))


def other_than(candidate: Candidate, count: int) -> list[Candidate]:
    """Candidates of as many different families."""
    found = [candidate]
    for other in KNOWN:
        if other.family not in {one.family for one in found}:
            found.append(other)
    return found[1 : count + 1]


BASE = KNOWN[0]
SECOND, THIRD = other_than(BASE, 2)


def test_the_first_iteration_takes_the_first_candidate_as_baseline() -> None:
    choice = choice_after()
    assert choice.mode is IterationMode.BASELINE
    assert same(choice.candidate, BASE)


def test_exploring_tries_a_combination_that_was_never_tried() -> None:
    choice = choice_after(past(0, BASE, 0.7), exploring=True)
    assert choice.mode is IterationMode.EXPLORE
    assert choice.candidate.combination != BASE.combination


def test_a_failed_candidate_is_not_tried_again_and_its_family_comes_last() -> None:
    history = [past(0, BASE, 0.7), past(1, SECOND, reason="out of memory")]
    choice = choice_after(*history, exploring=True)
    assert choice.candidate.family != SECOND.family
    assert "out of memory" in choice.reason


def test_the_best_is_refined_when_the_newest_exploration_gained_nothing() -> None:
    history = [past(0, BASE, 0.80, train=0.82), past(1, SECOND, 0.70, train=0.72)]
    choice = choice_after(*history)
    assert choice.mode is IterationMode.REFINE
    assert any(same(choice.candidate, refined) for refined in refinements(PROFILE, BASE))
    assert "0.8 on validation" in choice.reason


def test_exploring_goes_on_while_it_pays() -> None:
    history = [past(0, BASE, 0.70), past(1, SECOND, 0.80)]
    choice = choice_after(*history)
    assert choice.mode is IterationMode.EXPLORE
    assert "paid" in choice.reason


def test_two_refinements_without_gain_lead_back_to_exploring() -> None:
    refined = refinements(PROFILE, BASE)[:2]
    history = [past(0, BASE, 0.8), past(1, SECOND, 0.7)]
    history += [past(2 + n, one, 0.79, mode=IterationMode.REFINE) for n, one in enumerate(refined)]
    choice = choice_after(*history)
    assert choice.mode is IterationMode.EXPLORE
    assert "Two refinements" in choice.reason


@pytest.mark.parametrize(
    ("train", "direction", "word"), [(0.99, -1, "overfits"), (0.805, 1, "more capacity"), (0.85, 0, "neither")]
)
def test_the_gap_between_train_and_validation_says_which_way_to_go(train: float, direction: int, word: str) -> None:
    facts = facts_for(history=[past(0, BASE, 0.80, train=train)])
    known = trials(facts, PROFILE)
    found, said = gap_evidence(known, known.all[0])
    assert found == direction
    assert word in said


def test_a_model_that_is_perfect_on_train_is_not_given_more_capacity() -> None:
    known = trials(facts_for(history=[past(0, BASE, 0.98, train=1.0)]), PROFILE)
    assert gap_evidence(known, known.all[0])[0] == -1


def test_an_overfitting_model_gets_a_refinement_that_fits_less_where_there_is_one() -> None:
    for candidate in KNOWN:
        if not any(capacity_change(candidate, refined) < 0 for refined in refinements(PROFILE, candidate)):
            continue
        choice = choice_after(past(0, candidate, 0.8, train=1.0), past(1, SECOND, 0.6, train=0.6))
        assert capacity_change(candidate, choice.candidate) < 0, candidate
        return
    pytest.fail("the catalogue has no refinement that fits less")


def test_errors_are_compared_by_their_share_of_the_error() -> None:
    facts = facts_for(
        history=[past(0, BASE, 10.0, train=5.0, metric="MAE"), past(1, SECOND, 9.99, metric="MAE")],
        metric="MAE",
        higher_is_better=False,
    )
    known = trials(facts, PROFILE)
    assert known.best is not None and known.best.iteration == 1
    assert known.gap(known.all[0]) == pytest.approx(0.5)
    assert not known.newest_paid()


def test_the_last_iteration_averages_models_that_are_close_to_each_other() -> None:
    history = [past(0, BASE, 0.80), past(1, SECOND, 0.82), past(2, THIRD, 0.5)]
    choice = choice_after(*history, iterations=4)
    assert choice.candidate.family == ENSEMBLE
    assert THIRD.combination not in choice.change


def test_one_good_model_alone_is_refined_to_the_end() -> None:
    choice = choice_after(past(0, BASE, 0.5), past(1, SECOND, 0.82, train=0.9), iterations=3)
    assert choice.candidate.family == SECOND.family


def test_scores_of_another_split_version_are_not_compared() -> None:
    history = [past(0, BASE, 0.99, split_version=0), past(1, SECOND, 0.7), past(2, THIRD, 0.6)]
    assert "0.99" not in choice_after(*history).reason


def test_a_kind_that_took_longer_than_what_is_left_is_put_off() -> None:
    slow = [other for other in KNOWN if other.family == SECOND.family]
    assert len(slow) > 1
    outlook = outlook_of(
        facts_for(history=[past(0, BASE, 0.7, seconds=5), past(1, slow[0], 0.8, seconds=500)], exploring=True)
    )
    assert choose(replace(outlook, time_left=60.0)).candidate.family != SECOND.family


def test_a_wish_is_followed_before_the_rules() -> None:
    choice = choice_after(past(0, BASE, 0.7), wanted=Wishes(wanted=frozenset({THIRD.family})), exploring=True)
    assert choice.candidate.family == THIRD.family
    assert "note" in choice.reason


def test_what_is_to_be_avoided_is_not_chosen_while_there_is_something_else() -> None:
    avoided = Wishes(avoided=frozenset({SECOND.family}))
    history = [past(0, BASE, 0.7)]
    for number in range(1, 4):
        choice = choice_after(*history, wanted=avoided, exploring=True)
        assert choice.candidate.family != SECOND.family
        history.append(past(number, choice.candidate, 0.6))


@pytest.mark.parametrize(
    ("note", "wanted", "avoided"),
    [
        ("please try Extra-Trees next", {"extra_trees"}, set()),
        ("No neural networks!", set(), {"mlp"}),
        ("use a random forest instead of gradient boosting", {"random_forest"}, {"hist_gradient_boosting"}),
        ("avoid k-mers, try logistic regression", {"logistic"}, {"kmers"}),
        ("gapped k-mers", {"gapped_kmers"}, set()),
        ("how is it going?", set(), set()),
    ],
)
def test_notes_are_read_for_the_names_of_the_catalogue(note: str, wanted: set[str], avoided: set[str]) -> None:
    codes = [("kmers", "logistic"), ("gapped_kmers", "random_forest"), ("composition", "extra_trees"), ("kmers", "mlp")]
    known = [Candidate(*code, {}) for code in [*codes, ("kmers", "hist_gradient_boosting")]]
    found = open_wishes([(0, note)], known, Trials(facts_for().task, ()))
    assert (set(found.wanted), set(found.avoided)) == (wanted, avoided)


def test_a_later_note_overrules_an_earlier_one() -> None:
    notes = [(1, "try extra trees"), (2, "no extra trees")]
    found = open_wishes(notes, [Candidate("kmers", "extra_trees", {})], Trials(facts_for().task, ()))
    assert found == Wishes(avoided=frozenset({"extra_trees"}))


def test_a_wish_is_met_by_a_trial_after_the_note_and_not_by_a_failed_one() -> None:
    wanted = Wishes(wanted=frozenset({SECOND.family}))
    note = f"try {SECOND.family}"

    def left(*history: IterationFacts, since: int) -> Wishes:
        return open_wishes([(since, note)], KNOWN, trials(facts_for(history=history), PROFILE))

    assert left(past(0, BASE, 0.7), past(1, SECOND, 0.8), since=1) == Wishes()
    assert left(past(0, SECOND, 0.7), since=1) == wanted
    assert left(past(0, BASE, 0.7), past(1, SECOND, reason="broken"), since=1) == wanted


SCORES = st.one_of(st.none(), st.floats(0, 1))


@given(
    scores=st.lists(st.tuples(SCORES, st.floats(0, 1)), min_size=1, max_size=25),
    explored=st.integers(0, 25),
    kind=st.sampled_from(InputKind),
    task_type=st.sampled_from([TaskType.BINARY, TaskType.REGRESSION]),
    time_left=st.one_of(st.none(), st.floats(0, 100)),
)
def test_nothing_is_planned_twice_while_something_untried_is_left(
    scores: list[tuple[float | None, float]],
    explored: int,
    kind: InputKind,
    task_type: TaskType,
    time_left: float | None,
) -> None:
    profile = profile_for(kind, task_type)
    history: list[IterationFacts] = []
    for number, (score, train) in enumerate(scores):
        facts = facts_for(
            history=history, exploring=1 <= number <= explored, iterations=len(scores), task_type=task_type
        )
        outlook = Outlook(
            profile, trials(facts, profile), number == 0, facts.exploring, len(scores) - number, time_left
        )
        choice = choose(outlook)
        done = [trial.candidate for trial in outlook.trials.all]
        open_ = outlook.untried(candidates(profile))
        if open_:
            assert not any(same(choice.candidate, other) for other in done)
        assert (choice.mode is IterationMode.BASELINE) == (number == 0)
        if facts.exploring:
            assert choice.mode is IterationMode.EXPLORE
        history.append(past(number, choice.candidate, score, train=train, mode=choice.mode, reason="broken"))


@given(st.integers(0, len(KNOWN) - 1))
def test_a_candidate_survives_the_way_through_a_plan(number: int) -> None:
    from agents.policy.carried import candidate_line

    found = find_candidate(f"Some words.\n{candidate_line(KNOWN[number])}")
    assert found is not None and same(found, KNOWN[number])


COLLAPSED = {"never_predicted": "yes", "classes_never_predicted": 1, "mcc": 0.0, "auroc": 0.8}


def test_a_collapsed_best_model_gets_class_weights_first_and_another_family_next() -> None:
    history = [past(0, BASE, 0.8, statistics=COLLAPSED), past(1, SECOND, 0.6)]
    choice = choice_after(*history)
    assert choice.mode is IterationMode.REFINE
    assert same(choice.candidate, replace(BASE, hyperparameters={**BASE.hyperparameters, "class_weight": "balanced"}))
    assert "class weights" in choice.change and "yes is never predicted" in choice.reason
    history.append(past(2, choice.candidate, 0.79, mode=IterationMode.REFINE, statistics=COLLAPSED))
    choice = choice_after(*history)
    assert choice.candidate.family not in {BASE.family}
    assert "another family is due" in choice.reason


def test_class_weights_are_not_tried_where_the_metric_brings_them() -> None:
    history = [past(0, BASE, 0.1, metric="MCC", statistics=COLLAPSED), past(1, SECOND, 0.0, metric="MCC")]
    choice = choice_after(*history, metric="MCC")
    assert choice.candidate.family != BASE.family


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.9, "it helped"),
        (0.803, "a gain within noise is no evidence that the change helped"),
        (0.78, "it did not help"),
    ],
)
def test_an_expectation_is_judged_by_the_next_plan(score: float, said: str) -> None:
    known = trials(facts_for(history=[past(0, BASE, 0.8), past(1, SECOND, score)]), PROFILE)
    words = verdict(known)
    assert f"expected to reach AUROC of more than 0.805 and got {score:g}: {said}" in words


def test_what_was_expected_is_what_is_judged() -> None:
    first, second = past(0, BASE, 10.0, metric="MAE"), past(1, SECOND, 9.99, metric="MAE")

    def known(*history: IterationFacts) -> Trials:
        return trials(facts_for(history=history, metric="MAE", higher_is_better=False), PROFILE)

    assert "MAE on validation below 9.95," in expectation(known(first))
    assert "less than 9.95 and got 9.99: a gain within noise" in verdict(known(first, second))


def test_nothing_is_expected_that_the_metric_cannot_reach() -> None:
    known = trials(facts_for(history=[past(0, BASE, 0.9993)]), PROFILE)
    assert expectation(known).startswith("AUROC on validation not worse than the best so far (0.9993, iteration 0)")
    known = trials(facts_for(history=[past(0, BASE, 0.9993), past(1, SECOND, 0.998)]), PROFILE)
    assert verdict(known).endswith("was expected not to be worse than AUROC 0.9993 and got 0.998: it is.")


def test_a_baseline_is_judged_against_a_constant_guess() -> None:
    assert "it did not" in verdict(trials(facts_for(history=[past(0, BASE, 0.51)]), PROFILE))
    assert verdict(trials(facts_for(history=[past(0, BASE, 0.9)]), PROFILE)).endswith("got 0.9: it did.")


def test_a_gain_within_noise_makes_no_new_starting_point() -> None:
    history = [past(0, BASE, 0.800, train=0.85), past(1, SECOND, 0.803, train=0.85)]
    choice = choice_after(*history)
    assert choice.candidate.family == BASE.family
    assert "better within noise only" in choice.reason
    small_steps = trials(facts_for(history=[*history, past(2, THIRD, 0.808)]), PROFILE)
    assert small_steps.incumbent is not None and small_steps.incumbent.iteration == 2


@pytest.mark.parametrize(
    ("value", "text"), [(0.9998, "0.9998"), (0.99999, "0.9999"), (1.0, "1"), (0.98146, "0.9815"), (1257.4, "1257")]
)
def test_a_score_below_1_is_not_rounded_up_to_it(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_usual_settings_are_those_of_the_recipes() -> None:
    for (family, name), value in USUAL.items():
        module = next(path for path in SOURCES.glob("models_*.py") if f'@family("{family}")' in path.read_text())
        usual = re.findall(rf'settings\.get\("{name}", ([^)]+?)\)', module.read_text())
        assert value in [float(found) for found in usual], (family, name)


def test_a_refinement_is_told_with_the_old_and_the_new_value() -> None:
    old = Candidate("kmers", "hist_gradient_boosting", {})
    new = Candidate("kmers", "hist_gradient_boosting", {"learning_rate": 0.04})
    assert difference(old, new) == "k-mers + gradient boosting: learning_rate from 0.08 to 0.04."
    assert capacity_change(old, new) == -1
    assert capacity_change(new, old) == 1
