"""Rare classes get more weight where a model is fitted, and nowhere else."""

import numpy as np
import pytest
from boards import board_case, prepared_boards

from esteira.candidates import HistGradientBoosting
from esteira.train.fit import fit
from esteira.train.imbalance import GROWTH, SMOTE_ROWS, balanced, bounded
from esteira.train.learn import lesson

BOARD = {way: board_case("grade", imbalance=way) for way in ("none", "class_weights", "random", "smote")}


def rows(*counts: int):
    random = np.random.default_rng(0)
    target = np.repeat(np.arange(len(counts)), counts)
    columns = (random.normal(size=(len(target), 3)) + 10 * target[:, None]).astype(np.float32)
    return columns, target


def test_none_leaves_the_rows_as_they_are():
    columns, target = rows(50, 10)
    given = balanced(BOARD["none"], columns, target)
    assert given.columns is columns
    assert given.target is target
    assert given.weights is None


def test_class_weights_make_all_classes_count_alike():
    columns, target = rows(60, 30, 10)
    given = balanced(BOARD["class_weights"], columns, target)
    assert given.columns is columns
    assert np.allclose(np.bincount(target, given.weights), 100 / 3)


@pytest.mark.parametrize("way", ["random", "smote"])
def test_oversampling_makes_two_classes_equal_and_keeps_every_row(way):
    columns, target = rows(60, 20)
    given = balanced(BOARD[way], columns, target)
    assert np.bincount(given.target).tolist() == [60, 60]
    assert np.array_equal(given.columns[:80], columns)
    assert given.columns.dtype == np.float32
    new = given.columns[80:]
    assert (new.min(axis=0) >= columns[target == 1].min(axis=0)).all()
    assert (new.max(axis=0) <= columns[target == 1].max(axis=0)).all()


def test_random_repeats_rows_and_smote_makes_new_ones():
    columns, target = rows(60, 20)
    known = {tuple(row) for row in columns}
    added = {way: balanced(BOARD[way], columns, target).columns[80:] for way in ("random", "smote")}
    assert all(tuple(row) in known for row in added["random"])
    assert not any(tuple(row) in known for row in added["smote"])


@pytest.mark.parametrize("way", ["random", "smote"])
def test_many_rare_classes_grow_to_one_level_within_a_bound(way):
    columns, target = rows(1_000, *[20] * 19, 300)
    given = balanced(BOARD[way], columns, target)
    counts = np.bincount(given.target)
    assert len(given.target) <= GROWTH * len(target)
    assert counts[0] == 1_000
    assert counts[20] == 300
    assert set(counts[1:20]) == {(GROWTH * len(target) - 1_300) // 19}


@pytest.mark.parametrize("rarest", [2, 4])
def test_smote_takes_as_many_neighbours_as_the_rarest_class_has(rarest):
    columns, target = rows(60, 20, rarest)
    given = balanced(BOARD["smote"], columns, target)
    assert np.bincount(given.target)[2] == np.bincount(given.target)[1]
    low, high = columns[target == 2].min(axis=0), columns[target == 2].max(axis=0)
    found = given.columns[given.target == 2]
    assert ((found >= low) & (found <= high)).all()
    assert len(np.unique(found, axis=0)) > rarest


def test_a_class_of_one_row_is_repeated_where_smote_cannot_and_it_is_said(caplog):
    columns, target = rows(60, 20, 1)
    with caplog.at_level("INFO", logger="esteira"):
        given = balanced(BOARD["smote"], columns, target)
    assert "classes with one row: 1" in caplog.text
    assert len(np.unique(given.columns[given.target == 2], axis=0)) == 1
    assert len(np.unique(given.columns[given.target == 1], axis=0)) > 20
    assert np.bincount(given.target)[2] > 30


@pytest.mark.parametrize("way", ["random", "smote"])
def test_classes_that_are_equal_already_stay(way):
    columns, target = rows(30, 30)
    assert len(balanced(BOARD[way], columns, target).target) == 60


def test_smote_gets_a_bounded_sample_and_the_words_say_so(tmp_path):
    many = HistGradientBoosting(max_rows=3_000_000)
    assert bounded(BOARD["smote"], many).rows(10**7) == SMOTE_ROWS
    assert bounded(BOARD["random"], many) is many
    case = board_case("grade", imbalance="smote", candidates=[{"kind": "decision_tree"}])
    one = fit(case, prepared_boards(case, tmp_path), case.train.candidates[0])
    assert one.bound.endswith("leaves, rare classes filled up by SMOTE to at most 2 times the rows")
    assert one.candidate.max_rows == SMOTE_ROWS


@pytest.mark.parametrize("way", ["random", "smote"])
def test_only_rows_that_are_fitted_on_are_oversampled(tmp_path, way):
    case = board_case("grade", imbalance=way, folds=2, candidates=[{"kind": "decision_tree"}])
    prepared = prepared_boards(case, tmp_path)
    some = np.arange(0, prepared.dataset.train_rows, 2)
    given = lesson(case, prepared, some, 10**6)
    known = np.asarray(prepared.columns("train"))[some]
    assert np.array_equal(given.columns[: len(some)], known)
    assert len(given.target) > len(some)
    low, high = known.min(axis=0), known.max(axis=0)
    assert ((given.columns >= low) & (given.columns <= high)).all()
    one = fit(case, prepared, case.train.candidates[0])
    assert len(one.answered()) == prepared.dataset.train_rows


def test_with_class_weights_rare_classes_are_thought_likelier(tmp_path):
    found = {}
    for way in ("none", "class_weights"):
        candidates = [{"kind": "logistic_regression"}]
        case = board_case("grade", imbalance=way, candidates=candidates)
        one = fit(case, prepared_boards(case, tmp_path / way), case.train.candidates[0])
        found[way] = one.answered().mean(axis=0)
    assert found["class_weights"][2] > 1.2 * found["none"][2]
