"""A uvicorn server that leaves its port to a successor and finishes what was begun."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from starlette.types import ASGIApp
from uvicorn import Config, Server

from app import listener
from app.oneway import Joined

KEEP_ALIVE = 65
"""Seconds; longer than clients keep an idle connection, so that they are the ones to close it."""
LINGER = 1.0
"""Seconds that idle connections get, after SIGTERM, to send a last request."""
LONGEST_REQUEST = 30


class Drained(Server):
    """Serves until SIGTERM or SIGINT, then drains and returns."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again when it is done, and the exit code would not be 0
        kept = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            listener.take_new_connections(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in sockets or ():
            listener.leave_new_connections(listening)
        await self._let_clients_go()
        await super().shutdown(sockets)

    async def _let_clients_go(self) -> None:
        """Answer what still comes on open connections, and tell clients to open their next one anew."""
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        deadline = asyncio.get_running_loop().time() + LINGER
        await asyncio.sleep(LINGER / 10)
        while state.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LINGER / 50)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True


def serve(app: ASGIApp, bound: Sequence[socket.socket]) -> None:
    """Serve on bound sockets until told to stop."""
    config = Config(
        app,
        loop="uvloop",
        http=Joined,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LONGEST_REQUEST,
    )
    Drained(config).run(list(bound))
