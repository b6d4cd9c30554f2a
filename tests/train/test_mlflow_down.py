"""MLflow may go away at any moment: the step fails visibly, and what it began can be ended later."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import mlflow
import pytest

from esteira import bundle
from esteira.train import steps
from esteira.train.track import TrackingError
from flats import flats


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(folder, port):
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--workers",
        "1",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    stores = [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    environment = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": "/usr/bin:/bin",
    }
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command + stores, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        for _ in range(300):
            try:
                httpx.get(f"http://127.0.0.1:{port}/health").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield process
    finally:
        import os

        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_step_fails_at_once_and_ends_well_when_mlflow_is_back(dataset, now, tmp_path):
    port = free_port()
    now = now.model_copy(update={"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"})
    case = flats(train={"candidates": [{"kind": "linear_regression"}]})
    with server(tmp_path, port):
        prepared = steps.split_rows(case, dataset, "down", now)
        fitted = steps.fit_candidate(case, prepared, "linear_regression", now)
        judgement = steps.pass_the_gate(case, prepared, [fitted], now)
    with pytest.raises(TrackingError, match=f"MLflow does not answer at http://127.0.0.1:{port}") as error:
        steps.publish_version(prepared, judgement, now)
    assert error.value.may_pass
    assert bundle.versions(now.ARTEFATOS_PATH, "flats") == []
    with server(tmp_path, port):
        assert steps.publish_version(prepared, judgement, now).version == 1
        client = mlflow.MlflowClient(now.MLFLOW_TRACKING_URI)
        (registered,) = client.search_model_versions("name = 'flats'")
        assert registered.tags["esteira.version"] == "1"
