"""The log: lines for people or, where a program reads them, JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from time import time
from typing import Any

from starlette.types import Message, Receive, Scope

from app import trace

SLOW = 1.0
"""Seconds from which on a request is logged though all went well."""
LONGEST_PATH = 200
LONGEST_BODY = 10_000
"""Bytes of a body that are logged, where bodies are."""
MOST_KEPT = 1000
"""Lines that wait to be written together."""

_BODY = "esteira.body"
"""Where in a request's scope the beginning of its body is."""

Form = Callable[[Mapping[str, object]], str]
"""Makes a line of what is to be told."""


def as_json(told: Mapping[str, object]) -> str:
    return json.dumps(told, ensure_ascii=False, default=str)


def as_text(told: Mapping[str, object]) -> str:
    head = f"{told['time']} {str(told['level']).upper()} {told['message']}"
    rest = "".join(
        f" {name}={_on_one_line(str(value))}"
        for name, value in told.items()
        if name not in ("time", "level", "message", "exception")
    )
    return f"{head}{rest}" + (f"\n{told['exception']}" if "exception" in told else "")


def _on_one_line(text: str) -> str:
    """What somebody sent, so that it cannot look like another line, or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


FORMS: Mapping[str, Form] = {"text": as_text, "json": as_json}


class Formatter(logging.Formatter):
    """Gives the records of `logging` the form of all other lines."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": _when(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage().strip(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return self._form(told)


def configure(form: Form) -> None:
    """Have everything that is logged in this process take this form, on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(form))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


class RequestLog:
    """A line for each request that failed or was slow, or for every one; what was sent only if `bodies`.

    Lines of all requests are written together, once a second, because a write for each would cost more
    than the prediction.
    """

    def __init__(self, form: Form, *, every: bool, bodies: bool = False) -> None:
        self._form = form
        self.bodies = bodies
        self.slow = 0.0 if every else SLOW
        """Seconds from which on a request that went well is noted."""
        self._kept: list[str] = []

    def note(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        """Keep a line of a request."""
        self._kept.append(self._form(_told(scope, status, seconds)))
        if len(self._kept) >= MOST_KEPT:
            self.flush()

    @staticmethod
    def hearing(scope: Scope, receive: Receive) -> Receive:
        """`receive`, which keeps the beginning of the body for the request's line."""
        scope[_BODY] = b""

        async def hear() -> Message:
            message = await receive()
            room = LONGEST_BODY - len(scope[_BODY])
            scope[_BODY] += message.get("body", b"")[:room]
            return message

        return hear

    def flush(self) -> None:
        """Write the lines that are kept; lost where they cannot be, as a full disk must not end the API."""
        if self._kept:
            kept, self._kept = self._kept, []
            with suppress(OSError, ValueError):  # as `logging` does
                sys.stderr.write("\n".join(kept) + "\n")
                sys.stderr.flush()


def _told(scope: MutableMapping[str, Any], status: int, seconds: float) -> dict[str, object]:
    told: dict[str, object] = {
        "time": _when(time()),
        "level": "error" if status >= 500 else "info",
        "message": "request",
        "request_id": trace.number(scope),
        "method": scope["method"],
        "path": scope["path"][:LONGEST_PATH],
        "status": status,
        "milliseconds": round(seconds * 1000, 3),
    }
    if key := scope.get("esteira.key"):
        told["key"] = key
    if _BODY in scope:
        told["body"] = scope[_BODY].decode(errors="backslashreplace")
    return told


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
