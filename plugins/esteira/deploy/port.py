"""Whether a port of this machine is free, and who holds it."""

import socket

import psutil

from esteira.deploy.errors import PortError
from esteira.deploy.facts import Instance


def spare() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a listener could be bound to the port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def check(port: int, case: str, ours: list[Instance]) -> None:
    """Raise PortError, saying who listens there, unless the port is free or serves this case already."""
    there = [instance for instance in ours if instance.port == port and instance.running]
    if is_free(port) or any(instance.case == case for instance in there):
        return
    if there:
        raise PortError(
            f"Port {port} serves case {there[0].case!r} version {there[0].version} of this project; "
            f"give {case!r} another port (API_PORT={port + 1}), or stop what is live with `esteira down`"
        )
    raise PortError(
        f"Port {port} is taken by {holder(port)}; end it, or choose another port with API_PORT={port + 1}"
    )


def holder(port: int) -> str:
    """The process that listens on a port, as far as this user may see."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        connections = []
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,)
        if listens and connection.pid and psutil.pid_exists(connection.pid):
            return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a process that this user cannot see"
