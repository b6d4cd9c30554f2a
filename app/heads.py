"""The headers that make an answer safe to handle, put into its head as bytes that are made once a second."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from email.utils import formatdate
from typing import Any

from app import trace

_EVERYWHERE = (
    b"x-content-type-options: nosniff\r\n"
    b"x-frame-options: DENY\r\n"
    b"referrer-policy: no-referrer\r\n"
    b"cross-origin-opener-policy: same-origin\r\n"
    b"cross-origin-resource-policy: same-origin\r\n"
)
_NO_STORE = b"cache-control: no-store\r\n"
_NO_PAGE = b"content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n"
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""What a page may load and run, unless its own head says otherwise: this API's files, nothing inline."""
_PAGE = f"content-security-policy: {PAGE_POLICY}\r\n".encode()
_IS_DATA = b"\r\ncontent-type: application/json\r\n"
_END = b"\r\n"


class Heads:
    """Completes the heads of answers; faster than handing the same headers to the server each time."""

    def __init__(self) -> None:
        self.data = b""
        """The lines of an answer that is data, and the end of its head."""
        self.renew(time.time())

    def renew(self, now: float) -> None:
        """Take the date from the clock."""
        self._all = _EVERYWHERE + f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        self.data = self._all + _NO_STORE + _NO_PAGE + _END

    def complete(self, head: bytes, scope: MutableMapping[str, Any]) -> bytes:
        """An answer's head with the lines that it lacks; `scope` is the request's."""
        if _IS_DATA in head and trace.NUMBER not in scope:
            return head[: -len(_END)] + self.data
        return head[: -len(_END)] + self._all + _missing(head) + trace.lines(scope) + _END


def _missing(head: bytes) -> bytes:
    """A page, a file or a problem may say for itself how long it keeps and what it loads."""
    lines = b"" if b"\r\ncache-control: " in head else _NO_STORE
    if b"\r\ncontent-security-policy: " not in head:
        lines += _PAGE if b"\r\ncontent-type: text/html" in head else _NO_PAGE
    return lines


HEADS = Heads()
"""Those of this process."""
