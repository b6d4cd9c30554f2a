"""A new version that does worse goes back by itself, and one that does not is left alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import count

import docker
import pytest
from scipy.stats import binom, hypergeom
from watching import CASE, NEW, OLD, Door, callers, right, silent, wrong

from esteira.case import Release
from esteira.deploy.bake import bake
from esteira.deploy.chance import binomial_tail, hypergeometric_tail
from esteira.deploy.evidence import BreachError, Evidence
from esteira.deploy.tally import percentile
from esteira.deploy.traffic import Health, Seen, Traffic

LIMITS = Release(canary=10)

Request = Callable[[random.Random], tuple[int, float]]
"""The status and the seconds of one answer."""


def fine(chance: random.Random) -> tuple[int, float]:
    """Half of the answers take up to 2 ms, one in a hundred more than 6.4."""
    return 200, chance.lognormvariate(math.log(0.002), 0.5)


def failing(share: float) -> Request:
    return lambda chance: (500 if chance.random() < share else 200, fine(chance)[1])


def slower(factor: float) -> Request:
    return lambda chance: (200, factor * fine(chance)[1])


class Pretended:
    """Traffic of the two versions, on a clock of its own."""

    def __init__(self, old: Request, new: Request, *, rate: float = 200, share: float = 0.1, seed: int = 0):
        self.now = 0.0
        self.retried = 0
        self.up = True
        self._versions = {OLD: (old, rate * (1 - share)), NEW: (new, rate * share)}
        self._chance = random.Random(seed)  # noqa: S311 - not a secret

    def clock(self) -> float:
        return self.now

    def read(self, seconds: float) -> list[Seen]:
        self.now += seconds
        return [
            one for name, version in self._versions.items() for one in self._ended(name, *version, seconds)
        ]

    def _ended(self, name: str, request: Request, rate: float, seconds: float) -> Iterator[Seen]:
        for _ in range(int(rate * seconds + self._chance.random())):
            status, took = request(self._chance)
            yield Seen(CASE, name, status, took, 0, "--", "POST", "/predict", None)

    def health(self, case: str) -> dict[str, Health]:
        return {OLD: Health(up=True, retried=0), NEW: Health(up=self.up, retried=self.retried)}


def baked(traffic: Pretended, limits: Release = LIMITS, **options: object) -> Evidence:
    said: list[str] = []
    old, new = frozenset({OLD}), frozenset({NEW})
    return bake(traffic, CASE, old, new, limits, 60.0, said.append, clock=traffic.clock, **options)


def breach(traffic: Pretended, limits: Release = LIMITS, **options: object) -> BreachError:
    with pytest.raises(BreachError) as caught:
        baked(traffic, limits, **options)
    return caught.value


@pytest.mark.parametrize("rate", [100, 400])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_equal_versions_are_left_alone(rate: int, share: float):
    for seed in range(400 // rate):
        found = baked(Pretended(fine, fine, rate=rate, share=share, seed=seed))
        assert found.seconds == 60
        assert found.share == pytest.approx(share, abs=0.02)
        assert found.new.errors == 0
        assert found.sentence().startswith("no worse than the limits in 60 s")


@pytest.mark.parametrize("rate", [200, 1000])
def test_a_version_that_answers_500_to_a_twentieth_goes_back_within_the_bake(rate: int):
    for seed in range(5):
        error = breach(Pretended(fine, failing(0.05), rate=rate, seed=seed))
        found = error.evidence
        assert found.new.errors >= 3
        assert found.old.errors == 0
        assert found.new.errors / (found.new.requests + found.old.requests) < 0.01
        assert "requests failed" in str(error)
        assert "1.0% are allowed" in str(error)


@pytest.mark.parametrize("rate", [200, 1000])
def test_a_version_twice_as_slow_goes_back_within_the_bake(rate: int):
    for seed in range(5):
        error = breach(Pretended(fine, slower(2), rate=rate, seed=seed))
        assert error.evidence.new.p99_ms > 1.5 * error.evidence.old.p99_ms
        assert "1.5 times that is allowed" in str(error)


def test_a_version_whose_rare_answers_are_slow_goes_back():
    def rarely(chance: random.Random) -> tuple[int, float]:
        return 200, fine(chance)[1] + (0.1 if chance.random() < 0.05 else 0)

    assert breach(Pretended(fine, rarely)).evidence.new.p99_ms > 100


def test_errors_that_the_old_version_has_too_are_no_reason_to_go_back():
    found = baked(Pretended(failing(0.05), failing(0.05)))
    assert found.new.errors > 0


def test_errors_that_are_allowed_are_no_reason_to_go_back():
    assert baked(Pretended(fine, failing(0.05)), Release(errors=0.08)).new.errors > 0


def test_stalls_of_the_machine_are_no_reason_to_go_back():
    class Stalls(Pretended):
        def read(self, seconds: float) -> list[Seen]:
            """Once in three seconds one version stands still and a dozen of its answers are late at once."""
            seen = super().read(seconds)
            late = OLD if self._chance.random() < 0.5 else NEW
            if self._chance.random() > 0.07:
                return seen
            places = [at for at, one in enumerate(seen) if one.server == late][:12]
            return [one._replace(seconds=0.1) if at in places else one for at, one in enumerate(seen)]

    for seed in range(3):
        baked(Stalls(fine, fine, rate=300, seed=seed))


def test_what_a_person_would_not_feel_is_no_reason_to_go_back():
    def quick(factor: float) -> Request:
        return lambda chance: (200, factor * chance.uniform(0.0001, 0.0003))

    baked(Pretended(quick(1), quick(3)))


def test_requests_that_the_gateway_had_to_take_away_are_the_new_versions_failures():
    class Dropping(Pretended):
        def read(self, seconds: float) -> list[Seen]:
            self.retried += 1
            return super().read(seconds)

    error = breach(Dropping(fine, fine))
    assert error.evidence.new.errors >= 3
    assert error.evidence.old.errors == 0


def test_what_the_gateway_counted_before_the_bake_is_forgotten():
    traffic = Pretended(fine, fine)
    traffic.retried = 1000
    assert baked(traffic).new.errors == 0


def test_an_instance_that_ended_sends_the_version_back_at_once():
    reasons = iter([None, None, "v2-bbbbbbbb ended with exit code 137"])
    error = breach(Pretended(fine, fine), alive=lambda: next(reasons))
    assert "ended with exit code 137" in str(error)
    assert error.evidence.seconds == pytest.approx(0.6)


def test_an_instance_that_does_not_answer_health_checks_sends_the_version_back():
    traffic = Pretended(fine, fine)
    traffic.up = False
    assert f"{NEW} does not answer the gateway's health checks" in str(breach(traffic))


@pytest.mark.parametrize(
    ("rate", "share", "said"),
    [
        (0, 0.1, "no request came in the 60 s; nothing was learnt"),
        (200, 0.0, "the new version got no request in the 60 s; nothing was learnt"),
    ],
)
def test_a_bake_without_traffic_passes_and_says_that_nothing_was_learnt(rate: int, share: float, said: str):
    class Sparse(Pretended):
        def _ended(self, name: str, request: Request, rate: float, seconds: float) -> Iterator[Seen]:
            return super()._ended(name, request, rate, seconds) if rate else iter(())

    assert baked(Sparse(fine, fine, rate=rate, share=share)).sentence() == said


def test_the_requests_of_other_cases_and_instances_count_for_nobody():
    class Others(Pretended):
        def read(self, seconds: float) -> list[Seen]:
            seen = super().read(seconds)
            return [*seen, *(one._replace(case="rain", status=500) for one in seen)]

    assert baked(Others(fine, fine)).new.errors == 0


def test_the_evidence_travels_as_json():
    found = baked(Pretended(fine, fine))
    assert Evidence.model_validate_json(found.model_dump_json()) == found


def test_who_waits_is_told_how_it_goes():
    said: list[str] = []
    traffic = Pretended(fine, fine)
    bake(traffic, CASE, frozenset({OLD}), frozenset({NEW}), LIMITS, 11, said.append, clock=traffic.clock)
    assert len(said) == 2
    assert said[0].startswith("5 of 11 s: new: ")


@pytest.mark.parametrize("n", [1, 20, 3000, 100_000])
@pytest.mark.parametrize("p", [0.0, 0.0001, 0.01, 0.3, 1.0])
def test_the_binomial_tail_is_scipys(n: int, p: float):
    for k in sorted({0, 1, 3, int(n * p), int(n * p) + 5, n // 2, n, n + 1}):
        assert binomial_tail(k, n, p) == pytest.approx(binom.sf(k - 1, n, p), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("drawn", "bad", "total"), [(10, 3, 100), (2000, 150, 20_000), (5, 90, 92), (7, 0, 9)]
)
def test_the_hypergeometric_tail_is_scipys(drawn: int, bad: int, total: int):
    for k in range(min(drawn, bad) + 2):
        expected = hypergeom.sf(k - 1, total, bad, drawn)
        assert hypergeometric_tail(k, drawn, bad, total) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_percentile_is_one_of_the_numbers():
    assert [percentile(range(1, 101), share) for share in (0.01, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([], 0.99) is None


@pytest.fixture(scope="module")
def door(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(docker_client, tmp_path_factory.mktemp("gateway") / "home")
    try:
        door.start()
        yield door
    finally:
        door.close()


def bake_live(door: Door, seconds: float) -> Evidence:
    with Traffic(door.admin) as traffic, callers(door):
        return bake(traffic, CASE, frozenset({OLD}), frozenset({NEW}), Release(), seconds, print)


@pytest.mark.docker
def test_behind_the_real_gateway_equal_versions_are_left_alone(door: Door):
    door.serve(old=right, new=right)
    found = bake_live(door, 3)
    assert found.old.requests > 0
    assert found.new.requests > 0
    assert (found.old.errors, found.new.errors) == (0, 0)


@pytest.mark.docker
def test_behind_the_real_gateway_a_version_that_fails_now_and_then_is_found(door: Door):
    numbers = count()
    door.serve(old=right, new=lambda body: (wrong if next(numbers) % 10 == 0 else right)(body))
    with pytest.raises(BreachError, match="requests failed") as caught:
        bake_live(door, 60)
    assert caught.value.evidence.old.errors == 0


@pytest.mark.docker
def test_behind_the_real_gateway_a_version_that_hangs_up_is_found_and_no_caller_notices(door: Door):
    door.serve(old=right, new=silent)
    with Traffic(door.admin) as traffic, callers(door) as statuses, pytest.raises(BreachError) as caught:
        bake(traffic, CASE, frozenset({OLD}), frozenset({NEW}), Release(), 60, print)
    assert set(statuses) == {200}
    assert caught.value.evidence.new.errors > 0
    assert caught.value.evidence.old.errors == 0
