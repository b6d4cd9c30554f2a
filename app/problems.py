"""Every answer that is not a success: problem details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app import kinds, trace
from app.faults import Fault
from app.kinds import KINDS, PREFIX, Kind

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not answered, and what to do."""

    type: str = Field(description="What kind of problem it is, as a path of a page that explains it.")
    title: str
    status: int
    detail: str
    request_id: str | None = Field(None, description="Under which an error of the API is found in its log.")
    errors: list[Fault] = []


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A request that is answered with a problem: of the given kind, or of the one that its status means."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[Fault] = (),
        *,
        kind: Kind | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)
        self.kind, self.headers = kind or kinds.of(status), headers


def answer(
    kind: Kind,
    detail: str,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    *,
    status: HTTPStatus | None = None,
    request_id: str | None = None,
) -> Response:
    """The response that carries a problem; its status is the kind's unless it is given."""
    content = written(kind, detail, errors, status=status, request_id=request_id)
    return Response(content, status or kind.status, headers, MEDIA_TYPE)


def written(
    kind: Kind,
    detail: str,
    errors: Sequence[Fault] = (),
    *,
    status: HTTPStatus | None = None,
    request_id: str | None = None,
) -> bytes:
    """A problem as JSON."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=status or kind.status,
        detail=detail,
        request_id=request_id,
        errors=list(errors),
    )
    return json.dumps(problem.model_dump(exclude_none=True)).encode()


def install(api: FastAPI) -> None:
    """Have the application answer everything that goes wrong with a problem."""
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(HTTPException, _unroutable)
    api.add_exception_handler(ClientDisconnect, _refused)
    api.add_exception_handler(Exception, _unexpected)


def install_pages(api: FastAPI) -> None:
    """Add the page that explains each kind; behind all other routes, which are tried in their order."""
    pages = {kind.name: _page(kind) for kind in KINDS}

    async def explain(request: Request) -> Response:
        page = pages.get(request.path_params["name"])
        if page is None:
            raise Refusal(HTTPStatus.NOT_FOUND, f"No problem has this name; there are: {', '.join(pages)}")
        return Response(page, media_type="text/html")

    api.add_route(PREFIX + "{name}", explain, include_in_schema=False)


def _page(kind: Kind) -> str:
    title = f"{kind.status.value} {kind.title}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{html.escape(kind.means)}<p>{html.escape(kind.remedy)}</html>"
    )


def of(error: Refusal | ClientDisconnect) -> Response:
    """The response to a request that was refused, or that ended early."""
    if isinstance(error, Refusal):
        return answer(error.kind, error.detail, error.errors, error.headers, status=error.status)
    return answer(kinds.MALFORMED_REQUEST, "The connection ended before the whole request had come")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal | ClientDisconnect)  # noqa: S101
    return of(error)


async def _unroutable(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    path, status = request.url.path[:100], HTTPStatus(error.status_code)
    allow = (error.headers or {}).get("Allow")
    if status == HTTPStatus.METHOD_NOT_ALLOWED and allow:
        detail = f"{path} does not know {request.method}; send {allow}"
    elif status == HTTPStatus.NOT_FOUND:
        detail = f"There is no {path}; GET /docs lists what there is"
    else:
        detail = str(error.detail)
    return answer(kinds.of(status), detail, headers=error.headers, status=status)


async def _unexpected(request: Request, error: Exception) -> Response:
    number = trace.number(request.scope)
    error.add_note(f"request_id: {number}")  # uvicorn logs the traceback with its notes
    detail = f"An error of the API itself; its log says where, under {number}"
    return answer(kinds.INTERNAL_ERROR, detail, request_id=number)
