import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from stackhome import CHAIN_DAGS, Running, settings_in

from esteira.settings import Settings
from esteira.stack import services
from esteira.stack.home import Home
from esteira.stack.processes import end_marked, marked


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
