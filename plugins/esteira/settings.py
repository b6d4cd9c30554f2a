"""Paths, addresses and targets, read once from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from esteira.errors import EsteiraError

DEFAULT_CASE = "imoveis"
"""The case that a command, a client or a DAG without a suffix means."""

PROJECT = Path(__file__).resolve().parents[2]


class SettingsError(EsteiraError):
    """A setting holds a value that cannot be used."""


class Settings(BaseModel):
    """Where things are; every field is the environment variable (or Airflow Variable) of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CASOS_PATH: Path = PROJECT / "casos"
    RAW_DATA_PATH: Path = PROJECT / "dados" / "raw"
    SYNTHETIC_DATA_PATH: Path | None = None
    """Where raw files that are made up are written and looked for, if that is not RAW_DATA_PATH."""
    PROCESSED_DATA_PATH: Path = PROJECT / "dados" / "processed"
    ARTEFATOS_PATH: Path = PROJECT / "artefatos"
    ESTEIRA_HOME: Path = PROJECT / ".esteira"
    MLFLOW_TRACKING_URI: str = Field("http://127.0.0.1:5000", pattern=r"^(https?|sqlite)://")
    MLFLOW_PAGE: str = ""
    """Where people open MLflow, if that is not MLFLOW_TRACKING_URI."""
    AIRFLOW_PORT: int = Field(8080, ge=1, le=65535)
    AIRFLOW_URL: str = Field("", pattern=r"^(https?://|$)")
    """Where programs reach an Airflow that is not started here, such as the one of a stack of containers."""
    DEPLOY_TARGET: Literal["auto", "docker", "process"] = "auto"
    API_PORT: int = Field(8000, ge=1, le=65535)
    GATEWAY_VOLUME: str = ""
    """The Docker volume that is mounted at ESTEIRA_HOME/gateway/api, where the gateway is part of a stack."""
    GATEWAY_URL: str = Field("", pattern=r"^(https?://|$)")
    """Where programs reach that gateway."""
    HOME_ID: str = ""
    """What marks the containers of this home, where its path does not tell it from others."""

    @field_validator("MLFLOW_TRACKING_URI", "AIRFLOW_URL", "GATEWAY_URL")
    @classmethod
    def _has_a_port_that_can_be(cls, given: str) -> str:
        if urlsplit(given).port == 0:  # above 65535 it is urlsplit that raises a ValueError
            raise ValueError("Port out of range 1-65535")
        return given

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.API_PORT}"

    @property
    def airflow_url(self) -> str:
        """Where people open Airflow."""
        return f"http://127.0.0.1:{self.AIRFLOW_PORT}"

    @property
    def mlflow_page(self) -> str:
        return self.MLFLOW_PAGE or self.MLFLOW_TRACKING_URI

    @property
    def mlflow_is_here(self) -> bool:
        """Whether MLFLOW_TRACKING_URI is an http address of this machine, so that the server is ours."""
        address = urlsplit(self.MLFLOW_TRACKING_URI)
        return address.scheme == "http" and address.hostname in {"127.0.0.1", "localhost"}

    @property
    def mlflow_port(self) -> int:
        return urlsplit(self.MLFLOW_TRACKING_URI).port or 5000


NAMES = tuple(Settings.model_fields)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; a relative path is taken from the project's folder, an empty value as unset.

    Raises SettingsError, naming the variable and what it may hold.
    """
    given: dict[str, str] = {name: environment[name] for name in NAMES if environment.get(name)}
    for key in given:
        if Settings.model_fields[key].annotation in (Path, Path | None):
            given[key] = str(PROJECT / given[key])
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingsError(
            f"{name}={first['input']!r} cannot be used: {first['msg'].removeprefix('Value error, ')}. "
            f"Change the environment variable (or the Airflow Variable) {name}, or unset it."
        ) from None
