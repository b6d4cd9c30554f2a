"""The end of a log file."""

from pathlib import Path

LINES = 20


def tail(log: Path) -> str:
    """The last lines of a log, indented."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-LINES:])
