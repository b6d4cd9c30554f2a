"""HAProxy's runtime socket: what it has loaded, and how it is changed without a reload."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path

from esteira.deploy.errors import GatewayError
from esteira.deploy.gateway.folders import reachable
from esteira.deploy.gateway.routes import Routes, Server

log = logging.getLogger("esteira")

_CHECKED = "check inter 500ms fall 4 rise 1"
_PAUSE = 0.03
_SECONDS = 5.0
_STATE_FIELDS = {"case": 1, "server": 3, "operation": 5, "admin": 6, "weight": 7}


class Runtime:
    """The running HAProxy whose sockets lie in `admin`."""

    def __init__(self, admin: Path) -> None:
        self._admin = admin

    def answers(self) -> bool:
        """Whether it runs and listens."""
        try:
            return bool(self._ask("admin", "show version") and self._ask("master", "show proc"))
        except GatewayError:
            return False

    def weights(self) -> dict[str, dict[str, int]]:
        """The weight of every server of every case that is loaded; 0 of one that gets no requests."""
        backends = [name for name in self._lines("show backend") if not name.startswith("#")]
        found: dict[str, dict[str, int]] = {name: {} for name in backends}
        for line in self._lines("show servers state"):
            words = line.split()
            if len(words) > max(_STATE_FIELDS.values()) and not line.startswith("#"):
                case, server = words[_STATE_FIELDS["case"]], words[_STATE_FIELDS["server"]]
                stopped = words[_STATE_FIELDS["admin"]] != "0"
                found.setdefault(case, {})[server] = 0 if stopped else int(words[_STATE_FIELDS["weight"]])
        return found

    def open_requests(self, case: str, server: str) -> int:
        """How many requests a server has not finished yet; 0 of one that is not there."""
        for line in self._lines("show stat"):
            words = line.split(",")
            if words[:2] == [case, server]:
                return int(words[4] or 0)
        return 0

    def reload(self, cases: set[str]) -> None:
        """Have the configuration's files read anew, and wait until exactly these cases are served from it."""
        before = self._process()
        self._ask("master", "reload")
        if not _within(_SECONDS, lambda: self._process() != before and set(self._known()) == cases):
            raise GatewayError(
                "The gateway did not take its new configuration; look at `docker logs` of its container"
            )

    def change(self, routes: Routes) -> None:
        """Make the loaded servers those of `routes`, whose cases must be loaded; new ones come first."""
        now = self.weights()
        for case, wanted in routes.items():
            for server in wanted:
                if server.name not in now[case]:
                    self._add(case, server)
        for case, wanted in routes.items():
            for server in wanted:
                self._tell(f"set weight {case}/{server.name} {server.weight}")
                self._tell(f"set server {case}/{server.name} state ready")
                self._tell(f"set server {case}/{server.name} health up")  # until its next check
        for case, wanted in routes.items():
            for name in now[case].keys() - {server.name for server in wanted}:
                self._drop(case, name)

    def share_copies(self, case: str, percent: int) -> None:
        """Have so many percent of a case's questions copied to whoever watches."""
        path = "/run/esteira/admin/shadow.map"
        self._ask("admin", f"del map {path} {case}")
        if percent:
            self._tell(f"add map {path} {case} {percent}")

    def _add(self, case: str, server: Server) -> None:
        where = f"{case}/{server.name}"
        self._tell(f"add server {where} {server.address} {_CHECKED} weight {server.weight}", "registered")
        self._tell(f"enable health {where}")
        self._tell(f"enable server {where}")

    def _drop(self, case: str, name: str) -> None:
        """Give a server no new requests; it is taken out once it has none left."""
        self._tell(f"set server {case}/{name} state maint")
        said = self._ask("admin", f"del server {case}/{name}")
        log.debug("del server %s/%s: %s", case, name, said)

    def _known(self) -> list[str]:
        try:
            return list(self.weights())
        except GatewayError:
            return []

    def _process(self) -> str:
        """The process that answers; after a reload it is another one."""
        try:
            return next((line for line in self._lines("show info") if line.startswith("Pid:")), "")
        except GatewayError:
            return ""

    def _lines(self, command: str) -> list[str]:
        return [line for line in self._ask("admin", command).splitlines() if line.strip()]

    def _tell(self, command: str, success: str = "") -> None:
        said = self._ask("admin", command).strip()
        if said and not (success and success in said):
            raise GatewayError(f"The gateway refused {command!r}: {said}")

    def _ask(self, which: str, command: str) -> str:
        try:
            with reachable(self._admin / f"{which}.sock") as path, socket.socket(socket.AF_UNIX) as talk:
                talk.settimeout(_SECONDS)
                talk.connect(path)
                talk.sendall(f"{command}\n".encode())
                talk.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: talk.recv(65536), b"")).decode(errors="replace")
        except OSError as error:
            raise GatewayError(
                f"The gateway does not answer ({error}); `esteira up` starts it again, or "
                "`docker compose up -d gateway` where it is part of a stack"
            ) from None


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
