"""Passes what is below /case/ on to an API without that, as the gateway does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.apis import Api

PREFIX = "/case"
HOP = ("host", "connection", "date", "content-length", "accept-encoding")


class _Prefixed(BaseHTTPRequestHandler):
    target: str

    def do_GET(self) -> None:
        if not self.path.startswith(f"{PREFIX}/"):
            self.send_error(404)
            return
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        url = self.target + self.path.removeprefix(PREFIX)
        answer = httpx.request(self.command, url, content=content, headers=headers, trust_env=False)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Nothing: tests tell what went wrong."""


@contextmanager
def prefixed(api: Api) -> Iterator[str]:
    """The address below which the API is."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Prefixed,), {"target": api.url}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}/"
    finally:
        server.shutdown()
        server.server_close()
