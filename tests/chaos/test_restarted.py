"""What a live version stands on is restarted while clients ask: gateway, engine, scheduler, MLflow."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import docker
import pytest
from figures import Figures, count, said
from ground import (
    CASE,
    FULL,
    answers_with,
    container,
    door,
    expected,
    gateway,
    go_live,
    kill,
    publish_next,
    say_in_the_case,
    see_nothing_orphaned,
    under_load,
    wait_for,
)
from load import Answers
from second_engine import Engine

from benchmarks.place import free_ports
from benchmarks.rows import Row, at_most
from esteira.deploy import context, journal, standing
from esteira.deploy.gateway.folders import Folders
from esteira.deploy.gateway.runtime import Runtime
from esteira.deploy.image import build_target
from esteira.deploy.live import resume, stop
from esteira.deploy.release import build
from esteira.settings import Settings
from esteira.stack import services
from esteira.stack.airflow import connect
from esteira.stack.home import Home
from esteira.stack.processes import find
from esteira.stack.readiness import wait_until_known

pytestmark = pytest.mark.docker


def test_restarted_a_gateway_that_reads_its_configuration_anew_fails_no_request(
    home: Settings, figures: Figures
):
    with under_load(home) as load:
        for _ in range(5):
            runtime = Runtime(Folders.of(home).admin)
            wait_for(runtime.answers)
            runtime.reload({CASE})
    answers = load.answers
    figures.add(
        "restarted", count("gateway reloaded 5 times: failed requests", answers.failed, answers.requests)
    )
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1))}


def test_restarted_a_gateway_that_was_killed_comes_back_with_the_same_routing(
    home: Settings, figures: Figures
):
    before = standing.read(home, CASE)
    with under_load(home) as load:
        started = gateway(home).attrs["State"]["StartedAt"]
        kill(gateway(home))
        wait_for(lambda: gateway(home).attrs["State"]["StartedAt"] != started)
        wait_for(lambda: answers_with(home, 1))
    _add_outage(figures, "gateway killed", load.answers)
    assert standing.read(home, CASE) == before
    see_nothing_orphaned(home, 1)


def test_restarted_gateway_and_live_container_come_back_with_the_same_routing(
    home: Settings, figures: Figures
):
    """`docker kill` switches restart policies off, as for what a machine's end took with it."""
    before = standing.read(home, CASE)
    assert before is not None
    gateway(home).kill()
    container(home, before.instances[0]).kill()
    begun = time.monotonic()
    (live,) = resume(home)
    took = wait_for(lambda: answers_with(home, 1)) + time.monotonic() - begun
    figures.add(
        "restarted",
        at_most("gateway and live container gone: `esteira up` to the first answer", took, 10, "{:.1f} s"),
        said("gateway and live container gone: version that serves then", live.version, 1),
    )
    assert standing.read(home, CASE) == before
    see_nothing_orphaned(home, 1)


def test_restarted_a_gateway_container_that_is_restarted_keeps_callers_waiting_and_fails_none(
    home: Settings, figures: Figures
):
    with under_load(home) as load:
        gateway(home).restart()
        wait_for(lambda: answers_with(home, 1))
    answers = load.answers
    figures.add(
        "restarted",
        count("`docker restart` of the gateway: failed requests", answers.failed, answers.requests),
        at_most(
            "`docker restart` of the gateway: longest time without an answer",
            answers.longest_gap,
            2,
            "{:.2f} s",
        ),
    )
    assert answers.failures == {}
    see_nothing_orphaned(home, 1)


def test_restarted_a_door_that_is_restarted_is_found_again_by_the_gateway(home: Settings, figures: Figures):
    with under_load(home) as load:
        door(home).restart()
        wait_for(lambda: answers_with(home, 1))
    _add_outage(figures, "`docker restart` of the door, which holds the port", load.answers)
    see_nothing_orphaned(home, 1)


@pytest.fixture
def chain(home: Settings) -> Iterator[Settings]:
    """The project's own DAGs for the case, in an Airflow and beside an MLflow of their own."""
    airflow, mlflow = free_ports(2)
    told = home.model_copy(
        update={"AIRFLOW_PORT": airflow, "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow}"}
    )
    services.up(told)
    yield told
    services.down(told)


@pytest.mark.airflow
@pytest.mark.skipif(not FULL, reason="only in the long form")
def test_restarted_scheduler_and_mlflow_do_not_end_a_release_that_is_under_way(
    chain: Settings, figures: Figures
):
    version = publish_next(chain)
    airflow = connect(chain)
    assert airflow is not None
    name = f"build_deploy_infra_{CASE}"
    with airflow, under_load(chain) as load:
        wait_until_known(airflow, [name], lambda _: None)
        run = airflow.trigger(name, {"version": version, "canary": 10, "bake": 15})
        wait_for(lambda: _trial(chain), 120)
        for program in ("airflow-scheduler", "mlflow"):
            process = find(Home.of(chain), program)
            assert process is not None
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        services.up(chain)
        wait_for(lambda: airflow.run(run.dag_id, run.run_id).state in ("success", "failed"), 400)
        ended = airflow.run(run.dag_id, run.run_id)
        tries = {task.task_id: (task.state, task.try_number) for task in airflow.task_runs(run)}

    answers = load.answers
    figures.add(
        "restarted",
        said("scheduler and MLflow killed in a bake: the DAG run ends", ended.state, "success"),
        count("scheduler and MLflow killed in a bake: failed requests", answers.failed, answers.requests),
    )
    assert ended.state == "success", tries
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1)), (version, expected(version))}
    went = journal.releases(chain.ARTEFATOS_PATH, CASE)[-1]
    assert (went.version, went.outcome) == (version, "live")
    see_nothing_orphaned(chain, version)


@pytest.fixture
def second(on_docker: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Settings]]:
    """A second engine, which all that asks for one from here on is led to, and a home with nothing live."""
    told = on_docker.model_copy(update={"CASOS_PATH": on_docker.ESTEIRA_HOME.parent / "casos"})
    say_in_the_case(told)
    images = [_built(told, publish_next(told)) for _ in range(2)]
    engine = Engine()
    try:
        engine.start()
        engine.give([*images, _gateway_image()])
        with monkeypatch.context() as here:
            here.setenv("DOCKER_HOST", engine.host)
            yield engine, told
            stop(None, told)
    finally:
        engine.clear()


@pytest.mark.skipif(not FULL, reason="only in the long form")
def test_restarted_an_engine_brings_back_what_was_live(second: tuple[Engine, Settings], figures: Figures):
    engine, home = second
    go_live(home, build(CASE, 1, home))
    before = standing.read(home, CASE)
    with under_load(home) as load:
        begun = time.monotonic()
        engine.end()
        ended = time.monotonic()
        engine.start()
        wait_for(lambda: answers_with(home, 1))
        back = time.monotonic()
    figures.add(
        "restarted",
        at_most("engine restarted: from its start to the first answer", back - ended, 10, "{:.1f} s"),
        Row(
            what="engine restarted: failed requests",
            figure=f"{load.answers.failed:,} of {load.answers.requests:,}; it ended in {ended - begun:.1f} s",
            target="",
            met=True,
        ),
        said("engine restarted: version that serves then", load.answers.all[-1].version, 1),
    )
    assert standing.read(home, CASE) == before
    go_live(home, build(CASE, 2, home))
    see_nothing_orphaned(home, 2)


def _built(settings: Settings, version: int) -> str:
    image = build(CASE, version, settings).image
    assert image is not None
    return image.name


def _gateway_image() -> str:
    """The name of the gateway's image, which is built where it is not there yet."""
    code = context.gateway_files()
    name = f"esteira-gateway:{context.digest(code)[:12]}"
    build_target(docker.from_env(), name, "gateway", code)
    return name


def _trial(settings: Settings) -> bool:
    known = standing.read(settings, CASE)
    return known is not None and bool(known.trial)


def _add_outage(figures: Figures, fault: str, answers: Answers) -> None:
    figures.add(
        "restarted",
        at_most(f"{fault}: longest time without a good answer", answers.longest_gap, 2, "{:.2f} s"),
        Row(
            what=f"{fault}: failed requests",
            figure=f"{answers.failed:,} of {answers.requests:,} ({_reasons(answers)})",
            target="",
            met=True,
        ),
    )


def _reasons(answers: Answers) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in answers.failures.most_common()) or "none"
