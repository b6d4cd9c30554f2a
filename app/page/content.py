"""What the page holds: the form, the answer to what is in it and why, and the model's card."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import anyio.to_thread
from anyio import CapacityLimiter

from app.answers import Answers
from app.explain import Explainer
from app.modelo import Modelo, values_of
from app.page.answer import answered
from app.page.card import card
from app.page.form import Form
from app.page.language import LANGUAGES, Language
from app.page.sentences import refused, unseen
from app.page.texts import TEXTS
from app.page.why import why
from app.problems import Refusal
from app.seen import Values
from esteira.columns import json_name

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
FILES = {"page.css": "text/css", "page.js": "text/javascript"}
PARTS = frozenset({"answer", "why"})
"""What of the page can be had alone, to be put into its place when a value changes."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was put in, by the columns' names in JSON, and in which language to answer."""

    sent: Mapping[str, str]
    language: Language
    asked: bool
    """Whether the language was asked for, and not taken from the browser."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that the page loads; its address names its state, so that browsers may keep it."""

    content: bytes
    address: str


class Content:
    """Makes the page of one version."""

    def __init__(self, modelo: Modelo, answers: Answers, explainer: Explainer) -> None:
        self._modelo, self._answers, self._explainer = modelo, answers, explainer
        self._form = Form(modelo.metadata, modelo.columns)
        self._limiter = CapacityLimiter(1)
        self.names = self._form.names
        self.own = {name: _unlike(name, self.names) for name in ("lang", "part")}
        """The page's own parameters, which are called unlike any column."""

    @functools.cached_property
    def example(self) -> dict[str, str]:
        """What the form is filled with at first: the version's own example, if the API answers that."""
        metadata = self._modelo.metadata
        for record in (metadata.example, *(golden.record for golden in metadata.golden)):
            with suppress(Refusal):
                self._answers.one(json.dumps(record).encode())
                return self._form.texts(record)
        return self._form.texts(metadata.example)

    async def made(self, question: Question, part: str) -> tuple[bytes, bool]:
        """The HTML of the page or a part of it, and whether there is an answer in it."""
        context = self._context(question)
        values: Values | None = context["values"]
        if values is not None and part != "answer" and self._explainer.is_able:
            context |= await self._why(values, question.language)
        html = await anyio.to_thread.run_sync(_rendered, part, context, limiter=self._limiter)
        return html, values is not None

    def _context(self, question: Question) -> dict[str, Any]:
        language, sent = question.language, question.sent
        return {
            "t": TEXTS[language],
            "about": self._modelo.metadata,
            "fields": self._form.fields(sent, language),
            "card": card(self._modelo.metadata, language),
            "lang": self.own["lang"],
            "part": self.own["part"],
            "language": language if question.asked else None,
            "other": self._in_other_language(question),
            "files": {name: file(name).address for name in FILES},
            "is_able": self._explainer.is_able,
            "why": None,
            "why_not": "",
        } | self._answered(sent, language)

    def _in_other_language(self, question: Question) -> str:
        other = {self.own["lang"]: next(one for one in LANGUAGES if one != question.language)}
        return urlencode(other if question.sent == self.example else {**question.sent, **other})

    def _answered(self, sent: Mapping[str, str], language: Language) -> dict[str, Any]:
        metadata, columns, record = self._modelo.metadata, self._modelo.columns, self._form.record(sent)
        try:
            answer = json.loads(self._answers.one(json.dumps(record).encode())[0])
        except Refusal as refusal:
            return self._refused(refusal, language)
        values = values_of(self._modelo.one.validate_python(record))
        return {
            "answer": answered(metadata, answer, language),
            "values": values,
            "unseen": dict(unseen(metadata, columns, values, language)),
            "faults": {},
            "refusal": "",
        }

    def _refused(self, refusal: Refusal, language: Language) -> dict[str, Any]:
        faults = {
            self.names.index(json_name(fault.field)): refused(fault, self._modelo.columns, language)
            for fault in refusal.errors
        }
        detail = "" if faults else refusal.detail
        return {"answer": None, "values": None, "unseen": {}, "faults": faults, "refusal": detail}

    async def _why(self, values: Values, language: Language) -> dict[str, Any]:
        if self._explainer.is_busy:
            return {"why_not": TEXTS[language]["busy"]}
        try:
            explanation = await self._explainer.of(values)
        except Refusal as refusal:
            return {"why_not": refusal.detail}
        return {"why": why(self._modelo.metadata, self._modelo.columns, explanation, values, language)}


@functools.cache
def file(name: str) -> File:
    """One of FILES."""
    content = (FOLDER / name).read_bytes()
    return File(content=content, address=f"{name}?{hashlib.sha256(content).hexdigest()[:16]}")


def _rendered(part: str, context: Mapping[str, Any]) -> bytes:
    return _templates().get_template(f"{part}.html").render(context).encode()


@functools.cache
def _templates() -> Environment:
    """Made when somebody first looks: most APIs are only asked by programs, and it takes memory."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _unlike(name: str, names: tuple[str, ...]) -> str:
    while name in names:
        name += "_"
    return name
