"""The encodings of raw files, of which the engine reads one as it is: UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """Turns bytes into text, portion by portion.

    What calls itself Latin-1 is Windows-1252 more often than not, and differs from it only in control
    characters that no text holds; so it is read as browsers do (https://encoding.spec.whatwg.org).
    """
    if encoding == "latin-1":
        return codecs.getincrementaldecoder("cp1252")(errors=_AS_LATIN_1)
    return codecs.getincrementaldecoder(encoding)()


def as_utf8(content: BinaryIO, encoding: str, target: Path) -> None:
    """Write the content again in UTF-8."""
    decode = decoder(encoding).decode
    with target.open("wb") as file:
        while portion := content.read(_CHUNK_BYTES):
            file.write(decode(portion).encode())


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


_AS_LATIN_1 = "esteira.latin-1"
codecs.register_error(_AS_LATIN_1, _as_latin_1)
