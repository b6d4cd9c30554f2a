"""Reads request bodies, never more of them than is allowed."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from app.problems import Refusal

LARGEST_RECORD = 1_000_000
"""Bytes of a body that holds one record."""
_JSON = b"application/json"


async def read(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body; raises Refusal when it is not declared as JSON or is larger than `limit` bytes."""
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value != _JSON:
                _check_type(value)
        elif name == b"content-length" and int(value) > limit:
            raise too_large(limit)
    return await whole(receive, limit)


async def whole(receive: Receive, limit: int) -> bytes:
    """The whole body, of any type; raises Refusal when it is larger than `limit` bytes."""
    parts, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return b"".join([*parts, part]) if parts else part
        parts.append(part)


def check_length(request: Request, limit: int) -> None:
    """Raise Refusal when more than `limit` bytes are declared."""
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_large(limit)


def _check_type(value: bytes) -> None:
    kind = value.partition(b";")[0].strip().lower()
    if kind != _JSON:
        sent = kind.decode("latin-1")[:100]
        detail = f"The body must be sent with Content-Type: application/json, not {sent!r}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def too_large(limit: int) -> Refusal:
    """The refusal of a body of more bytes than are allowed."""
    detail = f"The body is larger than {limit:,} bytes, the limit of this path; send fewer records at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
