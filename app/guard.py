"""Lets in who has an API key, as often as its rate allows."""

from __future__ import annotations

import base64
import binascii
from math import ceil
from time import monotonic

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import kinds, problems
from app.keys import Key, Keys

OPEN = frozenset({"/health/live", "/health/ready", "/check", "/ping", "/v2/health/live", "/v2/health/ready"})
"""What platforms ask before they send anybody here; it tells no more than the version's number."""
_CHALLENGES = ('Basic realm="esteira", charset="UTF-8"', 'Bearer realm="esteira"')
"""Each in a header of its own: of two in one, a browser sees the first and does not ask for the password."""
_MISSING = (
    "Send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`; a browser takes it as a password. "
    "Whoever runs this API makes one with: esteira keys add NAME"
)
_UNKNOWN = "This API key is not known here or was revoked; ask whoever runs this API for another"


class Guard:
    """An application that only answers who has a key; what explains a problem is open to all."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in OPEN or path.startswith(kinds.PREFIX):
            return await self._app(scope, receive, send)
        sent = _sent(scope)
        key = self._keys.find(sent)
        if key is None:
            detail = _UNKNOWN if sent else _MISSING
            refusal = problems.answer(kinds.API_KEY_NEEDED, detail)
            for challenge in _CHALLENGES:
                refusal.headers.append("WWW-Authenticate", challenge)
            return await refusal(scope, receive, send)
        scope["esteira.key"] = key.entry.name
        wait = key.take(monotonic())
        if wait:
            return await _exceeded(key, wait)(scope, receive, send)
        return await self._app(scope, receive, send if key.entry.rate is None else _telling(key, send))


def _sent(scope: Scope) -> str:
    """The key as it was sent, empty without one; in Basic credentials it is the password."""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value.strip().decode("latin-1"))
        if name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            if scheme.lower() == b"bearer":
                return str(rest.strip().decode("latin-1"))
            if scheme.lower() == b"basic":
                return _password(rest)
    return ""


def _password(encoded: bytes) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _exceeded(key: Key, wait: float) -> Response:
    detail = (
        f"The key {key.entry.name!r} may ask {key.entry.rate:g} times a second; wait {ceil(wait)} s, or send "
        "many records in one POST /predict/batch"
    )
    headers = {"Retry-After": str(ceil(wait))}
    headers |= {name.decode(): value.decode() for name, value in _figures(key)}
    return problems.answer(kinds.RATE_EXCEEDED, detail, headers=headers)


def _telling(key: Key, send: Send) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_figures(key)]
        await send(message)

    return tell


def _figures(key: Key) -> list[tuple[bytes, bytes]]:
    """The key's rate and what is left of it, as the IETF's draft on RateLimit headers writes them."""
    rate = key.entry.rate or 1.0
    window = ceil(key.burst / rate)
    policy = f'"key";q={int(rate * window)};w={window}'
    left = f'"key";r={int(key.left)};t={ceil((key.burst - key.left) / rate)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
