"""What somebody in Airflow's place could try, and what the proxy says to it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import requests
from docker.types import DeviceRequest, Mount
from proxied import SOCKETS, Proxied

from esteira.deploy import context

pytestmark = pytest.mark.docker
Files = dict[str, bytes]


@pytest.fixture
def stranger(docker_client: docker.DockerClient) -> Iterator[docker.models.containers.Container]:
    """A container of somebody else."""
    container = docker_client.containers.run("debian:bookworm-slim", ["sleep", "60"], detach=True)
    yield container
    container.remove(force=True)


@pytest.fixture
def ours(proxied: Proxied) -> Iterator[docker.models.containers.Container]:
    """A container of this home."""
    container = proxied.create()
    container.start()
    yield container
    proxied.engine.containers.get(container.id).remove(force=True, v=True)


def refused(what: str) -> Any:
    return pytest.raises(docker.errors.APIError, match=f"403.*{what}")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"privileged": True}, "HostConfig.Privileged: may not be set"),
        ({"mounts": [Mount("/host", "/", type="bind")]}, "HostConfig.Mounts.0.Type"),
        ({"mounts": [Mount(SOCKETS, "somebody-elses", type="volume")]}, "only the volume"),
        ({"mounts": [Mount("/etc", "{volume}", type="volume")]}, "only the volume"),
        ({"mounts": None, "volumes": ["/:/host"]}, "HostConfig.Binds.0: only the volume"),
        ({"mounts": None, "volumes": ["/var/run/docker.sock:/s"]}, "HostConfig.Binds.0: only the volume"),
        ({"volumes_from": ["somebody"]}, "HostConfig.VolumesFrom: may not be set"),
        ({"network_mode": "host"}, "HostConfig.NetworkMode"),
        ({"network_mode": "bridge"}, "HostConfig.NetworkMode"),
        ({"network_mode": None}, "HostConfig.NetworkMode"),
        ({"network_mode": "container:somebody"}, "HostConfig.NetworkMode"),
        ({"pid_mode": "host"}, "HostConfig.PidMode: may not be set"),
        ({"ipc_mode": "host"}, "HostConfig.IpcMode: may not be set"),
        ({"uts_mode": "host"}, "HostConfig.UTSMode: may not be set"),
        ({"userns_mode": "host"}, "HostConfig.UsernsMode: may not be set"),
        ({"cgroup_parent": "/"}, "HostConfig.CgroupParent: may not be set"),
        ({"cap_drop": None}, "HostConfig.CapDrop"),
        ({"cap_add": ["SYS_ADMIN"]}, "HostConfig.CapAdd: may not be set"),
        ({"security_opt": None}, "HostConfig.SecurityOpt"),
        ({"security_opt": ["seccomp=unconfined"]}, "HostConfig.SecurityOpt"),
        ({"security_opt": ["no-new-privileges:true", "apparmor=unconfined"]}, "HostConfig.SecurityOpt"),
        ({"read_only": False}, "HostConfig.ReadonlyRootfs"),
        ({"devices": ["/dev/sda:/dev/sda"]}, "HostConfig.Devices: may not be set"),
        ({"device_requests": [DeviceRequest(count=-1)]}, "HostConfig.DeviceRequests: may not be set"),
        ({"sysctls": {"kernel.shm_rmid_forced": "0"}}, "HostConfig.Sysctls: may not be set"),
        ({"runtime": "another"}, "HostConfig.Runtime: may not be set"),
        ({"mem_limit": None, "memswap_limit": None}, "HostConfig.Memory"),
        ({"mem_limit": "512g", "memswap_limit": "512g"}, "HostConfig.Memory"),
        ({"pids_limit": None}, "HostConfig.PidsLimit"),
        ({"tmpfs": {"/tmp": "rw,exec,suid"}}, "HostConfig.Tmpfs./tmp: needs the options"),  # noqa: S108
        ({"tmpfs": {"/etc": "rw,noexec,nosuid,nodev"}}, "HostConfig.Tmpfs"),
        ({"log_config": {"type": "syslog"}}, "HostConfig.LogConfig.Type"),
        ({"ports": {"8000/tcp": 80}}, "ExposedPorts: may not be set|PortBindings: may not be set"),
        ({"user": "root"}, "User: may not be set"),
        ({"entrypoint": ["sh"]}, "Entrypoint: may not be set"),
        ({"command": ["sh", "-c", "id"]}, "Cmd: may not be set"),
        ({"labels": {"esteira.home": "another"}}, "needs esteira.home="),
        ({"labels": None}, "Labels"),
        ({"name": "postgres"}, "name must begin with esteira-"),
    ],
)
def test_no_container_but_a_confined_one(proxied: Proxied, changes: dict[str, Any], what: str) -> None:
    for mount in changes.get("mounts") or ():
        mount["Source"] = mount["Source"].replace("{volume}", proxied.volume)
    with refused(what):
        proxied.create(**changes)
    assert proxied.engine.containers.list(all=True, filters={"name": "esteira-made-by-a-test"}) == []


def test_no_container_of_another_image(proxied: Proxied) -> None:
    with pytest.raises(docker.errors.ImageNotFound, match="No such image of this project"):
        proxied.create(image="debian:bookworm-slim")


def test_what_other_spellings_say_to_the_engine_never_gets_there(proxied: Proxied) -> None:
    body = {"Image": proxied.image.id, "Labels": {"esteira.home": proxied.home}}
    confined = proxied.engine.api.create_host_config(
        network_mode="none", cap_drop=["ALL"], security_opt=["no-new-privileges:true"], read_only=True,
        mem_limit="64m", memswap_limit="64m", pids_limit=16,
    )  # fmt: skip
    loud = {**body, "HostConfig": dict(confined), "hostconfig": {"Privileged": True}}
    assert "hostconfig: may not be set" in post(proxied, "/containers/create?name=esteira-x", json=loud)
    unmasked = {**body, "HostConfig": {**confined, "MaskedPaths": [], "ReadonlyPaths": []}}
    created = proxied.client.api._post(
        proxied.client.api._url("/containers/create"), params={"name": "esteira-masked"}, json=unmasked
    )
    container = proxied.engine.containers.get(created.json()["Id"])
    try:
        assert "/proc/kcore" in container.attrs["HostConfig"]["MaskedPaths"]
    finally:
        container.remove()


def test_another_container_is_out_of_reach_by_name_and_by_id(
    proxied: Proxied, stranger: docker.models.containers.Container
) -> None:
    for name in (stranger.id, stranger.short_id, stranger.name):
        for path in ("stop", "start", "restart", "kill", "wait"):
            assert "not this project's" in post(proxied, f"/containers/{name}/{path}")
        for path in ("json", "logs?stdout=1"):
            assert "not this project's" in get(proxied, f"/containers/{name}/{path}")
        with refused("not this project's"):
            proxied.client.api.remove_container(name, force=True)
    stranger.reload()
    assert stranger.status == "running"


def test_nobody_gets_into_a_container_of_ours(
    proxied: Proxied, ours: docker.models.containers.Container
) -> None:
    for attempt in (
        lambda: ours.exec_run(["id"]),
        lambda: ours.attach(),
        lambda: ours.get_archive("/etc/passwd"),
        lambda: ours.put_archive("/tmp", b""),  # noqa: S108
        lambda: ours.update(mem_limit="64g"),
        lambda: ours.rename("esteira-other"),
        lambda: ours.commit("esteira-proxied", "v9"),
        lambda: list(ours.export()),
        lambda: ours.top(),
    ):
        with refused("not among what a release needs"):
            attempt()


def test_the_rest_of_the_engine_is_not_there(proxied: Proxied) -> None:
    client = proxied.client
    for attempt in (
        lambda: client.info(),
        lambda: client.networks.list(),
        lambda: client.networks.create("esteira-net"),
        lambda: client.volumes.list(),
        lambda: client.volumes.create("esteira-volume"),
        lambda: client.volumes.prune(),
        lambda: client.images.prune(),
        lambda: client.images.pull("debian", "latest"),
        lambda: client.containers.prune(),
        lambda: client.swarm.init(),
        lambda: client.plugins.list(),
        lambda: client.secrets.list(),
    ):
        with refused("not among what a release needs"):
            attempt()
    assert "403" in get(proxied, "/events")


def test_another_image_cannot_be_removed_or_looked_at(proxied: Proxied) -> None:
    for attempt in (proxied.client.images.get, proxied.client.images.remove):
        with pytest.raises(docker.errors.ImageNotFound, match="No such image of this project"):
            attempt("debian:bookworm-slim")


def test_a_path_or_a_query_that_can_be_read_in_two_ways_is_refused(
    proxied: Proxied, stranger: docker.models.containers.Container
) -> None:
    for path in (
        f"/containers/x/../{stranger.id}/stop",
        f"//containers/{stranger.id}/stop",
        f"/containers/%2e%2e/containers/{stranger.id}/stop",
        f"/v1.18/v1.41/containers/{stranger.id}/stop",
        "/build?t=esteira-proxied:v1&t=postgres:15-bookworm",
    ):
        assert "403" in post(proxied, path, version="")


def test_a_start_changes_nothing_of_how_a_container_is_confined(
    proxied: Proxied, ours: docker.models.containers.Container
) -> None:
    ours.stop(timeout=1)
    post(
        proxied,
        f"/containers/{ours.id}/start",
        version="/v1.18",
        json={"Privileged": True, "Binds": ["/:/h"]},
    )
    seen = proxied.engine.containers.get(ours.id).attrs
    assert not seen["HostConfig"]["Privileged"]
    assert [mount["Name"] for mount in seen["Mounts"]] == [proxied.volume]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"tag": "postgres:15-bookworm"}, "only be built as esteira-"),
        ({"tag": "esteira-proxied"}, "only be built as esteira-"),
        ({"tag": "registry.example/esteira-proxied:v1"}, "only be built as esteira-"),
        ({"target": "platform"}, "Only the target api"),
        ({"target": None}, "Only the target api"),
        ({"network_mode": "host"}, "may not have the parameter networkmode"),
        ({"extra_hosts": {"a": "1.2.3.4"}}, "may not have the parameter extrahosts"),
        ({"buildargs": {"HOME_ID": "another"}}, "needs the argument HOME_ID"),
        ({"buildargs": {"BASE": "somebody/elses"}}, "may not have the argument BASE"),
        ({"container_limits": {"memory": 2**40}}, "may not have the parameter memory"),
        ({"dockerfile": "Other"}, "may not have the parameter dockerfile"),
    ],
)
def test_no_build_but_of_a_version(proxied: Proxied, changes: dict[str, Any], what: str) -> None:
    with refused(what):
        build(proxied, dict(context.code_files()), **changes)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"Dockerfile": b"FROM debian:bookworm-slim AS api\nRUN id"}, "Dockerfile .* is not the one of this"),
        ({"app/main.py": b"import os"}, "app/main.py .* is not the one of this project"),
        ({"app/more.py": b""}, "may not hold 'app/more.py'"),
        ({"bundle/etc/passwd": b""}, "may not hold 'bundle/etc'"),
        ({".dockerignore": b""}, "may not hold '.dockerignore'"),
        ({"bundle/../Dockerfile": b""}, "may not hold"),
        ({"bundle/srv/artefatos/proxied/onnx/../../x": b""}, "may not hold"),
    ],
)
def test_no_code_but_this_projects_is_built(proxied: Proxied, files: Files, what: str) -> None:
    with refused(what):
        build(proxied, {**context.code_files(), **files})


def test_a_link_in_the_context_is_refused(proxied: Proxied) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("bundle/srv/artefatos/proxied/onnx/modelo_v1.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with refused("may not hold"):
        send(proxied, io.BytesIO(stream.getvalue()))


def test_an_archive_that_hides_what_it_is_gets_400(proxied: Proxied) -> None:
    with pytest.raises(docker.errors.APIError, match="not a plain tar archive"):
        send(proxied, io.BytesIO(b"\x1f\x8b" + bytes(range(256)) * 4))
    with pytest.raises(docker.errors.APIError, match="ends too early"):
        send(proxied, io.BytesIO(context.tar(context.code_files()).getvalue()[:700]))


def build(proxied: Proxied, files: Files, **changes: Any) -> None:
    send(proxied, context.tar(files), **changes)


def send(proxied: Proxied, archive: io.BytesIO, **changes: Any) -> None:
    asked = {"tag": "esteira-proxied:v9", "target": "api", "buildargs": {}, **changes}
    asked["buildargs"] = {"HOME_ID": proxied.home, **asked["buildargs"]}
    for _ in proxied.client.api.build(fileobj=archive, custom_context=True, decode=True, **asked):
        continue


def post(proxied: Proxied, path: str, *, version: str = "/v1.41", **content: Any) -> str:
    return _said(proxied, "POST", f"{version}{path}", **content)


def get(proxied: Proxied, path: str) -> str:
    return _said(proxied, "GET", f"/v1.41{path}")


def _said(proxied: Proxied, method: str, path: str, **content: Any) -> str:
    """What the proxy answers to a request whose path stays as it is written here."""
    api = proxied.client.api
    prepared = requests.Request(method, f"{api.base_url}/x", **content).prepare()
    prepared.url = f"{api.base_url}{path}"
    answer = api.send(prepared, timeout=30)
    return f"{answer.status_code} {answer.text}"
