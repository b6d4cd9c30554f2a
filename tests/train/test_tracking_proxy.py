"""MLflow on this machine is asked directly, whatever proxy leads to the rest of the world."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from esteira.settings import Settings
from esteira.train import track


class Healthy(BaseHTTPRequestHandler):
    """Answers as MLflow does when it is asked how it is."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")


def test_a_proxy_does_not_hide_an_mlflow_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", "example.org")
    told: list[str] = []
    monkeypatch.setattr(track.mlflow, "set_tracking_uri", told.append)
    monkeypatch.setattr(track.mlflow, "MlflowClient", lambda: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        track.connect(Settings(MLFLOW_TRACKING_URI=uri))
        server.shutdown()
    assert told == [uri]
    assert os.environ["no_proxy"] == "example.org,127.0.0.1,localhost"  # where MLflow's own client looks
