"""Golden examples over HTTP, and the lock that lets one release happen at a time."""

from __future__ import annotations

import math
import os

import pytest
from releasing import publish, release

from esteira.deploy.errors import GoldenError, LockedError
from esteira.deploy.lock import locked
from esteira.deploy.probe import check_golden, is_near
from esteira.settings import Settings


def test_a_golden_example_that_is_answered_differently_is_named_with_both_answers(settings: Settings):
    metadata = publish(settings).metadata
    release(settings)
    assert check_golden(settings.api_url, metadata) == 20

    wrong = metadata.golden[4].model_copy(update={"prediction": 77.25})
    changed = metadata.model_copy(update={"golden": (*metadata.golden[:4], wrong, *metadata.golden[5:])})
    with pytest.raises(GoldenError, match=r"golden example 5 of 20.*Living Area.*expected 77\.25"):
        check_golden(settings.api_url, changed)

    refused = metadata.golden[0].model_copy(update={"record": {"Living Area": "large"}})
    changed = metadata.model_copy(update={"golden": (refused,)})
    with pytest.raises(GoldenError, match=r"golden example 1 of 1.*answered 422.*Living_Area"):
        check_golden(settings.api_url, changed)


@pytest.mark.parametrize(
    ("got", "expected", "near"),
    [
        (1.0, 1.0, True),
        (0.09, 0.0, True),
        (0.11, 0.0, False),
        (1099.0, 1000.0, True),
        (1101.0, 1000.0, False),
        (math.nan, 1.0, False),
        (math.inf, 1.0, False),
    ],
)
def test_the_tolerance_is_relative_to_large_answers_and_absolute_for_small_ones(got, expected, near):
    assert is_near(got, expected, tolerance=0.1) is near


def test_a_release_that_would_wait_too_long_says_for_whom(settings: Settings):
    with (
        locked(settings, "tiny"),
        locked(settings, "other", seconds=0.1),
        pytest.raises(LockedError, match=rf"'tiny' \(process {os.getpid()}\)"),
        locked(settings, "tiny", seconds=0.1),
    ):
        pass
    with locked(settings, "tiny", seconds=0.1):
        pass
