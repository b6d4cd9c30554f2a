"""Every answer that is not a success: problem details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.faults import Fault

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not answered, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A request that is answered with a problem."""

    def __init__(self, status: HTTPStatus, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)


def answer(
    status: HTTPStatus, detail: str, errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """The response that carries a problem."""
    problem = Problem(title=status.phrase, status=status, detail=detail, errors=list(errors))
    content = json.dumps(problem.model_dump(exclude_none=True))
    return Response(content, status, headers, MEDIA_TYPE)


def install(api: FastAPI) -> None:
    """Have the application answer everything that goes wrong with a problem."""
    api.add_exception_handler(Refusal, _refused)
    api.add_exception_handler(HTTPException, _unroutable)
    api.add_exception_handler(ClientDisconnect, _gone)
    api.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101
    return answer(error.status, error.detail, error.errors)


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
    return answer(status, detail, headers=error.headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    return answer(HTTPStatus.BAD_REQUEST, "The connection ended before the whole request had come")


async def _unexpected(_request: Request, _error: Exception) -> Response:
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "An error of the API itself; its log says where")
