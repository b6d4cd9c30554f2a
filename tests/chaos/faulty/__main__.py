"""A version's API with a fault of its own: `python -m faulty`, told by the variable FAULT."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from typing import Any

from app import __main__ as served

FAULT = json.loads(os.environ["FAULT"])
"""`errors`: the share that is answered 500; `slow` and `seconds`: the share that waits for so long;
`dies`: after how many requests it ends; `wrong`: what each prediction is changed by; `after`: how many are
answered well first."""


class Faulty:
    """An application that answers some requests for a prediction as a bad version would."""

    def __init__(self, app: Any) -> None:
        self._app, self._asked, self._random = app, 0, random.Random(0)  # noqa: S311

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/predict":
            return await self._app(scope, receive, send)
        self._asked += 1
        if self._asked <= FAULT.get("after", 0):
            return await self._app(scope, receive, send)
        if self._asked > FAULT.get("dies", float("inf")):
            os._exit(1)
        if self._random.random() < FAULT.get("errors", 0):
            return await _fail(send)
        if self._random.random() < FAULT.get("slow", 0):
            await asyncio.sleep(FAULT["seconds"])
        return await self._app(scope, receive, _altered(send) if FAULT.get("wrong") else send)


async def _fail(send: Any) -> None:
    await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def _altered(send: Any) -> Any:
    """Sends another prediction: the head only once the length of the changed body is known."""
    head: dict[str, Any] = {}

    async def altered(message: Any) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
            return
        said = json.loads(message["body"])
        said["prediction"] += FAULT["wrong"]
        body = json.dumps(said).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({**head, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return altered


def _with_faults(*told: Any) -> Any:
    return Faulty(_whole(*told))


_whole = served._app
served._app = _with_faults
sys.exit(served.main())
