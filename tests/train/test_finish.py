"""The winner becomes what production answers: calibrated, with a threshold or an interval, in one graph."""

import numpy as np
import pytest
from sklearn.inspection import partial_dependence, permutation_importance

from esteira.case import Serve
from esteira.train import calibrate, finish, graph
from esteira.train.folds import judged_target
from esteira.train.scores import coverage


def finished(answered, kind: str, **train: object) -> finish.Finished:
    case = answered.case.model_copy(update={"train": answered.case.train.model_copy(update=train)})
    return finish.finish(case, answered.prepared, answered.by(kind), [])


@pytest.mark.parametrize("question", ["price", "price of a ratio"])
@pytest.mark.parametrize("share", [0.6, 0.9])
def test_an_interval_holds_about_the_share_of_the_holdout_that_was_asked(question, share, questions):
    answered = questions(question)
    found = finished(answered, "hist_gradient_boosting", interval=share)
    answers = finish.answers(found, answered.prepared.columns("holdout"))
    low, high = answers.interval.T
    assert np.all(
        (low >= 1000) & (low <= answers.prediction) & (answers.prediction <= high) & (high <= 60000)
    )
    assert coverage(answered.prepared.target("holdout"), answers.interval) == pytest.approx(share, abs=0.1)


def test_an_interval_of_a_logarithm_is_a_factor_and_else_a_margin(questions):
    for question, near in (("price", 60_000), ("price of a ratio", 2)):
        found = finished(questions(question), "ridge")
        answers = finish.answers(found, questions(question).prepared.columns("holdout"))
        inside = (answers.interval[:, 0] > 1000) & (answers.interval[:, 1] < 60_000)
        low, high = answers.interval[inside].T
        middle = answers.prediction[inside]
        assert high == pytest.approx(middle * found.interval if near == 2 else middle + found.interval)
        assert low == pytest.approx(middle / found.interval if near == 2 else middle - found.interval)
        assert found.interval < near


def test_a_binary_case_gets_the_threshold_of_its_metric_and_more_classes_none(questions):
    found = finished(questions("cheap"), "logistic_regression")
    assert 0 < found.threshold < 1
    assert found.threshold != 0.5
    answers = finish.answers(found, questions("cheap").prepared.columns("holdout"))
    assert np.array_equal(answers.prediction, answers.probabilities[:, 1] >= found.threshold)
    assert finished(questions("cheap"), "logistic_regression", metric="log_loss").threshold == 0.5
    assert finished(questions("grade"), "logistic_regression").threshold is None


def test_class_weights_are_taken_out_of_the_probabilities(questions):
    answered = questions("cheap")
    found = finished(answered, "logistic_regression")
    columns, actual = answered.prepared.columns("holdout"), answered.prepared.target("holdout")
    calibrated = finish.answers(found, columns).probabilities
    plain = answered.by("logistic_regression").estimator().predict_proba(columns)
    assert calibrate.log_loss(calibrated, actual) < calibrate.log_loss(plain, actual)
    assert abs(calibrated[:, 1].mean() - actual.mean()) < abs(plain[:, 1].mean() - actual.mean()) / 2


@pytest.mark.parametrize("kind", ["decision_tree", "random_forest", "svc"])
def test_calibration_of_many_classes_turns_an_answer_only_where_probabilities_are_judged(kind, questions):
    answered = questions("grade")
    columns = answered.prepared.columns("holdout")
    plain = answered.by(kind).estimator().predict_proba(columns).astype(np.float32)
    found = finished(answered, kind, metric="accuracy")
    answers = finish.answers(found, columns)
    assert np.array_equal(answers.prediction, plain.argmax(axis=1))
    actual = judged_target(answered.case, answered.prepared)
    given = answered.by(kind).answered()
    calibration = finished(answered, kind).estimator().calibration
    assert calibrate.log_loss(calibration.apply(given), actual) <= calibrate.log_loss(given, actual)


@pytest.mark.parametrize("question", ["price", "grade"])
def test_every_candidate_that_is_compared_answers_for_itself_in_the_cases_order(question, questions):
    answered = questions(question)
    case = answered.case.model_copy(update={"serve": Serve(compare=True)})
    winner = answered.by("random_forest")
    others = [one for one in reversed(answered.fitted) if one is not winner]
    found = finish.finish(case, answered.prepared, winner, others)
    assert found.compared == tuple(one.kind for one in case.train.candidates)
    columns = answered.prepared.columns("holdout")
    answers = finish.answers(found, columns)
    for place, kind in enumerate(found.compared):
        own = answered.by(kind).estimator().predict(columns)
        assert answers.models[:, place] == pytest.approx(own)
    assert answers.models.dtype == (np.float64 if question == "price" else np.int64)


def test_without_compare_there_is_no_other_answer(questions):
    found = finished(questions("price"), "ridge")
    assert found.compared == ()
    names = [one.name for one in graph.session(found.graph.read_bytes()).get_outputs()]
    assert names == ["prediction", "interval"]


@pytest.mark.parametrize("question", ["price", "cheap", "grade"])
def test_the_final_pickle_is_at_home_in_scikit_learn(question, questions):
    answered = questions(question)
    model = finished(answered, "decision_tree").estimator()
    columns, actual = np.array(answered.prepared.columns("holdout")), answered.prepared.target("holdout")
    assert model.score(columns, actual) > 0.4
    drops = permutation_importance(model, columns, actual, n_repeats=1, random_state=0)
    assert drops.importances_mean.argmax() == answered.prepared.column_names.index("area")
    averages = partial_dependence(model, columns, [0], grid_resolution=5)["average"]
    assert np.ptp(averages) > 0
