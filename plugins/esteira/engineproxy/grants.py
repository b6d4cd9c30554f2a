"""What is let through: one table, and for each line of it what has to hold."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from esteira.engineproxy import building, creation
from esteira.engineproxy.engine import LABEL, Engine, Kind
from esteira.engineproxy.refused import RefusedError
from esteira.engineproxy.request import Onward, Request, parsed_object

_NAME = r"[\w.:-]+"
_OF_LOGS = ("stdout", "stderr", "tail", "since", "until", "timestamps", "follow")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, the name in its path, and what it is held against."""

    request: Request
    grant: Grant
    name: str
    engine: Engine
    volume: str


Check = Callable[[Call], Awaitable[Onward]]


@dataclass(frozen=True)
class Grant:
    """A method and a path (`*` is a container's or an image's name) that may go on if the check agrees."""

    method: str
    path: str
    check: Check

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.path.replace("*", f"({_NAME})"), re.ASCII)


async def allowed(request: Request, engine: Engine, volume: str) -> Onward:
    """What the engine is asked instead of the request; raises RefusedError when no grant covers it."""
    for grant in GRANTS:
        if grant.method == request.method and (match := grant.pattern.fullmatch(request.path)):
            name = match[1] if match.groups() else ""
            return await grant.check(
                Call(request=request, grant=grant, name=name, engine=engine, volume=volume)
            )
    raise RefusedError(
        f"{request.method} {request.path} is not among what a release needs; the proxy refuses it"
    )


async def _plain(call: Call) -> Onward:
    return call.request.onward(query=call.request.only())


async def _build(call: Call) -> Onward:
    return building.allowed(call.request, call.engine.home)


async def _create(call: Call) -> Onward:
    query = call.request.only("name")
    if not query.get("name", "").startswith("esteira-"):
        raise RefusedError(f"A container's name must begin with esteira-, unlike {query.get('name')!r}")
    asked = creation.allowed(await call.request.json(), home=call.engine.home, volume=call.volume)
    image = await call.engine.own("images", asked.Image)
    body = asked.model_copy(update={"Image": image}).model_dump_json(exclude_none=True)
    headers = {"Content-Type": "application/json"}
    return call.request.onward(query=query, headers=headers, body=body.encode())


def _list(*parameters: str) -> Check:
    """A list, in which only what carries this home's label appears."""

    async def check(call: Call) -> Onward:
        query = call.request.only("filters", *parameters)
        filters = parsed_object(query.get("filters") or "{}", "filters")
        filters["label"] = [*_labels(filters.get("label")), f"{LABEL}={call.engine.home}"]
        return call.request.onward(query={**query, "filters": json.dumps(filters)})

    return check


def _own(kind: Kind, *parameters: str) -> Check:
    """One that carries this home's label, by the engine's own id: a name may have passed to another."""

    async def check(call: Call) -> Onward:
        query = call.request.only(*parameters)
        identity = await call.engine.own(kind, call.name)
        path = call.request.version + call.grant.path.replace("*", identity)
        return call.request.onward(path=path, query=query)

    return check


def _labels(given: Any) -> list[str]:
    """The engine takes a list, and an object whose true values are the list."""
    if isinstance(given, dict):
        return [name for name, wanted in given.items() if wanted]
    if not isinstance(given, list | None):
        raise RefusedError(f"The labels in filters have to be a list, not {given!r}", 400)
    return given or []


GRANTS = (
    Grant("GET", "/_ping", _plain),
    Grant("HEAD", "/_ping", _plain),
    Grant("GET", "/version", _plain),
    Grant("POST", "/build", _build),
    Grant("GET", "/images/json", _list("all")),
    Grant("GET", "/images/*/json", _own("images")),
    Grant("DELETE", "/images/*", _own("images", "force", "noprune")),
    Grant("GET", "/containers/json", _list("all", "limit", "size")),
    Grant("POST", "/containers/create", _create),
    Grant("GET", "/containers/*/json", _own("containers")),
    Grant("GET", "/containers/*/logs", _own("containers", *_OF_LOGS)),
    Grant("POST", "/containers/*/start", _own("containers")),
    Grant("POST", "/containers/*/stop", _own("containers", "t")),
    Grant("POST", "/containers/*/restart", _own("containers", "t")),
    Grant("POST", "/containers/*/kill", _own("containers", "signal")),
    Grant("POST", "/containers/*/wait", _own("containers", "condition")),
    Grant("DELETE", "/containers/*", _own("containers", "force", "v")),
)
