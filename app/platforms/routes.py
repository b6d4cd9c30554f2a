"""The platforms' routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
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

Handler = Callable[[Request, Any], Awaitable[Response] | Response]
_V2 = "/v2"
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

    def of_model(self, content: bytes) -> Callable[[Request], Any]:
        async def say(request: Request) -> Response:
            self._inference.check(request.path_params["model"], request.path_params.get("version"))
            return _response(content)

        return say

    def said(self, content: bytes) -> Callable[[Request], Any]:
        async def say(_request: Request) -> Response:
            return _response(content)

        return say

    def routes(self) -> list[Route]:
        models = (_V2 + "/models/{model}", _V2 + "/models/{model}/versions/{version}")
        inference, infer = self._inference, bounded(self.infer, MOST_BATCHES, "batches")
        return [
            Route("/ping", self.said(b"{}"), methods=["GET"]),
            Route("/invocations", bounded(self.invocations, MOST_BATCHES, "batches"), methods=["POST"]),
            Route(_V2, self.said(inference.server), methods=["GET"]),
            Route(f"{_V2}/health/live", self.said(inference.live), methods=["GET"]),
            Route(f"{_V2}/health/ready", self.said(inference.ready), methods=["GET"]),
            *(Route(path, self.of_model(inference.model), methods=["GET"]) for path in models),
            *(
                Route(f"{path}/ready", self.of_model(inference.model_ready), methods=["GET"])
                for path in models
            ),
            *(Route(f"{path}/infer", infer, methods=["POST"]) for path in models),
        ]


def install(api: FastAPI, platforms: Platforms, health: str, predict: str) -> None:
    """Add the routes; `health` and `predict` are those that Vertex AI tells, if they are not ours already."""
    api.router.routes.extend(platforms.routes())
    for kind in (Refusal, HTTPException, ClientDisconnect, Exception):
        api.add_exception_handler(kind, _as_v2(api.exception_handlers[kind]))
    taken = {getattr(route, "path", "") for route in api.router.routes}
    if health and health not in taken:
        api.router.routes.append(Route(health, platforms.said(b"{}"), methods=["GET"]))
    if predict and predict not in taken:
        api.router.routes.append(
            Route(predict, bounded(platforms.vertex, MOST_BATCHES, "batches"), methods=["POST"])
        )


def _as_v2(answer: Handler) -> Handler:
    """The same answers to what goes wrong; on the protocol's paths in the form that it has for errors."""

    async def answered(request: Request, error: Exception) -> Response:
        found = answer(request, error)
        found = found if isinstance(found, Response) else await found
        # not the URL's path, which is made of whatever the Host header holds
        path = request.scope["path"]
        return _plain_error(found) if path == _V2 or path.startswith(f"{_V2}/") else found

    return answered


def _plain_error(problem: Response) -> Response:
    told = json.loads(bytes(problem.body))
    said = " ".join([told["detail"], *(fault["message"] for fault in told["errors"])])
    kept = {name: value for name, value in problem.headers.items() if not name.startswith("content-")}
    return Response(json.dumps({"error": said}), problem.status_code, kept, "application/json")


async def _work(does: Callable[..., Any], content: bytes, *more: Any) -> Any:
    if len(content) <= _SMALL:
        return does(content, *more)
    return await anyio.to_thread.run_sync(partial(does, content, *more))


def _response(content: bytes, kind: str = "application/json") -> Response:
    return Response(content, media_type=kind)
