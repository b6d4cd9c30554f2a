"""Every live request as the gateway saw it end, for as long as somebody watches."""

from __future__ import annotations

import base64
import csv
import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from esteira.deploy.errors import GatewayError
from esteira.deploy.gateway.folders import reachable

_WATCH = "show events traffic -w"
_MARK = b"ended "
"""What tells a request's line from the gateway's remarks on itself."""
_PAUSE = 0.01
"""Rest between two readings, so that a busy gateway is read in handfuls."""
_SECONDS = 2.0
_LARGEST = 1 << 20


class Seen(NamedTuple):
    """One request; `server` is the instance that answered it, in the end."""

    case: str
    server: str
    status: int
    """-1 where the caller left before there was an answer."""
    seconds: float | None
    """From the whole question to the answer's first byte; None where no instance answered."""
    retries: int
    ended: str
    """HAProxy's termination state: `--` is normal; S or s first is a server's fault, C or c the caller's."""
    method: str
    path: str
    body: bytes | None
    """The question, of the share that is copied."""

    @property
    def failed(self) -> bool:
        """Whether the caller got an error or half an answer, or waited in vain until it left."""
        return self.status >= 500 or self.ended[:1] in ("S", "s") or self.ended == "CH"

    @property
    def predicts(self) -> bool:
        """Whether it is one record's prediction."""
        return self.path in ("/predict", f"/{self.case}/predict")


class Health(NamedTuple):
    """What the gateway thinks of an instance."""

    up: bool
    retried: int
    """How many requests it left without an answer, which were then given to another one."""


class Traffic:
    """Watches the gateway whose sockets lie in `folder`; any number may at once, and no caller notices.

    What ends after it is entered is kept for `read`, also across the gateway's reloads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._streams: dict[str, _Stream] = {}
        self._known: set[str] = set()
        self.torn = 0
        """How many lines could not be understood."""

    def __enter__(self) -> Self:
        """Raises GatewayError where the gateway does not answer."""
        self._follow()
        return self

    def __exit__(self, *_: object) -> None:
        for process in list(self._streams):
            self._leave(process)
        self._selector.close()

    def read(self, seconds: float) -> list[Seen]:
        """The requests that ended since the last reading, and those that end within so many seconds."""
        deadline = time.monotonic() + seconds
        seen: list[Seen] = []
        with suppress(GatewayError):
            self._follow()
        while True:
            for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
                seen.extend(self._understood(self._lines(key.data)))
            if (left := deadline - time.monotonic()) <= 0:
                return seen
            time.sleep(min(_PAUSE, left))

    def health(self, case: str) -> dict[str, Health]:
        """Each instance of a case by its name; empty where the gateway does not answer now."""
        with suppress(GatewayError):
            lines = self._ask(f"show stat {case} 4 -1").removeprefix("# ").splitlines()
            return {row["svname"]: _health(row) for row in csv.DictReader(filter(None, lines))}
        return {}

    def _follow(self) -> None:
        """Watch the process that answers now; after a reload it is another one, whose lines are all news."""
        process = self._process()
        if process in self._streams:
            return
        news = process in self._known or not self._known
        self._known.add(process)
        stream = _Stream(self._asked(f"{_WATCH} -n" if news else _WATCH))
        self._streams[process] = stream
        self._selector.register(stream.talk, selectors.EVENT_READ, process)

    def _leave(self, process: str) -> None:
        stream = self._streams.pop(process)
        self._selector.unregister(stream.talk)
        stream.talk.close()

    def _lines(self, process: str) -> list[bytes]:
        lines = self._streams[process].lines()
        if lines is None:
            self._leave(process)
            with suppress(GatewayError):
                self._follow()
        return lines or []

    def _understood(self, lines: Iterable[bytes]) -> Iterator[Seen]:
        for line in lines:
            if not line.startswith(_MARK):
                continue
            try:
                yield _parsed(line)
            except ValueError:
                self.torn += 1

    def _process(self) -> str:
        lines = self._ask("show info").splitlines()
        return next((line for line in lines if line.startswith("Pid:")), "")

    def _ask(self, command: str) -> str:
        with self._asked(command) as talk:
            try:
                return b"".join(iter(lambda: talk.recv(_LARGEST), b"")).decode(errors="replace")
            except OSError as error:
                raise _silent(self._folder, error) from None

    def _asked(self, command: str) -> socket.socket:
        talk = socket.socket(socket.AF_UNIX)
        try:
            talk.settimeout(_SECONDS)
            with reachable(self._folder / "admin.sock") as path:
                talk.connect(path)
            talk.sendall(f"{command}\n".encode())
        except OSError as error:
            talk.close()
            raise _silent(self._folder, error) from None
        return talk


class _Stream:
    """Lines as they come out of a socket."""

    def __init__(self, talk: socket.socket) -> None:
        self.talk = talk
        self._rest = b""

    def lines(self) -> list[bytes] | None:
        """The whole lines that have come; None when there will be no more."""
        try:
            came = self.talk.recv(_LARGEST)
        except OSError:
            came = b""
        if not came:
            return None
        *lines, self._rest = (self._rest + came).split(b"\n")
        return lines


def _silent(folder: Path, error: OSError) -> GatewayError:
    return GatewayError(
        f"The gateway of {folder} does not answer ({error}); look whether its container runs, and try again"
    )


def _health(row: dict[str, str]) -> Health:
    # one taken away after it was sent is counted as both, one that never got through only as the second
    retried = max(int(row["wretr"]), int(row["wredis"]))
    return Health(not row["status"].startswith("DOWN"), retried)


def _parsed(line: bytes) -> Seen:
    """One line in the form that the gateway's configuration gives it; ValueError where it has another."""
    _, case, server, status, took, _, retries, ended, method, path, body = line.split(b" ")
    return Seen(
        case=case.decode(),
        server=server.decode(),
        status=int(status),
        seconds=None if took in (b"-", b"-1") else int(took) / 1e6,
        retries=int(retries),
        ended=ended.decode(),
        method=method.decode(),
        path=path.decode(),
        body=None if body == b"-" else base64.b64decode(body, validate=True),
    )
