"""Has MLflow's aliases follow what is live, over its REST API: its own client takes seconds to load."""

from __future__ import annotations

import logging
from typing import Any

import httpx

from esteira.deploy import standing
from esteira.settings import Settings

log = logging.getLogger("esteira")

_API = "/api/2.0/mlflow"
_SECONDS = 5.0


def follow(case: str, settings: Settings) -> int | None:
    """Give the version that serves the alias `champion`; it is no longer a challenger.

    The version, or None where MLflow does not know it. Raises httpx.HTTPError when MLflow does not answer.
    """
    known = standing.read(settings, case)
    if known is None:
        return None
    if not settings.MLFLOW_TRACKING_URI.startswith("http"):
        from esteira.train import registry

        registry.promote(case, known.version, settings)
        return known.version
    with httpx.Client(base_url=settings.MLFLOW_TRACKING_URI, timeout=_SECONDS, trust_env=False) as client:
        return known.version if _marked(client, case, known.version) else None


def try_to_follow(case: str, settings: Settings) -> None:
    """The same; where MLflow is down it is said, and made up for by the next release or `esteira up`."""
    try:
        follow(case, settings)
    except httpx.HTTPError as error:
        log.warning("MLflow's aliases of %s stay as they are until it answers: %s", case, error)


def _marked(client: httpx.Client, case: str, version: int) -> bool:
    number = _number(client, case, version)
    if number is None:
        log.warning("Version %d of %s is not registered in MLflow: nothing to mark", version, case)
        return False
    wanted = {"name": case, "alias": "champion", "version": number}
    client.post(f"{_API}/registered-models/alias", json=wanted).raise_for_status()
    model = client.get(f"{_API}/registered-models/get", params={"name": case}).raise_for_status().json()
    aliases = {one["alias"]: one["version"] for one in model["registered_model"].get("aliases", [])}
    if aliases.get("challenger") == number:
        gone = {"name": case, "alias": "challenger"}
        client.request("DELETE", f"{_API}/registered-models/alias", json=gone).raise_for_status()
    return True


def _number(client: httpx.Client, case: str, version: int) -> str | None:
    """MLflow's own number of a published version."""
    wanted: dict[str, Any] = {"filter": f"name = '{case}'", "max_results": 200}
    while True:
        said = client.get(f"{_API}/model-versions/search", params=wanted).raise_for_status().json()
        for found in said.get("model_versions", []):
            tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
            if tags.get("esteira.version") == str(version):
                return str(found["version"])
        if not said.get("next_page_token"):
            return None
        wanted["page_token"] = said["next_page_token"]
