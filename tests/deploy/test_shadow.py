"""Two versions are asked the same live questions, and the callers know nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from watching import CASE, OLD, QUESTION, Door, Instance, callers, right, silent, wrong

from esteira.deploy.ask import Ask, Said, asker
from esteira.deploy.evidence import BreachError, Comparison
from esteira.deploy.shadow import AT_ONCE, shadow
from esteira.deploy.traffic import Seen, Traffic
from esteira.metadata import Answer


class Copied:
    """Copies of questions, so many with each reading, on a clock of its own."""

    def __init__(self, each: int = 10, case: str = CASE, *, breaks: bool = False) -> None:
        self.now = 0.0
        self.shares: list[tuple[str, int]] = []
        self._each, self._case, self._breaks = each, case, breaks

    def clock(self) -> float:
        return self.now

    def read(self, seconds: float) -> list[Seen]:
        if self._breaks:
            raise KeyboardInterrupt
        self.now += seconds
        bodies = [b'{"area": %d}' % area for area in range(self._each)]
        return [Seen(self._case, OLD, 200, 0.001, 0, "--", "POST", "/predict", body) for body in bodies] + [
            Seen(self._case, OLD, 200, 0.001, 0, "--", "POST", "/predict", None)
        ]

    def set_share(self, case: str, percent: int) -> None:
        self.shares.append((case, percent))


def number(plus: float = 0.0, seconds: float = 0.001) -> Ask:
    return lambda body: Said(200, seconds, {"prediction": json.loads(body)["area"] + plus})


def kind(yes: float) -> Ask:
    chances = {"no": 1 - yes, "yes": yes}
    return lambda _: Said(200, 0.001, {"prediction": "yes" if yes > 0.5 else "no", "probabilities": chances})


def failing(status: int) -> Ask:
    return lambda _: Said(status, 0.001, {})


def agrees(answer: Answer, expected: Answer) -> bool:
    return answer == expected if isinstance(expected, str) else abs(float(answer) - expected) <= 0.5


def compared(old: Ask, new: Ask, copies: Copied | None = None, agreement: float | None = None) -> Comparison:
    copies = copies or Copied()
    said: list[str] = []
    return shadow(
        copies,
        CASE,
        old,
        new,
        25,
        3.0,
        copies.set_share,
        said.append,
        agrees=agrees,
        agreement=agreement,
        errors=0.01,
        clock=copies.clock,
    )


def test_versions_that_answer_alike_agree():
    found = compared(number(), number(0.25))
    assert (found.agreement, found.mean_difference, found.largest_difference) == (1.0, 0.25, 0.25)
    assert (found.compared, found.dropped, found.probability_difference) == (300, 0, None)
    assert (found.old.errors, found.new.errors, found.old.answered, found.new.answered) == (0, 0, 300, 300)


def test_numbers_beyond_the_tolerance_do_not_agree_and_the_difference_is_told():
    found = compared(number(), lambda body: number(4.0 if b"7" in body else 0.0)(body))
    assert found.agreement == pytest.approx(0.9)
    assert found.mean_difference == pytest.approx(0.4)
    assert found.largest_difference == 4
    assert "90.0% answered alike, 0.4 apart on average, 4 at most" in found.sentence()


def test_classes_agree_or_do_not_and_their_probabilities_are_apart():
    found = compared(kind(0.6), kind(0.9))
    assert (found.agreement, found.mean_difference) == (1.0, None)
    assert found.probability_difference == pytest.approx(0.3)
    assert compared(kind(0.6), kind(0.4)).agreement == 0


def test_the_time_that_each_version_takes_is_told():
    found = compared(number(), number(seconds=0.004))
    assert (found.old.median_ms, found.new.median_ms, found.new.p99_ms) == (1, 4, 4)
    assert "median 4.0 ms (old 1.0)" in found.sentence()


def test_questions_that_both_refuse_are_answered_alike():
    assert compared(failing(422), failing(422)).agreement == 1
    assert compared(failing(422), number()).agreement == 0


@pytest.mark.parametrize("status", [500, 0])
def test_a_version_that_fails_to_answer_goes_no_further(status: int):
    with pytest.raises(BreachError, match="requests failed") as caught:
        compared(number(), failing(status))
    assert caught.value.evidence.new.errors == 300


def test_a_version_that_agrees_on_too_little_goes_no_further():
    half = lambda body: number(9.0 if int(json.loads(body)["area"]) % 2 else 0.0)(body)  # noqa: E731
    assert compared(number(), half, agreement=0.5).agreement == 0.5
    with pytest.raises(
        BreachError, match=r"agrees with the old one on less than 90\.0%.*50\.0% answered alike"
    ):
        compared(number(), half, agreement=0.9)


def test_no_more_wait_than_can_be_asked_and_the_others_are_counted():
    found = compared(number(), number(), Copied(each=AT_ONCE + 7))
    assert (found.compared, found.dropped) == (30 * AT_ONCE, 30 * 7)
    assert "210 more left out" in found.sentence()


def test_the_questions_of_another_case_are_left_alone():
    found = compared(number(), number(), Copied(case="rain"), agreement=0.9)
    assert (found.compared, found.agreement) == (0, None)
    assert found.sentence() == "no question was copied in 3 s; nothing was compared"


def test_nothing_is_copied_any_more_at_the_end_however_it_ends():
    copies = Copied()
    compared(number(), number(), copies)
    assert copies.shares == [(CASE, 25), (CASE, 0)]
    broken = Copied(breaks=True)
    with pytest.raises(KeyboardInterrupt):
        compared(number(), number(), broken)
    assert broken.shares[-1] == (CASE, 0)


def test_the_comparison_travels_as_json():
    found = compared(kind(0.6), kind(0.9))
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_an_instance_is_asked_on_its_own_socket_however_long_the_path_is(tmp_path: Path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    instance = Instance(folder / f"{OLD}.sock", right)
    try:
        with asker(folder / f"{OLD}.sock") as ask:
            said = ask(b'{"area": 1}')
            assert (said.status, said.content) == (200, {"prediction": 1.0})
            assert instance.questions == [b'{"area": 1}']
            instance.behaviour = wrong
            assert ask(b"{}").status == 500
            instance.behaviour = silent
            assert ask(b"{}").status == 0
    finally:
        instance.end()


@pytest.fixture
def door(docker_client: docker.DockerClient, tmp_path: Path) -> Iterator[Door]:
    door = Door(docker_client, tmp_path / "home")
    try:
        door.start()
        yield door
    finally:
        door.close()


@pytest.mark.docker
def test_behind_the_real_gateway_live_questions_reach_both_and_callers_only_the_old(
    door: Door, tmp_path: Path
):
    old = door.serve(old=lambda _: (200, {"prediction": 1.0}))["old"]
    new = Instance(tmp_path / "new.sock", lambda _: (200, {"prediction": 2.0}))
    try:
        with (
            asker(door.socket(OLD)) as ask_old,
            asker(tmp_path / "new.sock") as ask_new,
            Traffic(door.admin) as traffic,
            callers(door) as statuses,
        ):
            found = shadow(
                traffic,
                CASE,
                ask_old,
                ask_new,
                50,
                2.0,
                door.copy,
                print,
                agrees=agrees,
                agreement=None,
                errors=0.01,
            )
    finally:
        new.end()
    assert found.compared > 0
    assert (found.agreement, found.mean_difference) == (0.0, 1.0)
    assert len(new.questions) == found.compared
    assert len(old.questions) == found.compared + len(statuses)
    assert {json.dumps(json.loads(one)) for one in new.questions} == {json.dumps(QUESTION)}
    assert set(statuses) == {200}
    assert "0x" not in door.tell("show map /run/esteira/admin/shadow.map")
