"""Starts HAProxy on the listening socket that `hold.py` has, and ends it when that is gone.

No case is behind it where nobody has said yet which there are. It runs in a container of its own, with
Python's standard library alone.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ADMIN = Path("/run/esteira/admin")
DOOR = ADMIN / "door.sock"
_AT_FIRST = {
    "cases.cfg": "",
    "shadow.map": "",
    "index.html": "<!doctype html><title>Esteira</title><p>No case is live yet.",
}
_PAUSE = 0.02


def main() -> int:
    """Run HAProxy until it ends; its exit code."""
    for name, content in _AT_FIRST.items():
        if not (ADMIN / name).exists():
            (ADMIN / name).write_text(content)
    holder, door = _taken()
    files = ["-f", "/etc/esteira/haproxy.cfg", "-f", str(ADMIN / "cases.cfg")]
    haproxy = subprocess.Popen(
        ["haproxy", "-W", "-S", f"{ADMIN}/master.sock,mode,666", *files],
        pass_fds=[door],
        env={**os.environ, "DOOR": str(door)},
    )
    os.close(door)
    for one in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(one, lambda number, _: haproxy.send_signal(number))
    threading.Thread(target=_end_with, args=(holder, haproxy), daemon=True).start()
    return haproxy.wait()


def _taken() -> tuple[socket.socket, int]:
    """The connection to who holds the port, and the listening socket; waits until there is one."""
    while True:
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.connect(str(DOOR))
            _, handed, _, _ = socket.recv_fds(holder, 16, 1)
        except OSError:
            handed = []
        if handed:
            return holder, handed[0]
        holder.close()
        time.sleep(_PAUSE)


def _end_with(holder: socket.socket, haproxy: "subprocess.Popen[bytes]") -> None:
    """A port whose holder is gone gets no connection: started again, this takes the next one's."""
    with suppress(OSError):
        holder.recv(1)
    haproxy.terminate()


if __name__ == "__main__":
    sys.exit(main())
