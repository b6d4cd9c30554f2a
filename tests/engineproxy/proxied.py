"""A proxy of its own, with a home and a volume, in front of the real engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import docker

from esteira.deploy.container import DockerTarget
from esteira.deploy.facts import Build, Image
from esteira.deploy.hardening import API_LIMITS, HARDENED

SOCKETS = "/run/esteira/api"


@dataclass(frozen=True)
class Proxied:
    """The engine as Airflow sees it (`client`) and as it is (`engine`), and an image built through it."""

    client: docker.DockerClient
    engine: docker.DockerClient
    target: DockerTarget
    build: Build
    home: str
    volume: str

    @property
    def image(self) -> Image:
        assert self.build.image is not None
        return self.build.image

    def create(self, **changes: Any) -> docker.models.containers.Container:
        """What the proxy makes of a container like the deployer's, but for `changes`."""
        asked = {
            "image": self.image.id,
            "name": "esteira-made-by-a-test",
            "labels": {"esteira.home": self.home},
            "mounts": [docker.types.Mount(SOCKETS, self.volume, type="volume")],
            **HARDENED,
            **API_LIMITS,
            **changes,
        }
        return self.client.containers.create(**{name: value for name, value in asked.items() if value})
