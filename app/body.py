"""Reads request bodies, never more of them than is allowed."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request

from app.problems import Refusal


async def read(request: Request, limit: int) -> bytes:
    """The whole body; raises Refusal when it is not declared as JSON or is larger than `limit` bytes."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            _check_type(value)
        elif name == b"content-length" and int(value) > limit:
            raise too_large(limit)
    return await whole(request, limit)


async def whole(request: Request, limit: int) -> bytes:
    """The whole body, of any type; raises Refusal when it is larger than `limit` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return b"".join(parts)


def check_length(request: Request, limit: int) -> None:
    """Raise Refusal when more than `limit` bytes are declared."""
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_large(limit)


def _check_type(value: bytes) -> None:
    kind = value.partition(b";")[0].strip().lower()
    if kind != b"application/json":
        sent = kind.decode("latin-1")[:100]
        detail = f"The body must be sent with Content-Type: application/json, not {sent!r}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def too_large(limit: int) -> Refusal:
    """The refusal of a body of more bytes than are allowed."""
    detail = f"The body is larger than {limit:,} bytes, the limit of this path; send fewer records at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
