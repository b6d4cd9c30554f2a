"""Which containers are ours, by their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container


def labels(home: str, role: str, case: str, port: int) -> dict[str, str]:
    """What a container of a home says of itself; port 0 is one that the engine chooses."""
    return {"esteira.home": home, "esteira.role": role, "esteira.case": case, "esteira.port": str(port)}


def find(client: DockerClient, home: str, role: str, case: str | None) -> list[Container]:
    """The containers of a home in a role, running or not; None is every case."""
    wanted = [f"esteira.home={home}", f"esteira.role={role}"]
    wanted += [f"esteira.case={case}"] if case else []
    return client.containers.list(all=True, ignore_removed=True, filters={"label": wanted})


def started(container: Container) -> Container:
    """Start a new container; when that fails nothing is left of it."""
    try:
        container.start()
        container.reload()
    except BaseException:
        container.remove(force=True, v=True)
        raise
    return container
