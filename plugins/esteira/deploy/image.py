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
from esteira.deploy.errors import EngineError, GoneError, ImageError
from esteira.deploy.facts import Image

if TYPE_CHECKING:
    from docker import DockerClient

IDENTITY = {
    "CASE": "esteira.case",
    "VERSION": "esteira.version",
    "HOME_ID": "esteira.home",
    "BUNDLE": "esteira.bundle",
    "CODE": "esteira.code",
}
"""Which build argument is in which label; an image that has them all is not built again."""
_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL")
_LAST_LINES = 15
_LONGEST_LINE = 120

log = logging.getLogger("esteira")


def image_name(case: str, version: int) -> str:
    """`esteira-<case>:v<version>`, within what a repository may be called."""
    return f"esteira-{re.sub('_{3,}', '__', case).rstrip('_')}:v{version}"


def build(client: DockerClient, bundle: Bundle, home: str, commit: str | None, bundle_sha: str) -> Image:
    """The image of a version; built unless one of the same bundle and code is there.

    Raises ImageError with the last lines of a build that failed, EngineError when the engine fails.
    """
    code = context.code_files()
    arguments = {
        "CASE": bundle.metadata.case,
        "VERSION": str(bundle.version),
        "HOME_ID": home,
        "BUNDLE": bundle_sha,
        "CODE": context.digest(code),
    }
    name = image_name(bundle.metadata.case, bundle.version)
    known = _same(client, name, arguments)
    if known is not None:
        log.info("Image %s is built already", name)
        return Image(name=name, id=known)
    with engine_does(f"build image {name}"):
        files = {**code, **context.bundle_files(bundle)}
        return Image(name=name, id=_built(client, name, files, {**arguments, "COMMIT": commit or ""}))


def build_target(client: DockerClient, name: str, target: str, files: context.Files) -> str:
    """The id of an image that one target of the Dockerfile gives; built unless it is there by that name.

    Raises ImageError, EngineError.
    """
    try:
        with engine_does(f"look for image {name}"):
            return str(client.images.get(name).id)
    except GoneError:
        log.info("Building image %s, once", name)
    with engine_does(f"build image {name}"):
        return _built(client, name, files, {}, target)


def prune(client: DockerClient, case: str, home: str, keep: int) -> None:
    """Remove all but a case's newest images; one that a container uses stays."""
    wanted = {"label": [f"esteira.case={case}", f"esteira.home={home}"]}
    with engine_does(f"list the images of {case!r}"):
        images = client.images.list(filters=wanted)
    newest_first = sorted(images, key=lambda image: str(image.attrs["Created"]), reverse=True)
    for image in newest_first[keep:]:
        try:
            with engine_does(f"remove image {image.short_id}"):
                client.images.remove(str(image.id))
        except EngineError as error:
            log.debug("%s; it stays", error)


def _same(client: DockerClient, name: str, arguments: dict[str, str]) -> str | None:
    try:
        with engine_does(f"look for image {name}"):
            image = client.images.get(name)
    except GoneError:
        return None
    is_same = all(image.labels.get(label) == arguments[argument] for argument, label in IDENTITY.items())
    return str(image.id) if is_same else None


def _built(
    client: DockerClient, name: str, files: context.Files, arguments: dict[str, str], target: str = "api"
) -> str:
    passed_on = {key: os.environ[key] for key in _PASSED_ON if os.environ.get(key)}
    events = client.api.build(
        fileobj=context.tar(files),
        custom_context=True,
        decode=True,
        rm=True,
        forcerm=True,
        target=target,
        tag=name,
        buildargs={**passed_on, **arguments},
    )
    return _followed(name, events)


def _followed(name: str, events: Iterable[dict[str, Any]]) -> str:
    lines: deque[str] = deque(maxlen=_LAST_LINES)
    built = None
    for event in events:
        for line in filter(str.strip, str(event.get("stream", "")).splitlines()):
            _tell(line, lines)
            lines.append(line)
        if "error" in event:
            raise ImageError(f"Image {name} could not be built: {event['error']}\n" + "\n".join(lines))
        built = event.get("aux", {}).get("ID", built)
    if built is None:
        raise ImageError(f"Image {name} could not be built: the engine ended early\n" + "\n".join(lines))
    return str(built)


def _tell(line: str, before: deque[str]) -> None:
    """Log a step once the line after it shows that it was not taken from the cache."""
    log.debug("%s", line)
    if before and before[-1].startswith("Step ") and "Using cache" not in line:
        log.info("%s", before[-1][:_LONGEST_LINE])
