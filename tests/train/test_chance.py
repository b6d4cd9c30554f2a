"""The standard error of a difference is what repeating the whole thing would show."""

import numpy as np
import pytest

from esteira.train.chance import standard_error


def test_of_a_mean_it_is_the_deviation_over_the_root_of_the_rows():
    values = np.random.default_rng(1).normal(size=2_000)
    error = standard_error(lambda rows: float(values[rows].mean()), len(values))
    assert error == pytest.approx(1 / np.sqrt(2_000), rel=0.35)


def test_what_is_hard_for_both_models_is_no_difference():
    hard = np.random.default_rng(2).normal(size=500)
    error = standard_error(lambda rows: float(hard[rows].mean() - (hard[rows] - 0.1).mean()), len(hard))
    assert error == pytest.approx(0, abs=1e-12)


def test_it_is_that_of_many_repetitions_also_for_a_figure_that_is_no_mean():
    random = np.random.default_rng(3)
    tables = random.normal(size=(300, 400))
    errors = [standard_error(lambda rows, one=one: float(one[rows].std()), 400) for one in tables]
    assert np.mean(errors) == pytest.approx(tables.std(axis=1).std(), rel=0.1)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_of_few_rows_it_is_large_and_of_one_infinite(rows):
    values = np.arange(rows, dtype=float)
    error = standard_error(lambda chosen: float(values[chosen].mean()), rows)
    assert error > 0.4
    assert (error == float("inf")) == (rows == 1)
