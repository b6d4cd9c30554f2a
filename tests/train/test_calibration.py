"""Probabilities mean what they say, and the threshold serves the case's metric."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn import metrics

from esteira.train import calibrate
from esteira.train.threshold import HALF, threshold

WAYS = [calibrate.temperature, calibrate.temperature_and_biases]


def drawn(classes: int, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities, and the classes that were drawn by them."""
    random = np.random.default_rng(seed)
    truth = softmax(random.normal(0, 1.5, (rows, classes)), axis=1)
    actual = (random.random((rows, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    return truth, actual


def distorted(truth: np.ndarray, slope: float, biases: list[float]) -> np.ndarray:
    return softmax(np.log(truth) * slope + np.array(biases), axis=1)


@pytest.mark.parametrize("classes", [2, 7])
def test_a_model_that_is_too_sure_is_made_as_sure_as_it_is_right(classes):
    truth, actual = drawn(classes, 6_000)
    found = calibrate.temperature(distorted(truth, 3, [0] * classes), actual)
    assert found.slope == pytest.approx(1 / 3, rel=0.06)
    assert not any(found.biases)


def test_what_oversampling_did_to_the_probabilities_is_undone():
    truth, actual = drawn(2, 6_000)
    given_ = distorted(truth, 1.5, [0, 2])
    found = calibrate.temperature_and_biases(given_, actual).apply(given_)
    assert np.abs(found - truth).mean() < 0.02
    assert np.abs(given_ - truth).mean() > 0.15


def test_a_temperature_turns_no_answer():
    truth, actual = drawn(5, 500)
    given_ = distorted(truth, 0.3, [1, 0, -1, 0, 0])
    found = calibrate.temperature(given_, actual).apply(given_)
    assert not np.allclose(found, given_)
    assert np.array_equal(found.argmax(axis=1), given_.argmax(axis=1))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 40), st.floats(0.05, 6), st.sampled_from(WAYS)
)
def test_log_loss_is_never_worse_on_the_rows_and_answers_stay_probabilities(seed, classes, rows, slope, way):
    truth, actual = drawn(classes, rows, seed)
    given_ = np.round(distorted(truth, slope, [0] * classes), 3)  # exact zeros and ones, as trees answer
    given_ /= given_.sum(axis=1, keepdims=True)
    found = way(given_, actual).apply(given_)
    assert calibrate.log_loss(found, actual) <= calibrate.log_loss(given_, actual)
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(rows))


@pytest.mark.parametrize("way", WAYS)
def test_a_class_that_no_judged_row_has_keeps_a_chance(way):
    truth, _ = drawn(3, 50)
    actual = truth[:, :2].argmax(axis=1)
    found = way(truth, actual).apply(truth)
    assert 0.001 < found[:, 2].mean() < truth[:, 2].mean()


def test_perfect_probabilities_stay_and_a_calibration_that_does_not_help_is_not_taken(caplog):
    certain = np.eye(2)[[0, 1, 1, 0]]
    with caplog.at_level("INFO", logger="esteira"):
        found = calibrate.temperature_and_biases(certain, np.array([0, 1, 1, 0]))
    assert found.changes_nothing or calibrate.log_loss(found.apply(certain), [0, 1, 1, 0]) < 1e-6
    even = np.full((10, 2), 0.5)
    assert calibrate.temperature(even, np.array([0, 1] * 5)).changes_nothing
    assert "stay as they are" in caplog.text or not found.changes_nothing


def rare(rows: int = 4_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A second class that one row in seven has, and its probabilities."""
    random = np.random.default_rng(seed)
    second = 1 / (1 + np.exp(-random.normal(-2.5, 1.5, rows)))
    return second, (random.random(rows) < second).astype(np.int64)


SCORE = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": lambda actual, found: metrics.f1_score(actual, found, average="macro"),
    "recall": lambda actual, found: metrics.recall_score(actual, found, average="macro"),
    "precision": lambda actual, found: metrics.precision_score(
        actual, found, average="macro", zero_division=0
    ),
}


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1", "recall"])
def test_no_other_threshold_is_better_for_the_metric(metric):
    second, actual = rare()
    chosen = SCORE[metric](actual, second >= threshold(metric, second, actual))
    others = [SCORE[metric](actual, second >= one) for one in np.linspace(0.01, 0.99, 197)]
    assert chosen >= max(others) - 1e-12
    assert metric == "accuracy" or chosen > SCORE[metric](actual, second >= HALF) + 0.02


@pytest.mark.parametrize("metric", ["log_loss", "brier", "roc_auc", "average_precision"])
def test_a_metric_of_probabilities_leaves_the_threshold_at_a_half(metric):
    assert threshold(metric, *rare()) == HALF


def test_precision_alone_does_not_end_in_answering_one_class_nearly_always():
    second, actual = rare()
    chosen, half = second >= threshold("precision", second, actual), second >= HALF
    assert chosen.sum() >= min(actual.sum() / 2, half.sum())
    extreme = second >= np.sort(second)[-2]
    assert SCORE["precision"](actual, extreme) > SCORE["precision"](actual, chosen)
    assert SCORE["precision"](actual, chosen) >= SCORE["precision"](actual, second >= HALF) - 1e-12


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from(sorted(SCORE)), st.booleans())
def test_a_threshold_stands_clear_of_what_it_was_chosen_on_and_is_never_worse_than_a_half(
    seed, rows, metric, single
):
    second, actual = rare(rows, seed)
    second = np.round(second, 1) + 0.01
    actual = np.zeros_like(actual) if single else actual
    found = threshold(metric, second, actual)
    assert found == np.float32(found)
    assert np.abs(second - found).min() > 5e-7
    if metric in ("accuracy", "balanced_accuracy", "f1"):
        labels = {"balanced_accuracy": lambda a, b: _balanced(a, b)}
        score = labels.get(metric, lambda a, b: _macro(metric, a, b))
        assert score(actual, second >= found) >= score(actual, second >= HALF) - 1e-12


def _balanced(actual: np.ndarray, found: np.ndarray) -> float:
    return float(
        np.mean([np.mean(found[actual == one] == one) if (actual == one).any() else 0 for one in (0, 1)])
    )


def _macro(metric: str, actual: np.ndarray, found: np.ndarray) -> float:
    if metric == "accuracy":
        return float(np.mean(actual == found))
    return float(metrics.f1_score(actual, found, labels=[0, 1], average="macro", zero_division=0))
