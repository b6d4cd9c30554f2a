"""A container as the place of a service."""

from __future__ import annotations

from urllib.parse import urlsplit

from esteira.settings import Settings
from esteira.stack.containers.passwords import Passwords
from esteira.stack.home import Home
from esteira.stack.place import Place

_DRIVER = "postgresql+psycopg"


def inside(settings: Settings, passwords: Passwords) -> Place:
    """Databases in PostgreSQL; listens for the other containers, and for whom the engine lets through."""
    airflow = f"{_DRIVER}://airflow:{passwords.AIRFLOW_DB_PASSWORD}@{passwords.POSTGRES_HOST}/airflow"
    return Place(
        airflow_store=airflow,
        airflow_store_async=airflow,
        mlflow_store=f"{_DRIVER}://mlflow:{passwords.MLFLOW_DB_PASSWORD}@{passwords.POSTGRES_HOST}/mlflow",
        artifacts=str(Home.of(settings).mlflow / "artifacts"),
        host="0.0.0.0",  # noqa: S104
        airflow_port=urlsplit(settings.AIRFLOW_URL).port or 80,
        airflow_url=settings.AIRFLOW_URL,
    )
