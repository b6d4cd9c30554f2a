"""Serves a version from Docker containers, behind the gateway."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, ClassVar

from docker.types import Mount

from esteira.bundle import Bundle
from esteira.deploy import engine, image, labels, standing
from esteira.deploy.engine import engine_does
from esteira.deploy.errors import GoneError, ImageError
from esteira.deploy.facts import Build, Image, Instance, Instances, Role, Standing, TargetName, home_id
from esteira.deploy.gateway.door import Gateway
from esteira.deploy.gateway.folders import API_INSIDE, Folders, socket_inside
from esteira.deploy.hardening import API_LIMITS, HARDENED, RESTARTED
from esteira.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container

DRAIN_SECONDS = 40
"""Longer than the API takes to finish the longest request."""
ROLE = "api"
_LAST_LINES = 20
_PAUSE = 0.05

log = logging.getLogger("esteira")


class DockerTarget:
    """Containers of this home; nothing but the gateway reaches them, and they reach nothing."""

    name: ClassVar[TargetName] = "docker"
    shares_traffic: ClassVar[bool] = True

    def __init__(self, settings: Settings) -> None:
        """Raises EngineError when no engine answers."""
        self._client = engine.connect()
        self._settings = settings
        self._home = home_id(settings)
        self._folders = Folders.of(settings)
        self.gateway = Gateway(self._client, self._home, settings)

    def prepare(self, bundle: Bundle, commit: str | None, bundle_sha: str) -> Image:
        return image.build(self._client, bundle, self._home, commit, bundle_sha)

    def start(self, build: Build, replicas: int) -> Instances:
        self._folders.make()
        started: list[Instance] = []
        try:
            with engine_does(f"start a container of {build.case!r} version {build.version}"):
                for _ in range(replicas):
                    started.append(self._instance(self._started(build), {}))
        except BaseException:
            for instance in started:
                self.remove(instance)
            raise
        return tuple(started)

    def take_over(self, new: Instances, port: int) -> Instances:
        """The gateway is opened; what it brings where is for `route`."""
        self.gateway.open(port)
        return tuple(one.model_copy(update={"role": "live", "port": port}) for one in new)

    def route(self) -> None:
        self.gateway.sync()

    def end_trial(self, case: str) -> None:
        if self.gateway.port():
            self.gateway.copy(case, 0)

    def free_port(self) -> None:
        self.gateway.close()

    def instances(self, case: str | None) -> list[Instance]:
        with engine_does("list its containers"):
            found = labels.find(self._client, self._home, ROLE, case)
        known = {one.case: one for one in standing.read_all(self._settings)}
        return [self._instance(container, known) for container in found]

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

    def retire(self, instance: Instance) -> bool:
        """It stays, stopped, to be gone back to."""
        self._drained(instance)
        try:
            with engine_does(f"stop the {instance}"):
                self._client.containers.get(instance.handle).stop(timeout=DRAIN_SECONDS)
        except GoneError:
            return False
        return True

    def revive(self, instance: Instance) -> Instance:
        with engine_does(f"start the {instance} again"):
            container = self._client.containers.get(instance.handle)
            container.restart(timeout=DRAIN_SECONDS) if container.status == "running" else container.start()
            container.reload()
        return self._instance(container, {}).model_copy(update={"role": instance.role})

    def remove(self, instance: Instance) -> None:
        try:
            with engine_does(f"remove the {instance}"):
                container = self._client.containers.get(instance.handle)
                container.stop(timeout=DRAIN_SECONDS)
                container.remove(force=True, v=True)
        except GoneError:
            log.debug("The %s was gone already", instance)
        self._folders.socket(instance.id).unlink(missing_ok=True)

    def prune(self, case: str, keep: int) -> None:
        """Remove what only versions older than the last `keep` that served need."""
        kept = [one for one in self.instances(case) if one.role == "kept"]
        versions = list(dict.fromkeys(one.version for one in sorted(kept, key=_age)))
        for instance in kept:
            if instance.version in versions[keep:]:
                self.remove(instance)
        image.prune(self._client, case, self._home, keep + 1)

    def _drained(self, instance: Instance) -> None:
        """Wait until the gateway has the last answer to what it had asked already."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.gateway.port() and self.gateway.open_requests(instance.case, instance.id):
            if time.monotonic() > deadline:
                return log.warning("The %s has not finished within %d s", instance, DRAIN_SECONDS)
            time.sleep(_PAUSE)
        return None

    def _started(self, build: Build) -> Container:
        identity = f"v{build.version}-{uuid.uuid4().hex[:8]}"
        marks = {"esteira.instance": identity, "esteira.created": str(time.time())}
        marks["esteira.version"], marks["esteira.bundle"] = str(build.version), build.bundle_sha256
        container = self._client.containers.create(
            self._image_of(build),
            name=f"esteira-{build.case}-{identity}",
            environment={
                "INSTANCE_ID": identity,
                "API_SOCKET": socket_inside(identity),
                "API_HOST": "127.0.0.1",
            },
            labels={**labels.labels(self._home, ROLE, build.case, 0), **marks},
            mounts=[self._mount()],
            restart_policy=RESTARTED,
            **HARDENED,
            **API_LIMITS,
        )
        return labels.started(container)

    def _mount(self) -> Mount:
        if self._settings.GATEWAY_VOLUME:
            return Mount(str(API_INSIDE), self._settings.GATEWAY_VOLUME, type="volume")
        return Mount(str(API_INSIDE), str(self._folders.api), type="bind")

    def _image_of(self, build: Build) -> str:
        assert build.image is not None
        try:
            with engine_does(f"find image {build.image.name}"):
                return str(self._client.images.get(build.image.id).id)
        except GoneError:
            name = build.image.name
            raise ImageError(f"Image {name} is gone; build version {build.version} again") from None

    def _instance(self, container: Container, known: dict[str, Standing]) -> Instance:
        marks, running = container.labels, container.status == "running"
        case, identity = marks["esteira.case"], marks["esteira.instance"]
        serving = known.get(case)
        return Instance(
            target="docker",
            case=case,
            version=int(marks["esteira.version"]),
            role=_role(identity, container.status, serving),
            id=identity,
            handle=str(container.id),
            port=serving.port if serving else 0,
            path=self._folders.socket(identity),
            created=float(marks["esteira.created"]),
            running=running,
        )


def _role(identity: str, status: str, serving: Standing | None) -> Role:
    if serving and identity in serving.instances:
        return "live"
    return "kept" if status == "exited" else "trial"


def _age(instance: Instance) -> float:
    """The newest first."""
    return -instance.created
