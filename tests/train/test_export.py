"""Every candidate's own graph answers as the scikit-learn model that it was made of."""

import joblib
import numpy as np
import onnx
import pytest
from onnxruntime import InferenceSession
from sklearn.linear_model import SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC as Machine  # noqa: N811

from esteira import candidates
from esteira.train.export import ExportError, export_model
from esteira.train.imbalance import Lesson
from esteira.train.learn import learned
from flats import flats

WIDTH = 6
NUMBERS = [
    candidates.LinearRegression(),
    candidates.Ridge(),
    candidates.DecisionTree(),
    candidates.RandomForest(trees=7),
    candidates.ExtraTrees(trees=7),
    candidates.HistGradientBoosting(iterations=25),
]
CLASSES = [candidates.LogisticRegression(), *NUMBERS[2:], candidates.SVC()]
KIND = {"ids": lambda one: getattr(one, "kind", str(one))}


def columns(rows: int, seed: int, far: float = 0) -> np.ndarray:
    """Normal, constant, 0/1 and long-tailed columns; some values `far` off, as training has not seen them."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(rows, WIDTH))
    found[:, 1] = 0
    found[:, 2] = found[:, 2] > 0.5
    found[:, 3] = np.exp(found[:, 3])
    found[::97, 0] += far
    return found.astype(np.float32)


def asked(graph: bytes, rows: np.ndarray) -> np.ndarray:
    (answer,) = InferenceSession(graph).run(None, {"columns": rows})
    return answer


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("candidate", NUMBERS, **KIND)
def test_numbers_are_equal(candidate, log_target):
    rows = columns(1_500, 0)
    logs = np.random.default_rng(1).normal(size=1_500) * 0.1 + 0.4 * rows[:, 4] + rows[:, 2] + 10
    case = flats(train={"candidates": [{"kind": "decision_tree"}], "log_target": log_target})
    model = learned(case, candidate, Lesson(rows, np.exp(logs)))
    rows = columns(900, 2, far=50)
    expected = model.predict(rows.astype(np.float64))
    answer = asked(export_model(model, WIDTH, "regression"), rows)
    assert answer.shape == (900, 1)
    assert np.abs(answer[:, 0] / expected - 1).max() < 1e-6
    assert expected.std() > 1_000


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("candidate", CLASSES, **KIND)
def test_probabilities_are_equal_to_the_last_digits_also_small_ones(candidate, classes):
    rows = columns(1_500, 0)
    score = rows[:, 4] + rows[:, 5] * rows[:, 2] + np.random.default_rng(1).normal(size=1_500) * 0.3
    target = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    model = candidate.fit(rows, target, "classification")
    rows = columns(900, 2, far=50)
    expected = model.predict_proba(rows.astype(np.float64))
    answer = asked(export_model(model, WIDTH, "classification"), rows)
    assert answer.dtype == np.float32
    assert answer.shape == (900, classes)
    assert np.abs(answer - expected).max() < 1e-7
    assert np.array_equal(answer.argmax(axis=1), expected.astype(np.float32).argmax(axis=1))
    some = expected > 0
    assert np.abs(answer[some] / expected[some] - 1).max() < 5e-6
    assert not answer[~some].any()


def test_one_row_is_answered_as_among_many():
    rows = columns(200, 0)
    model = candidates.RandomForest(trees=5).fit(rows, rows[:, 0] > 0, "classification")
    graph = export_model(model, WIDTH, "classification")
    assert np.array_equal(asked(graph, rows), np.vstack([asked(graph, row[None]) for row in rows]))


def test_a_tree_that_could_not_grow_answers_its_one_leaf():
    rows = columns(60, 0)
    for target, task in ((np.full(60, 3.5), "regression"), (np.arange(60) % 2, "classification")):
        model = candidates.DecisionTree(min_samples_leaf=50).fit(rows, target, task)
        answer = asked(export_model(model, WIDTH, task), rows)
        assert np.unique(answer).tolist() == ([3.5] if task == "regression" else [0.5])


def test_a_reopened_pickle_gives_the_same_graph(tmp_path):
    rows = columns(200, 0)
    case = flats(train={"candidates": [{"kind": "ridge"}], "log_target": True})
    model = learned(case, candidates.Ridge(), Lesson(rows, np.exp(rows[:, 4])))
    joblib.dump(model, tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert export_model(again, WIDTH, "regression") == export_model(model, WIDTH, "regression")


def test_a_graph_names_the_operator_sets_that_production_runs():
    rows = columns(200, 0)
    for target, task, version in (
        (rows[:, 0], "regression", 5),
        (rows[:, 0] > 0, "classification", 5),
        (np.digitize(rows[:, 0], [-1, 1]), "classification", 3),
    ):
        model = candidates.DecisionTree().fit(rows, target, task)
        sets = onnx.load_from_string(export_model(model, WIDTH, task)).opset_import
        assert {one.domain: one.version for one in sets} == {"": 21, "ai.onnx.ml": version}


def test_a_model_without_exporter_is_refused_by_name():
    rows = columns(100, 0)
    pipeline = make_pipeline(StandardScaler(), SGDRegressor()).fit(rows, rows[:, 0])
    with pytest.raises(ExportError, match=r"A Pipeline cannot become an ONNX graph.*leave its candidate out"):
        export_model(pipeline, WIDTH, "regression")
    model = candidates.SVC().fit(rows, np.arange(100) % 2, "classification")
    model.calibrated_classifiers_[0].estimator = Machine(kernel="linear").fit(rows, np.arange(100) % 2)
    with pytest.raises(ExportError, match="only an RBF SVC"):
        export_model(model, WIDTH, "classification")
