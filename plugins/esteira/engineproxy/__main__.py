"""Runs the proxy: `python -m esteira.engineproxy`."""

import logging
import os
import sys

import uvicorn

from esteira import settings
from esteira.engineproxy.engine import Engine
from esteira.engineproxy.proxy import Proxy

ENGINE_SOCKET = os.environ.get("ENGINE_SOCKET", "/var/run/docker.sock")
PROXY_SOCKET = os.environ.get("PROXY_SOCKET", "/run/esteira/engine/docker.sock")

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
logging.getLogger("httpx").setLevel(logging.WARNING)
now = settings.load()
if not (now.HOME_ID and now.GATEWAY_VOLUME):
    sys.exit("The proxy has to know whose containers it is to let through: set HOME_ID and GATEWAY_VOLUME")
if not os.access(ENGINE_SOCKET, os.R_OK | os.W_OK):
    sys.exit(
        f"User {os.getuid()} with the groups {os.getgroups()} may not use {ENGINE_SOCKET}; "
        "write the number of its group as DOCKER_GID into .env"
    )
uvicorn.run(
    Proxy(Engine(ENGINE_SOCKET, now.HOME_ID), now.GATEWAY_VOLUME),
    uds=PROXY_SOCKET,
    lifespan="off",
    access_log=False,
    log_level="warning",
    server_header=False,
    timeout_keep_alive=300,
    timeout_graceful_shutdown=5,
)
