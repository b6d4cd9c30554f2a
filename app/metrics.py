"""Counts and times requests, for Prometheus."""

from __future__ import annotations

from math import inf
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import RequestLog
from esteira.metadata import Metadata

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OTHER = "other"
"""The route of every request for a path that there is not."""


class Metrics:
    """The figures of one process."""

    def __init__(self, metadata: Metadata) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        about = Gauge("model_info", "The version served", ["case", "version"], registry=registry)
        about.labels(metadata.case, str(metadata.version)).set(1)
        self.predictions = Counter("predictions", "Records answered", registry=registry)
        self.warnings = Counter("prediction_warnings", "Values unseen in training", registry=registry)
        self._requests = Counter("http_requests", "Requests answered", ["route", "status"], registry=registry)
        self._seconds = Histogram(
            "http_request_seconds", "From request to answer", ["route"], buckets=BUCKETS, registry=registry
        )
        self._bound: dict[tuple[str, int], tuple[Histogram, Counter]] = {}

    def record(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        bound = self._bound.get((route, status))
        if bound is None:
            bound = self._seconds.labels(route), self._requests.labels(route, str(status))
            self._bound[route, status] = bound
        bound[0].observe(seconds)
        bound[1].inc()

    def text(self) -> bytes:
        """All figures, in Prometheus's text format."""
        return generate_latest(self._registry)


def _say_nothing(_scope: Scope, _status: int, _seconds: float) -> None:
    """What is done for the log without one."""


class Measured:
    """An application whose requests are counted and timed, and logged where that is wanted."""

    def __init__(self, app: ASGIApp, metrics: Metrics, requests: RequestLog | None) -> None:
        self._app, self._metrics = app, metrics
        self._note = requests.note if requests else _say_nothing
        self._slow = requests.slow if requests else inf
        self._hearing = requests.hearing if requests and requests.bodies else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if self._hearing:
            receive = self._hearing(scope, receive)
        status, start = 500, perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = scope.get("route")
            seconds = perf_counter() - start
            self._metrics.record(route.path if route else OTHER, status, seconds)
            if seconds >= self._slow or status >= 500:
                self._note(scope, status, seconds)
