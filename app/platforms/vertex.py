"""Google Vertex AI's contract: `{"instances": […]}` is answered with `{"predictions": […]}`.

Custom container requirements for prediction, of its documentation. Which paths it asks is told by
AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE.
"""

from __future__ import annotations

import json
from typing import Any

from app import pieces
from app.platforms.scoring import rows_of
from app.platforms.whole import Whole, unusable


class Vertex:
    """Answers the predict route."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole

    def is_meant(self, content: bytes) -> bool:
        """Whether a body that is no record has instances."""
        if b'"instances"' not in content or "instances" in self._whole.modelo.columns:
            return False
        sent = pieces.whole(content)
        return isinstance(sent, dict) and "instances" in sent

    def answer(self, content: bytes) -> bytes:
        """The predictions; with `"parameters": {"details": true}` as objects with all that is known."""
        sent = pieces.whole(content)
        if not isinstance(sent, dict) or "instances" not in sent or set(sent) - {"instances", "parameters"}:
            raise unusable("The body must be an object with instances, and parameters if you like")
        outputs = self._whole.answer(rows_of(sent["instances"], self._whole))
        found = self._whole.objects(outputs) if _details(sent) else self._whole.predictions(outputs)
        return json.dumps({"predictions": found}, ensure_ascii=False).encode()


def _details(sent: dict[str, Any]) -> bool:
    told = sent.get("parameters") or {}
    if (
        not isinstance(told, dict)
        or set(told) - {"details"}
        or not isinstance(told.get("details", False), bool)
    ):
        raise unusable('parameters may be {"details": true} or nothing')
    return bool(told.get("details"))
