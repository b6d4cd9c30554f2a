"""Ends connections of clients that take too long, whatever they take long over."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from app import kinds
from app.connection import Connection

SLOWEST = 20_000
"""Bytes a second that a body may come at, or an answer be read at, once its client's grace is over."""
IDLE = 65.0
"""Seconds; longer than clients keep an idle connection, so that they are the ones to close it."""

log = logging.getLogger("app")


class Stage(Enum):
    """What a connection waits for; its value says so in the log."""

    HEAD = "the head of a request"
    BODY = "a body"
    ANSWER = "the API itself"
    READER = "somebody who reads the answer"
    IDLE = "a request"


@dataclass
class _Watched:
    """A connection that has waited for the same thing of the same request, `of`, since `since`."""

    stage: Stage
    of: Any
    since: float
    moved: int
    """Bytes that had come, or been read, then."""


class Patience:
    """Looks at every connection now and then, so that requests themselves need no clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: WeakKeyDictionary[Connection, _Watched] = WeakKeyDictionary()

    def look(self, connections: Iterable[Connection], now: float) -> None:
        """End those that have waited too long."""
        ended = Counter(self._overdue(one, now) for one in list(connections))
        for stage, times in ended.items():
            if stage not in (None, Stage.IDLE):  # which a client may well leave open
                log.warning("Ended %d connection(s) that waited too long for %s", times, stage.value)

    def _overdue(self, connection: Connection, now: float) -> Stage | None:
        stage = _stage(connection)
        if stage is None:
            self._watched.pop(connection, None)
            return None
        known, moved = self._watched.get(connection), _moved(connection, stage)
        of = connection.running if connection.is_busy() else connection.scope
        if known is None or known.stage != stage or known.of is not of:
            self._watched[connection] = _Watched(stage, of, now, moved)
            return None
        if now - known.since <= self._allowed(stage, moved - known.moved):
            return None
        _end(connection, stage, self._seconds)
        return stage

    def _allowed(self, stage: Stage, moved: int) -> float:
        if stage is Stage.IDLE:
            return IDLE
        if stage is Stage.ANSWER:
            return 3 * self._seconds
        return self._seconds + moved / SLOWEST


def _stage(connection: Connection) -> Stage | None:
    """What the connection waits for; None while nobody has to hurry."""
    cycle = connection.running
    if connection.transport.get_write_buffer_size():
        return Stage.READER
    if cycle is None or cycle.response_complete:
        return Stage.HEAD if connection.is_in_head() else Stage.IDLE
    if cycle.more_body:
        return None if connection.flow.read_paused else Stage.BODY
    return None if cycle.response_started else Stage.ANSWER


def _moved(connection: Connection, stage: Stage) -> int:
    if stage is Stage.READER:
        return connection.joining.written - connection.transport.get_write_buffer_size()
    return connection.came if stage is Stage.BODY else 0


def _end(connection: Connection, stage: Stage, seconds: float) -> None:
    if stage is Stage.READER:
        connection.transport.abort()
    elif stage is Stage.IDLE:
        connection.transport.close()
    elif stage is Stage.ANSWER:
        detail = f"The answer was not begun within {3 * seconds:.0f} s; send smaller batches"
        connection.refuse(kinds.TOO_SLOW_ANSWER, detail)
    else:
        what = "head" if stage is Stage.HEAD else "body"
        detail = (
            f"The request's {what} did not come within {seconds:.0f} s"
            f"{f' and {SLOWEST:,} bytes a second' if stage is Stage.BODY else ''}; send it again"
        )
        connection.refuse(kinds.TOO_SLOW_REQUEST, detail)
