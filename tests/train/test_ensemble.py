"""The ensemble is the best candidates together, where together they are better."""

import joblib
import numpy as np
import pytest
from questions import QUESTIONS

from esteira.candidates import Ensemble
from esteira.train.ensemble import combine
from esteira.train.folds import judged_target
from esteira.train.judge import choose


def answering(one, answers, path, score):
    """The same candidate with other answers to the judged rows."""
    np.save(path, answers)
    return one.model_copy(update={"answers": path, "scores": {**one.scores, **score}})


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_ensemble_is_no_worse_than_its_best_member_and_says_who_is_in_it(question, questions):
    answered = questions(question)
    found, metric = answered.ensemble, answered.case.metric
    best = choose(answered.case, answered.fitted)
    sign = -1 if metric in ("f1",) else 1
    assert sign * found.scores[metric] <= sign * best.scores[metric] + 1e-12
    assert best.name in found.bound
    assert "chosen on the rows that candidates are compared on" in found.bound or "alone" in found.bound


@pytest.mark.parametrize("question", QUESTIONS)
def test_its_pickle_answers_the_mean_of_its_members(question, questions):
    answered = questions(question)
    model = joblib.load(answered.ensemble.model)
    columns = answered.prepared.columns("holdout")
    ask = "predict" if answered.case.task == "regression" else "predict_proba"
    members = np.array([getattr(one, ask)(columns) for one in model.models])
    assert sum(model.weights) == pytest.approx(1)
    if answered.case.train.log_target:
        members = np.log(members)
    mean = sum(weight * one for weight, one in zip(model.weights, members, strict=True))
    found = getattr(model, ask)(columns)
    assert found == pytest.approx(np.exp(mean) if answered.case.train.log_target else mean)
    if answered.case.task == "classification":
        assert np.array_equal(model.predict(columns), found.argmax(axis=1))


def test_members_that_err_in_opposite_ways_make_a_better_one_together(questions, tmp_path):
    answered = questions("price")
    actual = judged_target(answered.case, answered.prepared)
    error = np.random.default_rng(0).normal(0, 1_000, len(actual))
    pair = [
        answering(answered.by("ridge"), actual + error, tmp_path / "a.npy", {"rmse": 1_000.0}),
        answering(answered.by("decision_tree"), actual - error, tmp_path / "b.npy", {"rmse": 1_001.0}),
    ]
    found = combine(answered.case, answered.prepared, Ensemble(), pair)
    assert found.bound.startswith("50% ridge + 50% decision_tree")
    assert found.scores["rmse"] < 1e-6
    assert choose(answered.case, [*pair, found]) is found
    assert combine(answered.case, answered.prepared, Ensemble(), pair).bound == found.bound


def test_a_candidate_that_is_best_alone_wins_and_not_its_ensemble(questions, tmp_path):
    answered = questions("grade")
    best = choose(answered.case, answered.fitted)
    answers = np.roll(best.answered(), 1, axis=1)  # sure of the class beside the right one
    worse = [
        answering(one, answers, tmp_path / f"{one.name}.npy", {"log_loss": 9.0})
        for one in answered.fitted
        if one is not best
    ]
    found = combine(answered.case, answered.prepared, Ensemble(), [*worse, best])
    assert found.bound == f"{best.name} alone: no other candidate makes it better"
    assert found.scores == best.scores
    assert choose(answered.case, [*worse, best, found]) is best


def test_no_more_members_than_asked_and_one_candidate_is_enough(questions):
    answered = questions("price")
    found = combine(answered.case, answered.prepared, Ensemble(members=2), answered.fitted)
    assert len(joblib.load(found.model).models) <= 2
    alone = combine(answered.case, answered.prepared, Ensemble(), answered.fitted[:1])
    assert alone.scores == answered.fitted[0].scores
