"""Where Airflow and MLflow keep their databases, and where they listen."""

from __future__ import annotations

from dataclasses import dataclass, field

from esteira.settings import Settings
from esteira.stack.home import Home


@dataclass(frozen=True, kw_only=True)
class Place:
    """A machine, or a container, in which services run; the stores are SQLAlchemy's addresses."""

    airflow_store: str = field(repr=False)
    airflow_store_async: str = field(repr=False)
    mlflow_store: str = field(repr=False)
    artifacts: str
    host: str
    airflow_port: int
    airflow_url: str
    """Where tasks reach Airflow's API server."""


def here(settings: Settings) -> Place:
    """This machine: databases in files, and nothing is reached from elsewhere."""
    home = Home.of(settings)
    database = home.airflow / "airflow.db"
    return Place(
        airflow_store=f"sqlite:///{database}",
        airflow_store_async=f"sqlite+aiosqlite:///{database}",
        mlflow_store=f"sqlite:///{home.mlflow / 'mlflow.db'}",
        artifacts=str(home.mlflow / "artifacts"),
        host="127.0.0.1",
        airflow_port=settings.AIRFLOW_PORT,
        airflow_url=settings.airflow_url,
    )
