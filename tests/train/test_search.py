"""A search finds better parameters in its time, tells of each trial, and never leaves a case worse off."""

import joblib
import numpy as np
import optuna
import pytest
from boards import board_case, boards, prepared_boards

from esteira.candidates import DecisionTree
from esteira.train import folds, trial
from esteira.train.fit import fit
from esteira.train.learn import CandidateError
from esteira.train.search import TrialFact, search, seconds_for

LONG = 600.0


def case_with(target: str, *candidates: dict[str, object], trials: int = 12, **train: object):
    budget = {"seconds": 60, "trials": trials}
    return board_case(target, candidates=list(candidates), search=budget, **train)


@pytest.fixture(scope="module")
def poor(tmp_path_factory):
    """A tree that starts out far too small, on three folds."""
    tree = {"kind": "decision_tree", "max_rows": 5_000}
    case = case_with("price", tree, folds=3, metric="mae")
    return case, prepared_boards(case, tmp_path_factory.mktemp("poor"))


def test_the_first_trial_has_the_candidates_own_parameters_and_the_best_is_no_worse(poor):
    case, prepared = poor
    told: list[TrialFact] = []
    found = search(case, prepared, DecisionTree(), LONG, 12, told.append)
    assert [one.number for one in told] == list(range(12))
    assert told[0].parameters == {"max_leaf_nodes": 4096, "min_samples_leaf": 5}
    complete = {one.value: one.parameters for one in told if one.state == "complete"}
    assert min(complete) < told[0].value
    best = complete[min(complete)]
    assert found.candidate == DecisionTree().model_copy(update=best)
    assert all(one.seconds > 0 for one in told)


def test_the_value_of_a_trial_is_the_mean_over_the_rounds(poor):
    case, prepared = poor
    told: list[TrialFact] = []
    search(case, prepared, DecisionTree(), LONG, 1, told.append)
    whole = fit(case, prepared, DecisionTree()).scores["mae"]
    assert told[0].value == pytest.approx(whole, rel=0.01)


def test_the_same_trials_are_made_every_time(poor):
    case, prepared = poor
    tries: list[list[dict[str, float]]] = [[], []]
    for told in tries:
        search(case, prepared, DecisionTree(), LONG, 9, lambda one, told=told: told.append(one.parameters))
    assert tries[0] == tries[1]


def test_poor_trials_are_pruned_before_their_last_round(poor):
    case, prepared = poor
    told: list[TrialFact] = []
    found = search(case, prepared, DecisionTree(), LONG, 20, told.append)
    pruned = [one for one in told if one.state == "pruned"]
    assert pruned
    assert all(one.value is not None for one in pruned)
    assert {len(found.study.trials[one.number].intermediate_values) for one in pruned} <= {1, 2}


def test_with_one_round_a_trial_starts_on_fewer_rows(tmp_path):
    case = case_with("grade", {"kind": "decision_tree"})
    prepared = prepared_boards(case, tmp_path, boards(7_000))
    steps = trial.Steps.of(case, prepared, DecisionTree())
    first, whole = steps.rows()
    assert whole == prepared.dataset.train_rows
    assert first == round(whole / 4)
    few = trial.Steps.of(case, prepared, DecisionTree(max_rows=800))
    assert few.rows() == [800]


@pytest.mark.parametrize(("rows", "rounds"), [(5_000, 4), (9_000, 3), (14_000, 2)])
def test_a_trial_is_scored_on_no_more_rounds_than_it_takes(tmp_path, rows, rounds):
    case = case_with("price", {"kind": "decision_tree"}, folds=4)
    prepared = prepared_boards(case, tmp_path, boards(rows))
    steps = trial.Steps.of(case, prepared, DecisionTree())
    assert steps.rounds == len(steps.each) == rounds
    last = folds.rounds(case, prepared)[-rounds:]
    scored = [prepared.target("train")[one.score] for one in last]
    assert all(map(np.array_equal, scored, [step.actual for step in steps.each]))


def test_of_many_rows_one_round_is_enough_and_starts_on_some_of_them(tmp_path):
    case = case_with("price", {"kind": "decision_tree"}, folds=2)
    prepared = prepared_boards(case, tmp_path, boards(125_000))
    steps = trial.Steps.of(case, prepared, DecisionTree())
    assert steps.rounds == 1
    assert steps.rows() == [trial.SEARCH_ROWS // 4, trial.SEARCH_ROWS]
    assert {len(step.actual) for step in steps.each} == {trial.SEARCH_ROWS}


def test_a_search_ends_with_its_seconds_however_many_trials_there_could_be(poor):
    case, prepared = poor
    told: list[TrialFact] = []
    found = search(case, prepared, DecisionTree(), 1.0, 100_000, told.append)
    assert 0 < len(told) < 100_000
    assert len(found.study.trials) == len(told)


def test_where_not_even_one_trial_can_end_the_candidate_stays_as_it_is(poor, caplog):
    case, prepared = poor
    told: list[TrialFact] = []
    with caplog.at_level("INFO", logger="esteira"):
        found = search(case, prepared, DecisionTree(), 1e-9, 100, told.append)
    assert found.candidate == DecisionTree()
    assert [one.state for one in told] == ["pruned"]
    assert "a trial takes longer than there is to search" in caplog.text


def test_a_failed_trial_is_told_with_its_reason_and_when_all_fail_so_does_the_search(tmp_path):
    case = case_with("grade", {"kind": "svc", "curve_folds": 800}, folds=2, trials=3)
    prepared = prepared_boards(case, tmp_path)
    told: list[TrialFact] = []
    with pytest.raises(CandidateError, match="svc cannot be fitted on this table: Requesting 800-fold"):
        fit(case, prepared, case.train.candidates[0], 60.0, told.append)
    assert [one.state for one in told] == ["failed"] * 3
    assert all("Requesting 800-fold" in one.reason for one in told)


def test_the_seconds_are_shared_by_weight_among_those_that_have_something_to_search():
    boosting = {"kind": "hist_gradient_boosting"}
    case = case_with(
        "price", {"kind": "linear_regression"}, {"kind": "ridge"}, boosting, {"kind": "ensemble"}
    )
    linear, ridge, boosted, _ = case.train.candidates
    assert seconds_for(case, linear) is None
    assert seconds_for(case, boosted) > 5 * seconds_for(case, ridge)
    assert seconds_for(case, boosted) + seconds_for(case, ridge) == pytest.approx(60)
    assert seconds_for(board_case("price", candidates=[boosting]), boosted) is None


def test_a_fitted_candidate_has_the_parameters_that_were_found_and_its_study(tmp_path):
    case = case_with("grade", {"kind": "decision_tree", "min_samples_leaf": 3}, metric="log_loss")
    prepared = prepared_boards(case, tmp_path)
    one = fit(case, prepared, case.train.candidates[0], LONG)
    study = joblib.load(one.study)
    assert isinstance(study, optuna.Study)
    assert len(study.trials) == 12
    assert study.best_params == {"max_leaf_nodes": one.candidate.max_leaf_nodes}
    assert one.candidate.min_samples_leaf == 3
    assert one.estimator().get_n_leaves() <= one.candidate.max_leaf_nodes < 4096
    assert one.scores["log_loss"] < study.trials[0].value


def test_without_a_budget_nothing_is_searched(tmp_path):
    case = board_case("grade")
    one = fit(case, prepared_boards(case, tmp_path), case.train.candidates[0], 60.0)
    assert one.study is None
    assert one.candidate == case.train.candidates[0]
