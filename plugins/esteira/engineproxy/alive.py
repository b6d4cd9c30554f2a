"""If the engine answers through the proxy: `python -IS alive.py`; without the library, so in a breath."""

import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as proxy:
    proxy.settimeout(5)
    proxy.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
    proxy.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
    sys.exit(b" 200 " not in proxy.recv(64))
