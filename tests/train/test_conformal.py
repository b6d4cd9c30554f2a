"""An interval holds the share of true values that was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esteira.train import conformal

ANY = (-np.inf, np.inf)
FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def heavy(random: np.random.Generator, rows: int) -> np.ndarray:
    return random.standard_t(3, rows) + random.exponential(2, rows)


@given(st.lists(FINITE, min_size=1, max_size=60), st.sampled_from([0.6, 0.8, 0.9, 0.95]))
def test_the_margin_is_a_residual_with_enough_of_them_within_and_no_larger_than_it_must_be(residuals, share):
    sizes = np.abs(np.array(residuals))
    margin = conformal.quantile(np.array(residuals), share)
    wanted = min(np.ceil(np.round((len(sizes) + 1) * share, 9)), len(sizes))
    assert margin in sizes
    assert np.sum(sizes <= margin) >= wanted
    assert np.sum(sizes < margin) < wanted


def test_the_finite_sample_correction_is_exact_for_small_samples():
    residuals = np.arange(1.0, 11.0)  # ten: 9/11 of new rows are within the ninth, 10/11 within the tenth
    assert conformal.quantile(residuals, 9 / 11) == 9
    assert conformal.quantile(residuals, 10 / 11) == 10
    assert conformal.quantile(residuals, 0.85) == 10
    assert conformal.quantile(residuals[:5], 0.9) == 5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([30, 100, 333]))
def test_exchangeable_rows_are_held_as_often_as_asked(seed, rows):
    random = np.random.default_rng(seed)
    held = []
    for _ in range(200):
        truth = heavy(random, rows + 200)
        band = conformal.band(truth[:rows], np.zeros(rows), 0.9, ANY)
        ends = band.around(np.zeros(200))
        held.append(np.mean((ends[:, 0] <= truth[rows:]) & (truth[rows:] <= ends[:, 1])))
    assert 0.88 <= np.mean(held) <= 0.92


def test_errors_in_percent_give_an_interval_that_grows_with_the_prediction():
    random = np.random.default_rng(1)
    predicted = random.uniform(100, 10_000, 4_000)
    actual = predicted * random.lognormal(0, 0.2, 4_000)
    band = conformal.log_band(actual[:2_000], predicted[:2_000], 0.9, ANY)
    ends = band.around(predicted[2_000:])
    held = (ends[:, 0] <= actual[2_000:]) & (actual[2_000:] <= ends[:, 1])
    small = predicted[2_000:] < 3_000
    assert 0.87 < held[small].mean() < 0.93
    assert 0.87 < held[~small].mean() < 0.93
    assert band.ends[1] == pytest.approx(np.exp(1.645 * 0.2), rel=0.05)
    assert band.ends[0] * band.ends[1] == pytest.approx(1)


@given(FINITE, st.floats(0, 1e6))
def test_no_interval_leaves_what_the_target_may_be_and_none_is_upside_down(prediction, size):
    band = conformal.band(np.array([size]), np.zeros(1), 0.9, (0.0, 500.0))
    low, high = band.around(np.array([prediction]))[0]
    assert 0 <= low <= high <= 500
