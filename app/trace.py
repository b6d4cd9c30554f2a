"""A request's number: the caller's own, or one that is made only where somebody reads it."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from typing import Any

NUMBER, PARENT = "esteira.number", "esteira.parent"
"""Where in a request's scope its number is, and whether that came as a W3C trace."""

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,64}")


def note(scope: MutableMapping[str, Any], name: bytes, value: bytes) -> None:
    """Keep what a header says of the request's number; what cannot be one is ignored, as W3C asks.

    `traceparent` is that of W3C's Trace Context; it wins over `x-request-id`.
    """
    if name == b"traceparent":
        found = _TRACEPARENT.match(value)
        if found and (found.end() == len(value) or value[:2] != b"00"):  # later versions may say more
            scope[NUMBER], scope[PARENT] = found[1].decode(), True
    elif PARENT not in scope and _REQUEST_ID.fullmatch(value):
        scope[NUMBER] = value.decode()


def number(scope: MutableMapping[str, Any]) -> str:
    """The request's number; made when it has none."""
    known = scope.get(NUMBER)
    if known is None:
        known = scope[NUMBER] = secrets.token_hex(16)
    return str(known)


def lines(scope: MutableMapping[str, Any]) -> bytes:
    """The headers that tell the caller the number; none of a request that has none."""
    known = scope.get(NUMBER)
    if known is None:
        return b""
    told = f"x-request-id: {known}\r\n"
    if PARENT in scope:
        told += f"traceresponse: 00-{known}-{secrets.token_hex(8)}-00\r\n"
    return told.encode()
