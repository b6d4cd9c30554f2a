"""A run that went live ends with a summary, whatever MLflow does and whatever people call things."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from bundles import tiny_bundle
from esteira import bundle
from esteira.deploy.facts import Live
from esteira.metadata import Interval
from esteira.settings import Settings
from esteira.stack import summary


class Tracking(BaseHTTPRequestHandler):
    """Answers as MLflow does when it is asked for an experiment, or with what `body` says."""

    body = json.dumps({"experiment": {"experiment_id": "7"}})

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked is nobody's concern here."""


@pytest.fixture
def tracking() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tracking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def went_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A case `tiny` that answers."""
    now = Settings(ARTEFATOS_PATH=tmp_path / "artefatos", ESTEIRA_HOME=tmp_path / "home")
    tiny_bundle(now.ARTEFATOS_PATH)
    live = Live(case="tiny", version=1, target="process", instances=("v1-a",), url=now.api_url)
    monkeypatch.setattr(summary, "serving", lambda *_: live)
    monkeypatch.setattr(summary, "ask", lambda _: "212.0")
    return now


def shown(now: Settings, mlflow: str) -> str:
    console = Console(file=io.StringIO(), width=160)
    summary.show("tiny", now.model_copy(update={"MLFLOW_TRACKING_URI": mlflow}), console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_summary_names_the_page_of_the_runs_also_where_a_proxy_is_set(
    went_live: Settings, tracking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert f"{tracking}/#/experiments/7/runs" in shown(went_live, tracking)


def test_without_mlflow_the_summary_names_its_address(went_live: Settings) -> None:
    assert "http://127.0.0.1:9 " in shown(went_live, "http://127.0.0.1:9")


@pytest.mark.parametrize("body", ["{}", "<html>a page of a proxy</html>"])
def test_an_answer_that_is_not_mlflows_ends_no_run(
    went_live: Settings, tracking: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tracking, "body", body)
    assert f"{tracking} " in shown(went_live, tracking)


def test_a_unit_is_shown_as_it_was_written(went_live: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    published = bundle.load(went_live.ARTEFATOS_PATH, "tiny", 1)
    interval = Interval(asked=0.9, coverage=0.91, width=2.0)
    told = published.metadata.model_copy(update={"interval": interval, "unit": "[R$] [/m²]"})
    monkeypatch.setattr(bundle, "load", lambda *_: replace(published, metadata=told))
    assert "[R$] [/m²]" in shown(went_live, "http://127.0.0.1:9")
