"""Serves a scikit-learn pipeline as a rival does, in its environment: `python serve.py bentoml FOLDER PORT`.

The folder holds `model.joblib`, a pipeline that was fitted on a DataFrame with the columns of `columns.json`.
Each rival is set up as its own documentation does for one worker; MLServer without the pool of processes that
is its default, which needs an older uvloop and is slower. It is run by path, and imports nothing of
Esteira; the process becomes the rival's server.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

_BENTOML = """
import bentoml, joblib, numpy as np, pandas as pd

@bentoml.service(workers=1)
class Houses:
    def __init__(self):
        self.model = joblib.load("model.joblib")

    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(rows)

    @bentoml.api
    def predict_frame(self, houses: pd.DataFrame) -> np.ndarray:
        return self.model.predict(houses)
"""
_FASTAPI = """
import json
from contextlib import asynccontextmanager

import joblib, pandas as pd
from fastapi import FastAPI
from pydantic import create_model

columns = json.load(open("columns.json"))
House = create_model("House", **{f"c{place}": (float, ...) for place in range(len(columns))})
model = joblib.load("model.joblib")
app = FastAPI()

def frame(houses):
    return pd.DataFrame([list(house.model_dump().values()) for house in houses], columns=columns)

@app.post("/predict")
def predict(house: House):
    return {"prediction": float(model.predict(frame([house]))[0])}

@app.post("/predict/batch")
def predict_batch(houses: list[House]):
    return {"predictions": model.predict(frame(houses)).tolist()}
"""


def mlflow(folder: Path, port: str) -> list[str]:
    import joblib  # type: ignore[import-untyped,unused-ignore]
    import mlflow.sklearn  # type: ignore[import-not-found,unused-ignore]

    plain = ["numpy.asarray", "numpy.clip", "numpy.dtype", "sklearn.tree._tree.Tree"]
    mlflow.sklearn.save_model(
        joblib.load(folder / "model.joblib"), str(folder / "mlflow"), skops_trusted_types=plain
    )
    told = ["--port", port, "--workers", "1", "--env-manager", "local"]
    return ["mlflow", "models", "serve", "--model-uri", str(folder / "mlflow"), *told]


def bentoml(folder: Path, port: str) -> list[str]:
    (folder / "service.py").write_text(dedent(_BENTOML))
    return ["bentoml", "serve", "service:Houses", "--port", port]


def mlserver(folder: Path, port: str) -> list[str]:
    settings = {"http_port": int(port), "grpc_port": int(port) + 1, "metrics_port": int(port) + 2}
    model = {
        "name": "houses",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
    }
    (folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0}))
    (folder / "model-settings.json").write_text(json.dumps(model))
    return ["mlserver", "start", str(folder)]


def fastapi(folder: Path, port: str) -> list[str]:
    (folder / "tutorial.py").write_text(dedent(_FASTAPI))
    return ["uvicorn", "tutorial:app", "--port", port]


_RIVALS: Mapping[str, Callable[[Path, str], list[str]]] = {
    "mlflow": mlflow,
    "bentoml": bentoml,
    "mlserver": mlserver,
    "fastapi": fastapi,
}


def main(rival: str, where: str, port: str) -> None:
    """Prepare what the rival needs, then become its server."""
    folder = Path(where)
    program, *words = _RIVALS[rival](folder, port)
    os.chdir(folder)
    beside = Path(sys.executable).parent
    told = {**os.environ, "PATH": f"{beside}:{os.environ['PATH']}"}
    os.execve(beside / program, [program, *words], told)  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
