"""`python -m app`: serve a version until SIGTERM. With the word `serve`, on the port that SageMaker asks."""

from __future__ import annotations

import logging
import os
import socket
import sys

from fastapi import FastAPI

from app import keys, listener, logs, seal, server, settings
from app.batches import Limits
from app.guard import OPEN
from app.keys import Keys
from app.logs import RequestLog
from app.main import create_app, create_unavailable_app
from app.modelo import open_version
from app.settings import Settings, StartError
from esteira.bundle import BundleError

log = logging.getLogger("app")


def main() -> int:
    """Serve as the environment says; the exit code is 0 after SIGTERM, 2 when it cannot start."""
    logs.configure(logs.as_text)
    try:
        told = settings.read(os.environ, _platform_port(sys.argv[1:]))
        logs.configure(logs.FORMS[told.LOG_FORMAT])
        seal.check(told)
        allowed = keys.needed(told)
        requests = RequestLog(
            logs.FORMS[told.LOG_FORMAT], every=told.API_LOG_REQUESTS, bodies=told.API_LOG_BODIES
        )
        app = _app(told, allowed, requests)
        bound = _bound(told)
    except StartError as error:
        log.error("%s", error)  # noqa: TRY400 - the message is all that a person needs
        return 2
    log.info("Serving %s on http://%s:%s (%s)", told.CASE, told.API_HOST, told.API_PORT, told.INSTANCE_ID)
    server.serve(
        app,
        bound,
        most_requests=told.API_MOST_REQUESTS,
        patience=told.API_PATIENCE,
        always={*OPEN, told.AIP_HEALTH_ROUTE},
        each_second=[requests.flush, *([allowed.refresh] if allowed else [])],
    )
    log.info("Finished what was begun; stopping")
    return 0


def _platform_port(words: list[str]) -> str | None:
    """SageMaker starts its containers with the word `serve`; raises StartError for any other word."""
    if words in ([], ["serve"]):
        return os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080") if words else None
    raise StartError(f"{' '.join(words)!r} is not known; say nothing, or `serve` for port 8080")


def _bound(told: Settings) -> list[socket.socket]:
    bound = [listener.bind(told.API_HOST, told.API_PORT, told.CASE)]
    if told.API_SOCKET is not None:
        bound.append(listener.bind_path(told.API_SOCKET))
    return bound


def _app(told: Settings, allowed: Keys | None, requests: RequestLog) -> FastAPI:
    """The application; without a usable version, one that says why."""
    try:
        modelo = open_version(told.ARTEFATOS_PATH, told.CASE, told.MODEL_VERSION)
    except BundleError as error:
        log.error("No model, every answer will be 503: %s", error)  # noqa: TRY400
        return create_unavailable_app(told.CASE, told.INSTANCE_ID, str(error))
    log.info("Version %s of %s answers its golden examples", modelo.metadata.version, told.CASE)
    return create_app(
        modelo,
        told.INSTANCE_ID,
        limits=Limits(rows=told.BATCH_ROWS, bytes=told.BATCH_BYTES),
        aip=(told.AIP_HEALTH_ROUTE, told.AIP_PREDICT_ROUTE),
        keys=allowed,
        requests=requests,
    )


if __name__ == "__main__":
    sys.exit(main())
