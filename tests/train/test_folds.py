"""Candidates are scored on rows that they were not fitted on, and never on what comes before them in time."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from boards import board_case, boards, prepared_boards

from esteira.train.folds import FoldsError, judged_target, rounds


def part(target, times=None):
    """What the rounds ask of a prepared training, of a made-up target."""
    target = np.asarray(target)
    return SimpleNamespace(target=lambda name: target, times=lambda: times)


def test_without_folds_all_of_one_part_is_scored_by_a_model_of_all_of_the_other(tmp_path):
    case = board_case("grade")
    prepared = prepared_boards(case, tmp_path)
    (only,) = rounds(case, prepared)
    assert only.part == "validation"
    assert len(prepared.target("train")[only.fit]) == prepared.dataset.train_rows
    assert np.array_equal(judged_target(case, prepared), prepared.target("validation"))


@pytest.mark.parametrize("target", ["price", "grade"])
def test_each_training_row_is_scored_once_and_never_fitted_on_in_that_round(tmp_path, target):
    case = board_case(target, folds=4)
    prepared = prepared_boards(case, tmp_path)
    found = rounds(case, prepared)
    assert len(found) == 4
    assert sorted(np.concatenate([one.score for one in found])) == list(range(prepared.dataset.train_rows))
    for one in found:
        assert one.part == "train"
        assert sorted([*one.fit, *one.score]) == list(range(prepared.dataset.train_rows))
    scored = np.concatenate([prepared.target("train")[one.score] for one in found])
    assert np.array_equal(judged_target(case, prepared), scored)


def test_every_fold_has_its_share_of_each_class_also_of_one_with_fewer_rows_than_folds():
    target = np.array([0] * 700 + [1] * 97 + [2] * 3)
    found = rounds(board_case("grade", folds=5), part(np.random.default_rng(0).permutation(target)))
    shuffled = np.random.default_rng(0).permutation(target)
    counts = np.array([np.bincount(shuffled[one.score], minlength=3) for one in found])
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert counts.sum(axis=0).tolist() == [700, 97, 3]


def test_rounds_are_the_same_every_time_and_shuffled():
    case, numbers = board_case("price", folds=3), part(np.arange(300.0))
    first, again = rounds(case, numbers), rounds(case, numbers)
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.score, other.score)
        assert 100 < one.score.mean() < 200


def test_with_time_rounds_go_forward_and_no_moment_is_on_both_sides(tmp_path):
    case = board_case("price", folds=4, time="cut")
    prepared = prepared_boards(case, tmp_path, boards().sample(frac=1, random_state=0))
    times, found = prepared.times(), rounds(case, prepared)
    assert len(found) == 4
    for one in found:
        assert times[one.fit].max() < times[one.score].min()
    for one, later in pairwise(found):
        assert len(one.fit) < len(later.fit)
        assert times[one.score].max() < times[later.score].min()
    sizes = [len(one.score) for one in found]
    assert min(sizes) > prepared.dataset.train_rows / 5 * 0.9
    assert len(judged_target(case, prepared)) == sum(sizes)


def test_few_moments_make_fewer_rounds(caplog):
    times = np.repeat([1.0, 2.0, 3.0], [80, 10, 10])
    with caplog.at_level("INFO", logger="esteira"):
        found = rounds(board_case("price", folds=4, time="cut"), part(np.arange(100.0), times))
    assert [times[one.score].min() for one in found] == [2.0]
    assert "1 rounds instead of 4" in caplog.text


def test_one_moment_cannot_be_foreseen():
    same = part(np.arange(100.0), np.ones(100))
    with pytest.raises(FoldsError, match=r"nearly all rows are of one moment"):
        rounds(board_case("price", folds=4, time="cut"), same)


def test_too_few_rows_for_the_folds_are_said():
    with pytest.raises(FoldsError, match="4 rows are too few for 4 folds"):
        rounds(board_case("price", folds=4), part(np.arange(4.0)))


def test_a_round_whose_rows_are_of_one_class_is_left_out(caplog):
    target = np.array([0] * 250 + [1, 0] * 125)
    with caplog.at_level("INFO", logger="esteira"):
        found = rounds(board_case("grade", folds=4, time="cut"), part(target, np.arange(500.0)))
    assert len(found) == 2
    assert "2 of 4 rounds are left out" in caplog.text


def test_rows_of_one_class_only_are_refused():
    with pytest.raises(FoldsError, match="no round has rows of two classes"):
        rounds(board_case("grade", folds=2), part(np.zeros(50, dtype=np.int64)))
