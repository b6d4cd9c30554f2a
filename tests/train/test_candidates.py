"""Each candidate fits both small and odd tables, and says what it costs and what went wrong."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
from boards import board_case, boards, prepared_boards
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LinearRegression as PlainLinear
from sklearn.linear_model import Ridge as PlainRidge

from esteira import candidates
from esteira.candidates import (
    SVC,
    Ensemble,
    ExtraTrees,
    HistGradientBoosting,
    RandomForest,
    Ridge,
    Single,
)
from esteira.train import graph
from esteira.train.fit import fit, named
from esteira.train.folds import judged_target
from esteira.train.learn import CandidateError, sample

SMALL = {
    "random_forest": {"trees": 10},
    "extra_trees": {"trees": 10},
    "hist_gradient_boosting": {"iterations": 40, "learning_rate": 0.1},
}
PAIRS = [(one, task) for one in get_args(Single) for task in sorted(one.tasks)]


def small(kind: type) -> object:
    return kind(**SMALL.get(kind.model_fields["kind"].default, {}))


def kinds(target: str) -> list[dict[str, object]]:
    task = {"price": "regression", "grade": "classification"}[target]
    names = [one.model_fields["kind"].default for one in get_args(Single) if task in one.tasks]
    return [{"kind": name, **SMALL.get(name, {})} for name in names]


@pytest.mark.parametrize(("kind", "task"), PAIRS)
def test_every_candidate_learns_from_columns_that_it_may_not_change(kind, task):
    make = make_regression if task == "regression" else make_classification
    columns, target = make(1_500, 8, n_informative=6, random_state=0)
    columns = columns.astype(np.float32)
    columns.flags.writeable = False
    model = small(kind).fit(columns[:1_000], target[:1_000], task)
    assert model.score(columns[1_000:], target[1_000:]) > 0.6
    assert type(model).__module__.startswith("sklearn.")


@pytest.mark.parametrize("kind", [one for one in get_args(Single) if "classification" in one.tasks])
def test_every_classifier_minds_how_much_a_row_counts(kind):
    columns, target = make_classification(1_500, 6, weights=[0.9], flip_y=0.2, random_state=1)
    columns, weights = columns.astype(np.float32), np.where(target == 1, 9.0, 1.0)
    plain = small(kind).fit(columns, target, "classification")
    weighted = small(kind).fit(columns, target, "classification", weights)
    share = [model.predict_proba(columns)[:, 1].mean() for model in (plain, weighted)]
    assert share[1] > share[0] + 0.05


@pytest.mark.parametrize(
    ("kind", "plain"), [("ridge", PlainRidge(5.0)), ("linear_regression", PlainLinear())]
)
def test_least_squares_in_batches_are_those_of_all_rows_at_once(kind, plain):
    columns, target = make_regression(5_000, 7, noise=5, bias=1e6, random_state=0)
    columns = (columns + 100).astype(np.float32)
    ours = (Ridge(alpha=5.0) if kind == "ridge" else candidates.LinearRegression()).fit(
        columns, target, "regression"
    )
    plain.fit(columns.astype(np.float64), target)
    assert np.allclose(ours.coef_, plain.coef_, rtol=1e-9)
    assert np.allclose(ours.predict(columns), plain.predict(columns), rtol=1e-9)


@pytest.mark.parametrize("kind", [candidates.LinearRegression, Ridge])
def test_columns_that_add_up_do_not_make_the_coefficients_explode(kind):
    random = np.random.default_rng(0)
    level = np.eye(4, dtype=np.float32)[random.integers(0, 4, 6_000)]
    columns = np.column_stack([level, level[:, :2], random.normal(size=6_000), np.ones(6_000)]).astype(
        np.float32
    )
    target = level @ [1.0, 2, 3, 4] + random.normal(0, 0.1, 6_000)
    model = kind().fit(columns, target, "regression")
    assert np.abs(model.coef_).max() < 10
    assert model.score(columns, target) > 0.98


def test_the_api_can_read_a_case_without_loading_any_library_of_models():
    code = "import sys, esteira.case; print({'sklearn', 'optuna', 'numpy', 'imblearn'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="plugins"
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("kind", get_args(Single))
def test_default_parameters_lie_where_they_are_searched(kind):
    for name, span in kind().searched.items():
        assert span.low <= getattr(kind(), name) <= span.high
        assert isinstance(getattr(kind(), name), int) == isinstance(span.low, int)
    for name, value in ((name, value) for start in kind().starts for name, value in start.items()):
        span = kind().searched[name]
        assert span.low <= value <= span.high


def test_what_the_case_gives_a_value_is_not_searched():
    assert "iterations" in HistGradientBoosting().searched
    assert "iterations" not in HistGradientBoosting(iterations=300).searched


def test_a_candidate_is_refused_for_the_other_task():
    with pytest.raises(ValueError, match="'ridge' cannot do a classification"):
        board_case("grade", candidates=[{"kind": "ridge"}])


def test_every_cost_is_bounded_in_words():
    assert SVC().bound(1_000_000) == (
        "a sample of 5,000 of 1,000,000 rows, because its cost grows with their square"
    )
    assert (
        RandomForest(trees=3, rows_per_tree=500)
        .bound(2_000)
        .startswith("2,000 of 2,000 rows, 500 for each of 3")
    )
    assert (
        ExtraTrees(trees=3)
        .bound(1_000_000)
        .startswith("50,000 of 1,000,000 rows for 3 trees of at most 4,096")
    )
    assert HistGradientBoosting().bound(1_000_000).startswith("200,000 of 1,000,000 rows")
    assert Ensemble().bound(10) == "at most 3 of the other candidates together"


def test_what_would_grow_with_the_classes_is_bounded_unless_the_case_says_otherwise():
    few, many = HistGradientBoosting().among(3, 900), HistGradientBoosting().among(100, 900)
    assert few == HistGradientBoosting()
    assert (many.iterations, many.learning_rate) == (30, 0.3)
    assert HistGradientBoosting(iterations=300).among(100, 900).iterations == 300
    for kind in (RandomForest, ExtraTrees):
        assert kind().among(10, 900) == kind()
        assert kind().among(100, 900).max_leaf_nodes == 409
        assert kind(max_leaf_nodes=5_000).among(100, 900).max_leaf_nodes == 5_000


def test_on_many_rows_boosting_grows_larger_trees_and_is_still_searched():
    large = HistGradientBoosting().among(2, 15_000)
    assert (large.iterations, large.max_leaf_nodes, large.max_features) == (400, 63, 0.3)
    assert large.searched == HistGradientBoosting().searched
    assert HistGradientBoosting().among(2, 14_999) == HistGradientBoosting()
    assert large.among(7, 15_000).iterations == 142


def test_on_many_rows_boosting_stays_as_the_case_says():
    for given in ({"iterations": 150}, {"max_leaf_nodes": 8}, {"learning_rate": 0.1}):
        assert HistGradientBoosting(**given).among(2, 100_000) == HistGradientBoosting(**given)
    assert HistGradientBoosting(max_rows=500, seed=3).among(2, 100_000).max_leaf_nodes == 63


def test_a_sample_is_even_and_the_same_every_time():
    target = np.random.default_rng(0).normal(size=1_000)
    rows = sample(target, 100)
    assert len(set(rows)) == 100
    assert (rows == sample(target, 100)).all()
    assert 300 < rows.mean() < 700
    assert np.array_equal(target[sample(target, 1_000)], target)


def test_a_sample_leaves_no_class_out():
    target = np.array([0] * 500 + [1] * 499 + [2])
    assert set(target[sample(target, 50)]) == {0, 1, 2}


@pytest.fixture(scope="module", params=["price", "grade"])
def fitted(request, tmp_path_factory):
    case = board_case(request.param, candidates=kinds(request.param), log_target=request.param == "price")
    prepared = prepared_boards(case, tmp_path_factory.mktemp("boards"))
    return case, prepared, [fit(case, prepared, one) for one in case.train.candidates]


def test_every_candidate_keeps_its_answers_to_the_rows_that_it_was_scored_on(fitted):
    case, prepared, found = fitted
    rows = prepared.columns("validation")
    for one in found:
        model = one.estimator()
        expected = model.predict(rows) if case.task == "regression" else model.predict_proba(rows)
        assert np.allclose(one.answered(), expected, rtol=1e-12)
        assert len(judged_target(case, prepared)) == len(expected)
        assert one.candidate.kind in case.train.model_dump_json()
        assert one.study is None


def test_every_candidate_is_better_than_a_guess_and_exported(fitted):
    case, prepared, found = fitted
    rows = prepared.columns("validation")
    for one in found:
        metric, least = ("r2", 0.4) if case.task == "regression" else ("roc_auc", 0.75)
        assert one.scores[metric] > least, one.sentence()
        run = graph.session(one.graph.read_bytes())
        (answers,) = run.run(None, {"columns": np.asarray(rows)})
        assert np.allclose(answers.ravel(), one.answered().ravel(), rtol=1e-5, atol=1e-5)


def test_out_of_fold_each_row_is_answered_by_a_model_that_never_saw_it(tmp_path):
    case = board_case("price", folds=3, candidates=[{"kind": "decision_tree", "min_samples_leaf": 1}])
    prepared = prepared_boards(case, tmp_path)
    one = fit(case, prepared, case.train.candidates[0])
    answers, actual = one.answered(), judged_target(case, prepared)
    assert sorted(actual) == sorted(prepared.target("train"))
    assert 0.3 < one.scores["r2"] < 0.99
    assert one.estimator().score(prepared.columns("train"), prepared.target("train")) > 0.999
    assert np.corrcoef(answers, actual)[0, 1] > 0.5


def test_a_class_that_a_round_has_no_rows_of_gets_no_probability(tmp_path):
    table = boards()
    table["grade"] = np.where(table["cut"] < "2021-02-01", "common", table["grade"])
    table.loc[::7, "grade"] = "rare"
    case = board_case("grade", folds=3, time="cut", candidates=[{"kind": "decision_tree"}])
    prepared = prepared_boards(case, tmp_path, table)
    one = fit(case, prepared, case.train.candidates[0])
    assert prepared.classes == ("common", "rare", "scarce")
    assert one.answered().shape[1] == 3
    assert one.answered()[:100, 2].max() == 0
    assert list(one.estimator().classes_) == [0, 1, 2]


def test_a_candidate_that_cannot_be_fitted_says_why(tmp_path):
    table = boards()
    table.loc[table["grade"] == "scarce", "grade"] = "rare"
    case = board_case("grade", folds=2, candidates=[{"kind": "svc", "curve_folds": 700}])
    with pytest.raises(CandidateError, match=r"svc cannot be fitted on this table: Requesting 700-fold"):
        fit(case, prepared_boards(case, tmp_path, table), case.train.candidates[0])


def test_a_candidate_that_answers_no_numbers_is_named(tmp_path):
    table = boards()
    table.loc[table["cut"] >= "2021-02-07", "length"] = 1e6
    case = board_case("price", time="cut", log_target=True, candidates=[{"kind": "linear_regression"}])
    prepared = prepared_boards(case, tmp_path, table)
    with pytest.raises(
        CandidateError, match=r"linear_regression answers \d+ of \d+ rows with no finite number"
    ):
        fit(case, prepared, case.train.candidates[0])


def test_an_unknown_candidate_is_refused_with_those_that_there_are():
    case = board_case("price", candidates=[{"kind": "ridge"}, {"kind": "ensemble"}])
    with pytest.raises(
        CandidateError, match="'svc' is not a candidate of the case 'boards'; it has ridge, ensemble"
    ):
        named(case, "svc")


def test_an_ensemble_is_not_fitted_on_rows(tmp_path):
    case = board_case("price", candidates=[{"kind": "ridge"}, {"kind": "ensemble"}])
    with pytest.raises(CandidateError, match="put together from fitted candidates"):
        fit(case, prepared_boards(case, tmp_path), named(case, "ensemble"))
