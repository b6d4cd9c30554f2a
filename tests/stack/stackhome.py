"""A home of its own for each test that starts services."""

import socket
from dataclasses import dataclass
from pathlib import Path

from esteira.settings import Settings
from esteira.stack.home import Home
from esteira.stack.services import Services

CHAIN_DAGS = Path(__file__).parent / "chain_dags"


@dataclass(frozen=True)
class Running:
    settings: Settings
    home: Home
    services: Services
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
