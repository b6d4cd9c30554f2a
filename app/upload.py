"""Receives a batch: small ones in memory, large ones in a temporary file."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, cast

import anyio.to_thread
from starlette.requests import Request

from app import body
from app.problems import Refusal

IN_MEMORY = 4_000_000
BLOCK = 1 << 20


async def received(request: Request, limit: int) -> IO[bytes]:
    """The whole body, to be closed by whoever asks; raises Refusal when it is larger than `limit` bytes."""
    body.check_length(request, limit)
    file = cast("IO[bytes]", SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        await _fill(file, request, limit)
    except BaseException:
        close(file)
        raise
    return file


def close(file: IO[bytes]) -> None:
    """Close a file whose content is needed no more, whether or not all of it could be written."""
    with suppress(OSError):
        file.close()


async def _fill(file: IO[bytes], request: Request, limit: int) -> None:
    parts, waiting, size = [], 0, 0
    async for part in request.stream():
        parts.append(part)
        waiting += len(part)
        size += len(part)
        if size > limit:
            raise body.too_large(limit)
        if waiting >= BLOCK and size > IN_MEMORY:
            await anyio.to_thread.run_sync(_write, file, b"".join(parts))
            parts, waiting = [], 0
    if size <= IN_MEMORY:
        _write(file, b"".join(parts))
    else:
        await anyio.to_thread.run_sync(_write, file, b"".join(parts))


def _write(file: IO[bytes], content: bytes) -> None:
    try:
        file.write(content)
    except OSError as error:
        raise no_room(error.strerror or str(error)) from None


def no_room(reason: str) -> Refusal:
    """The refusal of what does not fit into this machine's temporary files."""
    detail = f"There is no room here for a batch of this size ({reason}); send fewer rows at once"
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
