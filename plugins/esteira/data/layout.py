"""How a raw file is laid out: its delimiter, its header, and where the case's columns are."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast

from esteira.case import Case
from esteira.columns import Column, json_name
from esteira.data import recode
from esteira.errors import EsteiraError
from esteira.rules import ROW

log = logging.getLogger("esteira")
DELIMITERS = ",;\t|"
PLACE_COLUMNS = ("_file", "_line", "_reason", "_text")
"""What the rejected file holds before the case's columns; `_text` is a row that has no columns."""

RESERVED = (*PLACE_COLUMNS, ROW, "__fault__")
_HEAD_BYTES = 1 << 18
_NAMES = {"\t": "tab"}


class LayoutError(EsteiraError):
    """A raw file is not a table with the case's columns."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A raw file's form: `header` holds its columns' names, `positions` the places of the case's columns."""

    path: Path
    encoding: str
    delimiter: str
    line_end: str
    header: tuple[str, ...]
    positions: dict[str, int]

    @property
    def ignored(self) -> tuple[str, ...]:
        """The file's columns that the case does not use."""
        used = set(self.positions.values())
        return tuple(name for place, name in enumerate(self.header) if place not in used)


def columns(case: Case) -> dict[str, Column]:
    """The columns of a case's table: what it declares, and its target, which no row may miss."""
    return {**case.features, case.target: case.target_column.model_copy(update={"optional": False})}


def inspect(path: Path, case: Case) -> Layout:
    """Read the head of a raw file. Raises LayoutError naming the file, its fault and the remedy."""
    text = _head(path, case.source.encoding)
    delimiter = case.source.delimiter or _sniffed(text, set(columns(case)))
    fields = _fields(text, delimiter)
    header = column_names(fields)
    missing = [name for name in columns(case) if name not in header]
    if missing:
        raise LayoutError(_no_column(path, missing, header, delimiter, case))
    _warn_of_twins(path, fields, header, case)
    return Layout(
        path=path,
        encoding=case.source.encoding,
        delimiter=delimiter,
        line_end=line_end(text),
        header=header,
        positions={name: header.index(name) for name in columns(case)},
    )


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """The names by which a file's columns are known, all different, from the fields of its header.

    A blank one is `column_<place>`, from 1. One that is taken, also in other capitals, by the same name in
    JSON or for what cleaning adds, gets `_2`, `_3`, …: the first that no column has.
    """
    spelled = _spelled(header)
    taken, present = set(map(_key, RESERVED)), set(map(_key, spelled))
    names: list[str] = []
    for name in spelled:
        if _key(name) in taken:
            numbered = (f"{name}_{number}" for number in count(2))
            name = next(other for other in numbered if _key(other) not in taken | present)
        taken.add(_key(name))
        names.append(name)
    return tuple(names)


def _spelled(header: Sequence[str]) -> list[str]:
    return [
        field.replace("\ufeff", "").strip() or f"column_{place}"
        for place, field in enumerate(header, start=1)
    ]


def _key(name: str) -> str:
    """Equal for names that DuckDB, or a JSON object, takes for the same."""
    return json_name(name).casefold()


def _warn_of_twins(path: Path, fields: Sequence[str], header: Sequence[str], case: Case) -> None:
    called: dict[str, list[str]] = {}
    for spelled, name in zip(_spelled(fields), header, strict=True):
        called.setdefault(_key(spelled), []).append(name)
    for names in called.values():
        if len(names) > 1 and not columns(case).keys().isdisjoint(names):
            log.warning(
                "%s has the column %r %d times; they are read as %s, from left to right",
                path,
                names[0],
                len(names),
                ", ".join(names),
            )


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A raw file's bytes, uncompressed; LayoutError where they cannot be."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LayoutError(
            f"{path} cannot be decompressed ({error}); copy it again in full, or drop .gz from its name "
            f"if it is plain text"
        ) from None


def _head(path: Path, encoding: str) -> str:
    with opened(path) as file:
        head = file.read(_HEAD_BYTES).removeprefix(codecs.BOM_UTF8)
    if not head.strip():
        raise LayoutError(f"{path} is empty; put a CSV with a header and rows there")
    if b"\0" in head:
        raise LayoutError(f"{path} is not text (it holds NUL bytes); save it as a CSV in UTF-8")
    try:
        return recode.decoder(encoding).decode(head)
    except UnicodeDecodeError as error:
        raise LayoutError(
            f"{path} is not {encoding}: byte {head[error.start]:#04x} at position {error.start}; "
            f"save it as UTF-8, or set source.encoding to latin-1 in the case"
        ) from None


def line_end(text: str) -> str:
    """How the header of a file's text ends, and with it every line; quoted names may hold line ends too."""
    header = re.match(r'(?:[^"\r\n]|"[^"]*")*', text)
    assert header
    found = re.compile("\r\n|\r|\n").search(text, header.end())
    return found[0] if found else "\n"


def _fields(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error:
        return ()


def _sniffed(text: str, expected: set[str]) -> str:
    """The delimiter whose header names most of the expected columns, then the one with most fields."""

    def fit(delimiter: str) -> tuple[int, int]:
        names = column_names(_fields(text, delimiter))
        return len(expected & set(names)), len(names)

    return max(DELIMITERS, key=fit)


def _no_column(path: Path, missing: list[str], header: tuple[str, ...], delimiter: str, case: Case) -> str:
    by_lower = {name.lower(): name for name in header if name not in columns(case)}
    near = {name: difflib.get_close_matches(name.lower(), by_lower, n=1) for name in missing}
    named = ", ".join(
        f"{name!r} (near it: {by_lower[near[name][0]]!r})" if near[name] else repr(name) for name in missing
    )
    return (
        f"{path} has no column {named}. With {_NAMES.get(delimiter, delimiter)!r} as delimiter its columns "
        f"are: {', '.join(header)[:500]}. Rename them in the file's first line, "
        f"or under columns in the case {case.name!r}"
    )
