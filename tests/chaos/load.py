"""Real load on a case: clients that each ask again once they are answered, in a process of their own."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import NamedTuple
from urllib.parse import urlsplit

CLIENTS = 16
RATE = 240
"""Requests a second at most: enough to find what falls between two versions; two cores bear it."""
LONGEST = 1800.0
"""Seconds after which the clients stop by themselves."""
_PATIENCE = 10.0


class Answer(NamedTuple):
    """What one request got; `at` is when it ended, by the clock that all processes share."""

    at: float
    seconds: float
    status: int
    """0 where there was no answer."""
    version: int | None
    prediction: float | None
    reason: str
    """Why it is a failure; empty where it is none."""

    @property
    def begun(self) -> float:
        return self.at - self.seconds


@dataclass(frozen=True)
class Answers:
    """Every request of some clients, in the order in which they ended."""

    all: tuple[Answer, ...]

    @property
    def requests(self) -> int:
        return len(self.all)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / (self.all[-1].at - self.all[0].begun)

    @cached_property
    def failures(self) -> Counter[str]:
        """How many failed, by reason."""
        return Counter(one.reason for one in self.all if one.reason)

    @property
    def failed(self) -> int:
        return self.failures.total()

    @cached_property
    def versions(self) -> Counter[int]:
        """How many good answers each version gave, by the version that each answer names."""
        return Counter(one.version for one in self.all if one.version is not None)

    @cached_property
    def pairs(self) -> set[tuple[int, float | None]]:
        """Which prediction came from which version."""
        return {(one.version, one.prediction) for one in self.all if one.version is not None}

    @property
    def longest_gap(self) -> float:
        """The longest time in seconds without a good answer."""
        good = [one.at for one in self.all if not one.reason]
        return max((after - before for before, after in pairwise(good)), default=float("inf"))

    def percentile(self, share: float) -> float:
        """Seconds that so many of the good answers did not exceed."""
        times = sorted(one.seconds for one in self.all if not one.reason)
        return times[max(0, ceil(share * len(times)) - 1)]

    def of(self, version: int) -> Answers:
        return Answers(tuple(one for one in self.all if one.version == version))

    def between(self, begin: float, end: float) -> Answers:
        """Those of requests that were begun in that time."""
        return Answers(tuple(one for one in self.all if begin <= one.begun < end))

    def first(self, version: int) -> float:
        """When a version gave its first answer."""
        return self.of(version).all[0].at

    def last(self, version: int) -> float:
        return self.of(version).all[-1].at

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests, {self.rate:.0f}/s, failed: {dict(self.failures) or 'none'}; "
            f"p50 {self.percentile(0.5) * 1e3:.1f} ms, p99 {self.percentile(0.99) * 1e3:.1f} ms; "
            f"longest gap {self.longest_gap:.2f} s; by version {dict(self.versions)}"
        )


@dataclass
class Load:
    """Clients that ask while it is open; `answers` is there afterwards."""

    answers: Answers = field(default_factory=lambda: Answers(()))


@contextmanager
def load(url: str, record: object, *, rate: float = RATE) -> Iterator[Load]:
    """Ask `url` for predictions, about so many a second, until the end of the block."""
    command = [sys.executable, __file__, url, json.dumps(record), str(rate)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    loaded = Load()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "asking\n"
        yield loaded
    finally:
        said = process.communicate()[0]
        loaded.answers = Answers(tuple(Answer(*one) for one in json.loads(said or "[]")))


class _Client(threading.Thread):
    """Asks again once it is answered, so many times a second at most."""

    def __init__(self, url: str, record: str, pause: float, done: threading.Event, *, keeps: bool) -> None:
        super().__init__()
        place = urlsplit(url)
        assert place.hostname
        self.answers: list[Answer] = []
        self._connection = http.client.HTTPConnection(place.hostname, place.port, timeout=_PATIENCE)
        self._path, self._record = place.path, record
        self._pause, self._done, self._keeps = pause, done, keeps

    def run(self) -> None:
        due = time.monotonic()
        while not self._done.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic())
            begun = time.monotonic()
            status, version, prediction, reason = self._asked()
            now = time.monotonic()
            self.answers.append(Answer(now, now - begun, status, version, prediction, reason))

    def _asked(self) -> tuple[int, int | None, float | None, str]:
        headers = {"Content-Type": "application/json", "Connection": "keep-alive" if self._keeps else "close"}
        try:
            self._connection.request("POST", self._path, self._record, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return 0, None, None, type(error).__name__
        if response.status != 200:
            return response.status, None, None, str(response.status)
        said = json.loads(content)
        return response.status, said["version"], said["prediction"], ""


def _main(url: str, record: str, rate: str) -> None:
    """Ask until standard input ends, then write what was answered."""
    done = threading.Event()
    pause = CLIENTS / float(rate)
    clients = [_Client(url, record, pause, done, keeps=number % 2 == 0) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    print("asking", flush=True)
    limit = threading.Timer(LONGEST, done.set)
    limit.daemon = True
    limit.start()
    sys.stdin.read()
    done.set()
    for client in clients:
        client.join()
    print(json.dumps(sorted(one for client in clients for one in client.answers)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
