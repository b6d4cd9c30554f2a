"""Whether a service not only runs but answers."""

from datetime import UTC, datetime
from typing import Any

import httpx

_TIMEOUT = 5.0


def airflow_is_healthy(url: str, user: str, password: str, started: float) -> bool:
    """Whether the login works, and scheduler and DAG processor sent a heartbeat after `started` (epoch)."""
    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
            health = client.get("/api/v2/monitor/health").raise_for_status().json()
            beating = all(_beats(health, name, started) for name in ("scheduler", "dag_processor"))
            login = {"username": user, "password": password}
            return beating and client.post("/auth/token", json=login).is_success
    except (httpx.HTTPError, ValueError):
        return False


def mlflow_is_healthy(url: str) -> bool:
    """Whether MLflow's server answers its health check."""
    try:
        return httpx.get(f"{url}/health", timeout=_TIMEOUT, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _beats(health: dict[str, Any], name: str, started: float) -> bool:
    part = health.get(name) or {}
    beat = part.get(f"latest_{name}_heartbeat")
    after = datetime.fromtimestamp(started, UTC)
    return part.get("status") == "healthy" and beat is not None and datetime.fromisoformat(beat) >= after
