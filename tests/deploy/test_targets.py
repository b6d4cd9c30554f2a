"""A release from one target to another, and the choice of a target."""

from __future__ import annotations

import time

import pytest
from releasing import ANSWER, ask, deployer, publish, release, running, serving

from esteira.deploy import port, standing
from esteira.deploy.errors import EngineError
from esteira.deploy.live import placed
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
        assert running(told) == serving(told) == list(entry.instances)
        assert [i.target for _, i in placed(None, told) if i.running] == [told.DEPLOY_TARGET]


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


def test_the_file_that_says_who_serves_is_made_anew_where_it_was_lost(on_target: Settings):
    publish(on_target)
    entry = release(on_target)
    path = on_target.ESTEIRA_HOME / "api" / "tiny.json"
    written = standing.read(on_target, "tiny")
    assert written is not None
    assert written.instances == entry.instances

    path.write_text(path.read_text()[:-3])
    build("tiny", None, on_target)
    assert standing.read(on_target, "tiny") == written
    path.unlink()
    assert release(on_target).from_version == 1
    assert ask(on_target) == ANSWER
