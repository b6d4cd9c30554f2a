"""What an image holds, how large it is, how it is built again, and how its container is shut in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import docker
import pytest
from releasing import ask, publish, publish_again, release

from esteira import commit
from esteira.deploy import context
from esteira.deploy.container import DockerTarget
from esteira.deploy.errors import ImageError
from esteira.deploy.live import placed, stop
from esteira.deploy.release import build
from esteira.settings import PROJECT, Settings
from needs import missing

pytestmark = pytest.mark.docker

BASE = "python:3.11-slim-bookworm"
MB = 1_000_000


def test_an_image_is_small_says_what_it_is_and_holds_no_pickle(
    on_docker: Settings, engine: docker.DockerClient
):
    bundle = publish(on_docker)
    built = build("tiny", None, on_docker)
    assert built.image is not None
    image = engine.images.get(built.image.name)

    assert image.attrs["Size"] - engine.images.get(BASE).attrs["Size"] <= 170 * MB
    labels = {key.removeprefix("esteira."): value for key, value in image.labels.items()}
    assert (labels["case"], labels["version"]) == ("tiny", "1")
    assert (labels["bundle"], labels["commit"]) == (built.bundle_sha256, commit.git_commit())
    listing = engine.containers.run(image.id, ["find", "/srv", "-type", "f"], remove=True).decode()
    assert f"/srv/artefatos/tiny/{bundle.metadata.files['onnx'].path}" in listing
    assert ".pkl" not in listing
    assert "settings.py" not in listing.replace("/srv/app/settings.py", "")


def test_a_new_version_adds_only_its_bundle_and_an_old_one_is_not_built_twice(
    on_docker: Settings, engine: docker.DockerClient
):
    first_bundle = publish(on_docker)
    first = build("tiny", None, on_docker)
    publish_again(first_bundle)
    began = time.monotonic()
    second = build("tiny", None, on_docker)
    seconds = time.monotonic() - began

    assert first.image is not None
    assert second.image is not None
    layers = [engine.images.get(image.id).attrs["RootFS"]["Layers"] for image in (first.image, second.image)]
    # of the bundle's two layers, the metadata's comes first, and the graph is the same
    assert layers[0][:-2] == layers[1][:-2]
    assert layers[0][-2] != layers[1][-2]
    assert seconds <= 5
    assert build("tiny", 1, on_docker).image == first.image


def test_a_container_is_shut_in(on_docker: Settings, engine: docker.DockerClient):
    publish(on_docker)
    entry = release(on_docker)
    containers = engine.containers.list(filters={"label": "esteira.case=tiny"})
    mine = [c for c in containers if entry.instance in c.name or f"-door-{on_docker.API_PORT}-" in c.name]
    assert len(mine) == 2
    for container in mine:
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        assert {binding[0]["HostIp"] for binding in (host["PortBindings"] or {}).values()} <= {"127.0.0.1"}
    live = next(c for c in mine if entry.instance in c.name)
    assert live.exec_run(["id", "-u"]).output == b"10001\n"
    assert live.exec_run(["touch", "/srv/x"]).exit_code != 0
    assert live.exec_run(["touch", "/tmp/x"]).exit_code == 0  # noqa: S108
    status = live.exec_run(["grep", "-E", "CapEff|CapPrm|NoNewPrivs", "/proc/1/status"]).output.decode()
    assert [line.split()[1].strip("0") for line in status.splitlines()] == ["", "", "1"]


def test_a_build_that_fails_says_with_what(
    on_docker: Settings, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
):
    publish(on_docker)
    broken = {
        **context.code_files(),
        "Dockerfile": b"ARG CASE\nFROM " + BASE.encode() + b" AS api\nRUN exit 7\n",
    }
    monkeypatch.setattr(context, "code_files", lambda: broken)
    with pytest.raises(ImageError, match=r"(?s)esteira-tiny:v1 could not be built.*code: 7.*RUN exit 7"):
        build("tiny", None, on_docker)


def test_only_the_newest_images_are_kept_and_never_the_live_one_is_lost(
    on_docker: Settings, engine: docker.DockerClient
):
    bundle = publish(on_docker)
    release(on_docker)
    for _ in range(4):
        publish_again(bundle)
        build("tiny", None, on_docker)
    DockerTarget(on_docker).prune("tiny")
    ((_, instance),) = placed(None, on_docker)
    images = engine.images.list(
        filters={"label": [f"esteira.home={_home_label(engine, instance.handle)}", "esteira.case=tiny"]}
    )
    assert sorted(image.labels["esteira.version"] for image in images) == ["1", "3", "4", "5"]
    assert ask(on_docker) == 212.0


def test_compose_serves_a_built_version(on_docker: Settings, engine: docker.DockerClient):
    if shutil.which("docker-compose") is None:
        missing("docker-compose is not installed")
    publish(on_docker)
    build("tiny", None, on_docker)
    environment = {**os.environ, "CASE": "tiny", "VERSION": "1", "API_PORT": str(on_docker.API_PORT)}
    compose = [
        "docker-compose",
        "-p",
        f"esteira{on_docker.API_PORT}",
        "-f",
        str(PROJECT / "docker-compose.yml"),
    ]
    try:
        subprocess.run([*compose, "up", "-d"], env=environment, check=True, capture_output=True)
        assert _answer_within(on_docker, 20) == 212.0
    finally:
        subprocess.run([*compose, "down"], env=environment, check=True, capture_output=True)
    assert stop(None, on_docker) == ()


def test_the_same_content_is_the_same_context_to_the_byte(on_docker: Settings):
    files = {**context.code_files(), **context.bundle_files(publish(on_docker))}
    backwards = dict(reversed(files.items()))
    assert context.tar(files).getvalue() == context.tar(backwards).getvalue()
    assert context.digest(files) == context.digest(backwards)
    assert context.digest({"a": b"bc"}) != context.digest({"ab": b"c"})
    json.dumps(sorted(files))


def _answer_within(settings: Settings, seconds: float) -> float:
    import httpx

    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask(settings)
        except (httpx.HTTPError, AssertionError):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _home_label(engine: docker.DockerClient, container: str) -> str:
    return str(engine.containers.get(container).labels["esteira.home"])
