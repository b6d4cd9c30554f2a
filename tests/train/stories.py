"""Two trainings from raw file to published version, of a regression and of a classification."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import Run

from esteira import settings
from esteira.bundle import Bundle
from esteira.case import Case
from esteira.data import clean, raw
from esteira.settings import Settings
from esteira.train import steps
from esteira.train.judge import Judgement
from flats import flats, write_flats

WORDS = [
    {"kind": "linear_regression"},
    {"kind": "decision_tree", "max_leaf_nodes": 64},
    {"kind": "hist_gradient_boosting", "learning_rate": 1e308},
    {"kind": "ensemble"},
]
"""The boosting's steps are so long that its answers are infinite: it fails, as a real one may."""


@dataclass(frozen=True)
class Story:
    """A training that was published."""

    case: Case
    now: Settings
    judgement: Judgement
    published: Bundle

    @property
    def card(self) -> str:
        return self.published.read("cartao").decode()

    @property
    def client(self) -> mlflow.MlflowClient:
        return mlflow.MlflowClient(self.now.MLFLOW_TRACKING_URI)

    def runs(self, role: str) -> list[Run]:
        found = self.client.get_experiment_by_name(self.case.name)
        return list(
            self.client.search_runs([found.experiment_id], f"tags.`esteira.role` = '{role}'", max_results=500)
        )


def of_flats(folder: Path) -> Story:
    """A price, by a search, with one candidate that fails, all of them compared in each answer."""
    write_flats(folder / "raw" / "flats.csv", rows=2_500)
    train = {"candidates": WORDS, "search": {"seconds": 2, "trials": 12}}
    return told(flats(train=train, serve={"compare": True}, title="Flats <&>"), folder)


def of_storms(folder: Path) -> Story:
    """Whether a storm comes, from the day, the wind and the place; the newest days are held out."""
    write_storms(folder / "raw" / "storms.csv")
    return told(storms(), folder)


def told(case: Case, folder: Path) -> Story:
    """The whole training of a case whose raw file is in `folder`."""
    now = settings.load(
        {
            "RAW_DATA_PATH": str(folder / "raw"),
            "PROCESSED_DATA_PATH": str(folder / "processed"),
            "ARTEFATOS_PATH": str(folder / "artefatos"),
            "ESTEIRA_HOME": str(folder / "home"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        }
    )
    prepared = steps.split_rows(case, clean.clean(case, raw.find(case, now), now), "story", now)
    judgement = steps.pass_the_gate(case, prepared, steps.fit_all(case, prepared, now), now)
    return Story(case, now, judgement, steps.publish_version(prepared, judgement, now))


def storms(**changes: object) -> Case:
    case = {
        "name": "storms",
        "title": "Storms",
        "source": {"files": "storms.csv"},
        "target": "storm",
        "task": "classification",
        "columns": {
            "day": {"type": "date", "time": True},
            "wind": {"type": "category", "levels": ["N", "S", "W"], "optional": True},
            "place": {"type": "category", "levels": [1, 2, 3]},
            "humidity": {"type": "number", "min": 0.0, "max": 100.0, "unit": "%", "optional": True},
            "storm": {"type": "category", "levels": ["no", "yes"]},
        },
        "train": {
            "candidates": [{"kind": "logistic_regression"}, {"kind": "decision_tree", "max_leaf_nodes": 16}],
            "metric": "f1",
            "time": "day",
        },
    }
    return Case.model_validate_json(json.dumps({**case, **changes}))


def write_storms(path: Path, rows: int = 2_500) -> None:
    """A storm is the likelier the damper it is, most of all with a wind from the south."""
    random = np.random.default_rng(1)
    seconds = np.sort(random.integers(0, 900 * 86_400, rows))
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(seconds, unit="s")
    wind, humidity = random.choice(["N", "S", "W"], rows), random.uniform(10, 100, rows)
    odds = 0.12 * (humidity - 75) + 1.5 * (wind == "S")
    table = pd.DataFrame(
        {
            "day": day.strftime("%Y-%m-%dT%H:%M:%S"),
            "wind": wind,
            "place": random.integers(1, 4, rows),
            "humidity": np.round(humidity, 1),
            "storm": np.where(random.random(rows) < 1 / (1 + np.exp(-odds)), "yes", "no"),
        }
    )
    for name in ("wind", "humidity"):
        table.loc[random.random(rows) < 0.06, name] = np.nan
    path.parent.mkdir(parents=True)
    table.to_csv(path, index=False)
