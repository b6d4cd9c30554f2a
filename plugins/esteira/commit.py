"""Which commit the code is."""

import subprocess

from esteira.settings import PROJECT


def git_commit() -> str | None:
    """The commit that is checked out; None where there is no git or no repository."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(PROJECT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
