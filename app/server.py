"""A uvicorn server that leaves its port to a successor and finishes what was begun."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import cast

from starlette.types import ASGIApp
from uvicorn import Config, Server

from app import listener
from app.connection import Connection
from app.guard import OPEN
from app.heads import HEADS
from app.patience import Patience

LINGER = 1.0
"""Seconds that idle connections get, after SIGTERM, to send a last request."""
LONGEST_REQUEST = 30


MOST_REQUESTS = 256
"""Underway at once."""
PATIENCE = 20.0
"""Seconds with a slow client."""
TICKS = 10
"""Of uvicorn's loop in a second."""


class Drained(Server):
    """Serves until SIGTERM or SIGINT, then drains and returns; does what is to be done each second."""

    def __init__(self, config: Config, patience: Patience, each_second: Sequence[Callable[[], None]]) -> None:
        super().__init__(config)
        self._patience, self._each_second = patience, each_second

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            HEADS.renew(time.time())
            now = asyncio.get_running_loop().time()
            open_now = [one for one in self.server_state.connections if isinstance(one, Connection)]
            self._patience.look(open_now, now)
            for do in self._each_second:
                do()
        return await super().on_tick(counter)

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


def serve(
    app: ASGIApp,
    bound: Sequence[socket.socket],
    *,
    most_requests: int = MOST_REQUESTS,
    patience: float = PATIENCE,
    always: Collection[str] = OPEN,
    each_second: Sequence[Callable[[], None]] = (),
) -> None:
    """Serve on bound sockets until told to stop; `each_second` is done once more at the end.

    Requests for one of the paths `always` are answered beyond `most_requests` too.
    """
    config = Config(
        app,
        loop="uvloop",
        http=cast("type[Connection]", partial(Connection, always=always)),
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_config=None,
        limit_concurrency=most_requests,
        timeout_graceful_shutdown=LONGEST_REQUEST,
    )
    Drained(config, Patience(patience), each_second).run(list(bound))
    for do in each_second:
        do()
