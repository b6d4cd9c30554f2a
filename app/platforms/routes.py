"""The platforms' routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import body
from app.metrics import Metrics
from app.modelo import Modelo
from app.platforms.inference import Inference
from app.platforms.scoring import LARGEST, Scoring
from app.platforms.vertex import Vertex
from app.platforms.whole import Whole
from app.problems import Refusal
from app.room import MOST_BATCHES, bounded

_SMALL = 4_000
"""Bytes that are answered at once; what is larger must not hold up the others."""


class Platforms:
    """Answers on the platforms' paths with one opened version."""

    def __init__(self, modelo: Modelo, metrics: Metrics) -> None:
        whole = Whole(modelo, metrics)
        self._scoring, self._vertex, self._inference = Scoring(whole), Vertex(whole), Inference(whole)

    async def instances(self, content: bytes) -> bytes | None:
        """The answer to what was sent to `/predict` as Vertex AI does, where that is its predict route."""
        return await _work(self._vertex.answer, content) if self._vertex.is_meant(content) else None

    async def vertex(self, request: Request) -> Response:
        content = await body.read(request.scope, request.receive, LARGEST)
        return _response(await _work(self._vertex.answer, content))

    async def invocations(self, request: Request) -> Response:
        content = await body.whole(request.receive, LARGEST)
        answer, kind = await _work(self._scoring.answer, content, request.headers)
        return _response(answer, kind)

    async def infer(self, request: Request) -> Response:
        self._inference.check(request.path_params["model"], request.path_params.get("version"))
        content = await body.read(request.scope, request.receive, LARGEST)
        return _response(await _work(self._inference.infer, content))

    async def model(self, request: Request) -> Response:
        self._inference.check(request.path_params["model"], request.path_params.get("version"))
        ready = request.url.path.endswith("/ready")
        return _response(self._inference.model_ready if ready else self._inference.model)

    def said(self, content: bytes) -> Callable[[Request], Any]:
        async def say(_request: Request) -> Response:
            return _response(content)

        return say

    def routes(self) -> list[Route]:
        models = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
        inference, infer = self._inference, bounded(self.infer, MOST_BATCHES, "batches")
        return [
            Route("/ping", self.said(b"{}"), methods=["GET"]),
            Route("/invocations", bounded(self.invocations, MOST_BATCHES, "batches"), methods=["POST"]),
            Route("/v2", _as_v2(self.said(inference.server)), methods=["GET"]),
            Route("/v2/health/live", _as_v2(self.said(inference.live)), methods=["GET"]),
            Route("/v2/health/ready", _as_v2(self.said(inference.ready)), methods=["GET"]),
            *(Route(path, _as_v2(self.model), methods=["GET"]) for path in models),
            *(Route(f"{path}/ready", _as_v2(self.model), methods=["GET"]) for path in models),
            *(Route(f"{path}/infer", _as_v2(infer), methods=["POST"]) for path in models),
        ]


def install(api: FastAPI, platforms: Platforms, health: str, predict: str) -> None:
    """Add the routes; `health` and `predict` are those that Vertex AI tells, if they are not ours already."""
    api.router.routes.extend(platforms.routes())
    taken = {getattr(route, "path", "") for route in api.router.routes}
    if health and health not in taken:
        api.router.routes.append(Route(health, platforms.said(b"{}"), methods=["GET"]))
    if predict and predict not in taken:
        api.router.routes.append(
            Route(predict, bounded(platforms.vertex, MOST_BATCHES, "batches"), methods=["POST"])
        )


def _as_v2(does: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """The protocol has its own form of an error."""

    @wraps(does)
    async def answer(request: Request) -> Response:
        try:
            found: Response = await does(request)
        except Refusal as error:
            said = " ".join([error.detail, *(fault.message for fault in error.errors)])
            return Response(json.dumps({"error": said}), error.status, error.headers, "application/json")
        return found

    return answer


async def _work(does: Callable[..., Any], content: bytes, *more: Any) -> Any:
    if len(content) <= _SMALL:
        return does(content, *more)
    return await anyio.to_thread.run_sync(partial(does, content, *more))


def _response(content: bytes, kind: str = "application/json") -> Response:
    return Response(content, media_type=kind)
