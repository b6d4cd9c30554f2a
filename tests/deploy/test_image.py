"""What an image holds, how large it is, how it is built again, and how its container is shut in."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
from pathlib import Path

import docker
import pytest
from releasing import ask, publish, publish_again, release

from esteira import commit
from esteira.bundle import Bundle, load
from esteira.deploy import context
from esteira.deploy.container import DockerTarget
from esteira.deploy.errors import ImageError
from esteira.deploy.facts import home_id
from esteira.deploy.live import placed
from esteira.deploy.release import build
from esteira.settings import PROJECT, Settings

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
    assert layers[0][:-1] == layers[1][:-1]
    assert layers[0][-1] != layers[1][-1]
    assert seconds <= 5
    assert build("tiny", 1, on_docker).image == first.image


def test_the_same_input_gives_the_same_layers_and_another_bundle_another_last_one(
    on_docker: Settings, engine: docker.DockerClient, tmp_path: Path
):
    bundle = publish(on_docker)
    first = _layers(engine, bundle)
    shutil.copytree(on_docker.ARTEFATOS_PATH, tmp_path / "copy", copy_function=shutil.copyfile)
    time.sleep(1.1)
    again = _layers(engine, load(tmp_path / "copy", "tiny"))
    other = _layers(engine, publish_again(bundle))

    assert again == first
    assert other[:-1] == first[:-1]
    assert other[-1] != first[-1]


@pytest.mark.parametrize("file", ["metadados/metadados_v1.json", "onnx/modelo_v1.onnx"])
def test_a_container_whose_bundle_was_altered_refuses_to_start(
    on_docker: Settings, engine: docker.DockerClient, file: str
):
    publish(on_docker)
    built = build("tiny", None, on_docker)
    assert built.image is not None
    altered = f"FROM {built.image.id}\nUSER root\nRUN echo >> /srv/artefatos/tiny/{file}\nUSER 10001\n"
    image, _ = engine.images.build(fileobj=io.BytesIO(altered.encode()), rm=True, forcerm=True)
    container = engine.containers.run(image.id, detach=True)
    try:
        code, said = container.wait(timeout=30)["StatusCode"], container.logs().decode()
    finally:
        container.remove(force=True)
    assert code == 2
    assert f"/srv/artefatos/tiny/{file} is not the file" in said
    assert "Traceback" not in said


def test_a_container_is_shut_in(on_docker: Settings, engine: docker.DockerClient):
    publish(on_docker)
    entry = release(on_docker)
    containers = engine.containers.list(filters={"label": "esteira.case=tiny"})
    live = next(c for c in containers if entry.instances[0] in c.name)
    home = f"esteira.home={home_id(on_docker)}"
    gateway, door = (
        engine.containers.list(filters={"label": [home, f"esteira.role={role}"]})[0]
        for role in ("gateway", "door")
    )
    mine = [live, gateway, door]
    assert {one.attrs["HostConfig"]["NetworkMode"] for one in (live, gateway)} == {"none"}
    for container in mine:
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        assert {binding[0]["HostIp"] for binding in (host["PortBindings"] or {}).values()} <= {"127.0.0.1"}
    assert [one.exec_run(["id", "-u"]).output for one in mine] == [b"10001\n"] * 3
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
    DockerTarget(on_docker).prune("tiny", keep=2)
    ((_, instance),) = placed(None, on_docker)
    images = engine.images.list(
        filters={"label": [f"esteira.home={_home_label(engine, instance.handle)}", "esteira.case=tiny"]}
    )
    assert sorted(image.labels["esteira.version"] for image in images) == ["1", "3", "4", "5"]
    assert ask(on_docker) == 212.0


def test_the_same_content_is_the_same_context_to_the_byte(on_docker: Settings):
    files = {**context.code_files(), **context.bundle_files(publish(on_docker))}
    backwards = dict(reversed(files.items()))
    assert context.tar(files).getvalue() == context.tar(backwards).getvalue()
    assert context.digest(files) == context.digest(backwards)
    assert context.digest({"a": b"bc"}) != context.digest({"ab": b"c"})
    json.dumps(sorted(files))


def test_only_the_stages_that_a_target_needs_are_sent_to_the_engine():
    dockerfile = (PROJECT / "Dockerfile").read_text()
    api = context.only("api", dockerfile)
    assert re.findall(r"^FROM .* AS (\w+)$", api, re.MULTILINE) == ["dependencies", "code", "api"]
    assert api.startswith(dockerfile[: dockerfile.index("FROM")])
    assert context.only("gateway", dockerfile).count("FROM") == 1


def _layers(engine: docker.DockerClient, bundle: Bundle) -> list[str]:
    """The layers of a version's image, without the cache; the dependencies, which take long, are left out."""
    code = context.code_files()
    api = code["Dockerfile"].decode().replace("COPY --from=dependencies /out /\n", "")
    files = {**code, **context.bundle_files(bundle), "Dockerfile": context.only("api", api).encode()}
    image, _ = engine.images.build(
        fileobj=context.tar(files),
        custom_context=True,
        nocache=True,
        rm=True,
        forcerm=True,
        target="api",
        buildargs={"CASE": "tiny", "VERSION": str(bundle.version), "HOME_ID": "of-a-test"},
    )
    layers = list(image.attrs["RootFS"]["Layers"])
    engine.images.remove(image.id, force=True)
    return layers


def _home_label(engine: docker.DockerClient, container: str) -> str:
    return str(engine.containers.get(container).labels["esteira.home"])
