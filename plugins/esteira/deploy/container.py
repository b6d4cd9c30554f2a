"""Serves a version from a Docker container.

A published port belongs to a container for its whole life, so the public port belongs to a container of its
own, the *door*, that does nothing else. Live containers join the door's network: old and new listen
side by side, and no request falls between them.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from esteira.bundle import Bundle
from esteira.deploy import engine, image
from esteira.deploy.engine import engine_does
from esteira.deploy.errors import GoneError, ImageError
from esteira.deploy.facts import Build, Image, Instance, Role, TargetName, home_id
from esteira.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container

PORT = 8000
"""Where the API listens inside its network, as the Dockerfile says."""
DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
_LAST_LINES = 20
log = logging.getLogger("esteira")

_RESTARTED: Any = {"Name": "unless-stopped"}
_HARDENED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "init": True,
    "log_config": {"type": "json-file", "config": {"max-size": "5m", "max-file": "2"}},
}
_API_LIMITS: dict[str, Any] = {"mem_limit": "1g", "memswap_limit": "1g", "pids_limit": 128}
_DOOR_LIMITS: dict[str, Any] = {"mem_limit": "64m", "memswap_limit": "64m", "pids_limit": 16}


class DockerTarget:
    """Containers of this home, found by their labels."""

    name: ClassVar[TargetName] = "docker"

    def __init__(self, settings: Settings) -> None:
        """Raises EngineError when no engine answers."""
        self._client = engine.connect()
        self._home = home_id(settings.ESTEIRA_HOME)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> Image:
        return image.build(self._client, bundle, self._home, commit, bundle_sha)

    def start_trial(self, build: Build) -> Instance:
        with engine_does("start a trial container"):
            trial = self._create(build, "trial", 0, {"ports": {f"{PORT}/tcp": ("127.0.0.1", None)}})
            return _instance(self._started(trial))

    def start_live(self, build: Build, port: int) -> Instance:
        with engine_does(f"start the live container on port {port}"):
            door = self._open_door(build, port)
            how = {"network_mode": f"container:{door.id}", "restart_policy": _RESTARTED}
            live = self._create(build, "live", port, how)
            return _instance(self._started(live))

    def instances(self, case: str | None) -> list[Instance]:
        with engine_does("list its containers"):
            return [
                _instance(container) for role in ("live", "trial") for container in self._list(role, case)
            ]

    def is_running(self, instance: Instance) -> bool:
        try:
            with engine_does(f"look at the {instance}"):
                return bool(self._client.containers.get(instance.handle).status == "running")
        except GoneError:
            return False

    def last_lines(self, instance: Instance) -> str:
        try:
            with engine_does(f"read the log of the {instance}"):
                lines: bytes = self._client.containers.get(instance.handle).logs(tail=_LAST_LINES)
        except GoneError:
            return ""
        return lines.decode(errors="replace").rstrip()

    def halt(self, instance: Instance) -> None:
        with engine_does(f"stop the {instance}"):
            self._client.containers.get(instance.handle).stop(timeout=DRAIN_SECONDS)
            for door in self._list("door", instance.case):
                door.stop(timeout=1)

    def start_again(self, instance: Instance) -> Instance:
        with engine_does(f"start the {instance} again"):
            container = self._client.containers.get(instance.handle)
            door = self._client.containers.get(container.attrs["HostConfig"]["NetworkMode"].split(":")[1])
            door.start()
            container.restart(timeout=DRAIN_SECONDS)
            container.reload()
            return _instance(container)

    def confirm(self, instance: Instance) -> None:
        """Nothing to do: the engine remembers its containers."""

    def remove(self, instance: Instance) -> None:
        try:
            with engine_does(f"remove the {instance}"):
                container = self._client.containers.get(instance.handle)
                if instance.role == "live":
                    container.stop(timeout=DRAIN_SECONDS)
                container.remove(force=True, v=True)
        except GoneError:
            log.debug("The %s was gone already", instance)
        with engine_does(f"close the port of {instance.case!r}"):
            self._close_idle_doors(instance.case)

    def prune(self, case: str) -> None:
        image.prune(self._client, case, self._home)

    def _create(self, build: Build, role: Role, port: int, how: dict[str, Any]) -> Container:
        identity = uuid.uuid4().hex[:8]
        return self._client.containers.create(
            self._image_of(build),
            name=f"esteira-{build.case}-v{build.version}-{role}-{identity}",
            environment={"INSTANCE_ID": identity},
            labels={
                **self._labels(role, build.case, port),
                "esteira.instance": identity,
                "esteira.created": str(time.time()),
            },
            **_HARDENED,
            **_API_LIMITS,
            **how,
        )

    def _image_of(self, build: Build) -> str:
        assert build.image is not None
        try:
            with engine_does(f"find image {build.image.name}"):
                return str(self._client.images.get(build.image.id).id)
        except GoneError:
            raise ImageError(
                f"Image {build.image.name} is gone; build version {build.version} again"
            ) from None

    def _open_door(self, build: Build, port: int) -> Container:
        for door in self._list("door", build.case):
            if door.labels["esteira.port"] == str(port):
                door.start()
                return door
        door = self._client.containers.create(
            self._image_of(build),
            ["sleep", "infinity"],
            name=f"esteira-{build.case}-door-{port}-{uuid.uuid4().hex[:8]}",
            labels=self._labels("door", build.case, port),
            ports={f"{PORT}/tcp": ("127.0.0.1", port)},
            healthcheck={"test": ["NONE"]},
            restart_policy=_RESTARTED,
            **_HARDENED,
            **_DOOR_LIMITS,
        )
        return self._started(door)

    def _started(self, container: Container) -> Container:
        try:
            container.start()
            container.reload()
        except BaseException:
            container.remove(force=True, v=True)
            raise
        return container

    def _close_idle_doors(self, case: str) -> None:
        used = {live.attrs["HostConfig"]["NetworkMode"] for live in self._list("live", case)}
        for door in self._list("door", case):
            if f"container:{door.id}" not in used:
                door.remove(force=True, v=True)

    def _list(self, role: str, case: str | None) -> list[Container]:
        wanted = [f"esteira.home={self._home}", f"esteira.role={role}"]
        wanted += [f"esteira.case={case}"] if case else []
        return self._client.containers.list(all=True, ignore_removed=True, filters={"label": wanted})

    def _labels(self, role: str, case: str, port: int) -> dict[str, str]:
        return {
            "esteira.home": self._home,
            "esteira.role": role,
            "esteira.case": case,
            "esteira.port": str(port),
        }


def _instance(container: Container) -> Instance:
    marks = container.labels
    return Instance(
        target="docker",
        case=marks["esteira.case"],
        version=int(marks["esteira.version"]),
        role="live" if marks["esteira.role"] == "live" else "trial",
        id=marks["esteira.instance"],
        handle=str(container.id),
        port=int(marks["esteira.port"]) or _published(container),
        created=float(marks["esteira.created"]),
        running=container.status == "running",
    )


def _published(container: Container) -> int:
    bindings = container.attrs["NetworkSettings"]["Ports"].get(f"{PORT}/tcp") or ()
    return next((int(binding["HostPort"]) for binding in bindings), 0)
