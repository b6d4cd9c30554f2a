"""A listening socket that a successor can take over without one lost connection."""

from __future__ import annotations

import ctypes
import errno
import http.client
import json
import socket
import struct
from contextlib import suppress
from pathlib import Path

from app.settings import StartError

_SO_ATTACH_REUSEPORT_CBPF = 51
_SO_DETACH_REUSEPORT_BPF = 68
_RETURN_CONSTANT = 0x06
_SUCCESSOR = 1
"""Where in the group of sockets on one port the second to come is."""


def bind(host: str, port: int, case: str) -> socket.socket:
    """Bind the address, alone or beside a predecessor that serves the same case.

    Raises StartError when another program has it.
    """
    if other := _who_answers(host, port, case):
        raise StartError(f"Port {port} of {host} is taken by {other}; stop it, or choose another API_PORT")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        taken = (
            "taken by another program" if error.errno == errno.EADDRINUSE else f"unusable ({error.strerror})"
        )
        raise StartError(f"Port {port} of {host} is {taken}; stop it, or choose another API_PORT") from None
    return bound


def bind_path(path: Path) -> socket.socket:
    """Bind a Unix socket for everybody who may enter its folder; what a predecessor left there is replaced.

    Raises StartError when the folder cannot be written to.
    """
    staged = path.with_name(f"{path.name}.new")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        staged.unlink(missing_ok=True)
        bound.bind(str(staged))
        staged.chmod(0o666)
        staged.replace(path)
    except OSError as error:
        bound.close()
        raise StartError(f"API_SOCKET={path} cannot be listened on: {error}; choose another place") from None
    return bound


def take_new_connections(listening: socket.socket) -> None:
    """Undo what a predecessor did in `leave_new_connections`, once this socket listens."""
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_REUSEPORT_BPF, 0)


def leave_new_connections(listening: socket.socket) -> None:
    """Have the kernel give every new connection to the successor on the same port, if there is one.

    Without this, connections that the kernel had queued for this socket would be reset when it is closed.
    A one-instruction program chooses the socket: see SO_ATTACH_REUSEPORT_CBPF in socket(7).
    """
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, _SUCCESSOR), 8)
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)


def _who_answers(host: str, port: int, case: str) -> str | None:
    """Who else listens there; None if nobody does or the same case's API."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        other = json.loads(connection.getresponse().read())["case"]
    except (ConnectionRefusedError, socket.gaierror):
        return None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return "another program"
    finally:
        connection.close()
    return None if other == case else f"the API of the case {other!r}"
