"""When an answer is as in training."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bundles import tiny_bundle
from esteira.golden import disagreement
from esteira.metadata import Golden
from rain import rain_bundle


@pytest.mark.parametrize(
    ("scale", "got", "expected", "is_as_expected"),
    [
        (1.0, 1.0, 1.0, True),
        (1.0, 0.09, 0.0, True),
        (1.0, 0.11, 0.0, False),
        (1.0, 1099.0, 1000.0, True),
        (1.0, 1101.0, 1000.0, False),
        (50.0, 4.9, 0.0, True),
        (50.0, 5.1, 0.0, False),
        (1.0, math.nan, 1.0, False),
        (1.0, math.inf, 1.0, False),
        (1.0, None, 1.0, False),
        (1.0, "1.0", 1.0, False),
    ],
)
def test_the_tolerance_is_relative_to_an_answer_or_to_the_targets_scale(
    tmp_path: Path, scale: float, got: object, expected: float, is_as_expected: bool
):
    facts = tiny_bundle(tmp_path).metadata.model_copy(update={"tolerance": 0.1, "scale": scale})
    golden = Golden(record={}, prediction=expected)
    assert (disagreement(facts, golden, {"prediction": got}) is None) is is_as_expected


def test_a_class_is_never_near_another_class(tmp_path: Path):
    years = rain_bundle(tmp_path, classes=(100_000, 100_001, 100_002), tolerance=0.1).metadata
    golden = years.golden[0].model_copy(update={"prediction": 100_000})
    odds = zip(("100000", "100001", "100002"), golden.probabilities or (), strict=True)
    right = {"prediction": 100_000, "probabilities": dict(odds)}
    assert disagreement(years, golden, right) is None
    assert "in training it was 100000" in str(disagreement(years, golden, right | {"prediction": 100_001}))
    assert "probability of 100000 is None" in str(disagreement(years, golden, {"prediction": 100_000}))
