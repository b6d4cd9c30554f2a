"""GET / of a case and the files that the page loads."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import StringIO

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.answers import Answers
from app.explain import Explainer
from app.modelo import Modelo
from app.page.content import FILES, PARTS, Content, Question, file
from app.page.language import Language, chosen
from app.page.texts import TEXTS
from app.problems import Refusal

LONGEST_QUERY = 60_000
EXAMPLE_FILE = "example.csv"
FOREVER = "max-age=31536000, immutable"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing of another host, and nothing inline, whatever a case's texts hold."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """A page that stays as it is while the version is served."""

    html: bytes
    tag: str


class Page:
    """The page of one version."""

    def __init__(self, modelo: Modelo, answers: Answers, explainer: Explainer) -> None:
        self._metadata, self._columns = modelo.metadata, modelo.columns
        self._content = Content(modelo, answers, explainer)
        self._kept: dict[tuple[Language, bool], _Kept] = {}

    async def show(self, request: Request) -> Response:
        """The page with the example's answer; with values in the query, with the answer to those."""
        query, own = request.query_params, self._content.own
        if len(request.url.query) > LONGEST_QUERY:
            detail = (
                f"The address is longer than {LONGEST_QUERY:,} characters; send the record to POST /predict"
            )
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        asked = query.get(own["lang"])
        language = chosen(asked, request.headers.get("accept-language", ""))
        sent = {name: query[name] for name in self._content.names if name in query}
        if not sent:
            return await self._example(request, language, asked is not None)
        question = Question(sent=sent, language=language, asked=asked is not None)
        part = query.get(own["part"])
        html, is_answered = await self._content.made(question, part if part in PARTS else "page")
        status = HTTPStatus.OK if is_answered or part in PARTS else HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(html, status, language, {"Cache-Control": "no-store"})

    async def example_file(self, _request: Request) -> Response:
        """The model's examples as a CSV."""
        text = StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(self._columns)
        rows.writerows([one.record.get(name) for name in self._columns] for one in self._metadata.golden)
        return Response(text.getvalue(), media_type="text/csv", headers={"Cache-Control": "no-cache"})

    async def _example(self, request: Request, language: Language, asked: bool) -> Response:
        kept = self._kept.get((language, asked))
        if kept is None:
            question = Question(sent=self._content.example, language=language, asked=asked)
            html, _ = await self._content.made(question, "page")
            kept = _Kept(html=html, tag=f'"{hashlib.sha256(html).hexdigest()[:32]}"')
            self._kept[language, asked] = kept
        headers = {"Cache-Control": "no-cache", "ETag": kept.tag}
        if kept.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return _page(kept.html, HTTPStatus.OK, language, headers)


def install(api: FastAPI, modelo: Modelo, answers: Answers, explainer: Explainer) -> None:
    """Add the page and the files that it loads."""
    page = Page(modelo, answers, explainer)
    api.add_api_route("/", page.show, include_in_schema=False)
    api.add_api_route(f"/{EXAMPLE_FILE}", page.example_file, include_in_schema=False)
    for name, kind in FILES.items():
        api.add_api_route(f"/{name}", _serve(name, kind), include_in_schema=False)


def _serve(name: str, kind: str) -> Callable[[], Response]:
    def serve() -> Response:
        return Response(file(name).content, media_type=kind, headers={"Cache-Control": FOREVER})

    return serve


def _page(html: bytes, status: int, language: Language, headers: Mapping[str, str]) -> Response:
    own = {
        "Content-Security-Policy": POLICY,
        "Content-Language": TEXTS[language]["tag"],
        "Vary": "Accept-Language",
    }
    return Response(html, status, {**headers, **own}, "text/html")
