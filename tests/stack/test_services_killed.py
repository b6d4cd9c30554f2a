import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from stackhome import CHAIN_DAGS, settings_in

from esteira.settings import Settings
from esteira.stack import services
from esteira.stack.airflow import connect
from esteira.stack.boot import StartError
from esteira.stack.home import Home
from esteira.stack.processes import find, is_alive, marked
from esteira.stack.readiness import wait_until_known

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home in which the tests of this module, one after the other, kill what they find."""
    folder = tmp_path_factory.mktemp("killed")
    shutil.copytree(CHAIN_DAGS, folder / "dags")
    yield settings_in(folder)
    services.down(settings_in(folder).model_copy(update={"ESTEIRA_HOME": folder / "home"}))


def dags_of(settings: Settings) -> Path:
    return settings.ESTEIRA_HOME.parent / "dags"


def up_in_another_process(settings: Settings) -> "subprocess.Popen[bytes]":
    code = f"""
        from pathlib import Path
        from esteira.settings import Settings
        from esteira.stack import services
        settings = Settings.model_validate_json({settings.model_dump_json()!r})
        services.up(settings, dags=Path({str(dags_of(settings))!r}))
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])


@pytest.mark.parametrize("seconds", [0.0, 3.0, 8.0])
def test_a_first_boot_that_is_killed_with_all_its_processes_loses_nothing(
    killed: Settings, seconds: float
) -> None:
    home = Home.of(killed)
    with up_in_another_process(killed) as booting:
        while home.password() is None:
            assert booting.poll() is None
            time.sleep(0.02)
        time.sleep(seconds)
        booting.kill()
    password = home.password()
    family = marked(home)
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)
    assert password is not None
    assert home.make_password() == password


def test_two_ups_at_once_after_that_give_one_airflow(killed: Settings) -> None:
    home = Home.of(killed)
    password = home.password()
    with up_in_another_process(killed) as other:
        services.up(killed, dags=dags_of(killed))
        assert other.wait() == 0
    assert [status.state for status in services.status(killed)] == ["running", "running"]
    leaders = [p for p in marked(home) if os.getsid(p.pid) == p.pid]
    assert len(leaders) == 5
    assert home.password() == password


def test_a_part_that_was_killed_is_started_again_and_the_others_stay(killed: Settings) -> None:
    home = Home.of(killed)
    before = {name: find(home, name) for name in ("airflow-api-server", "airflow-scheduler", "mlflow")}
    processor = find(home, "airflow-dag-processor")
    assert processor is not None
    processor.kill()
    assert services.status(killed)[0].state == "unhealthy"
    assert services.up(killed, dags=dags_of(killed)).started is True
    assert {name: find(home, name) for name in before} == before
    assert services.status(killed)[0].state == "running"


def test_nothing_is_left_when_the_parents_of_a_running_task_were_killed(killed: Settings) -> None:
    home, airflow = Home.of(killed), connect(killed)
    assert airflow is not None
    with airflow:
        wait_until_known(airflow, ["extrai_trata_dados_demo"], lambda _: None)
        run = airflow.trigger("extrai_trata_dados_demo", {"mode": "slow"})
        while not any(task.state == "running" for task in airflow.task_runs(run)):
            time.sleep(0.2)
    family = marked(home)
    for name in ("airflow-scheduler", "airflow-api-server"):
        leader = find(home, name)
        assert leader is not None
        leader.kill()
    assert services.down(killed) is True
    assert [process for process in family if is_alive(process)] == []
    assert services.down(killed) is False
    assert [status.state for status in services.status(killed)] == ["stopped", "stopped"]


def test_a_service_that_ends_while_it_starts_is_told_with_its_log_and_nothing_is_left(
    killed: Settings,
) -> None:
    home = Home.of(killed)

    def kill_the_api_server() -> None:
        while (process := find(home, "airflow-api-server")) is None:
            time.sleep(0.05)
        process.kill()

    threading.Thread(target=kill_the_api_server, daemon=True).start()
    with pytest.raises(StartError) as raised:
        services.up(killed, dags=dags_of(killed))
    assert "Airflow did not start: airflow-api-server ended" in str(raised.value)
    assert str(home.log("airflow-api-server")) in str(raised.value)
    assert marked(home) == []
