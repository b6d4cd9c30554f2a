"""What the API is told by its environment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esteira.case import NAME_PATTERN


class StartError(Exception):
    """The API cannot be started; the message says what to change."""


class Settings(BaseModel):
    """Which version to serve and where; every field is the environment variable of its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CASE: str = Field(pattern=NAME_PATTERN)
    ARTEFATOS_PATH: Path = Path("artefatos")
    MODEL_VERSION: int | None = Field(None, ge=1)
    BUNDLE_SHA256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Of the metadata file that an image was built with; what differs from it is not served."""
    API_HOST: str = "127.0.0.1"
    API_PORT: int = Field(8000, ge=1, le=65535)
    API_SOCKET: Path | None = None
    """A Unix socket to listen on besides, where only a gateway is to reach it."""
    BATCH_ROWS: int = Field(5_000_000, ge=1)
    BATCH_BYTES: int = Field(1_000_000_000, ge=1)
    """How large a CSV, a Parquet file or an Arrow stream may be."""
    AIP_HEALTH_ROUTE: str = ""
    AIP_PREDICT_ROUTE: str = ""
    """Where Vertex AI asks, as it tells; its AIP_HTTP_PORT comes before API_PORT."""
    API_KEYS: Literal["auto", "off"] = "auto"
    """Whether keys are asked for where others reach it; "off" where something else checks callers."""
    API_KEYS_FILE: Path | None = None
    """What `esteira keys` writes; where it is given, keys are asked for whatever the address."""
    API_MOST_REQUESTS: int = Field(256, ge=1)
    """Requests that may be underway at once; more are answered with 503 at once."""
    API_PATIENCE: float = Field(20.0, gt=0)
    """Seconds for a request's head, and before its body, or the reading of its answer, must keep a pace."""
    API_LOG_REQUESTS: bool = False
    """Whether every request is logged, or only those that failed or were slow."""
    API_LOG_BODIES: bool = False
    """Whether a request that is logged is logged with what was sent; it may be about people."""
    LOG_FORMAT: Literal["text", "json"] = "text"
    INSTANCE_ID: str = Field(default_factory=lambda: uuid.uuid4().hex[:12])


def read(environment: Mapping[str, str], port: str | None = None) -> Settings:
    """Read the settings, an empty value as unset; a platform's own port comes before API_PORT.

    Raises StartError naming the variable and what fits.
    """
    given = {name: environment[name] for name in Settings.model_fields if environment.get(name)}
    if platform_port := port or environment.get("AIP_HTTP_PORT"):
        given["API_PORT"] = platform_port
        if "API_KEYS_FILE" not in given:
            given.setdefault("API_KEYS", "off")  # such a platform asks its callers for its own
    try:
        told = Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0]
        if first["type"] == "missing":
            raise StartError(f"{name} is not set; set it to the name of the case to serve") from None
        raise StartError(
            f"{name}={first['input']!r} cannot be used: {first['msg']}; change or unset it"
        ) from None
    if told.API_KEYS == "off" and told.API_KEYS_FILE is not None:
        raise StartError("API_KEYS=off and API_KEYS_FILE say the opposite of each other; unset one of them")
    return told
