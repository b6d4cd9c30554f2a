"""Sends the head and the body of an answer together: nobody sees half of one when the process is killed."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from app.heads import HEADS

_STATUS, _INTERIM = len(b"HTTP/1.1 "), ord("1")
"""Where in a head its status begins, and how one does after which the answer itself is yet to come."""


class Joining:
    """A transport that completes the heads of answers, and writes once the loop comes round."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.scope: MutableMapping[str, Any] | None = None
        """Of the request whose answer's head comes next; None within an answer."""
        self.written = 0
        """Bytes so far."""
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if self.scope is not None and data[_STATUS] != _INTERIM:
            data, self.scope = HEADS.complete(data, self.scope), None
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            whole = parts[0] if len(parts) == 1 else b"".join(parts)
            self.written += len(whole)
            self._transport.write(whole)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
