"""Golden examples over HTTP, and the lock that lets one release happen at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from releasing import publish, release

from esteira.deploy.errors import GoldenError, LockedError
from esteira.deploy.facts import Instance
from esteira.deploy.live import placed, stop
from esteira.deploy.lock import locked
from esteira.deploy.probe import check_golden
from esteira.metadata import Metadata
from esteira.settings import Settings
from rain import rain_bundle
from rents import rents_bundle


def test_a_golden_example_that_is_answered_differently_is_named_with_both_answers(settings: Settings):
    metadata = publish(settings).metadata
    api = _released(settings, "tiny")
    assert check_golden(api, metadata) == 20

    wrong = metadata.golden[4].model_copy(update={"prediction": 77.25})
    changed = metadata.model_copy(update={"golden": (*metadata.golden[:4], wrong, *metadata.golden[5:])})
    with pytest.raises(GoldenError, match=r"golden example 5 of 20.*Living Area.*in training it was 77\.25"):
        check_golden(api, changed)

    refused = metadata.golden[0].model_copy(update={"record": {"Living Area": "large"}})
    changed = metadata.model_copy(update={"golden": (refused,)})
    with pytest.raises(GoldenError, match=r"golden example 1 of 1.*answered 422.*Living_Area"):
        check_golden(api, changed)


def test_a_probability_or_an_end_of_an_interval_that_is_off_is_named(settings: Settings):
    rain = rain_bundle(settings.ARTEFATOS_PATH).metadata
    api = _released(settings, "rain")
    assert check_golden(api, rain) == 20
    off = altered(rain, probabilities=(0.9, 0.06, 0.04))
    with pytest.raises(GoldenError, match=r"golden example 5 of 20.*the probability of dry.*it was 0\.9 "):
        check_golden(api, off)
    with pytest.raises(GoldenError, match=r"golden example 5.*answer is 'dry', in training it was 'wet'"):
        check_golden(api, altered(rain, prediction="wet"))
    stop("rain", settings)

    rents = rents_bundle(settings.ARTEFATOS_PATH).metadata
    api = _released(settings, "rents")
    assert check_golden(api, rents) == 20
    with pytest.raises(GoldenError, match=r"golden example 5 of 20.*the interval's high.*it was 3\.0 "):
        check_golden(api, altered(rents, interval=(1807.0, 3.0)))


def _released(settings: Settings, case: str) -> Instance:
    release(settings, case=case)
    return next(one for _, one in placed(case, settings) if one.role == "live")


def altered(metadata: Metadata, **answer: object) -> Metadata:
    """The same metadata with another answer in the fifth golden example."""
    golden = list(metadata.golden)
    golden[4] = golden[4].model_copy(update=answer)
    return metadata.model_copy(update={"golden": tuple(golden)})


def test_a_release_that_would_wait_too_long_says_for_whom(settings: Settings):
    with (
        ThreadPoolExecutor() as another,
        locked(settings, "tiny"),
        locked(settings, "tiny", seconds=0.1),
        locked(settings, "other", seconds=0.1),
        pytest.raises(LockedError, match=rf"'tiny' \(process {os.getpid()}\)") as raised,
    ):
        another.submit(_take, settings).result()
    assert raised.value.may_pass  # a task waits longer than one try for a canary of an hour
    with ThreadPoolExecutor() as another:
        another.submit(_take, settings).result()


def _take(settings: Settings) -> None:
    with locked(settings, "tiny", seconds=0.1):
        pass
