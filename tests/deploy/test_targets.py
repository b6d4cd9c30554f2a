"""A release from one target to another, and the choice of a target."""

from __future__ import annotations

import json
import time

import pytest
from releasing import ANSWER, ask, deployer, publish, release

from esteira.deploy import port
from esteira.deploy.errors import EngineError
from esteira.deploy.live import placed
from esteira.deploy.process import Record
from esteira.deploy.release import build
from esteira.deploy.target import pick
from esteira.settings import Settings


@pytest.mark.docker
def test_a_case_moves_from_process_to_container_and_back(settings: Settings, on_docker: Settings):
    publish(settings)
    release(settings)
    for told in (on_docker, settings):
        entry = release(told)
        assert ask(told) == ANSWER
        assert [(i.target, i.id) for _, i in placed(None, told)] == [(told.DEPLOY_TARGET, entry.instance)]


@pytest.mark.docker
def test_killed_between_the_end_of_a_process_and_its_container_the_case_serves_after_the_next_step(
    settings: Settings, on_docker: Settings
):
    publish(settings)
    release(settings)
    build("tiny", None, on_docker)
    process = deployer(on_docker, 1)
    while not port.is_free(settings.API_PORT):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()

    build("tiny", None, on_docker)

    assert ask(settings) == ANSWER
    assert len(placed(None, settings)) == 1


def test_without_an_engine_auto_serves_from_a_process_and_docker_says_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    publish(settings)
    assert pick(settings.model_copy(update={"DEPLOY_TARGET": "auto"})).name == "process"
    with pytest.raises(EngineError, match=r"No Docker engine answers.*DEPLOY_TARGET=process"):
        build("tiny", None, settings.model_copy(update={"DEPLOY_TARGET": "docker"}))


def test_a_record_says_which_process_is_live_and_a_torn_one_is_put_right(settings: Settings):
    publish(settings)
    entry = release(settings)
    path = settings.ESTEIRA_HOME / "api" / "tiny.json"
    record = Record.model_validate_json(path.read_bytes())
    assert (record.instance.id, record.instance.port) == (entry.instance, settings.API_PORT)
    assert "Serving tiny" in record.log.read_text()

    path.write_text(json.dumps({"pid": record.pid})[:-3])
    assert release(settings).from_version == 1
    assert Record.model_validate_json(path.read_bytes()).instance.id != entry.instance
    assert len(placed(None, settings)) == 1
