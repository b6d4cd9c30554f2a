"""The proxy as an ASGI application: reads a request, asks whether it may pass, streams both ways."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import httpx

from esteira.engineproxy import grants
from esteira.engineproxy.engine import Engine
from esteira.engineproxy.refused import RefusedError
from esteira.engineproxy.request import Chunks, Onward, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
_PASSED_BACK = frozenset({"content-type", "content-length", "api-version", "ostype", "docker-experimental"})

log = logging.getLogger("esteira.engineproxy")


class LeftError(Exception):
    """The client has gone while it was still sending."""


class Proxy:
    """Lets through what the grants allow, in the engine's own protocol."""

    def __init__(self, engine: Engine, volume: str) -> None:
        self._engine, self._volume = engine, volume

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request; when the client leaves, the engine is left too, which ends a build."""
        body = _Body(receive)
        answering = asyncio.create_task(self._answered(scope, body, send))
        leaving = asyncio.create_task(body.left())
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (answering, leaving):
            task.cancel()
        with suppress(asyncio.CancelledError, LeftError):
            await answering

    async def _answered(self, scope: Message, body: _Body, send: Send) -> None:
        what = f"{scope['method']} {scope['raw_path'].decode(errors='replace')}"
        try:
            path, query = scope["raw_path"].decode("ascii"), scope["query_string"].decode("ascii")
            request = Request.read(scope["method"], path, query, body.chunks())
            onward = await grants.allowed(request, self._engine, self._volume)
            if isinstance(onward.body, bytes):
                await body.drained()
            await self._passed(onward, what, send)
        except RefusedError as refusal:
            if refusal.status == httpx.codes.FORBIDDEN:
                log.warning("refused %s: %s", what, refusal)
            await _say(send, refusal.status, str(refusal))
        except httpx.ConnectError as error:
            log.warning("the engine does not answer %s: %r", what, error)
            await _say(send, httpx.codes.BAD_GATEWAY, f"The Docker engine does not answer: {error!r}")

    async def _passed(self, onward: Onward, what: str, send: Send) -> None:
        async with self._engine.answer(onward) as answer:
            if onward.method != "GET":
                log.info("%s: %d", what, answer.status_code)
            headers = [pair for pair in answer.headers.raw if pair[0].decode().lower() in _PASSED_BACK]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
            async for chunk in answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})


class _Body:
    """The request's body, read once, and the word that the client has left, which comes the same way."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = asyncio.Event()

    async def chunks(self) -> Chunks:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise LeftError
            yield message.get("body", b"")
            more = message.get("more_body", False)
        self._read.set()

    async def drained(self) -> None:
        """Read what nobody has read."""
        if not self._read.is_set():
            async for _ in self.chunks():
                continue

    async def left(self) -> None:
        """Return when the client has left after all of its body was read."""
        await self._read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue


async def _say(send: Send, status: int, message: str) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
