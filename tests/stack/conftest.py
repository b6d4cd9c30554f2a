import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from esteira.settings import Settings
from esteira.stack import services
from esteira.stack.home import Home
from esteira.stack.processes import end_marked, marked

CHAIN_DAGS = Path(__file__).parent / "chain_dags"


@dataclass(frozen=True)
class Running:
    settings: Settings
    home: Home
    services: services.Services
    dags: Path


def settings_in(folder: Path) -> Settings:
    """Settings with a home of its own and ports that were free a moment ago."""
    airflow, mlflow, api = _free_ports(3)
    return Settings(
        ESTEIRA_HOME=folder / "home",
        CASOS_PATH=folder / "casos",
        RAW_DATA_PATH=folder / "raw",
        PROCESSED_DATA_PATH=folder / "processed",
        ARTEFATOS_PATH=folder / "artefatos",
        MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow}",
        AIRFLOW_PORT=airflow,
        API_PORT=api,
    )


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def home(settings: Settings) -> Iterator[Home]:
    """A home whose processes are ended after the test, whatever the test did."""
    home = Home.of(settings)
    home.make()
    yield home
    end_marked(home)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Airflow and MLflow with the three DAGs of a case `demo`; one boot for all tests that only look."""
    folder = tmp_path_factory.mktemp("running")
    settings, dags = settings_in(folder), folder / "dags"
    shutil.copytree(CHAIN_DAGS, dags)
    started = services.up(settings, dags=dags)
    yield Running(settings=settings, home=Home.of(settings), services=started, dags=dags)
    services.down(settings)
    assert marked(Home.of(settings)) == []
