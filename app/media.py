"""The media types that a batch may have, and which of them a caller sends and wants."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from starlette.datastructures import Headers

from app.problems import Refusal

Kind = Literal["json", "csv", "parquet", "arrow"]

TYPES: dict[Kind, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
_MOST_RANGES = 50


@dataclass(frozen=True, kw_only=True)
class Range:
    """One part of an Accept header."""

    type: str
    quality: float

    def closeness(self, media_type: str) -> int:
        """How closely it names a type: 0 if not at all, 3 if exactly."""
        if self.type == media_type:
            return 3
        if self.type == f"{media_type.partition('/')[0]}/*":
            return 2
        return int(self.type == "*/*")


def sent(headers: Headers) -> Kind:
    """What the body is; JSON where nothing is said. Raises Refusal for any other type."""
    said, *parameters = headers.get("content-type", TYPES["json"]).split(";")
    for kind, media_type in TYPES.items():
        if said.strip().lower() == media_type:
            _check_charset(parameters)
            return kind
    raise Refusal(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"The body must be sent with Content-Type: {_listed()}; not {said.strip()[:100]!r}",
    )


def wanted(headers: Headers, by_default: Kind) -> Kind:
    """What the answer is to be: the type of the highest quality, among equals the body's own.

    Raises Refusal when none is acceptable.
    """
    ranges = _ranges(",".join(headers.getlist("accept")))
    if not ranges:
        return by_default
    kinds: list[Kind] = [by_default, *(kind for kind in TYPES if kind != by_default)]
    best = max(kinds, key=lambda kind: _quality(TYPES[kind], ranges))
    if _quality(TYPES[best], ranges) > 0:
        return best
    raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"The answer can be {_listed()}; ask for one of them in Accept")


def _quality(media_type: str, ranges: list[Range]) -> float:
    """Of the range that names the type most closely."""
    closest = max(ranges, key=lambda one: one.closeness(media_type))
    return closest.quality if closest.closeness(media_type) else 0.0


def _ranges(accept: str) -> list[Range]:
    found = []
    for part in accept.split(",")[:_MOST_RANGES]:
        named, *parameters = (word.strip().lower() for word in part.split(";"))
        if named:
            found.append(Range(type=named, quality=_q(parameters)))
    return found


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0


def _check_charset(parameters: list[str]) -> None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            detail = f"The body must be in UTF-8, not {charset[:40]!r}"
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def _listed() -> str:
    *most, last = TYPES.values()
    return f"{', '.join(most)} or {last}"
