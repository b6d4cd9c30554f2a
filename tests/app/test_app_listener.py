"""How two processes share a port while one takes over from the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app import listener
from tests.apis import free_port

CONNECTIONS = 100


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A listening socket and, on the same port, its successor."""
    port = free_port()
    with ExitStack() as open_sockets:
        yield _listening(port, open_sockets), _listening(port, open_sockets)


def _listening(port: int, open_sockets: ExitStack) -> socket.socket:
    opened = open_sockets.enter_context(socket.socket())
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    opened.bind(("127.0.0.1", port))
    opened.listen(CONNECTIONS)
    opened.setblocking(False)
    return opened


def accepted(listening: socket.socket) -> int:
    count = 0
    while True:
        try:
            connection, _ = listening.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1


def connect(port: int) -> None:
    for _ in range(CONNECTIONS):
        socket.create_connection(("127.0.0.1", port)).close()


def test_both_get_new_connections_until_one_leaves_them_to_the_other(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    old, new = pair
    port = old.getsockname()[1]
    connect(port)
    assert accepted(old) > 0
    assert accepted(new) > 0
    listener.leave_new_connections(old)
    connect(port)
    assert (accepted(old), accepted(new)) == (0, CONNECTIONS)


def test_after_the_old_one_is_closed_the_new_one_gets_everything(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    old, new = pair
    port = old.getsockname()[1]
    listener.leave_new_connections(old)
    old.close()
    connect(port)
    assert accepted(new) == CONNECTIONS


def test_a_later_successor_shares_until_it_is_told_otherwise(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    old, new = pair
    port = old.getsockname()[1]
    listener.leave_new_connections(old)
    old.close()
    with ExitStack() as open_sockets:
        newest = _listening(port, open_sockets)
        listener.take_new_connections(newest)
        connect(port)
        assert accepted(new) > 0
        assert accepted(newest) > 0


def test_leaving_without_a_successor_loses_nothing() -> None:
    with ExitStack() as open_sockets:
        only = _listening(free_port(), open_sockets)
        listener.leave_new_connections(only)
        connect(only.getsockname()[1])
        assert accepted(only) == CONNECTIONS
