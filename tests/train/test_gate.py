"""A challenger goes on only if it keeps the thresholds and chance explains what it is worse by."""

import json
import re
import shutil

import mlflow
import numpy as np
import pandas as pd
import pytest
from stories import storms

from esteira import bundle
from esteira.data import clean, raw
from esteira.metadata import HeldOutFact, Interval
from esteira.train import features, graph, registry, steps
from esteira.train.answers import Answers
from esteira.train.gate import Holdout, coverage_floor, gate
from esteira.train.judge import RejectedError
from esteira.train.prepare import prepare
from esteira.train.scores import places, scores
from flats import flats


def train(case, dataset, now, training_id):
    prepared = steps.split_rows(case, dataset, training_id, now)
    judgement = steps.pass_the_gate(case, prepared, steps.fit_all(case, prepared, now), now)
    return steps.publish_version(prepared, judgement, now)


def only(*kinds: str, **changes: object):
    return flats(train={"candidates": [{"kind": kind} for kind in kinds]}, **changes)


def runs(now, role):
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    experiment = client.get_experiment_by_name("flats")
    return client.search_runs([experiment.experiment_id], f"tags.`esteira.role` = '{role}'")


def test_the_story_of_a_training_stands_in_mlflow(dataset, now):
    published = train(flats(), dataset, now, "first")
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    (parent,) = runs(now, "training")
    candidates = runs(now, "candidate")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["esteira.gate"] == "passed"
    assert parent.data.metrics["holdout_r2"] == published.metadata.scores["r2"]
    assert {run.info.run_name for run in candidates} == {one.kind for one in flats().train.candidates}
    for run in candidates:
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert set(run.data.metrics) == {"r2", "rmse", "mae", "mape", "medae", "fit_seconds"}
        assert run.data.params["candidate"] == run.info.run_name
        assert run.inputs.dataset_inputs[0].dataset.digest == dataset.sha
        pictures = {file.path for file in client.list_artifacts(run.info.run_id)}
        names = ("predicted_against_actual", "residuals", "importances", "partial_dependence")
        assert {f"{name}.png" for name in names} <= pictures
    model = mlflow.pyfunc.load_model(f"models:/{run.outputs.model_outputs[0].model_id}")
    assert [one.name for one in model.metadata.signature.inputs] == ["numbers", "texts"]


def test_a_published_version_and_its_registered_version_name_each_other(dataset, now):
    published = train(only("linear_regression"), dataset, now, "first")
    client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
    registered = client.get_model_version_by_alias("flats", "challenger")
    assert registered.tags["esteira.version"] == "1"
    assert registered.tags["esteira.dataset"] == dataset.sha
    (chosen,) = published.metadata.candidates
    assert registered.run_id == published.metadata.mlflow_run_id
    for run_id in (registered.run_id, chosen.mlflow_run_id):
        assert client.get_run(run_id).data.tags["esteira.version"] == "1"
    registry.promote("flats", 1, now)
    assert client.get_registered_model("flats").aliases == {"champion": registered.version}


def test_below_a_threshold_nothing_is_published_and_the_reason_stays_in_mlflow(dataset, now):
    case = only("decision_tree", gate={"r2": 0.999999})
    with pytest.raises(
        RejectedError, match=r"decision_tree is rejected: r2 is 0\.\d+, at least 0\.999999 is asked"
    ):
        train(case, dataset, now, "poor")
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == []
    (parent,) = runs(now, "training")
    assert parent.info.status == "FAILED"
    assert "at least 0.999999" in parent.data.tags["esteira.gate"]


def test_a_challenger_worse_than_the_champion_is_rejected(dataset, now):
    train(only("linear_regression"), dataset, now, "good")
    with pytest.raises(RejectedError, match=r"rmse is .*, worse than .* of version 1 by more than chance"):
        train(only("decision_tree"), dataset, now, "worse")
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == [1]


def test_the_same_again_is_no_worse_and_becomes_version_two(dataset, now):
    train(only("linear_regression"), dataset, now, "one")
    assert train(only("linear_regression"), dataset, now, "two").version == 2


def test_a_withdrawn_version_is_not_compared_with(dataset, now):
    train(only("linear_regression"), dataset, now, "good")
    journal = now.ARTEFATOS_PATH / "flats" / "releases.jsonl"
    journal.write_text('{"version": 1, "outcome": "withdrawn"}\n')
    assert train(only("decision_tree"), dataset, now, "worse").version == 2


def test_an_altered_champion_stops_the_gate_and_is_named(dataset, now):
    champion = train(only("linear_regression"), dataset, now, "one")
    path = champion.path("onnx")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(bundle.BundleError, match=path.name):
        train(only("linear_regression"), dataset, now, "two")


def test_a_champion_whose_graph_is_lost_is_named_with_the_way_out(dataset, now):
    train(only("linear_regression"), dataset, now, "one").path("onnx").unlink()
    with pytest.raises(bundle.BundleError, match=r"modelo_v1\.onnx is missing.*`esteira withdraw flats 1`"):
        train(only("linear_regression"), dataset, now, "two")
    (now.ARTEFATOS_PATH / "flats" / "releases.jsonl").write_text('{"version": 1, "outcome": "withdrawn"}\n')
    assert train(only("linear_regression"), dataset, now, "three").version == 2


def test_a_champion_with_other_columns_is_not_compared(dataset, now):
    train(only("linear_regression"), dataset, now, "one")
    columns = {k: v for k, v in flats().model_dump(mode="json")["columns"].items() if k != "age"}
    case = only("decision_tree", columns=columns, gate={})
    assert train(case, dataset, now, "narrow").version == 2


def holding_out(share, **changes):
    words = {"candidates": [{"kind": "decision_tree", "min_samples_leaf": 1}], "holdout": share, **changes}
    return flats(train=words, gate={})


def test_a_champion_that_was_trained_on_what_is_held_out_now_is_not_compared(dataset, now, caplog):
    train(holding_out(0.05), dataset, now, "much to learn from")
    published = train(holding_out(0.4), dataset, now, "less to learn from")
    assert published.version == 2
    assert published.metadata.held_out == HeldOutFact(share=0.4)
    assert "Version 1 has other rows held out: it cannot be compared on this holdout" in caplog.text


def test_a_champion_is_compared_on_a_smaller_part_of_what_it_was_never_trained_on(dataset, now):
    prepared = steps.split_rows(holding_out(0.4), dataset, "one", now)
    fitted = steps.fit_all(holding_out(0.4), prepared, now)
    steps.publish_version(prepared, steps.pass_the_gate(holding_out(0.4), prepared, fitted, now), now)
    case = holding_out(0.1, folds=3)
    prepared = steps.split_rows(case, dataset, "two", now)
    judgement = steps.pass_the_gate(case, prepared, steps.fit_all(case, prepared, now), now)
    assert judgement.champion == 1


def test_a_version_that_does_not_say_what_it_held_out_is_compared(dataset, now):
    path = train(holding_out(0.1), dataset, now, "one").metadata_path
    written = json.loads(path.read_text())
    del written["held_out"]
    path.write_text(json.dumps(written))
    prepared = steps.split_rows(holding_out(0.2), dataset, "two", now)
    judgement = steps.pass_the_gate(
        holding_out(0.2), prepared, steps.fit_all(holding_out(0.2), prepared, now), now
    )
    assert judgement.champion == 1


def test_a_killed_step_is_simply_run_again(dataset, now):
    case = only("linear_regression")
    prepared = steps.split_rows(case, dataset, "again", now)
    steps.fit_candidate(case, prepared, "linear_regression", now)
    fitted = steps.fit_candidate(case, prepared, "linear_regression", now)
    assert len(runs(now, "candidate")) == 1
    judgement = steps.pass_the_gate(case, prepared, [fitted], now)
    first = steps.publish_version(prepared, judgement, now)
    shutil.rmtree(now.ARTEFATOS_PATH / "flats" / ".lock", ignore_errors=True)
    assert first.version == 1
    prepared = steps.split_rows(case, dataset, "again", now)
    assert len(runs(now, "training")) == 1


def shown(rows=1_000, coverage=0.9, **scores):
    interval = Interval(asked=0.9, coverage=coverage, width=1.0)
    table = pd.DataFrame({"area": range(rows)})
    found = {"r2": 0.9, "rmse": 1.0, **scores}
    answers = Answers(prediction=np.zeros(rows))
    return Holdout(rows=table, answers=answers, scores=found, interval=interval, calibrated=1_000)


@pytest.fixture
def asked(dataset, now):
    """The gate, asked of what a challenger showed, while there is no champion yet."""
    prepared = prepare(flats(), dataset, "gate", now)
    return lambda seen, case: gate(case, prepared, seen, now).reasons


def test_a_metric_that_should_be_low_has_an_upper_threshold(asked):
    case = only("linear_regression", gate={"rmse": 100.0, "r2": 0.5})
    assert asked(shown(rmse=100.0), case) == ()
    assert asked(shown(rmse=100.5), case) == ("rmse is 100.5, at most 100 is asked",)
    assert asked(shown(rmse=100.5, r2=0.1), case)[1] == "r2 is 0.1, at least 0.5 is asked"


@pytest.mark.parametrize(("rows", "coverage"), [(300, 0.825), (3_000, 0.85)])
def test_what_chance_explains_is_not_held_against_an_interval(asked, rows, coverage):
    assert asked(shown(rows=rows, coverage=coverage), flats()) == ()


def test_an_interval_that_covers_less_is_rejected(asked):
    (reason,) = asked(shown(rows=3_000, coverage=0.84), flats())
    assert reason.startswith("coverage of the 90% interval is 0.8400 on 3,000 held-out rows")


def test_the_floor_of_coverage_counts_both_numbers_of_rows():
    few, many = coverage_floor(0.9, 100, 100), coverage_floor(0.9, 10_000_000, 10_000_000)
    assert many == pytest.approx(0.88, abs=1e-3)
    assert few == pytest.approx(0.88 - 3 * (0.09 * 2 / 100) ** 0.5)
    assert few < coverage_floor(0.9, 100, 10_000) < many


def test_an_honest_interval_is_hardly_ever_rejected():
    random = np.random.default_rng(0)
    ends = np.quantile(np.abs(random.normal(size=(2_000, 200))), 0.9, axis=1)
    seen = (np.abs(random.normal(size=(2_000, 200))) <= ends[:, None]).mean(axis=1)
    assert (seen < coverage_floor(0.9, 200, 200)).mean() < 0.003


def test_a_declared_coverage_is_a_threshold_like_any_other(asked):
    case = only("linear_regression", gate={"coverage": 0.95})
    assert asked(shown(coverage=0.94), case) == ("coverage is 0.94, at least 0.95 is asked",)
    loose = only("linear_regression", gate={"coverage": 0.5})
    assert asked(shown(rows=9_000, coverage=0.6), loose) == ()


def test_of_rows_in_the_order_of_time_short_coverage_is_only_a_warning(asked, caplog):
    columns = {**flats().model_dump(mode="json", exclude_none=True)["columns"], "sold": {"type": "date"}}
    case = flats(columns=columns, train={"candidates": [{"kind": "ridge"}], "time": "sold"}, gate={})
    assert asked(shown(rows=3_000, coverage=0.5), case) == ()
    assert "the rows changed with time" in caplog.text


def held_out(story, tmp_path, case, wrong=300, rows=None, **changes):
    """What the gate says of a challenger that answers as the champion does, save to `wrong` rows."""
    now = story.now.model_copy(update={"ESTEIRA_HOME": tmp_path})
    prepared = prepare(case, clean.clean(case, raw.find(case, now), now), "again", now)
    prepared = prepared.model_copy(update=changes)
    table = prepared.raw("holdout").head(rows)
    labels, classes = np.array(story.published.metadata.classes), list(case.target_column.levels)
    answered = labels[asked_of(story.published, table).prediction]
    answered[:wrong] = np.where(table["storm"][:wrong] == "no", "yes", "no")
    answers = Answers(prediction=places(answered, classes))
    found = scores(case, places(table["storm"], classes), answers)
    seen = Holdout(rows=table, answers=answers, scores=found, interval=None, calibrated=1)
    return found["f1"], gate(case, prepared, seen, now)


def asked_of(champion, table):
    shape = features.layout(champion.metadata.columns)
    feed = features.tensors(features.frame(table, shape), shape)
    return graph.run(graph.session(champion.read("onnx")), feed)


def test_of_classes_too_the_champion_answers_the_same_holdout(storm_story, tmp_path):
    poor, verdict = held_out(storm_story, tmp_path, storms())
    mine = storm_story.published.metadata.scores["f1"]
    (reason,) = verdict.reasons
    told = f"f1 is {poor:.6g}, worse than {mine:.6g} of version 1 by more than chance explains (2 × "
    assert reason.startswith(told)
    assert re.search(r"\(2 × 0\.0\d+ on 25\d held-out rows\)$", reason)
    assert verdict.chance is None


def test_a_challenger_that_is_worse_by_one_row_of_thirty_passes_and_the_verdict_says_why(
    storm_story, tmp_path, caplog
):
    table = raw_holdout(storm_story, tmp_path)
    right = asked_of(storm_story.published, table).prediction == (table["storm"] == "yes")
    assert right.iloc[0]
    poor, verdict = held_out(storm_story, tmp_path, storms(), wrong=1, rows=30)
    assert (verdict.champion, verdict.reasons) == (1, ())
    assert verdict.chance.startswith(f"f1 is {poor:.6g}, worse than ")
    assert re.search(r"by no more than chance explains \(2 × 0\.\d+ on 30 held-out rows\)$", verdict.chance)
    assert verdict.chance in caplog.text


def raw_holdout(story, tmp_path):
    now = story.now.model_copy(update={"ESTEIRA_HOME": tmp_path / "raw"})
    prepared = prepare(story.case, clean.clean(story.case, raw.find(story.case, now), now), "raw", now)
    return prepared.raw("holdout").head(30)


def test_one_that_is_worse_on_many_of_thirty_rows_does_not(storm_story, tmp_path):
    _, verdict = held_out(storm_story, tmp_path, storms(), wrong=15, rows=30)
    (reason,) = verdict.reasons
    assert "by more than chance explains" in reason


def test_a_champion_of_other_classes_is_not_compared(storm_story, tmp_path, caplog):
    _, verdict = held_out(storm_story, tmp_path, storms(), classes=("calm", "no", "yes"))
    assert (verdict.champion, verdict.reasons) == (None, ())
    assert "Version 1 has other classes: it cannot be compared" in caplog.text


def test_by_time_a_champion_is_compared_on_what_came_no_sooner_than_what_it_was_judged_on(
    storm_story, tmp_path, caplog
):
    since = storm_story.published.metadata.held_out.since
    assert held_out(storm_story, tmp_path / "same", storms())[1].champion == 1
    later = held_out(storm_story, tmp_path / "later", storms(), since=(since - 9, since + 1))
    assert later[1].champion == 1
    sooner = held_out(storm_story, tmp_path / "sooner", storms(), since=(since - 9, since - 1))
    assert sooner[1].champion is None
    assert "Version 1 has other rows held out" in caplog.text


def test_a_champion_whose_rows_were_held_out_by_something_else_is_not_compared(storm_story, tmp_path):
    words = {**storms().train.model_dump(mode="json", exclude_none=True), "time": None}
    _, verdict = held_out(storm_story, tmp_path, storms(train=words), wrong=0)
    assert verdict.champion is None


def test_classes_in_another_order_are_the_same_classes(storm_story, tmp_path):
    columns = storms().model_dump(mode="json", exclude_none=True)["columns"]
    columns["storm"] = {"type": "category", "levels": ["yes", "no"]}
    poor, verdict = held_out(storm_story, tmp_path, storms(columns=columns), wrong=0)
    assert poor == pytest.approx(storm_story.published.metadata.scores["f1"])
    assert (verdict.champion, verdict.reasons, verdict.chance) == (1, (), None)
    poor, verdict = held_out(storm_story, tmp_path / "again", storms(columns=columns))
    assert verdict.reasons[0].startswith(f"f1 is {poor:.6g}, worse than ")
