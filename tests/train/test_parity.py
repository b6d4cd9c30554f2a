"""The graph that production runs answers as the scikit-learn model that was judged."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from esteira.train import features, graph
from esteira.train.facts import TOLERANCE
from esteira.train.fit import fit, named, sample
from esteira.train.prepare import prepare
from flats import flats

NAMES = ["linear_regression", "decision_tree", "random_forest", "hist_gradient_boosting"]


def odd_rows(holdout: pd.DataFrame) -> pd.DataFrame:
    """The holdout, with every missing cell, unseen level and extreme that a request may bring."""
    rows = holdout.reset_index(drop=True).copy()
    rows.loc[:50, "age"] = np.nan
    rows.loc[25:75, "kind"] = None
    rows.loc[60:90, "kind"] = "castelo"
    rows.loc[80:99, "area"] = 1000
    return rows


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_graph_equals_its_model_also_on_missing_and_unseen_values(dataset, now, name, log_target):
    case = flats(train={**flats().train.model_dump(mode="json"), "log_target": log_target})
    prepared = prepare(case, dataset, "parity", now)
    fitted = fit(case, prepared, named(case, name))
    shape = features.layout(case.features)
    rows = features.frame(odd_rows(prepared.raw("holdout")), shape)
    model = fitted.estimator()
    expected = model.predict(prepared.scaler().transform(rows))
    answers = graph.predict(graph.session(fitted.graph.read_bytes()), features.tensors(rows, shape))
    assert len(answers) > 300
    assert np.std(answers) > 1000
    bound = TOLERANCE if log_target else 1e-6
    assert graph.parity(answers, expected, prepared.scale) < bound


def test_numbers_alone_and_texts_alone_export_too(now, tmp_path):
    table = pd.read_csv(tmp_path / "raw" / "flats.csv").dropna()
    for keep in (["area", "age"], ["kind"]):
        case = flats(
            columns={
                k: v for k, v in flats().model_dump(mode="json")["columns"].items() if k in {*keep, "price"}
            }
        )
        from esteira.data import clean, raw

        (tmp_path / "raw" / "flats.csv").write_text(table[[*keep, "price"]].to_csv(index=False))
        prepared = prepare(case, clean.clean(case, raw.find(case, now), now), "narrow", now)
        fitted = fit(case, prepared, named(case, "linear_regression"))
        run = graph.session(fitted.graph.read_bytes())
        assert [one.name for one in run.get_inputs()] == (["numbers"] if "area" in keep else ["texts"])


def test_the_pickles_are_plain_scikit_learn(dataset, now):
    case = flats()
    prepared = prepare(case, dataset, "pickles", now)
    fitted = fit(case, prepared, named(case, "linear_regression"))
    scaler, model = joblib.load(prepared.folder / "scaler.joblib"), joblib.load(fitted.model)
    assert isinstance(scaler, Pipeline)
    columns = scaler.transform(features.frame(prepared.raw("holdout"), features.layout(case.features)))
    assert columns.dtype == np.float32
    assert np.array_equal(columns, prepared.columns("holdout"))
    assert np.corrcoef(model.predict(columns), prepared.target("holdout"))[0, 1] > 0.99


def test_preprocessing_is_fitted_on_the_training_part_alone(dataset, now):
    case = flats()
    prepared = prepare(case, dataset, "fit", now)
    train = prepared.columns("train")
    assert np.allclose(train[:, :2].mean(axis=0), 0, atol=1e-5)
    assert not np.allclose(prepared.columns("holdout")[:, :2].mean(axis=0), 0, atol=1e-5)
    assert prepared.seen["city"].levels == (1, 2, 3)
    assert "" in prepared.seen["kind"].levels


def test_a_candidate_says_how_its_cost_is_bounded(dataset, now, caplog):
    case = flats(train={"candidates": [{"kind": "random_forest", "trees": 3, "rows_per_tree": 500}]})
    prepared = prepare(case, dataset, "bound", now)
    with caplog.at_level("INFO", logger="esteira"):
        fit(case, prepared, named(case, "random_forest"))
    assert ", 500 for each of 3 trees of at most 1,024 leaves" in caplog.text


def test_a_candidate_with_fewer_rows_than_there_are_takes_an_even_sample():
    rows = sample(1_000, 100)
    assert len(set(rows)) == 100
    assert (rows == sample(1_000, 100)).all()
    assert 300 < rows.mean() < 700
    assert np.array_equal(np.arange(50)[sample(50, 80)], np.arange(50))
