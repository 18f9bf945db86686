"""Rules over training reports."""

import json
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.tools.training_watch import MalformedReport, TrainingReport, TrainingWatch, parse_report


def watch(*reports: dict[str, float], of: float | None = None) -> list[str]:
    """Rules that spoke, in their order."""
    rules = TrainingWatch()
    found = []
    for epoch, values in enumerate(reports, start=1):
        found += rules.report(TrainingReport(values.pop("epoch", epoch), of, values))
    return [finding.rule for finding in found + rules.finish()]


def losses(train: list[float], validation: list[float] | None = None) -> list[dict[str, float]]:
    if validation is None:
        return [{"train_loss": loss} for loss in train]
    return [{"train_loss": a, "validation_loss": b} for a, b in zip(train, validation, strict=True)]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_report_is_read() -> None:
    line = 'TRAINING_REPORT: {"epoch": 3, "of": 10, "train_loss": 0.5, "AUROC": 1, "message": "fold 1"}'
    assert parse_report(line) == TrainingReport(3, 10, {"train_loss": 0.5, "AUROC": 1.0}, "fold 1")


def test_values_that_are_not_finite_are_kept_apart_from_missing_ones() -> None:
    report = parse_report('TRAINING_REPORT: {"epoch": 1, "a": NaN, "b": "inf", "c": null, "d": "text", "e": true}')
    assert report is not None
    assert math.isnan(report.values["a"] or 0)
    assert (report.values["b"], report.values["c"]) == (math.inf, None)
    assert set(report.values) == {"a", "b", "c"}


def test_a_progress_bar_before_a_report_does_no_harm() -> None:
    report = '{"epoch": 1, "loss": 2}'
    for line in (
        f"\r 10%|#   \rTRAINING_REPORT: {report}",
        f" 10%|#   |TRAINING_REPORT: {report}",
        f"TRAINING_REPORT:{report}\r 20%|##",
    ):
        assert parse_report(line) == TrainingReport(1, None, {"loss": 2.0})


@pytest.mark.parametrize(
    "line", ["", "loss 0.3", 'print(f"TRAINING_REPORT: {json.dumps(line)}")', "see TRAINING_REPORT: lines"]
)
def test_other_lines_are_no_reports(line: str) -> None:
    assert parse_report(line) is None


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("", "no valid JSON"),
        ("{", "no valid JSON"),
        ("[1]", "no JSON object"),
        ("{}", "no number `epoch`"),
        ('{"epoch": "three"}', "no number `epoch`"),
        ('{"epoch": NaN}', "no number `epoch`"),
        ("[" * 100_000, "no valid JSON"),
    ],
)
def test_a_malformed_report_says_what_is_wrong(rest: str, said: str) -> None:
    with pytest.raises(MalformedReport, match=said):
        parse_report(f"TRAINING_REPORT: {rest}")


@given(st.text())
def test_no_line_breaks_the_reader(text: str) -> None:
    for line in (text, f"TRAINING_REPORT: {text}"):
        try:
            parse_report(line)
        except MalformedReport:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=2)
)


@given(st.integers(0, 1000), st.dictionaries(st.text(), JSON, max_size=40))
def test_every_json_object_with_an_epoch_is_a_report_that_can_be_written_down(
    epoch: int, more: dict[str, object]
) -> None:
    more.pop("of", None)
    report = parse_report("TRAINING_REPORT: " + json.dumps({**more, "epoch": epoch}))
    assert report is not None
    assert report.epoch == epoch
    assert len(report.values) <= 32
    "".join([*report.values, report.message]).encode()
    TrainingWatch().report(report)


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_good_training_is_left_alone() -> None:
    train = [1.0 / epoch + 0.1 for epoch in range(1, 31)]
    validation = [1.1 / epoch + 0.15 + 0.005 * (epoch % 2) for epoch in range(1, 31)]
    assert watch(*losses(train, validation)) == []


@given(st.lists(st.floats(0.5, 0.6), min_size=5, max_size=40), st.floats(0.7, 10))
def test_noise_on_a_plateau_after_progress_is_no_finding(noise: list[float], first: float) -> None:
    assert watch(*losses([first, *noise], [first, *(value + 0.02 for value in noise)])) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_found_at_once_and_once(value: float) -> None:
    assert watch(*losses([1, value, value])) == ["not_finite"]
    assert watch({"validation_loss": value}) == ["not_finite"]


def test_a_metric_that_is_not_finite_is_no_matter() -> None:
    assert watch({"AUROC": math.nan}) == []


@pytest.mark.parametrize(
    "train",
    [
        [1.0, 2.0, 4.0, 8.0, 16.0],
        [10.0, 1.0, 0.1, 7.0, 8.0, 9.0],
        [-1.0, -5.0, -1.0, -1.0, -1.0],
    ],
)
def test_divergence(train: list[float]) -> None:
    assert watch(*losses(train))[0] == "diverging"


def test_a_single_spike_is_no_divergence() -> None:
    assert watch(*losses([1.0, 0.5, 50.0, 0.4, 0.3, 40.0, 30.0, 0.2])) == []


def test_overfitting() -> None:
    train = [1.0 - 0.08 * epoch for epoch in range(12)]
    validation = [1.0, 0.8, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15]
    assert watch(*losses(train, validation)) == ["overfitting"]


def test_a_validation_loss_that_rises_with_the_train_loss_is_no_overfitting() -> None:
    train = [1.0, 0.5, 0.4, 0.42, 0.44, 0.46, 0.48, 0.5, 0.52]
    assert "overfitting" not in watch(*losses(train, [loss + 0.1 for loss in train]))


def test_no_convergence_is_told_at_the_end() -> None:
    assert watch(*losses([0.693, 0.694, 0.692, 0.693, 0.693, 0.692])) == ["not_converging"]


def test_no_convergence_is_told_at_half_time_of_a_long_training() -> None:
    rules = TrainingWatch()
    found = [rules.report(TrainingReport(epoch, 40, {"loss": 0.693})) for epoch in range(1, 41)]
    assert [epoch for epoch, findings in enumerate(found, start=1) if findings] == [20]


def test_few_reports_say_nothing_about_convergence() -> None:
    assert watch(*losses([1.0, 1.0, 1.0, 1.0])) == []


def test_the_next_fold_is_watched_afresh() -> None:
    fold = [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in (1, 2, 3, 4, 5, 6)]
    other = [{"epoch": epoch, "train_loss": 100 / epoch} for epoch in (1, 2, 3, 4, 5, 6)]
    assert watch(*fold, *other) == []


def test_a_fold_that_learned_nothing_is_told_when_the_next_begins() -> None:
    rules = TrainingWatch()
    for epoch in range(1, 7):
        assert rules.report(TrainingReport(epoch, None, {"loss": 1.0})) == []
    (finding,) = rules.report(TrainingReport(1, None, {"loss": 1.0}))
    assert finding.rule == "not_converging"


def test_silence_is_told_once() -> None:
    rules = TrainingWatch()
    (finding,) = rules.silence(720)
    assert finding.message == "nothing was printed for 12 minutes"
    assert rules.silence(800) == []


VALUES = st.floats() | st.none()
REPORTS = st.lists(
    st.builds(
        TrainingReport,
        st.floats(0, 100),
        st.none() | st.floats(1, 100),
        st.dictionaries(st.sampled_from(["loss", "train_loss", "val_loss", "AUROC"]), VALUES),
    )
)


@given(REPORTS)
def test_no_series_breaks_the_rules_and_each_speaks_once(reports: list[TrainingReport]) -> None:
    rules = TrainingWatch()
    found = [finding.rule for report in reports for finding in rules.report(report)]
    found += [finding.rule for finding in rules.finish()]
    assert len(found) == len(set(found))


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=40), st.floats(0.001, 1000))
def test_the_unit_of_the_loss_makes_no_difference(train: list[float], unit: float) -> None:
    # At exact thresholds rounding decides; such series are not what the rule is about.
    scaled = [loss * unit for loss in train]
    assume(all(abs(a - b) > 1e-6 * b for a in train for b in train if a != b))
    gained = [train[0] - loss for loss in train]
    assume(all(abs(gain - 0.01 * train[0]) > 1e-6 for gain in gained))
    assume(all(abs(a - b - 0.5 * max(train[0] - b, b)) > 1e-6 for a in train for b in train))
    assert watch(*losses(train)) == watch(*losses(scaled))
