"""The API's routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response

from app import docs, explain, kinds, problems
from app.batches import MOST_RECORDS, Limits
from app.endpoints import Check, Endpoints, Json, Live, Ready
from app.explain import Explainer, Explanation
from app.express import Express
from app.guard import Guard
from app.keys import Keys
from app.logs import RequestLog
from app.metrics import Measured, Metrics
from app.modelo import Modelo
from app.page import route as page
from app.platforms.routes import Platforms
from app.platforms.routes import install as install_platforms
from app.room import MOST_BATCHES, bounded
from app.samples import samples
from app.shapes import shapes
from esteira.metadata import Metadata

PREDICT = "/predict"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One line of the table of routes."""

    path: str
    does: Callable[[Request], Awaitable[Response]]
    says: str
    about: str | None = None
    """More of it, in Markdown."""
    tag: str = "Health"
    method: str = "GET"
    answer: type[BaseModel] | None = None
    example: Any = None
    refuses: tuple[int, ...] = ()
    takes: dict[str, Any] = field(default_factory=dict)


def routes(does: Endpoints, explainer: Explainer, modelo: Modelo) -> tuple[Route, ...]:
    """The table of routes."""
    example = docs.example_of(modelo.metadata, does.answers, does.batches)
    one, many = docs.one_record(example.record), docs.many_records(example.record, MOST_RECORDS)
    answer = shapes(modelo.metadata, modelo.outputs)
    columns = [*(title for output in modelo.outputs for title in output.titles), "warnings", "error"]
    batches = bounded(does.predict_batch, MOST_BATCHES, "batches")
    bad = (400, 413, 415, 422, 503)
    return (
        Route(method="POST", path=PREDICT, does=does.predict, says="Predict one record",
              about=samples(modelo.metadata.case, docs.json_names(example.record)),
              tag="Predict", takes=one, answer=answer.one, example=example.one, refuses=bad),
        Route(method="POST", path="/predict/batch", does=batches, says="Predict many records",
              about=docs.many(columns),
              tag="Predict", takes=many, answer=answer.many, example=example.many,
              refuses=(*bad, 406)),
        Route(method="POST", path="/explain", does=explainer.explain, says="What pushed an answer up or down",
              about=explain.ABOUT, tag="Predict", takes=one, answer=Explanation, refuses=bad),
        Route(path="/model", does=does.model, says="Everything known of the version",
              tag="Model", answer=Metadata),
        Route(path="/health/live", does=does.live, says="Is the process up?", answer=Live),
        Route(path="/health/ready", does=does.ready, says="Does a verified version answer?", answer=Ready),
        Route(path="/check", does=does.check, says="The short form of ready", answer=Check),
        Route(path="/metrics", does=does.metrics, says="Figures for Prometheus"),
    )  # fmt: skip


def create_app(
    modelo: Modelo,
    instance: str,
    *,
    limits: Limits | None = None,
    aip: tuple[str, str] = ("", ""),
    keys: Keys | None = None,
    requests: RequestLog | None = None,
) -> FastAPI:
    """The application that answers with an opened version: to all, or to those who have one of the keys.

    `aip` are Vertex AI's health and predict routes.
    """
    metadata, metrics = modelo.metadata, Metrics(modelo.metadata)
    api = _bare_app(metadata.title, str(metadata.version), _description(metadata))
    platforms = Platforms(modelo, metrics)
    does = Endpoints(modelo, instance, metrics, limits or Limits(), platforms)
    explainer = Explainer(modelo, does.answers)
    for route in routes(does, explainer, modelo):
        _add(api, route)
    docs.install(api)
    page.install(api, modelo, does.answers, explainer)
    install_platforms(api, platforms, *aip)
    problems.install_pages(api)
    api.openapi = docs.describe_with(api, modelo.record, guarded=keys is not None)  # type: ignore[method-assign]
    predict = next(one for one in api.routes if isinstance(one, APIRoute) and one.path == PREDICT)
    api.add_middleware(Express, route=predict, does=does.predicted)
    if keys is not None:
        api.add_middleware(Guard, keys=keys)
    api.add_middleware(Measured, metrics=metrics, requests=requests)
    return api


def create_unavailable_app(case: str, instance: str, reason: str) -> FastAPI:
    """The application of a process without a version: it is alive, and answers all else with 503."""
    api = _bare_app(case, "none", reason)
    alive = Json(Live(case=case, instance=instance).model_dump_json().encode())

    async def live() -> Response:
        return alive

    async def unavailable(_request: Request, _error: Exception) -> Response:
        return problems.answer(kinds.NO_MODEL, reason)

    api.add_api_route("/health/live", live)
    problems.install_pages(api)
    api.add_exception_handler(HTTPException, unavailable)
    return api


def _bare_app(title: str, version: str, description: str) -> FastAPI:
    api = FastAPI(
        title=title,
        version=version,
        description=description,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(api)
    return api


def _add(api: FastAPI, route: Route) -> None:
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": problems.Problem, "description": HTTPStatus(status).phrase}
        for status in route.refuses
    }
    responses[200] = _answer(route)
    api.add_api_route(
        route.path,
        route.does,
        methods=[route.method],
        summary=route.says,
        description=route.about,
        operation_id=route.does.__name__,
        tags=[route.tag],
        response_class=Response,
        responses=responses,
        openapi_extra=route.takes,
    )
    # FastAPI describes the route and Starlette serves it: none of them needs FastAPI's dependency
    # injection, which would take as long as the prediction itself
    added = api.router.routes[-1]
    assert isinstance(added, APIRoute)  # noqa: S101
    added.app = request_response(route.does)


def _answer(route: Route) -> dict[str, Any]:
    if route.answer is None:
        return {"content": {"text/plain": {}}}
    example = {} if route.example is None else {"example": route.example}
    return {"model": route.answer, "content": {"application/json": example}}


def _description(metadata: Metadata) -> str:
    unit = f" ({metadata.unit})" if metadata.unit else ""
    scores = ", ".join(f"{name} {value:.4g}" for name, value in metadata.scores.items())
    return (
        f"Predicts **{metadata.target}**{unit} with version {metadata.version} of `{metadata.case}` "
        f"({metadata.chosen}; on rows it never saw: {scores})."
    )
