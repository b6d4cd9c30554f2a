"""A request to the engine's API: as it came in, and as it goes on."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from esteira.engineproxy.refused import RefusedError

Chunks = AsyncIterator[bytes]
_PATH = re.compile(r"(?P<version>/v1\.\d{2})?(?P<rest>/[\w./:@-]+)", re.ASCII)
_LARGEST_JSON = 2**20
_FALSE = frozenset({"", "0", "false", "False", "null", "None"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client asks for: `path` without the API's version, each query parameter once."""

    method: str
    version: str
    path: str
    query: Mapping[str, str]
    body: Chunks

    @classmethod
    def read(cls, method: str, path: str, query: str, body: Chunks) -> Request:
        """Raises RefusedError for a path or a query that can be read in two ways."""
        parts = _PATH.fullmatch(path)
        if parts is None or ".." in path or "//" in path:
            raise RefusedError(f"The path {path!r} is not one of the engine's API")
        pairs = parse_qsl(query, keep_blank_values=True)
        if len(dict(pairs)) != len(pairs):
            raise RefusedError(f"A parameter of {path} is given twice; send each once")
        version, rest = parts["version"] or "", parts["rest"]
        return cls(method=method, version=version, path=rest, query=dict(pairs), body=body)

    def only(self, *names: str) -> dict[str, str]:
        """The query's parameters; raises RefusedError when there is another one that says something."""
        for name, value in self.query.items():
            if name not in names and value not in _FALSE:
                raise RefusedError(f"{self.method} {self.path} may not have the parameter {name}={value!r}")
        return {name: value for name, value in self.query.items() if name in names}

    async def json(self) -> Any:
        """The body's JSON; raises RefusedError when it is none, or too large."""
        content = b""
        async for chunk in self.body:
            content += chunk
            if len(content) > _LARGEST_JSON:
                raise RefusedError(f"The body of {self.path} is larger than {_LARGEST_JSON:,} bytes", 413)
        return parsed(content or b"null", f"The body of {self.path}")

    def onward(self, **changes: Any) -> Onward:
        """The same request without its body, as it may go on to the engine."""
        given = {"method": self.method, "path": self.version + self.path, "query": self.query}
        return Onward(**{**given, **changes})


@dataclass(frozen=True, kw_only=True)
class Onward:
    """What the engine is asked for."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Chunks = b""


def parsed_object(content: str, what: str) -> dict[str, Any]:
    """A JSON object; raises RefusedError when it is none."""
    found = parsed(content, what)
    if not isinstance(found, dict):
        raise RefusedError(f"{what} has to be a JSON object, not {content[:100]!r}", 400)
    return found


def parsed(content: str | bytes, what: str) -> Any:
    """JSON as a value; raises RefusedError when it is none."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise RefusedError(f"{what} is not JSON: {error}", 400) from None
