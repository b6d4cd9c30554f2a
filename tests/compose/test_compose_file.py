"""What docker-compose.yml promises, read from it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from esteira.settings import PROJECT, Settings

FILE = PROJECT / "docker-compose.yml"
STACK: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


@each_service
def test_nothing_is_published_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@each_service
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] in ("10001:10001", "postgres")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] == service["memswap_limit"]
    assert service["pids_limit"]
    assert all("noexec,nosuid,nodev" in tmpfs for tmpfs in service["tmpfs"])
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & service.keys()


@each_service
def test_the_engines_socket_is_in_the_proxy_alone_and_that_has_no_network(name: str) -> None:
    service = SERVICES[name]
    holds = any("docker.sock" in volume for volume in service.get("volumes", ()))
    assert holds == (name == "engine-proxy")
    assert (service.get("network_mode") == "none") == (name in ("engine-proxy", "gateway"))


@each_service
def test_every_service_says_whether_it_is_well(name: str) -> None:
    assert ("healthcheck" in SERVICES[name]) == (name not in ("prepare", "esteira"))


@each_service
def test_users_files_are_read_only(name: str) -> None:
    own = [volume for volume in SERVICES[name].get("volumes", ()) if re.search(r"_FOLDER", volume)]
    assert all(volume.endswith(":ro") for volume in own)


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY|TOKEN)\w*)(:?[-?]?)", FILE.read_text())
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "MLFLOW_DB_PASSWORD"}
    assert {form for _, form in secrets} <= {":?", ""}
    assert {name for name, form in secrets if form == ":?"} == {name for name, _ in secrets}


def test_only_postgres_and_what_prepares_it_know_its_password() -> None:
    knows = {name for name, one in SERVICES.items() if "POSTGRES_PASSWORD" in one.get("environment", {})}
    assert knows == {"postgres", "prepare"}


def test_what_the_services_are_told_are_settings() -> None:
    told = STACK["x-settings"].keys() - {"HOME", "DOCKER_HOST", "PIP_INDEX_URL"}
    assert told <= Settings.model_fields.keys()


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_without_secrets_it_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "env").touch()
    command = ["docker-compose", "--env-file", str(tmp_path / "env"), "config"]
    asked = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert asked.returncode != 0
    assert "run first  sh compose.sh env" in asked.stderr
