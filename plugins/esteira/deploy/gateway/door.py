"""The gateway's two containers, once for each home: one holds the public port, the other answers at it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from docker.types import Mount

from esteira.deploy import context, labels, standing
from esteira.deploy import port as ports
from esteira.deploy.engine import engine_does
from esteira.deploy.errors import GatewayError, GoneError, PortError
from esteira.deploy.gateway.folders import ADMIN_INSIDE, API_INSIDE, Folders
from esteira.deploy.gateway.routes import backends, page, servers
from esteira.deploy.gateway.runtime import Runtime
from esteira.deploy.hardening import GATEWAY_LIMITS, HARDENED, RESTARTED
from esteira.deploy.image import build_target
from esteira.deploy.lock import locked
from esteira.settings import DEFAULT_CASE, Settings

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

PORT = 8000
"""Where it listens inside its container, as its configuration says."""
DOOR, ROLE = "door", "gateway"
"""The roles of the one that holds the port, and hands it to the other; and of HAProxy, which may restart."""
_HOLDING = ["python", "-ISB", "/etc/esteira/hold.py"]
_SECONDS = 10.0
_PAUSE = 0.05

log = logging.getLogger("esteira")


class Gateway:
    """Brings requests to the live containers of a home."""

    def __init__(self, client: DockerClient, home: str, settings: Settings) -> None:
        self._client, self._home, self._settings = client, home, settings
        self._folders = Folders.of(settings)
        self._runtime = Runtime(self._folders.admin)
        self.ours = not settings.GATEWAY_VOLUME

    def port(self) -> int | None:
        """The public port that it holds; None when it does not run."""
        if not self.ours:
            return self._settings.API_PORT
        running = [one for one in self._containers(DOOR) if one.status == "running"]
        return int(running[0].labels["esteira.port"]) if running else None

    def open(self, port: int) -> None:
        """Have it run on a port; one of another image or port is replaced.

        Raises PortError, saying who holds the port, EngineError, or GatewayError when it does not come up.
        """
        if self.ours:
            self._folders.make()
            self._started(port)
        deadline = time.monotonic() + _SECONDS
        while not self._runtime.answers():
            if time.monotonic() > deadline:
                raise GatewayError(f"The gateway does not answer. Its last lines:\n{self._last_lines()}")
            time.sleep(_PAUSE)

    def sync(self) -> None:
        """Bring the requests of each case to those that are to serve it, now and after any restart.

        One at a time for all cases. Where nobody is to serve from behind the gateway it is closed.
        """
        with locked(self._settings, "-gateway"):
            behind = [one for one in standing.read_all(self._settings) if one.target == "docker"]
            if not behind:
                return self._empty()
            self.open(self._settings.API_PORT)
            routes = {one.case: servers(one) for one in behind}
            self._write("cases.cfg", backends(routes))
            self._write("index.html", page(behind))
            if set(self._runtime.weights()) != set(routes):
                self._runtime.reload(set(routes))
            return self._runtime.change(routes)

    def _empty(self) -> None:
        if self.ours:
            return self.close()
        self._write("cases.cfg", backends({}))
        self._write("index.html", page(()))
        return self._runtime.reload(set())

    def copy(self, case: str, percent: int) -> None:
        """Have so many percent of a case's questions copied to whoever watches."""
        self._runtime.share_copies(case, percent)

    def open_requests(self, case: str, server: str) -> int:
        return self._runtime.open_requests(case, server)

    def close(self) -> None:
        """Free the public port."""
        if self.ours:
            with engine_does("remove the gateway"):
                self._remove(ROLE)
                self._remove(DOOR)

    def _started(self, port: int) -> None:
        code = context.gateway_files()
        digest, held = context.digest(code)[:12], context.digest({"": code[context.HOLD]})[:12]
        with engine_does("start the gateway"):
            door, gateway = self._kept(DOOR, held, port), self._kept(ROLE, digest, port)
            if door and gateway:
                return
            image = build_target(self._client, f"esteira-gateway:{digest}", "gateway", code)
            if not door:
                if port != self.port() and not ports.is_free(port):
                    raise PortError(ports.taken(port))
                self._remove(DOOR)
                published = {f"{PORT}/tcp": ("127.0.0.1", port)}
                labels.started(self._created(image, DOOR, port, held, ports=published, command=_HOLDING))
            if not gateway:
                self._remove(ROLE)
                labels.started(self._created(image, ROLE, port, digest, network_mode="none"))
        log.info("The gateway listens on port %d", port)

    def _kept(self, role: str, digest: str, port: int) -> bool:
        """Whether the right container is there; one that was stopped is started."""
        for container in self._containers(role):
            if container.labels.get("esteira.code") == digest and _port(container) == port:
                if container.status != "running":
                    if role == DOOR and not ports.is_free(port):
                        raise PortError(ports.taken(port))
                    container.start()
                return True
        return False

    def _created(self, image: str, role: str, port: int, digest: str, **more: Any) -> Container:
        return self._client.containers.create(
            image,
            name=f"esteira-{role}-{self._home}",
            labels={**labels.labels(self._home, role, "", port), "esteira.code": digest},
            environment={"DEFAULT_CASE": DEFAULT_CASE},
            mounts=[
                Mount(str(ADMIN_INSIDE), str(self._folders.admin), type="bind"),
                Mount(str(API_INSIDE), str(self._folders.api), type="bind"),
            ],
            restart_policy=RESTARTED,
            **HARDENED,
            **GATEWAY_LIMITS,
            **more,
        )

    def _remove(self, role: str) -> None:
        for container in self._containers(role):
            container.remove(force=True, v=True)

    def _write(self, name: str, content: str) -> None:
        path = self._folders.admin / name
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            return
        staged = path.with_name(f"{name}.new")
        staged.write_text(content, encoding="utf-8")
        staged.chmod(0o644)
        staged.replace(path)

    def _containers(self, role: str) -> list[Container]:
        return labels.find(self._client, self._home, role, None)

    def _last_lines(self) -> str:
        try:
            with engine_does("read the gateway's log"):
                found = [one.logs(tail=20).decode(errors="replace") for one in self._containers(ROLE)]
        except GoneError:
            found = []
        return "\n".join(found).rstrip() or "(it wrote nothing)"


def _port(container: Container) -> int:
    return int(container.labels["esteira.port"])
