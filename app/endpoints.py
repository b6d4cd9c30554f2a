"""What each route does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from functools import partial
from typing import IO, Any

import anyio.to_thread
from anyio import CapacityLimiter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app import body, media, upload
from app.answers import Answers
from app.batches import Asked, Batches, Limits, asked
from app.metrics import Metrics
from app.modelo import Modelo
from app.platforms.routes import Platforms
from app.problems import Refusal

BATCHES_AT_ONCE = 2
AT_ONCE = 2_000_000
"""Bytes of an answer that are sent as one; a longer one is sent as it comes."""


class Live(BaseModel):
    """The process is up."""

    status: str = "alive"
    case: str
    instance: str


class Ready(BaseModel):
    """A verified version has answered its golden examples."""

    status: str = "ready"
    case: str
    version: int
    instance: str


class Check(BaseModel):
    """The short form of ready."""

    status: str = "ok"
    version: int


class Json(Response):
    """Bytes that are JSON already."""

    media_type = "application/json"

    def __init__(self, content: bytes) -> None:
        self.body, self.status_code, self.background = content, 200, None
        length = str(len(content)).encode()
        self.raw_headers = [(b"content-length", length), (b"content-type", b"application/json")]


class Endpoints:
    """Answers requests with one opened version."""

    def __init__(
        self, modelo: Modelo, instance: str, metrics: Metrics, limits: Limits, platforms: Platforms
    ) -> None:
        self.answers = Answers(modelo)
        self.batches = Batches(modelo, metrics, limits)
        self._metrics, self._platforms = metrics, platforms
        self._in_thread = partial(anyio.to_thread.run_sync, limiter=CapacityLimiter(BATCHES_AT_ONCE))
        self._version = {"Model-Version": str(modelo.metadata.version)}
        case, version = modelo.metadata.case, modelo.metadata.version
        self._model = _json(modelo.metadata)
        self._live = _json(Live(case=case, instance=instance))
        self._ready = _json(Ready(case=case, version=version, instance=instance))
        self._check = _json(Check(version=version))

    async def predict(self, request: Request) -> Response:
        return Json(await self.predicted(request.scope, request.receive))

    async def predicted(self, scope: Scope, receive: Receive) -> bytes:
        """The answer to a request for one prediction; raises Refusal."""
        content = await body.read(scope, receive, body.LARGEST_RECORD)
        try:
            answer, warnings = self.answers.one(content)
        except Refusal:
            if (instances := await self._platforms.instances(content)) is None:
                raise
            return instances
        self._metrics.predictions.inc()
        if warnings:
            self._metrics.warnings.inc(warnings)
        return answer

    async def predict_batch(self, request: Request) -> Response:
        wishes = asked(request)
        file = await upload.received(request, self.batches.largest(wishes.sent))
        try:
            first, parts = await self._in_thread(self._begun, file, wishes)
        except BaseException:
            upload.close(file)
            raise
        kind = media.TYPES[wishes.wanted]
        if len(first) < AT_ONCE:
            upload.close(file)
            return Response(first, headers=self._version, media_type=kind)
        rest = partial(self._in_thread, _first, parts)
        return Streamed(_all(first, rest), partial(_end, parts, file), headers=self._version, media_type=kind)

    def _begun(self, file: IO[bytes], wishes: Asked) -> tuple[bytes, Generator[bytes, None, None]]:
        parts = self.batches.answer(file, wishes)
        return _first(parts), parts

    async def model(self, _request: Request) -> Response:
        return self._model

    async def live(self, _request: Request) -> Response:
        return self._live

    async def ready(self, _request: Request) -> Response:
        return self._ready

    async def check(self, _request: Request) -> Response:
        return self._check

    async def metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Streamed(StreamingResponse):
    """An answer that is sent as it comes; `end` is called when it is sent, or its client has left."""

    def __init__(self, content: AsyncIterator[bytes], end: Callable[[], None], **known: Any) -> None:
        super().__init__(content, **known)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


async def _all(first: bytes, rest: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    part = first
    while part:
        yield part
        part = await rest()


def _end(parts: Generator[bytes, None, None], file: IO[bytes]) -> None:
    parts.close()
    upload.close(file)


def _first(parts: Iterator[bytes]) -> bytes:
    """The next parts, AT_ONCE bytes of them or the rest."""
    taken, size = [], 0
    for part in parts:
        taken.append(part)
        size += len(part)
        if size >= AT_ONCE:
            break
    return b"".join(taken)


def _json(model: BaseModel) -> Json:
    return Json(model.model_dump_json().encode())
