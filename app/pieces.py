"""Parses JSON: a large list or object in pieces, so that other threads get their turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from pydantic_core import from_json

from app.problems import Refusal

PIECE = 1 << 19
"""Bytes that are parsed at once: some milliseconds."""
_BLANK = rb"[ \t\n\r]*"
_BETWEEN_RECORDS = re.compile(rb"\}" + _BLANK + rb",(?=" + _BLANK + rb"\{)")
_BETWEEN_COLUMNS = re.compile(rb"\]" + _BLANK + rb",(?=" + _BLANK + rb'")')
_START = re.compile(_BLANK)
_PLACE = re.compile(r"(.*) at line (\d+) column (\d+)")


def parsed(content: bytes) -> Iterator[list[Any]] | Iterator[dict[str, Any]]:
    """The items of a list as lists, or the members of an object as objects.

    Raises Refusal, now or while it is gone through, where the content is neither, or is not JSON.
    """
    start = len(_START.match(content)[0])  # type: ignore[index]
    first = content[start : start + 1]
    if first == b"[":
        return _pieces(content, start + 1, b"[", b"]", _BETWEEN_RECORDS)
    if first == b"{":
        return _pieces(content, start + 1, b"{", b"}", _BETWEEN_COLUMNS)
    _value(content, content, 0)
    raise no_batch()


def whole(content: bytes) -> Any:
    """What JSON says, whatever it is, parsed at once; raises Refusal where it is none."""
    return _value(content, content, 0)


def no_batch() -> Refusal:
    """The refusal of JSON that is no batch."""
    detail = (
        'The body must be a list of records, [{"column": value, …}, …], '
        'or an object with a list for each column, {"column": [value, …], …}'
    )
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def malformed(reason: str) -> Refusal:
    """The refusal of a body that is not JSON; the reason holds the position."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"The body is not valid JSON: {reason}")


def _pieces(
    content: bytes, at: int, opened: bytes, closed: bytes, between: re.Pattern[bytes]
) -> Iterator[Any]:
    """What stands before a comma is whole if it can be parsed; else that comma was within something."""
    size = PIECE
    while comma := between.search(content, at + size):
        try:
            yield _loads(b"%b%b%b" % (opened, content[at : comma.start() + 1], closed))
        except ValueError:
            size *= 2
        else:
            at, size = comma.end(), PIECE
    yield _value(opened + content[at:], content, at)


def _value(piece: bytes, content: bytes, at: int) -> Any:
    try:
        return _loads(piece)
    except ValueError as error:
        raise malformed(_placed(str(error), content, at)) from None


def _loads(piece: bytes) -> Any:
    """The value; raises ValueError with the place. NaN and infinity are values, to be refused by column."""
    try:
        return orjson.loads(piece)
    except ValueError:
        return from_json(piece)


def _placed(reason: str, content: bytes, at: int) -> str:
    """The reason with its place in the content, of which the piece is what comes after `at`."""
    found = _PLACE.fullmatch(reason)
    if found is None or at == 0:
        return reason
    line, column = int(found[2]), int(found[3])
    if line == 1:
        column += at - content.rfind(b"\n", 0, at) - 2
    line += content.count(b"\n", 0, at)
    return f"{found[1]} at line {line} column {column}"
