"""If a part of Airflow is healthy: `python -IS beats.py scheduler`; without the library, so in a breath."""

import json
import os
import sys
from urllib.request import urlopen

_URL = os.environ["AIRFLOW_URL"]


def _asked(path: str) -> bytes:
    with urlopen(f"{_URL}{path}", timeout=30) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


_asked("/execution/health")  # made at the first question, which should not be a task's
sys.exit(json.loads(_asked("/api/v2/monitor/health"))[sys.argv[1]]["status"] != "healthy")
