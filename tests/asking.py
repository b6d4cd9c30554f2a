"""Asks an API all that its OpenAPI document allows, and much that it does not, with Schemathesis."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.apis import Api

EXAMPLES = 20
"""Of each kind of request, for each operation."""


_BATCH = "/predict/batch"
_PHASES = "examples,coverage,fuzzing"
_PARTS = (
    ["--exclude-path", _BATCH],
    ["--include-path", _BATCH, "--phases", _PHASES, "--exclude-checks", "negative_data_rejection"],
)
"""A batch is answered whatever its rows are: those that cannot be used have an error in their place."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How many requests were made, and what Schemathesis said of them."""

    requests: int
    failed: int
    said: str


def asked(api: Api, examples: int = EXAMPLES, seed: int = 1) -> Asked:
    """With all checks: examples, boundaries, random requests good and bad, and sequences along the links."""
    how = ["--max-examples", str(examples), "--seed", str(seed)]
    found = [_asked(api, *how, *part) for part in _PARTS]
    return Asked(
        requests=sum(one.requests for one in found),
        failed=sum(one.failed for one in found),
        said="\n".join(one.said for one in found),
    )


def _asked(api: Api, *how: str) -> Asked:
    program = str(Path(sys.executable).with_name("schemathesis"))
    words = [program, "run", f"{api.url}/openapi.json", "--checks", "all", "--no-color", *how]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    found = re.search(r"(\d[\d,]*) generated(?:, (\d[\d,]*) found)?", done.stdout)
    assert found, done.stdout + done.stderr
    requests, failed = (int((part or "0").replace(",", "")) for part in found.groups())
    assert failed or done.returncode == 0, done.stdout
    return Asked(requests=requests, failed=failed, said=done.stdout)
