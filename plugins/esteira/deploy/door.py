"""Keeps the public port while containers behind it come and go.

A published port belongs to one container for all its life. The door is a container that holds the port and
does nothing else; live containers join its network, where old and new listen side by side, so that no request
falls between them.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from esteira.deploy import labels
from esteira.deploy.hardening import DOOR_LIMITS, HARDENED, RESTARTED

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

PORT = 8000
"""Where the API listens inside its network, as the Dockerfile says."""


class Doors:
    """The doors of a home."""

    def __init__(self, client: DockerClient, home: str) -> None:
        self._client, self._home = client, home

    def network(self, case: str, port: int, image: str) -> str:
        """The network mode of a container that serves behind a case's door on `port`, which is opened."""
        for door in self._doors(case):
            if door.labels["esteira.port"] == str(port):
                door.start()
                return _network(door)
        door = self._client.containers.create(
            image,
            ["sleep", "infinity"],
            name=f"esteira-{case}-door-{port}-{uuid.uuid4().hex[:8]}",
            labels=labels.labels(self._home, "door", case, port),
            ports={f"{PORT}/tcp": ("127.0.0.1", port)},
            healthcheck={"test": ["NONE"]},
            restart_policy=RESTARTED,
            **HARDENED,
            **DOOR_LIMITS,
        )
        return _network(labels.started(door))

    def open_again(self, live: Container) -> None:
        """Start the door that a container serves behind."""
        self._client.containers.get(live.attrs["HostConfig"]["NetworkMode"].partition(":")[2]).start()

    def halt(self, case: str) -> None:
        """Free the ports of a case; the doors stay, to be opened again."""
        for door in self._doors(case):
            door.stop(timeout=1)

    def remove_idle(self, case: str | None) -> None:
        """Remove the doors that nothing serves behind; None is every case."""
        lives = labels.find(self._client, self._home, "live", case)
        used = {live.attrs["HostConfig"]["NetworkMode"] for live in lives}
        for door in self._doors(case):
            if _network(door) not in used:
                door.remove(force=True, v=True)

    def _doors(self, case: str | None) -> list[Container]:
        return labels.find(self._client, self._home, "door", case)


def _network(door: Container) -> str:
    return f"container:{door.id}"
