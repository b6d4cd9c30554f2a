"""Serves a version from a Docker container."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from esteira.bundle import Bundle
from esteira.deploy import engine, image, labels
from esteira.deploy.door import PORT, Doors
from esteira.deploy.engine import engine_does
from esteira.deploy.errors import GoneError, ImageError
from esteira.deploy.facts import Build, Image, Instance, Role, TargetName, home_id
from esteira.deploy.hardening import API_LIMITS, HARDENED, RESTARTED
from esteira.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container

DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
_LAST_LINES = 20

log = logging.getLogger("esteira")


class DockerTarget:
    """Containers of this home; a live one serves behind a door, a trial on a port of its own."""

    name: ClassVar[TargetName] = "docker"

    def __init__(self, settings: Settings) -> None:
        """Raises EngineError when no engine answers."""
        self._client = engine.connect()
        self._home = home_id(settings.ESTEIRA_HOME)
        self._doors = Doors(self._client, self._home)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> Image:
        return image.build(self._client, bundle, self._home, commit, bundle_sha)

    def start_trial(self, build: Build) -> Instance:
        with engine_does("start a trial container"):
            how = {"ports": {f"{PORT}/tcp": ("127.0.0.1", None)}}
            return _instance(self._started(build, "trial", 0, how))

    def start_live(self, build: Build, port: int) -> Instance:
        with engine_does(f"start the live container on port {port}"):
            network = self._doors.network(build.case, port, self._image_of(build))
            how = {"network_mode": network, "restart_policy": RESTARTED}
            return _instance(self._started(build, "live", port, how))

    def instances(self, case: str | None) -> list[Instance]:
        with engine_does("list its containers"):
            return [
                _instance(container)
                for role in ("live", "trial")
                for container in labels.find(self._client, self._home, role, case)
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
            self._doors.halt(instance.case)

    def start_again(self, instance: Instance) -> Instance:
        with engine_does(f"start the {instance} again"):
            container = self._client.containers.get(instance.handle)
            self._doors.open_again(container)
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
        self.tidy(instance.case)

    def tidy(self, case: str | None) -> None:
        with engine_does("close the ports that nothing serves on"):
            self._doors.remove_idle(case)

    def prune(self, case: str) -> None:
        image.prune(self._client, case, self._home)

    def _started(self, build: Build, role: Role, port: int, how: dict[str, Any]) -> Container:
        identity = uuid.uuid4().hex[:8]
        marks = {"esteira.instance": identity, "esteira.created": str(time.time())}
        container = self._client.containers.create(
            self._image_of(build),
            name=f"esteira-{build.case}-v{build.version}-{role}-{identity}",
            environment={"INSTANCE_ID": identity},
            labels={**labels.labels(self._home, role, build.case, port), **marks},
            **HARDENED,
            **API_LIMITS,
            **how,
        )
        return labels.started(container)

    def _image_of(self, build: Build) -> str:
        assert build.image is not None
        try:
            with engine_does(f"find image {build.image.name}"):
                return str(self._client.images.get(build.image.id).id)
        except GoneError:
            name = build.image.name
            raise ImageError(f"Image {name} is gone; build version {build.version} again") from None


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
