import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from esteira.settings import Settings
from esteira.stack import services
from esteira.stack.home import Home
from esteira.stack.ports import PortError, check_free
from esteira.stack.processes import marked


@pytest.fixture
def foreign_server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's web server on Airflow's port."""
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(settings.AIRFLOW_PORT)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        for _ in range(100):
            with socket.socket() as probe:
                probe.settimeout(0.1)
                if probe.connect_ex(("127.0.0.1", settings.AIRFLOW_PORT)) == 0:
                    break
            time.sleep(0.1)
        yield server
        server.kill()


def test_a_port_in_use_names_the_port_the_process_and_the_setting_before_anything_starts(
    settings: Settings, foreign_server: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(PortError) as raised:
        services.up(settings)
    message = str(raised.value)
    assert f"Port {settings.AIRFLOW_PORT}" in message
    assert f"process {foreign_server.pid} (" in message
    assert "http.server" in message
    assert "set AIRFLOW_PORT" in message
    assert marked(Home.of(settings)) == []
    assert foreign_server.poll() is None


def test_a_server_that_listens_on_every_address_is_seen_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server, pytest.raises(PortError):  # noqa: S104
        check_free(server.getsockname()[1], service="MLflow", setting="MLFLOW_TRACKING_URI")


def test_two_settings_with_the_same_port_are_refused_by_name(settings: Settings) -> None:
    twice = settings.model_copy(update={"API_PORT": settings.AIRFLOW_PORT})
    with pytest.raises(PortError, match="AIRFLOW_PORT and API_PORT both say port"):
        services.up(twice)


@pytest.mark.skipif(os.getuid() == 0, reason="an administrator may listen on any port")
def test_a_reserved_port_is_explained() -> None:
    with pytest.raises(PortError, match="below 1024 are reserved"):
        check_free(81, service="Airflow", setting="AIRFLOW_PORT")
