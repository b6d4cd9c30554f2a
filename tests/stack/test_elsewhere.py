"""An Airflow that is not ours to start: reached at one address, shown at another, left alone."""

import pytest
from stackhome import Running

from apis import free_port
from esteira.settings import Settings
from esteira.stack import services, summary
from esteira.stack.airflow import connect
from esteira.stack.boot import StartError
from esteira.stack.home import Home
from esteira.stack.processes import marked


@pytest.fixture
def elsewhere(running: Running) -> Settings:
    """The running Airflow, as another machine or container sees it."""
    changes = {"AIRFLOW_URL": running.services.airflow_url, "AIRFLOW_PORT": 9999}
    return running.settings.model_copy(update={**changes, "MLFLOW_PAGE": "http://127.0.0.1:9998"})


@pytest.mark.airflow
def test_it_is_reached_at_its_address_and_shown_where_people_open_it(elsewhere: Settings) -> None:
    airflow = connect(elsewhere)
    assert airflow is not None
    with airflow:
        run = airflow.runs("extrai_trata_dados_demo", limit=1)
        assert airflow.dag("extrai_trata_dados_demo") is not None
        assert airflow.url == "http://127.0.0.1:9999"
        assert all(airflow.run_url(one).startswith(airflow.url) for one in run)


@pytest.mark.airflow
def test_up_and_down_leave_it_alone(elsewhere: Settings, running: Running) -> None:
    before = sorted(process.pid for process in marked(running.home))
    found = services.up(elsewhere)
    assert found.started is False
    assert (found.airflow_url, found.mlflow_url) == ("http://127.0.0.1:9999", "http://127.0.0.1:9998")
    assert found.password == running.services.password
    assert services.status(elsewhere)[0].state == "running"
    assert services.down(elsewhere) is False
    assert sorted(process.pid for process in marked(running.home)) == before


def test_one_that_does_not_answer_is_an_error_that_says_whose_it_is(settings: Settings, home: Home) -> None:
    gone = settings.model_copy(update={"AIRFLOW_URL": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(StartError, match="AIRFLOW_URL says that it is not started here"):
        services.up(gone)
    assert services.status(gone)[0].state == "unhealthy"
    assert marked(home) == []


def test_the_api_is_asked_where_the_gateway_is_reached(settings: Settings) -> None:
    inside = settings.model_copy(update={"GATEWAY_URL": "http://gateway:8000"})
    assert summary.reached(f"{settings.api_url}/rents", inside) == "http://gateway:8000/rents"
    assert summary.reached(f"{settings.api_url}/rents", settings) == f"{settings.api_url}/rents"
