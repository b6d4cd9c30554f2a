"""Makes sure that a port is free, or says who has it."""

import socket

import psutil

from esteira.errors import EsteiraError


class PortError(EsteiraError):
    """A port that a service needs cannot be listened on."""


def check_free(port: int, *, service: str, setting: str) -> None:
    """Raise PortError, naming the port, who holds it and the setting to change, unless it is free."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
    except PermissionError:
        raise PortError(
            f"{service} may not listen on port {port}: ports below 1024 are reserved; "
            f"set {setting} to a higher one"
        ) from None
    except OSError:
        raise PortError(
            f"Port {port}, which {service} needs, is in use by {holder(port)}; "
            f"end that, or set {setting} to a free port"
        ) from None


def holder(port: int) -> str:
    """Who listens on a port, in words."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another process (which one cannot be seen without administrator rights)"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens and connection.pid:
            return _words(connection.pid)
    return "another user's process"


def _words(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {pid}"
    shown = command if len(command) <= 80 else f"{command[:80]}…"
    return f"process {pid} ({shown})"
