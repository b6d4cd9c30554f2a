"""Scores are those that the field knows by their names, whatever rows they are asked of."""

import math

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics

from esteira.case import LOWER_IS_BETTER, METRICS
from esteira.train import scores
from esteira.train.answers import Answers
from flats import flats


def classification(classes):
    column = {"type": "category", "levels": list(classes)}
    columns = {**flats().model_dump(mode="json")["columns"], "price": column}
    candidates = [{"kind": "decision_tree"}]
    return flats(task="classification", columns=columns, train={"candidates": candidates}, gate={})


def answered(count, rows=400, seed=0):
    random = np.random.default_rng(seed)
    actual = random.integers(0, count, rows)
    given = softmax(random.normal(size=(rows, count)) + 1.5 * np.eye(count)[actual], axis=1)
    return actual, Answers(prediction=given.argmax(axis=1), probabilities=given)


@pytest.mark.parametrize("count", [2, 7])
def test_of_a_classification_they_are_scikit_learns(count):
    actual, answers = answered(count)
    found = scores.scores(classification("abcdefg"[:count]), actual, answers, "abcdefg"[:count])
    one = answers.probabilities[:, 1] if count == 2 else answers.probabilities
    macro = {"average": "macro"}
    truth = actual if count == 2 else np.eye(count)[actual]
    assert tuple(found) == METRICS["classification"]
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(actual, answers.prediction),
            "balanced_accuracy": metrics.balanced_accuracy_score(actual, answers.prediction),
            "precision": metrics.precision_score(actual, answers.prediction, **macro),
            "recall": metrics.recall_score(actual, answers.prediction, **macro),
            "f1": metrics.f1_score(actual, answers.prediction, **macro),
            "roc_auc": metrics.roc_auc_score(actual, one, multi_class="ovr", average="macro"),
            "average_precision": metrics.average_precision_score(truth, one),
            "log_loss": metrics.log_loss(actual, answers.probabilities),
            "brier": metrics.brier_score_loss(actual, one),
        }
    )


def test_rows_of_equal_probability_are_one_point_of_a_curve():
    actual, answers = answered(2)
    given = np.round(answers.probabilities, 1)
    found = scores.scores(
        classification("ab"), actual, Answers(prediction=answers.prediction, probabilities=given)
    )
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(actual, given[:, 1]))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(actual, given[:, 1]))


def test_of_a_regression_they_are_scikit_learns():
    random = np.random.default_rng(0)
    actual = random.lognormal(3, 1, 300)
    given = actual * random.lognormal(0, 0.2, 300)
    assert scores.scores(flats(), actual, Answers(prediction=given)) == pytest.approx(
        {
            "r2": metrics.r2_score(actual, given),
            "rmse": metrics.root_mean_squared_error(actual, given),
            "mae": metrics.mean_absolute_error(actual, given),
            "mape": metrics.mean_absolute_percentage_error(actual, given),
            "medae": metrics.median_absolute_error(actual, given),
        }
    )


@pytest.mark.parametrize(("given", "r2"), [([5.0, 5.0, 5.0], 1.0), ([5.0, 5.0, 6.0], 0.0)])
def test_of_targets_that_are_all_the_same_there_is_an_r2_too(given, r2):
    assert scores.scores(flats(), np.full(3, 5.0), Answers(prediction=np.array(given)))["r2"] == r2


@pytest.mark.parametrize("present", [[0], [1], [0, 1], [2], [0, 3, -1]])
@pytest.mark.parametrize("count", [2, 4])
def test_they_are_numbers_also_where_a_class_is_absent_or_unknown(present, count):
    actual, answers = answered(count)
    actual = np.resize([place for place in present if place < count] or [0], len(actual))
    found = scores.scores(classification("abcd"[:count]), actual, answers)
    assert all(map(math.isfinite, found.values()))
    assert 0 <= found["roc_auc"] <= 1


def test_one_wrong_certainty_is_bad_and_not_infinite():
    answers = Answers(prediction=np.array([0, 0]), probabilities=np.array([[1.0, 0.0], [1.0, 0.0]]))
    found = scores.scores(classification("ab"), np.array([0, 1]), answers)
    assert 10 < found["log_loss"] < 20


def test_labels_alone_have_the_scores_that_need_no_probability():
    found = scores.scores(classification("ab"), np.array([0, 1]), Answers(prediction=np.array([0, 0])))
    assert set(found) == {"accuracy", "balanced_accuracy", "precision", "recall", "f1"}


def test_the_logarithms_r2_is_there_only_where_the_case_takes_logarithms():
    actual, given = np.array([10.0, 100.0, 1000.0]), Answers(prediction=np.array([12.0, 90.0, -5.0]))
    plain = scores.scores(flats(), actual, given)
    assert tuple(plain) == ("r2", "rmse", "mae", "mape", "medae")
    logged = flats(train={"candidates": [{"kind": "decision_tree"}], "log_target": True})
    exact = scores.scores(logged, actual, Answers(prediction=actual * 2))
    off = np.log(2) ** 2 * 3 / ((np.log(actual) - np.log(actual).mean()) ** 2).sum()
    assert exact["r2_log"] == pytest.approx(1 - off)
    assert math.isfinite(scores.scores(logged, actual, given)["r2_log"])


@pytest.mark.parametrize("metric", [*METRICS["regression"], *METRICS["classification"]])
def test_of_an_error_the_smaller_is_better_and_equal_is_not(metric):
    assert scores.better(metric, 0.1, 0.2) == (metric in LOWER_IS_BETTER)
    assert scores.better(metric, 0.2, 0.1) == (metric not in LOWER_IS_BETTER)
    assert not scores.better(metric, 0.2, 0.2)
    assert not scores.better(metric, math.nan, 0.2)


def test_each_class_has_its_own_scores_by_name_also_one_that_nobody_met():
    found = scores.per_class(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ["no", "yes", "maybe"])
    assert list(found) == ["no", "yes", "maybe"]
    assert (found["no"].recall, found["no"].precision, found["no"].support) == (0.5, 1.0, 2)
    assert found["yes"].precision == pytest.approx(2 / 3)
    assert (found["maybe"].f1, found["maybe"].support) == (0.0, 0)


def test_technical_details_go_by_the_names_of_the_api():
    details = scores.technical_details(classification("ab"), np.array([0, 1, 1]), np.array([0, 1, 0]))
    assert set(details) == {"accuracy", "precision", "recall", "f1-score"}
    assert details["accuracy"] == pytest.approx(2 / 3)
    numbers = scores.technical_details(flats(), np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    assert set(numbers) == {"r2", "rmse", "mae"}


def test_an_intervals_ends_count_as_inside():
    ends = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 3.0], [5.0, 6.0]])
    assert scores.coverage(np.array([0.0, 1.0, 4.0, 5.5]), ends) == 0.75
    assert scores.width(ends) == 1.0


@pytest.mark.parametrize("classes", [("no", "yes"), (3, 1)])
def test_a_label_has_its_place_among_the_classes_or_none(classes):
    odd = "perhaps" if isinstance(classes[0], str) else 7
    assert scores.places([classes[1], odd, classes[0]], classes).tolist() == [1, -1, 0]
