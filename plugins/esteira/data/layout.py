"""How a raw file is laid out: its delimiter, its header, and where the case's columns are."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from esteira.case import Case, Column
from esteira.errors import EsteiraError
from esteira.rules import ROW

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
    """A raw file's form; `positions` gives the place of each of the case's columns in a row."""

    path: Path
    encoding: str
    delimiter: str
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
    _check_names(case)
    first_line = _first_line(path, case.source.encoding)
    delimiter = case.source.delimiter or _sniffed(first_line, set(columns(case)))
    header = _fields(first_line, delimiter)
    missing = [name for name in columns(case) if name not in header]
    if missing:
        raise LayoutError(_no_column(path, missing, header, delimiter, case))
    twice = [name for name, times in Counter(header).items() if times > 1 and name in columns(case)]
    if twice:
        raise LayoutError(
            f"{path} has the column {twice[0]!r} twice; rename or remove one of them in its first line"
        )
    positions = {name: header.index(name) for name in columns(case)}
    return Layout(
        path=path, encoding=case.source.encoding, delimiter=delimiter, header=header, positions=positions
    )


def _check_names(case: Case) -> None:
    """DuckDB takes names that differ only in case for the same; some names hold what cleaning adds."""
    taken = {name: f"a name that cleaning uses itself ({name})" for name in RESERVED}
    for name in columns(case):
        if name.lower() in taken:
            raise LayoutError(
                f"The column {name!r} of the case {case.name!r} is {taken[name.lower()]}; "
                f"rename it in the case and in the raw file"
            )
        taken[name.lower()] = f"but for capitals the same as {name!r}"


def _first_line(path: Path, encoding: str) -> str:
    head = _head(path)
    if head.startswith(codecs.BOM_UTF8):
        head = head[len(codecs.BOM_UTF8) :]
    if not head.strip():
        raise LayoutError(f"{path} is empty; put a CSV with a header and rows there")
    if b"\0" in head:
        raise LayoutError(f"{path} is not text (it holds NUL bytes); save it as a CSV in UTF-8")
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError as error:
        raise LayoutError(
            f"{path} is not {encoding}: byte {head[error.start]:#04x} at position {error.start}; "
            f"save it as UTF-8, or set source.encoding to latin-1 in the case"
        ) from None
    return text


def _head(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LayoutError(
            f"{path} cannot be decompressed ({error}); copy it again in full, or drop .gz from its name "
            f"if it is plain text"
        ) from None


def _fields(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(field.strip() for field in next(csv.reader(io.StringIO(text), delimiter=delimiter)))
    except csv.Error:
        return ()


def _sniffed(text: str, expected: set[str]) -> str:
    """The delimiter whose header names most of the expected columns, then the one with most fields."""

    def fit(delimiter: str) -> tuple[int, int]:
        fields = _fields(text, delimiter)
        return len(expected & set(fields)), len(fields)

    return max(DELIMITERS, key=fit)


def _no_column(path: Path, missing: list[str], header: tuple[str, ...], delimiter: str, case: Case) -> str:
    near = {
        name: difflib.get_close_matches(name.lower(), [h.lower() for h in header], n=1) for name in missing
    }
    by_lower = {name.lower(): name for name in header}
    named = ", ".join(
        f"{name!r} (near it: {by_lower[near[name][0]]!r})" if near[name] else repr(name) for name in missing
    )
    return (
        f"{path} has no column {named}. With {_NAMES.get(delimiter, delimiter)!r} as delimiter its columns "
        f"are: {', '.join(header)[:500]}. Rename them in the file's first line, "
        f"or under columns in the case {case.name!r}"
    )
