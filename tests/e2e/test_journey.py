"""From a raw file to a live API: one body for every case and every deploy target."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import r2_score

from apis import free_port
from esteira import bundle, casefile
from esteira.columns import json_name
from esteira.data import clean, raw
from esteira.deploy.live import live
from esteira.settings import PROJECT, Settings
from esteira.train.features import layout
from esteira.train.split import HOLDOUT, sides
from flats import FLATS, write_flats

RENTS = Path(__file__).parents[1] / "data" / "aluguel.yaml"
SHARED = Path(os.environ.get("ESTEIRA_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@dataclass(frozen=True)
class Journey:
    """A folder and ports of its own, and the command line that works there."""

    settings: Settings

    def esteira(self, *words: str) -> subprocess.CompletedProcess[str]:
        told = {name: str(value) for name, value in self.settings.model_dump().items() if value is not None}
        return subprocess.run(
            [str(Path(sys.executable).with_name("esteira")), *words],
            env={**os.environ, **told, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    def holdout(self, case: str) -> pd.DataFrame:
        loaded = casefile.load(self.settings.CASOS_PATH, case)
        dataset = clean.clean(loaded, raw.find(loaded, self.settings), self.settings)
        rows = pd.read_parquet(dataset.path)
        return rows[sides(rows) == HOLDOUT]

    def url(self, case: str) -> str:
        """Where a case is live."""
        now = live(case, self.settings)
        assert now is not None
        return now.url

    def predict(self, case: str, rows: pd.DataFrame) -> np.ndarray:
        """What the live API answers, one number for each row."""
        records = json.loads(rows.rename(columns=json_name).to_json(orient="records"))
        answer = httpx.post(f"{self.url(case)}/predict/batch", json=records, timeout=60)
        assert answer.status_code == 200, answer.text
        return np.array([one["prediction"] for one in answer.json()["predictions"]])


@pytest.fixture
def journey(tmp_path, target):
    now = Settings(
        CASOS_PATH=tmp_path / "casos",
        RAW_DATA_PATH=tmp_path / "raw",
        PROCESSED_DATA_PATH=tmp_path / "processed",
        ARTEFATOS_PATH=tmp_path / "artefatos",
        ESTEIRA_HOME=tmp_path / "home",
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db",
        AIRFLOW_PORT=free_port(),
        API_PORT=free_port(),
        DEPLOY_TARGET=target,
    )
    for folder in (now.CASOS_PATH, now.RAW_DATA_PATH):
        folder.mkdir()
    here = Journey(now)
    yield here
    assert here.esteira("down").returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(now.api_url)


def houses(folder: Journey) -> str:
    shutil.copy(PROJECT / "casos" / "imoveis.yaml", folder.settings.CASOS_PATH)
    return "imoveis"


def rents(folder: Journey) -> str:
    if not (SHARED / "aluguel.csv").is_file():
        pytest.skip(f"the real file {SHARED / 'aluguel.csv'} is not on this machine")
    shutil.copy(RENTS, folder.settings.CASOS_PATH)
    shutil.copy(SHARED / "aluguel.csv", folder.settings.RAW_DATA_PATH)
    return "aluguel"


def small(folder: Journey) -> str:
    case = {name: value for name, value in FLATS.items() if name != "name"}
    (folder.settings.CASOS_PATH / "flats.yaml").write_text(yaml.safe_dump(case))
    write_flats(folder.settings.RAW_DATA_PATH / "flats.csv")
    return "flats"


@pytest.mark.parametrize("prepare", [houses, rents, small])
def test_a_raw_file_becomes_a_live_api(journey, prepare):
    case = prepare(journey)
    done = journey.esteira("run", case, "--local")
    assert done.returncode == 0, done.stdout + done.stderr
    published = bundle.load(journey.settings.ARTEFATOS_PATH, case)
    assert f"{case} version 1" in done.stdout
    holdout = journey.holdout(case).head(5_000)
    features = holdout[list(published.metadata.columns)]
    answers = journey.predict(case, features)
    actual = holdout[published.metadata.target].to_numpy(float)
    assert "version 1 live" in journey.esteira("status").stdout
    assert "live" in journey.esteira("versions", case).stdout
    CHECKS[case](journey, answers, actual)


def check_houses(journey: Journey, answers: np.ndarray, actual: np.ndarray) -> None:
    """The law of the data is linear and exact, so the winner must be too."""
    published = bundle.load(journey.settings.ARTEFATOS_PATH, "imoveis").metadata
    assert published.chosen == "linear_regression"
    assert abs(published.scores["r2"] - 1.0) < 1e-9
    assert abs(r2_score(actual, answers) - 1.0) < 1e-9
    assert published.dataset.synthetic
    answer = httpx.post(f"{journey.settings.api_url}/predict", json=published.example)
    assert answer.json()["prediction"] == pytest.approx(32_950, abs=0.05)


def check_rents(journey: Journey, answers: np.ndarray, actual: np.ndarray) -> None:
    assert r2_score(np.log(actual), np.log(answers)) >= 0.87
    columns = bundle.load(journey.settings.ARTEFATOS_PATH, "aluguel").metadata.columns
    assert layout(columns).texts == ("Tipo", "Bairro")


def check_small(journey: Journey, answers: np.ndarray, actual: np.ndarray) -> None:
    assert r2_score(actual, answers) > 0.9
    again = journey.esteira("run", "flats", "--local")
    assert again.returncode == 0, again.stderr
    assert httpx.get(f"{journey.url('flats')}/check").json() == {"status": "ok", "version": 2}
    lines = (journey.settings.ARTEFATOS_PATH / "flats" / "releases.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [(one["version"], one.get("from_version"), one["outcome"]) for one in told] == [
        (1, None, "live"),
        (2, 1, "live"),
    ]


CHECKS = {"imoveis": check_houses, "aluguel": check_rents, "flats": check_small}
