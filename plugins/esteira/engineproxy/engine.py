"""The engine behind the proxy: asked what belongs to this home, and handed what was allowed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import quote

import httpx

from esteira.engineproxy.refused import RefusedError
from esteira.engineproxy.request import Onward

LABEL = "esteira.home"
Kind = Literal["containers", "images"]
_NAME = re.compile(r"\w+(?:(?:[.:/@]|-+)\w+)*", re.ASCII)
"""A container's or an image's: no part of it is empty or made of dots, which in a path lead elsewhere."""
_SHOWN = 200


def _no_image(why: str) -> RefusedError:
    return RefusedError(f"No such image of this project: {why}", httpx.codes.NOT_FOUND)


def _no_container(why: str) -> RefusedError:
    return RefusedError(f"That container is not this project's: {why}")


_NOT_OURS: Mapping[Kind, Callable[[str], RefusedError]] = {"images": _no_image, "containers": _no_container}


def _not_understood(answer: httpx.Response) -> RefusedError:
    said = f"{answer.status_code} {answer.text[:_SHOWN]!r}"
    return RefusedError(
        f"What answers in the Docker engine's place is not understood: {said}", httpx.codes.BAD_GATEWAY
    )


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        raise _not_understood(answer) from None
    if not isinstance(found, dict):
        raise _not_understood(answer)
    return found


class Engine:
    """A Docker engine at its socket, seen by one home."""

    def __init__(self, socket: str, home: str) -> None:
        self.home = home
        transport = httpx.AsyncHTTPTransport(uds=socket, limits=httpx.Limits(max_connections=None))
        waits = httpx.Timeout(None, connect=5)  # a build may be silent for minutes
        self._http = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=waits)

    async def own(self, kind: Kind, name: str) -> str:
        """The id of a container or an image that carries this home's label.

        Raises RefusedError with the engine's own words when there is none, and for another's: an image of
        another home is as good as none, since its name may be built anew. Also for what can be no name, and
        for an answer that is not the engine's.
        """
        if not _NAME.fullmatch(name):
            raise RefusedError(f"{name!r} cannot be the name of one of the {kind}", httpx.codes.BAD_REQUEST)
        answer = await self._http.get(f"/{kind}/{quote(name, safe='/:@')}/json")
        found = _object(answer)
        if answer.is_error:
            raise RefusedError(str(found.get("message", answer.text)), answer.status_code)
        labels = (found.get("Config") or {}).get("Labels") or {}
        if labels.get(LABEL) != self.home:
            raise _NOT_OURS[kind](f"{name} does not carry the label {LABEL}={self.home}")
        if "Id" not in found:
            raise _not_understood(answer)
        return str(found["Id"])

    @asynccontextmanager
    async def answer(self, onward: Onward) -> AsyncIterator[httpx.Response]:
        """The engine's answer, its body still to be read."""
        async with self._http.stream(
            onward.method,
            onward.path,
            params=dict(onward.query),
            headers=dict(onward.headers),
            content=onward.body,
        ) as response:
            yield response
