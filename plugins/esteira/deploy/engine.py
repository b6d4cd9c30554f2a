"""The connection to the Docker engine, and its failures in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from esteira.deploy.errors import EngineError, GoneError

if TYPE_CHECKING:
    from docker import DockerClient

_SECONDS = 60


def connect() -> DockerClient:
    """The engine that DOCKER_HOST (by default the local socket) leads to.

    Raises EngineError, saying what to do, when none answers.
    """
    import docker
    from requests.exceptions import RequestException

    try:
        client = docker.from_env(timeout=_SECONDS)
        client.ping()
    except (docker.errors.DockerException, RequestException) as error:
        raise EngineError(
            f"No Docker engine answers ({error}); start it, let this user reach its socket, "
            "or set DEPLOY_TARGET=process to serve from a local process"
        ) from None
    return client


@contextmanager
def engine_does(what: str) -> Iterator[None]:
    """Turn whatever the engine or the connection to it fails with into an EngineError that says at what.

    Raises GoneError, which is one, when what it is about does not exist any more, or is being removed.
    """
    import docker
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except docker.errors.NotFound as error:
        raise GoneError(f"The Docker engine could not {what}: {error.explanation or error}") from None
    except docker.errors.APIError as error:
        if "is already in progress" in str(error.explanation):
            raise GoneError(f"Somebody else is at it to {what}: {error.explanation}") from None
        raise EngineError(f"The Docker engine could not {what}: {error.explanation or error}") from None
    except (docker.errors.DockerException, RequestException, HTTPError, OSError) as error:
        raise EngineError(
            f"The Docker engine stopped answering; it was to {what} ({error}). "
            "Start it again and repeat this step: what was live comes back with the engine"
        ) from None
