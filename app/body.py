"""Reads request bodies, never more of them than is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

from starlette.requests import Request

from app.problems import Refusal

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


async def read(request: Request, limit: int) -> bytes:
    """The whole body; raises Refusal when it is not declared as JSON or is larger than `limit` bytes."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            _check_type(value)
        elif name == b"content-length" and int(value) > limit:
            raise _too_large(limit)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def malformed(reason: str) -> Refusal:
    """The refusal of a body that is not JSON; the reason holds the position."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"The body is not valid JSON: {reason}")


def items(body: bytes) -> Iterator[object]:
    """The items of a JSON list, parsed one at a time, so that other threads get their turn.

    Raises Refusal where the body is not JSON or not a list.
    """
    try:
        yield from _items(body.decode())
    except json.JSONDecodeError as error:
        raise malformed(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise malformed(f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise malformed("it is nested too deeply") from None
    except ValueError:
        raise malformed("a number in it has too many digits") from None


def _items(text: str) -> Iterator[object]:
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        _DECODER.raw_decode(text, at)
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "The body must be a list of records: [{…}, {…}]")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return _check_end(text, at + 1)
    while True:
        item, at = _DECODER.raw_decode(text, at)
        yield item
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return _check_end(text, at + 1)
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _check_end(text: str, at: int) -> None:
    end = _skip(text, at)
    if end < len(text):
        raise json.JSONDecodeError("Extra data", text, end)


def _check_type(value: bytes) -> None:
    kind = value.partition(b";")[0].strip().lower()
    if kind != b"application/json":
        sent = kind.decode("latin-1")[:100]
        detail = f"The body must be sent with Content-Type: application/json, not {sent!r}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _too_large(limit: int) -> Refusal:
    detail = f"The body is larger than {limit:,} bytes, the limit of this path; send fewer records at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
