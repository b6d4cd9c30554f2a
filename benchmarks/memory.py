"""The peak memory of a process, and of no other."""

import re
import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The largest resident memory of this process since its program was started.

    On Linux not `ru_maxrss`: a process starts with that of the one which started it.
    """
    told = _STATUS.read_text(encoding="utf-8") if _STATUS.exists() else ""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", told, re.MULTILINE)
    return 1024 * int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
