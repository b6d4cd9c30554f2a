"""The way to the one path that everything else exists for, past the routes that the others go through.

FastAPI describes POST /predict and a router finds it, as any other; but a router, a request object and a
response object take longer than the prediction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app import problems
from app.problems import Refusal


class Express:
    """An application that answers POST requests for one route itself, by what `does` makes of them."""

    def __init__(
        self, app: ASGIApp, route: Route, does: Callable[[Scope, Receive], Awaitable[bytes]]
    ) -> None:
        self._app, self._route, self._path, self._does = app, route, route.path, does

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != self._path or scope["method"] != "POST":
            await self._as_get(scope, receive, send)
            return
        scope["route"] = self._route
        try:
            answer = await self._does(scope, receive)
        except (Refusal, ClientDisconnect) as error:
            await problems.of(error)(scope, receive, send)
            return
        length = b"%d" % len(answer)
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _as_get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have HEAD answered as GET is; uvicorn leaves the body out."""
        if scope.get("method") != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send)
        finally:
            scope["route"] = asked.get("route")
