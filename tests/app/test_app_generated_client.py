"""What a generator of clients makes of the documentation: a client that is typed and that predicts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esteira.bundle import Bundle
from tests.apis import Api, serving
from tests.bundles import tiny_bundle
from tests.hostile import hostile_bundle
from tests.rain import rain_bundle
from tests.rents import rents_bundle

ASK = """
import json, sys, urllib.request
from generated import Client
from generated.api.health import ready
from generated.api.predict import predict, predict_batch
from generated.models import Problem, Record

client = Client(base_url=sys.argv[1])
with urllib.request.urlopen(sys.argv[1] + "/openapi.json") as described:
    operation = json.load(described)["paths"]["/predict"]["post"]
record = Record.from_dict(operation["requestBody"]["content"]["application/json"]["example"])
one, many = predict.sync(client=client, body=record), predict_batch.sync(client=client, body=[record] * 2)
assert not isinstance(one, Problem) and not isinstance(many, Problem)
assert [row.prediction for row in many.predictions] == [one.prediction] * 2
refused = predict_batch.sync(client=client, body=[])
assert isinstance(refused, Problem) and refused.type_ == "/problems/invalid-record"
print(ready.sync(client=client).case)
"""


def run(*words: str, cwd: Path) -> str:
    beside = Path(sys.executable).parent
    told = {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(words, cwd=cwd, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def generate(api: Api, folder: Path) -> str:
    command = str(Path(sys.executable).with_name("openapi-python-client"))
    described = f"{api.url}/openapi.json"
    words = ("generate", "--url", described, "--meta", "none", "--output-path", "generated")
    return run(command, *words, "--fail-on-warning", cwd=folder)


@pytest.mark.parametrize("publish", [tiny_bundle, rain_bundle, rents_bundle, hostile_bundle])
def test_a_generated_client_predicts(publish: Callable[[Path], Bundle], tmp_path: Path) -> None:
    case = publish(tmp_path / "artefatos").metadata.case
    with serving(tmp_path / "artefatos", case=case) as api:
        assert "arning" not in generate(api, tmp_path)
        assert run(sys.executable, "-c", ASK, api.url, cwd=tmp_path).strip() == case


def test_a_generated_client_is_typed(tmp_path: Path) -> None:
    rain_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", case="rain") as api:
        generate(api, tmp_path)
    # what of it is made from the documentation; client.py is the same for every API
    words = ("mypy", "--strict", "--follow-imports", "silent", "generated/models", "generated/api")
    assert "Success" in run(sys.executable, "-m", *words, cwd=tmp_path)
