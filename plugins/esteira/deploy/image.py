"""Builds a version's image, or finds that it is built."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from esteira.bundle import Bundle
from esteira.deploy import context
from esteira.deploy.engine import engine_does
from esteira.deploy.errors import ImageError
from esteira.deploy.facts import Image

if TYPE_CHECKING:
    from docker import DockerClient

KEPT_IMAGES = 3
_LAST_LINES = 15
_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL")

log = logging.getLogger("esteira")


def image_name(case: str, version: int) -> str:
    """`esteira-<case>:v<version>`, within what a repository may be called."""
    return f"esteira-{re.sub('_{3,}', '__', case).rstrip('_')}:v{version}"


def labels(
    case: str, version: int, home: str, commit: str | None, bundle_sha: str, code: str
) -> dict[str, str]:
    """What an image says of itself."""
    return {
        "esteira.case": case,
        "esteira.version": str(version),
        "esteira.home": home,
        "esteira.commit": commit or "",
        "esteira.bundle": bundle_sha,
        "esteira.code": code,
    }


def build(client: DockerClient, bundle: Bundle, home: str, commit: str | None, bundle_sha: str) -> Image:
    """The image of a version; built unless one of the same bundle and code is there.

    Raises ImageError with the last lines of a build that failed, EngineError when the engine fails.
    """
    case, code = bundle.metadata.case, context.code_files()
    name = image_name(case, bundle.version)
    marks = labels(case, bundle.version, home, commit, bundle_sha, context.digest(code))
    known = _same(client, name, marks)
    if known is not None:
        log.info("Image %s is built already", name)
        return Image(name=name, id=known)
    files = {**code, **context.bundle_files(bundle)}
    with engine_does(f"build image {name}"):
        return Image(name=name, id=_built(client, name, files, marks, bundle))


def prune(client: DockerClient, case: str, home: str) -> None:
    """Remove all but a case's newest images; one that a container uses stays."""
    from docker.errors import APIError

    with engine_does(f"list the images of {case!r}"):
        images = client.images.list(filters={"label": [f"esteira.case={case}", f"esteira.home={home}"]})
    for image in sorted(images, key=lambda image: str(image.attrs["Created"]), reverse=True)[KEPT_IMAGES:]:
        try:
            client.images.remove(str(image.id))
        except APIError as error:
            log.debug("Image %s stays: %s", image.short_id, error)


def _same(client: DockerClient, name: str, marks: dict[str, str]) -> str | None:
    from docker.errors import ImageNotFound

    with engine_does(f"look for image {name}"):
        try:
            image = client.images.get(name)
        except ImageNotFound:
            return None
    matter = set(marks) - {"esteira.commit"}
    return str(image.id) if all(image.labels.get(key) == marks[key] for key in matter) else None


def _built(
    client: DockerClient, name: str, files: context.Files, marks: dict[str, str], bundle: Bundle
) -> str:
    arguments = {key: os.environ[key] for key in _PASSED_ON if os.environ.get(key)}
    events = client.api.build(
        fileobj=context.tar(files),
        custom_context=True,
        decode=True,
        rm=True,
        forcerm=True,
        target="api",
        tag=name,
        labels=marks,
        buildargs={**arguments, "CASE": bundle.metadata.case, "VERSION": str(bundle.version)},
    )
    return _followed(name, events)


def _followed(name: str, events: Iterable[dict[str, Any]]) -> str:
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    built = None
    for event in events:
        built = event.get("aux", {}).get("ID", built)
        for line in str(event.get("stream", "")).splitlines():
            if line.strip():
                lines.append(line)
                log.log(logging.INFO if line.startswith("Step ") else logging.DEBUG, "%s", line)
        if "error" in event:
            raise ImageError(f"Image {name} could not be built: {event['error']}\n" + "\n".join(lines))
    if built is None:
        raise ImageError(f"Image {name} could not be built: the engine ended early\n" + "\n".join(lines))
    return str(built)
