"""The graph that production runs answers as the scikit-learn model that was judged."""

import numpy as np
import onnx
import pandas as pd
import pytest
from questions import QUESTIONS

from esteira.train import features, finish, graph
from esteira.train.answers import Answers
from esteira.train.golden import TOLERANCE


def feed(answered, rows):
    shape = features.layout(answered.case.features)
    return features.tensors(features.frame(rows, shape), shape)


def of_rows(answered, finished, rows):
    """What the graph and scikit-learn answer to raw rows."""
    shape = features.layout(answered.case.features)
    columns = answered.prepared.scaler().transform(features.frame(rows, shape))
    given = graph.run(graph.session(finished.graph.read_bytes()), feed(answered, rows))
    return given, finish.answers(finished, columns)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_graph_equals_its_model_also_on_missing_and_unseen_values(question, questions):
    answered = questions(question)
    case = answered.case.model_copy(
        update={"serve": answered.case.serve.model_copy(update={"compare": True})}
    )
    holdout = answered.prepared.raw("holdout")
    rows = pd.concat([holdout, features.disturbed(holdout, case)], ignore_index=True)
    for winner in [*answered.fitted, answered.ensemble]:
        others = [one for one in answered.fitted if one is not winner]
        finished = finish.finish(case, answered.prepared, winner, others)
        given, expected = of_rows(answered, finished, rows)
        assert graph.parity(given, expected, answered.prepared.scale) < TOLERANCE / 10, winner.name
        assert given.models.shape == (len(rows), len(answered.fitted))
        assert len(np.unique(given.prediction)) > 1


@pytest.mark.parametrize("question", ["price", "grade"])
def test_what_mlflow_gets_answers_as_the_candidate_alone(question, questions):
    answered = questions(question)
    fitted = answered.by("hist_gradient_boosting")
    session = graph.session(graph.whole(answered.prepared, fitted))
    (found,) = session.run(None, feed(answered, answered.prepared.raw("holdout")))
    columns, model = answered.prepared.columns("holdout"), fitted.estimator()
    if question == "price":
        assert found[:, 0] == pytest.approx(model.predict(columns), rel=1e-6)
    else:
        assert np.abs(found - model.predict_proba(columns)).max() < 1e-6


def test_a_model_that_answers_twice_is_in_the_graph_once(questions):
    answered = questions("grade")
    case = answered.case.model_copy(
        update={"serve": answered.case.serve.model_copy(update={"compare": True})}
    )
    finished = finish.finish(case, answered.prepared, answered.ensemble, answered.fitted)
    nodes = [node.op_type for node in onnx.load(finished.graph).graph.node]
    assert nodes.count("TreeEnsembleRegressor") == 4


def test_more_rows_than_are_asked_at_once_come_back_in_their_order(questions):
    answered = questions("price")
    finished = finish.finish(answered.case, answered.prepared, answered.fitted[0], [])
    rows = answered.prepared.raw("holdout")
    many = rows.iloc[np.arange(2_500) % len(rows)]
    given, expected = of_rows(answered, finished, many)
    assert graph.parity(given, expected, answered.prepared.scale) < TOLERANCE
    assert len(given.prediction) == len(given.interval) == 2_500
    none = graph.run(graph.session(finished.graph.read_bytes()), feed(answered, rows.head(0)))
    assert none.prediction.shape == (0,)


def classes(*places: int, sure: float = 0.9) -> Answers:
    probabilities = np.full((len(places), 2), 1 - sure)
    probabilities[np.arange(len(places)), places] = sure
    return Answers(prediction=np.array(places, np.int64), probabilities=probabilities)


def numbers(*values: float, models: np.ndarray | None = None) -> Answers:
    return Answers(prediction=np.array(values), models=models)


def test_a_difference_is_told_for_what_it_is():
    assert graph.parity(classes(0, 1), classes(0, 1), 1) == 0
    assert graph.parity(classes(0, 1), classes(0, 1, sure=0.8), 1) == pytest.approx(0.1)
    assert graph.parity(classes(0, 0), classes(0, 1), 1) == np.inf
    assert graph.parity(classes(0, 1), classes(0, 1, 1), 1) == np.inf
    assert graph.parity(numbers(1.0, 200.0), numbers(1.5, 220.0), 10) == pytest.approx(20 / 220)
    assert graph.parity(numbers(1.0), numbers(1.5), 10) == pytest.approx(0.05)
    assert graph.parity(numbers(np.nan), numbers(1.5), 10) == np.inf
    assert graph.parity(numbers(1.0), numbers(1.0, models=np.ones((1, 2))), 10) == np.inf
