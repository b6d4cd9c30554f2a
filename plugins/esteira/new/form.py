"""The form of a file that nobody has described: its encoding, its delimiter and its header."""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, cast

from esteira.data import recode
from esteira.data.layout import DELIMITERS, column_names, line_end
from esteira.new.errors import NewCaseError

Encoding = Literal["utf-8", "latin-1"]

_DAMAGED = "some of its bytes are not UTF-8, as the rest is: their rows are rejected"
_NOT_UTF_8 = "it is not UTF-8, so its accents are read as Latin-1: look at a few of them"
_MIXED = "it mixes UTF-8 with other bytes, so it is read as Latin-1 and some accents will look wrong"
_CHUNK = 1 << 20
_HEAD = 1 << 18
_ROWS_LOOKED_AT = 500
_FEWEST_ALIKE = 0.5
_NO_TABLES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed by gzip, and its name does not end in .gz",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_MARKUP = {"<!doctype": "a web page", "<html": "a web page", "<?xml": "XML", "{": "JSON", "[{": "JSON"}


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a file is to be read; `names` are the columns' names, one for each field of the header."""

    path: Path
    encoding: Encoding
    delimiter: str
    line_end: str
    header: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def inspect(path: Path) -> Form:
    """Read the whole file once for its encoding, and its head for the rest.

    Raises NewCaseError when it is not there or is not a table.
    """
    if not path.is_file():
        raise NewCaseError(_no_file(path))
    try:
        head, encoding, notes = _scan(path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise NewCaseError(f"{path} cannot be decompressed ({error}); copy it again in full") from None
    text = _text(head, encoding)
    _check_text(path, text)
    delimiter, header = _delimiter(path, text)
    return Form(
        path=path,
        encoding=encoding,
        delimiter=delimiter,
        line_end=line_end(text),
        header=header,
        names=tuple(column_names(header)),
        notes=notes,
    )


def _text(head: bytes, encoding: Encoding) -> str:
    """The head may be cut off within a character."""
    if encoding == "utf-8":
        return head.decode(errors="ignore").removeprefix("\ufeff")
    return recode.decoder(encoding).decode(head)


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder; name one CSV file in it"
    present = [found.name for found in path.parent.glob("*")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, present, n=3)
    hint = f"; near it: {', '.join(near)}" if near else "; look at the path"
    return f"There is no file {path}{hint}"


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _scan(path: Path) -> tuple[bytes, Encoding, tuple[str, ...]]:
    """The head, and the encoding that fits the whole file: UTF-8, or Latin-1 where the text is not UTF-8.

    A wrong byte after proper UTF-8 beyond ASCII is damage and costs its row only; not in the head, by which
    cleaning tells whether the encoding is right.
    """
    head, at = b"", 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond_ascii = False
    with _opened(path) as file:
        for chunk in _chunks(file):
            if not head:
                head = chunk[:_HEAD]
                _check_bytes(path, head)
            if b"\0" in chunk:
                raise NewCaseError(f"{path} is not text (it holds NUL bytes); save it as a CSV in UTF-8")
            try:
                beyond_ascii |= not decoder.decode(chunk).isascii()
            except UnicodeDecodeError as error:
                beyond_ascii |= not error.object[: error.start].isascii()
                if beyond_ascii and at + error.start >= _HEAD:
                    return head, "utf-8", (_DAMAGED,)
                return head, "latin-1", (_MIXED if beyond_ascii else _NOT_UTF_8,)
            at += len(chunk)
    return head, "utf-8", ()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _check_bytes(path: Path, head: bytes) -> None:
    for magic, what in _NO_TABLES.items():
        if head.startswith(magic):
            raise NewCaseError(f"{path} is {what}, not a CSV; save the table as a CSV in UTF-8")


def _check_text(path: Path, text: str) -> None:
    start = text.lstrip()[:200].lower()
    if not start:
        raise NewCaseError(f"{path} is empty; give a CSV with a header and rows")
    for mark, what in _MARKUP.items():
        if start.startswith(mark):
            raise NewCaseError(f"{path} is {what}, not a CSV; download or save the table itself as a CSV")


def _delimiter(path: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter by which most rows have as many fields as the header, and the header."""
    best: tuple[float, int] = (0.0, 1)
    chosen = ""
    header: tuple[str, ...] = ()
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter)
        if not rows or len(rows[0]) < 2:
            continue
        alike = sum(len(row) == len(rows[0]) for row in rows[1:]) / max(len(rows) - 1, 1)
        if (alike, len(rows[0])) > best:
            best, chosen, header = (alike, len(rows[0])), delimiter, tuple(rows[0])
    if not chosen:
        raise NewCaseError(
            f"{path} is not a table: none of , ; tab | stands between fields in its first line; "
            f"a case needs a header with two columns or more"
        )
    if best[0] < _FEWEST_ALIKE:
        raise NewCaseError(
            f"{path} is not a table: its header has {len(header)} fields with {chosen!r} between them, "
            f"and only {best[0]:.0%} of the rows have as many; its first line must name the columns"
        )
    return chosen, tuple(name.strip() for name in header)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The records of the head; the last one may be cut off and is left out, if there are enough."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in islice(reader, _ROWS_LOOKED_AT) if row]
    except csv.Error:
        return []
    return rows if len(rows) < 3 or len(text) < _HEAD // 2 else rows[:-1]
