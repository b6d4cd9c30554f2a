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


def public(wanted: int, case: str, ours: list[Instance]) -> int:
    """The port where a process of a case goes live: the wanted one, unless other cases are served there.

    Then it is the one where the case is live already, or else the next free one above.
    Raises PortError, saying who listens there, when the wanted port is held by somebody else.
    """
    holders = {instance.case for instance in ours if instance.port == wanted and instance.running}
    if not holders and not is_free(wanted):
        raise PortError(taken(wanted))
    if not holders - {case}:
        return wanted
    own = [one.port for one in ours if one.case == case and one.role == "live" and one.port != wanted]
    return own[0] if own else next(port for port in range(wanted + 1, 65_536) if is_free(port))


def taken(port: int) -> str:
    """Who holds a port, and what to do."""
    return f"Port {port} is taken by {holder(port)}; end it, or choose another port with API_PORT={port + 1}"


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
