"""The API's documentation: its OpenAPI description and the pages that show it, without a CDN."""

from __future__ import annotations

import functools
import html
import importlib.resources
import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.responses import Response

from app.answers import Answers
from app.batches import Batches
from app.guard import OPEN
from app.heads import PAGE_POLICY
from app.kinds import API_KEY_NEEDED, RATE_EXCEEDED
from app.media import TYPES
from app.problems import MEDIA_TYPE, Refusal
from app.samples import ADDRESS
from esteira.columns import json_name
from esteira.metadata import Metadata, Record

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_SCRIPT = """
const address = new URL("predict", location.href).href;
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  responseInterceptor: (answer) => {
    // only the browser knows what a gateway put before this API's paths
    if (answer.url.endsWith("/openapi.json")) answer.text = answer.text.replaceAll("{address}", address);
    return answer;
  },
});
""".replace("{address}", ADDRESS)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>{script}</script>
</body>
</html>
"""
"""Its addresses are relative, so that it also works behind a gateway's prefix."""
_HASH = b64encode(sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = f"{PAGE_POLICY}; script-src 'self' 'sha256-{_HASH}'; style-src 'self' 'unsafe-inline'"
"""The one inline script that may run is known by its hash; Swagger UI sets styles."""
_RECORD = "#/components/schemas/Record"
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: Authorization: Bearer KEY"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


@dataclass(frozen=True, kw_only=True)
class Example:
    """A record and what the API answers to it, alone and in a batch."""

    record: Record
    one: Any
    many: Any


def example_of(metadata: Metadata, answers: Answers, batches: Batches) -> Example:
    """The version's own example, or where the API would refuse that, the first golden one."""
    for record in (metadata.example, *(golden.record for golden in metadata.golden)):
        with suppress(Refusal):
            one, many = (json.dumps(content).encode() for content in (record, [record]))
            return Example(
                record=record, one=json.loads(answers.one(one)[0]), many=json.loads(batches.example(many))
            )
    return Example(record=metadata.example, one={}, many={})


def one_record(example: Record) -> dict[str, Any]:
    """The request body of a path that takes a record."""
    return _body({"$ref": _RECORD}, json_names(example))


_MANY = """
As JSON a list of records or, which is read faster, a list for each column: `{{"column": [value, …], …}}`.

As a table, a column for each field and a row for each record, by `Content-Type`: {types}. The answer is a
table of the same type, or of the one that `Accept` asks for, with the columns {columns}.
"""


def many(columns: Iterable[str]) -> str:
    """What the media types are that a batch may have besides JSON, which generators of clients know best."""
    types = ", ".join(f"`{kind}`" for name, kind in TYPES.items() if name != "json")
    return _MANY.format(types=types, columns=", ".join(f"`{name}`" for name in columns))


def many_records(example: Record, most: int) -> dict[str, Any]:
    """The parameters and the request body of a path that takes many records."""
    records = {"type": "array", "items": {"$ref": _RECORD}, "minItems": 1, "maxItems": most}
    taken = _body(records, [json_names(example)])
    taken["parameters"] = [
        _switch("strict", "Refuse the whole batch with 422 when one row of it cannot be used"),
        _switch(
            "keep", "Answer with the columns that were sent beside those of the answer, where both are tables"
        ),
    ]
    return taken


def _switch(name: str, says: str) -> dict[str, Any]:
    schema = {"type": "boolean", "default": False}
    return {"name": name, "in": "query", "required": False, "description": says, "schema": schema}


def describe_with(
    api: FastAPI, record: type[BaseModel], *, guarded: bool = False
) -> Callable[[], dict[str, Any]]:
    """The function that FastAPI asks for its OpenAPI description, with the record's schema in it.

    Where it is guarded, it says how an API key is sent.
    """

    @functools.cache
    def describe() -> dict[str, Any]:
        content = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=[{"url": "."}],
        )
        schemas = content.setdefault("components", {}).setdefault("schemas", {})
        schemas["Record"] = record.model_json_schema()
        _declare_problems(content["paths"])
        _declare_links(content["paths"])
        if guarded:
            _declare_keys(content)
        return content

    return describe


def install(api: FastAPI) -> None:
    """Add GET /docs and the files that it loads."""
    content = _PAGE.format(title=html.escape(api.title), script=_SCRIPT)
    page = Response(content, headers={"Content-Security-Policy": _POLICY}, media_type="text/html")

    async def serve() -> Response:
        return page

    api.add_api_route("/docs", serve, include_in_schema=False)
    for name, kind in ASSETS.items():
        api.add_api_route(f"/docs/{name}", _asset(name, kind), include_in_schema=False)


def _asset(name: str, kind: str) -> Callable[[], Response]:
    @functools.cache
    def content() -> bytes:
        return importlib.resources.files("fastapi_offline").joinpath("static", name).read_bytes()

    def serve() -> Response:
        return Response(content(), media_type=kind, headers={"Cache-Control": "max-age=86400"})

    return serve


def _body(schema: dict[str, Any], example: Record | list[Record]) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        }
    }


def json_names(record: Record) -> Record:
    """A record by the names that JSON has for its columns."""
    return {json_name(name): value for name, value in record.items()}


def _declare_links(paths: dict[str, Any]) -> None:
    """Who has an answer can ask for the version that gave it, and who has read of a version can ask it."""
    for path, then in (("/predict", "model"), ("/predict/batch", "model"), ("/model", "predict")):
        for operation in paths[path].values():
            operation["responses"]["200"]["links"] = {then: {"operationId": then}}


def _declare_keys(content: dict[str, Any]) -> None:
    content["components"]["securitySchemes"] = _SCHEMES
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in content["paths"].items():
        for operation in operations.values() if path not in OPEN else ():
            operation["security"] = [{name: []} for name in _SCHEMES]
            for kind in (API_KEY_NEEDED, RATE_EXCEEDED):
                said = {"description": kind.title, "content": problem}
                operation["responses"][str(kind.status.value)] = said


def _declare_problems(paths: dict[str, Any]) -> None:
    """FastAPI can only declare answers of the route's own media type; a problem has another."""
    for path in paths.values():
        for operation in path.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if "/Problem" in json.dumps(content):
                    response["content"] = {MEDIA_TYPE: content["application/json"]}
