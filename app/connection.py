"""A connection whose answers are safe to handle, and whose client may not have more than its share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app import kinds, trace
from app.guard import OPEN
from app.heads import HEADS
from app.kinds import Kind
from app.oneway import Joining
from app.problems import MEDIA_TYPE, written

MOST_CONNECTIONS = 900
"""Of one process; systems let one have 1,024 files."""
MOST_PIPELINED = 32
LARGEST_HEAD = 65_536
RETRY_AFTER = 1
"""Seconds; the requests that wait are answered within less."""
_SOME = -1
"""That something of a body just came."""
_OF_UPGRADES = frozenset({b"connection", b"upgrade", b"http2-settings"})
_NOTED = frozenset({b"expect", b"traceparent", b"x-request-id"})

log = logging.getLogger("app")


class Connection(HttpToolsProtocol):
    """HTTP over one connection; `limit_concurrency` is how many requests may be underway at once.

    What is asked for by one of the paths `always` is answered however many are: a process that is busy is
    no process that is broken.
    """

    def __init__(self, *args: Any, always: Collection[str] = OPEN, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._always = always
        # uvicorn's own way to refuse would answer with plain text, and counts idle connections too
        self._most, self.limit_concurrency = self.limit_concurrency or 1, None
        self.came = 0
        """Bytes of bodies that did not come with their heads."""
        self.head = 0
        """Bytes of a head that is not whole yet."""
        self.running: RequestResponseCycle | None = None
        """The last request that was begun; `cycle` is the last that came, which may wait for this one."""
        self._around = 0
        """Bytes since the last of a body that are none of it: chunks' own words, and fields after them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.joining = Joining(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, self.joining))
        if len(self.connections) > MOST_CONNECTIONS:
            _Told.overloaded("connections are open")
            self.refuse(
                kinds.OVERLOADED, f"More than {MOST_CONNECTIONS} connections are open; come back later"
            )

    def data_received(self, data: bytes) -> None:
        if len(data) > LARGEST_HEAD and self._is_head(data):
            self._refuse_head()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            self._stay_with_this_protocol(data[error.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("This is not HTTP")
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.scope is not self.scope or self.head or self.pipeline:
            self._weigh(len(data))

    def _weigh(self, size: int) -> None:
        """Count what came without completing a request, or too soon; rare, so that others pay nothing."""
        if self.is_in_head():
            self.head += size
        else:
            self.head, self.came = 0, self.came + size
            in_body = self.cycle is not None and self.cycle.more_body and self._around != _SOME
            self._around = self._around + size if in_body else 0
        if self.head > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse_head()
        if len(self.pipeline) > MOST_PIPELINED or self._around > LARGEST_HEAD:
            self.transport.abort()

    def _is_head(self, data: bytes) -> bool:
        """Whether all that may be one at most, of what came at once, is a head."""
        body = self.cycle is not None and self.cycle.more_body
        begins = self.is_in_head() or not (body or self.is_busy())
        return begins and data.find(b"\r\n\r\n", 0, LARGEST_HEAD) < 0

    def _refuse_head(self) -> None:
        self.refuse(kinds.HEAD_TOO_LARGE, f"The head is larger than {LARGEST_HEAD:,} bytes, the limit")

    def is_in_head(self) -> bool:
        """Whether a request has begun whose head is not whole yet."""
        return self.scope is not None and (self.cycle is None or self.scope is not self.cycle.scope)

    def _should_upgrade(self) -> bool:
        return True  # to what follows in `_stay_with_this_protocol`; uvicorn would lose the body

    def _stay_with_this_protocol(self, rest: bytes) -> None:
        """Take a request that would rather change the protocol, as Java's client asks, as if it did not."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if method == b"CONNECT":
            return self.refuse(kinds.MALFORMED_REQUEST, "This is no proxy; send a path")
        if self.is_busy():
            return self.transport.abort()  # who sends ahead does not ask for another protocol each time
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] not in _OF_UPGRADES]
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version.encode(), b"".join(lines))
        self.parser = httptools.HttpRequestParser(self)
        return self.data_received(head + rest)

    def is_busy(self) -> bool:
        """Whether a request is not answered yet."""
        return self.running is not None and not self.running.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.running is not None and self.is_busy():
            self.running.disconnected = True
            self.running.message_event.set()

    def on_body(self, body: bytes) -> None:
        self._around = _SOME
        super().on_body(body)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.cycle is not None and self.scope is self.cycle.scope:
            return  # it comes after the body, where nothing here reads any
        name = name.lower()
        if name in _NOTED:
            if name == b"expect":
                self.expect_100_continue = value.lower() == b"100-continue"
            else:
                trace.note(self.scope, name, value)  # type: ignore[arg-type]
        self.headers.append((name, value))

    def send_400_response(self, msg: str) -> None:
        self.refuse(kinds.MALFORMED_REQUEST, f"{msg}; send HTTP/1.1")

    def refuse(self, kind: Kind, detail: str) -> None:
        """Answer with a problem, whatever was begun, and close."""
        if self.running is not None and self.is_busy():
            self.running.disconnected = True
            self.running.message_event.set()
            if self.running.response_started:
                self.transport.abort()
                return
        self.pipeline.clear()
        self.joining.scope = None
        self.transport.write(_whole(kind, detail, self.server_state.default_headers))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.running = cycle
        self.joining.scope = cycle.scope  # type: ignore[assignment]
        if len(self.tasks) >= self._most and cycle.scope["path"] not in self._always:
            _Told.overloaded("requests are underway")
            app = cast(ASGI3Application, _busy)
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        # uvicorn's own, without its timer for idle connections: `patience` ends those
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())


class _Told:
    """When the log was last told that there is too much to do: once a second is enough."""

    at = 0.0

    @classmethod
    def overloaded(cls, what: str) -> None:
        now = time.monotonic()
        if now - cls.at >= 1:
            cls.at = now
            log.warning("Refusing with 503: as many as may be %s", what)


def _whole(kind: Kind, detail: str, defaults: list[tuple[bytes, bytes]]) -> bytes:
    body = written(kind, detail)
    lines = b"".join(b"%b: %b\r\n" % pair for pair in defaults)
    retry = b"retry-after: %d\r\n" % RETRY_AFTER if kind.status == kinds.OVERLOADED.status else b""
    head = f"HTTP/1.1 {kind.status.value} {kind.status.phrase}\r\n".encode()
    about = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n".encode()
    return head + lines + retry + about + HEADS.data + body


_DETAIL = "More requests wait than this process lets wait; this one was not begun: send it again in a second"
_BODY = written(kinds.OVERLOADED, _DETAIL)
_START = {
    "type": "http.response.start",
    "status": kinds.OVERLOADED.status.value,
    "headers": [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(_BODY)).encode()),
        (b"retry-after", str(RETRY_AFTER).encode()),
    ],
}


async def _busy(_scope: Any, _receive: Any, send: Any) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})
