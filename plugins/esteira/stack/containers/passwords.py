"""PostgreSQL's passwords, from the environment of those containers that need them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Passwords(BaseModel):
    """Each is empty where it is not for this container."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    POSTGRES_HOST: str = "postgres"
    POSTGRES_PASSWORD: str = Field("", repr=False)
    AIRFLOW_DB_PASSWORD: str = Field("", repr=False)
    MLFLOW_DB_PASSWORD: str = Field("", repr=False)


def taken(environment: Mapping[str, str]) -> Passwords:
    """What an environment says of them."""
    return Passwords.model_validate(dict(environment))
