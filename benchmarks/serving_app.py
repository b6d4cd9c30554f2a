"""The application that the serving benchmark measures: the API, an echo endpoint and the prototype's way."""

import io
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI
from onnx import TensorProto, helper
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import MinMaxScaler

from app import listener, server
from app.main import create_app
from app.modelo import Modelo, open_version
from app.shapes import shapes
from esteira import casefile
from esteira.bundle import Bundle, publish
from esteira.columns import Category, Column
from esteira.metadata import Record, Role, Seen
from tests.bundles import facts_of, files_with, serialized

CASE = "imoveis"
CITY = "City"
ROWS = 2000


def publish_houses(artefatos: Path, casos: Path) -> Bundle:
    """Publish a bundle of the imoveis columns: linear over scaled numbers and one-hot levels."""
    features = casefile.load(casos, CASE).features
    graph = house_graph(features)
    records = [_house(list(features), at) for at in range(20)]
    seen = {name: Seen(min=0, max=250) for name in features if name != CITY} | {CITY: Seen(levels=(1, 2, 3))}
    facts = facts_of(CASE, features, seen, records, graph, tolerance=1e-6)
    return publish(artefatos, facts, {**files_with(graph), **prototype_pickles(list(features))})


def house_graph(features: dict[str, Column]) -> bytes:
    """What the exporter makes of a linear model: scale in double, one-hot, cast to float, regress."""
    numbers = [at for at, column in enumerate(features.values()) if not isinstance(column, Category)]
    levels, width = len(_levels(features)), len(features)
    nodes = [
        helper.make_node("Gather", ["numbers", "number_at"], ["raw"], axis=1),
        helper.make_node("Sub", ["raw", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled_64"]),
        helper.make_node("Cast", ["scaled_64"], ["scaled"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["numbers", "city_at"], ["city_64"], axis=1),
        helper.make_node("Cast", ["city_64"], ["city"], to=TensorProto.INT64),
        helper.make_node(
            "OneHotEncoder", ["city"], ["hot"], domain="ai.onnx.ml", cats_int64s=_levels(features)
        ),
        helper.make_node("Reshape", ["hot", "hot_shape"], ["hot_2d"]),
        helper.make_node("Concat", ["scaled", "hot_2d"], ["all"], axis=1),
        helper.make_node(
            "LinearRegressor",
            ["all"],
            ["prediction"],
            domain="ai.onnx.ml",
            coefficients=[float(100 * (1 + at)) for at in range(len(numbers) + levels)],
            intercepts=[42_000.0],
        ),
    ]
    count = len(numbers)
    constants = [
        helper.make_tensor("number_at", TensorProto.INT64, [count], numbers),
        helper.make_tensor("mean", TensorProto.DOUBLE, [count], [2.5] * count),
        helper.make_tensor("scale", TensorProto.DOUBLE, [count], [1.5] * count),
        helper.make_tensor("city_at", TensorProto.INT64, [1], [list(features).index(CITY)]),
        helper.make_tensor("hot_shape", TensorProto.INT64, [2], [-1, levels]),
    ]
    given = helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, ["N", width])
    answer = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["N", 1])
    return serialized(helper.make_graph(nodes, CASE, [given], [answer], constants))


def prototype_pickles(names: list[str]) -> dict[Role, bytes]:
    """The prototype's two files: a MinMaxScaler and a LinearRegression."""
    rows = pd.DataFrame(np.random.default_rng(0).integers(0, 5, (ROWS, len(names))), columns=names)
    scaler = MinMaxScaler().fit(rows)
    model = LinearRegression().fit(scaler.transform(rows), rows.sum(axis=1))
    return {"scaler": _pickled(scaler), "modelo": _pickled(model)}


def with_rivals(api: FastAPI, bundle: Bundle, modelo: Modelo) -> FastAPI:
    """Add POST /echo and POST /prototype, of the same request and response types, to the API."""
    names = list(bundle.metadata.columns)
    record_type: Any = modelo.record
    answer_type: Any = shapes(modelo.metadata, modelo.outputs).one
    answer = answer_type(case=CASE, version=1, prediction=32950.0, unit="R$", warnings=[])

    async def echo(record: record_type) -> answer_type:  # noqa: ARG001
        return answer

    def prototype(record: record_type) -> answer_type:
        scaler, model = joblib.load(bundle.path("scaler")), joblib.load(bundle.path("modelo"))
        row = pd.DataFrame([list(record.model_dump().values())], columns=names)
        (value,) = model.predict(scaler.transform(row))
        return answer.model_copy(update={"prediction": float(value)})

    api.add_api_route("/echo", echo, methods=["POST"])
    api.add_api_route("/prototype", prototype, methods=["POST"])
    return api


def _house(names: list[str], at: int) -> Record:
    return {name: {"Area": 1 + 10 * at, CITY: 1 + at % 3}.get(name, (at + len(name)) % 2) for name in names}


def _levels(features: dict[str, Column]) -> list[int]:
    city = features[CITY]
    assert isinstance(city, Category)
    return [int(level) for level in city.levels or ()]


def _pickled(estimator: object) -> bytes:
    content = io.BytesIO()
    joblib.dump(estimator, content)
    return content.getvalue()


def main(artefatos: str, port: str) -> None:
    """Serve the newest imoveis bundle and its rivals until SIGTERM."""
    modelo = open_version(Path(artefatos), CASE, None)
    bundle = Bundle(folder=Path(artefatos) / CASE, metadata=modelo.metadata)
    api = with_rivals(create_app(modelo, "benchmark"), bundle, modelo)
    server.serve(api, [listener.bind("127.0.0.1", int(port), CASE)])


if __name__ == "__main__":
    main(*sys.argv[1:])
