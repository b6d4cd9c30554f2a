"""Holds the public port, listening, and hands it to the gateway.

It never ends a connection itself: while the gateway restarts, callers wait in the kernel's queue and
none is refused. It runs in a container of its own, with Python's standard library alone.
"""

import socket
from pathlib import Path

PORT = 8000
PATH = Path("/run/esteira/admin/door.sock")
_QUEUE = 4096


def main() -> None:
    """Hand the listening socket to whoever asks; the connection to the last one stays open until the end."""
    PATH.unlink(missing_ok=True)
    with socket.create_server(("", PORT), backlog=_QUEUE) as door, socket.socket(socket.AF_UNIX) as handing:
        handing.bind(str(PATH))
        PATH.chmod(0o666)
        handing.listen()
        holder = None
        while True:
            taker, _ = handing.accept()
            socket.send_fds(taker, [b"door"], [door.fileno()])
            if holder:
                holder.close()
            holder = taker


if __name__ == "__main__":
    main()
