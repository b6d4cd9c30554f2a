"""What a version's metadata says was seen on the holdout, and its golden examples can be asked anywhere."""

import numpy as np
import pandas as pd
import pytest

from esteira.columns import Date
from esteira.days import to_days
from esteira.train import features, graph, judge, steps, track
from esteira.train.judge import NoCandidateError
from flats import flats

STORIES = ["flat_story", "storm_story"]


@pytest.fixture(params=STORIES)
def story(request):
    return request.getfixturevalue(request.param)


def test_the_golden_examples_get_their_answers_from_the_published_graph(story):
    facts = story.published.metadata
    shape = features.layout(facts.columns)
    rows = pd.DataFrame([golden.record for golden in facts.golden])
    for name in (name for name, column in facts.columns.items() if isinstance(column, Date)):
        rows[name] = rows[name].map(to_days, na_action="ignore")
    answers = graph.run(
        graph.session(story.published.read("onnx")), features.tensors(features.frame(rows, shape), shape)
    )
    assert len(facts.golden) == 20
    for place, golden in enumerate(facts.golden):
        given = answers.prediction[place]
        assert facts.agrees(facts.classes[given] if facts.classes else float(given), golden.prediction)
        for name in ("probabilities", "interval"):
            asked, said = getattr(answers, name), getattr(golden, name)
            assert (asked is None) == (said is None)
            assert said is None or asked[place] == pytest.approx(said, rel=1e-5)


def test_no_golden_example_is_near_another_class_and_each_class_is_there(storm_story):
    facts = storm_story.published.metadata
    assert {golden.prediction for golden in facts.golden} == {"no", "yes"}
    for golden in facts.golden:
        assert abs(golden.probabilities[1] - facts.threshold) > 1e-3
        assert (golden.probabilities[1] >= facts.threshold) == (golden.prediction == "yes")


def test_a_golden_record_is_what_a_client_would_send(storm_story):
    first = storm_story.published.metadata.golden[0].record
    assert set(first) == {"day", "wind", "place", "humidity"}
    assert to_days(first["day"]) > to_days("2022-01-01")
    assert isinstance(first["place"], int)
    values = [golden.record for golden in storm_story.published.metadata.golden]
    assert all(row["wind"] in {"N", "S", "W", None} for row in values)


def test_the_metadata_says_everything_of_a_classification(storm_story):
    facts = storm_story.published.metadata
    assert facts.classes == ("no", "yes")
    assert 0 < facts.threshold < 1
    assert list(facts.per_class) == ["no", "yes"]
    assert sum(one.support for one in facts.per_class.values()) == facts.dataset.holdout_rows
    mean = np.mean([one.f1 for one in facts.per_class.values()])
    assert facts.scores["f1"] == pytest.approx(mean)
    assert next(iter(facts.importances)) == "humidity"
    assert (facts.interval, facts.unit, facts.scale) == (None, None, 1.0)


def test_the_metadata_says_everything_of_a_regression(flat_story):
    facts = flat_story.published.metadata
    assert facts.interval.asked == 0.9
    assert 0.8 < facts.interval.coverage <= 1
    assert 0 < facts.interval.width < facts.scale
    assert list(facts.importances)[:2] == ["area", "city"]
    assert {one.name for one in facts.compared} <= {"LinearRegression", "DecisionTree", "Ensemble"}
    assert all(set(one.scores) == {"r2", "rmse", "mae"} for one in facts.compared)
    linear = next(one for one in facts.compared if one.name == "LinearRegression")
    assert linear.scores["r2"] > 0.9
    assert (facts.classes, facts.threshold, facts.per_class) == (None, None, {})
    assert facts.parity <= 1e-5


def test_the_first_of_equals_wins_and_of_an_error_the_smaller_one(flat_story):
    winner = flat_story.judgement.winner
    better = winner.model_copy(update={"scores": {"rmse": 1.0}})
    worse = winner.model_copy(update={"scores": {"rmse": 2.0}})
    equal = better.model_copy(update={"seconds": 99.0})
    assert judge.choose(flats(), [worse, better, equal]) is better
    with pytest.raises(NoCandidateError):
        judge.choose(flats(), [])


def test_a_candidate_whose_graph_answers_otherwise_is_passed_over_if_there_is_another(dataset, now):
    case = flats(train={"candidates": [{"kind": "linear_regression"}, {"kind": "decision_tree"}]})
    prepared = steps.split_rows(case, dataset, "parity", now)
    line, tree = steps.fit_all(case, prepared, now)
    line.graph.write_bytes(tree.graph.read_bytes())
    assert steps.pass_the_gate(case, prepared, [line, tree], now).winner.name == "decision_tree"
    with pytest.raises(graph.ParityError, match="linear_regression: the ONNX graph differs"):
        steps.pass_the_gate(case, prepared, [line], now)
    assert track.connect(now).get_run(prepared.mlflow_run_id).info.status == "FAILED"
