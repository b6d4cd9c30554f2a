"""Whoever watches the gateway sees every request as it ended, and nobody notices that somebody watches."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx
import pytest
from watching import CASE, NEW, OLD, Door, callers, right, seen, silent, until, wrong

from esteira.deploy.errors import GatewayError
from esteira.deploy.gateway.folders import reachable
from esteira.deploy.traffic import Traffic

docker_only = pytest.mark.docker


@pytest.fixture(scope="module")
def running(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One gateway, whose folder has a longer path than a socket's may be."""
    door = Door(docker_client, tmp_path_factory.mktemp("gateway") / ("long" * 30))
    try:
        door.start()
        yield door
    finally:
        door.close()


@pytest.fixture
def door(running: Door) -> Iterator[Door]:
    yield running
    running.end_instances()
    running.copy(CASE, 0)


@docker_only
def test_every_request_is_seen_with_who_answered_it_what_and_how_fast(door: Door):
    door.serve(old=right)
    with Traffic(door.admin) as traffic:
        assert door.ask().status_code == 200
        assert door.ask(f"/{CASE}/predict").status_code == 200
        first, second = seen(traffic, 2)
    assert (first.case, first.server, first.status, first.retries, first.ended) == (CASE, OLD, 200, 0, "--")
    assert (first.method, first.path, second.path) == ("POST", "/predict", f"/{CASE}/predict")
    assert first.predicts
    assert second.predicts
    assert first.seconds is not None
    assert 0 < first.seconds < 20
    assert first.body is None
    assert not first.failed


@docker_only
def test_an_error_is_seen_as_the_fault_of_the_instance_that_gave_it(door: Door):
    door.serve(new=wrong)
    with Traffic(door.admin) as traffic:
        assert door.ask().status_code == 500
        (one,) = seen(traffic, 1)
    assert (one.server, one.status, one.failed) == (NEW, 500, True)


@docker_only
def test_what_one_instance_drops_another_answers_and_it_is_counted_against_the_first(door: Door):
    instances = door.serve(old=right, new=silent)
    with Traffic(door.admin) as traffic:
        statuses = {door.ask().status_code for _ in range(10)}
        found = seen(traffic, 10)
        health = traffic.health(CASE)
    dropped = len(instances["new"].questions)
    assert statuses == {200}
    assert {one.server for one in found} == {OLD}
    assert sum(one.retries for one in found) == dropped > 0
    assert (health[OLD].retried, health[NEW].retried) == (0, dropped)


@docker_only
def test_an_instance_that_is_gone_is_seen_to_be_down(door: Door):
    instances = door.serve(old=right, new=right)
    with Traffic(door.admin) as traffic:
        assert traffic.health(CASE)[NEW].up
        instances["new"].end()
        with callers(door) as statuses:
            until(lambda: not traffic.health(CASE)[NEW].up)
        assert traffic.health(CASE)[OLD].up
    instances.pop("new")
    assert set(statuses) == {200}


@docker_only
def test_a_caller_that_waited_in_vain_is_seen_as_failed(door: Door):
    answered = threading.Event()

    def hangs(_: bytes) -> None:
        answered.wait(20)

    door.serve(new=hangs)
    with Traffic(door.admin) as traffic:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"http://127.0.0.1:{door.port}/predict", content=b"{}", trust_env=False, timeout=0.2)
        (one,) = seen(traffic, 1)
        answered.set()
    assert (one.server, one.seconds, one.ended, one.failed) == (NEW, None, "CH", True)


@docker_only
def test_any_number_may_watch_at_once_and_each_sees_everything(door: Door):
    door.serve(old=right)
    with Traffic(door.admin) as one, Traffic(door.admin) as other:
        for _ in range(20):
            door.ask()
        assert len(seen(one, 20)) == len(seen(other, 20)) == 20


@docker_only
def test_a_watcher_that_is_late_misses_nothing(door: Door):
    door.serve(old=right)
    with Traffic(door.admin) as traffic:
        with callers(door) as statuses:
            until(lambda: len(statuses) > 300)
        assert len(seen(traffic, len(statuses))) == len(statuses)
        assert traffic.torn == 0


@docker_only
def test_nothing_is_missed_across_a_reload_of_the_gateway(door: Door):
    door.serve(old=right)
    with Traffic(door.admin) as traffic:
        with callers(door) as statuses:
            until(lambda: len(statuses) > 100)
            door.reload()
            before = len(statuses)
            until(lambda: len(statuses) > before + 100)
        assert len(seen(traffic, len(statuses))) == len(statuses)
        assert traffic.torn == 0
    assert set(statuses) == {200}


@docker_only
def test_questions_are_copied_only_of_the_share_that_is_asked_for_and_only_small_ones(door: Door):
    door.serve(old=right)
    small, large = b'{"area": 71}', b'{"area": "' + b"7" * 9000 + b'"}'
    with Traffic(door.admin) as traffic:
        door.ask(content=small)
        door.copy(CASE, 100)
        for path, body in (("/predict", small), (f"/{CASE}/predict", small), ("/predict", large)):
            assert door.ask(path, body).status_code == 200
        door.ask("/predict/batch", small)
        door.copy(CASE, 50)
        for _ in range(100):
            door.ask(content=small)
        found = seen(traffic, 105)
    bodies = [one.body for one in found]
    assert bodies[:5] == [None, small, small, None, None]
    assert 20 < sum(body == small for body in bodies[5:]) < 80


@docker_only
def test_the_gateway_serves_and_says_nothing_of_it_where_nobody_watches(door: Door):
    door.serve(old=right)
    said = door.container.logs()
    with callers(door) as statuses:
        until(lambda: len(statuses) > 300)
    assert set(statuses) == {200}
    assert door.container.logs() == said
    assert "DroppedLogs: 0" in door.tell("show info")


def test_a_gateway_that_is_not_there_is_told_in_one_sentence(tmp_path: Path):
    with pytest.raises(GatewayError, match=r"does not answer .* look whether its container runs"):
        Traffic(tmp_path).__enter__()


def test_lines_that_make_no_sense_are_counted_and_remarks_are_not(tmp_path: Path):
    good = b"ended flats v1-a 200 1500 2 +1 -- POST /predict eyJhIjogMX0="
    torn = [b"ended flats v1-a", good.replace(b"200", b"2x0"), good + b"!"]
    remark = b"Proxy door stopped (cumulated conns: FE: 1, BE: 0)."
    with _said_by_a_gateway(tmp_path, [good, *torn, remark, b""]), Traffic(tmp_path) as traffic:
        (one,) = seen(traffic, 1)
        assert traffic.torn == 3
    assert (one.server, one.seconds, one.retries, one.body) == ("v1-a", 0.0015, 1, b'{"a": 1}')


class _said_by_a_gateway:  # noqa: N801 - reads as the function that it is used as
    """A socket that tells each watcher these lines."""

    def __init__(self, folder: Path, lines: list[bytes]) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        with reachable(folder / "admin.sock") as path:
            self._listening.bind(path)
        self._listening.listen()
        self._lines = lines

    def __enter__(self) -> None:
        threading.Thread(target=self._answer, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _answer(self) -> None:
        watchers = []
        while True:
            try:
                talk, _ = self._listening.accept()
            except OSError:
                return
            if talk.recv(1000).startswith(b"show info"):
                talk.sendall(b"Pid: 7\n")
                talk.close()
            else:
                talk.sendall(b"\n".join(self._lines))
                watchers.append(talk)
