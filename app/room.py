"""Room for so many requests of a kind at once; one more is told to come back, instead of waiting."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app import kinds
from app.problems import Refusal

Endpoint = Callable[[Request], Awaitable[Response]]
MOST_BATCHES = 8
"""Underway at once, those that are still being sent among them."""
RETRY_AFTER = 2
"""Seconds; about what the largest batch takes."""


def bounded(does: Endpoint, most: int, what: str) -> Endpoint:
    """An endpoint with `most` requests underway at most; one more gets 503 before its body is read."""
    underway = 0

    @functools.wraps(does)
    async def answer(request: Request) -> Response:
        nonlocal underway
        if underway >= most:
            detail = f"{most} {what} are underway, as many as may be; send this again in {RETRY_AFTER} s"
            headers = {"Retry-After": str(RETRY_AFTER)}
            raise Refusal(kinds.OVERLOADED.status, detail, kind=kinds.OVERLOADED, headers=headers)
        underway += 1
        try:
            return await does(request)
        finally:
            underway -= 1

    return answer
