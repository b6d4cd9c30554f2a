"""Known vulnerabilities of what is in the image: `python -m benchmarks.audit`, with pip-audit.

pip-audit passes over what its database does not answer for, and ends as if all were well. Here a package
that was not looked up is a failure, and says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from esteira.settings import PROJECT

PINS = PROJECT / "app" / "requirements.txt"
_SECONDS = "10"


class _Vulnerability(BaseModel):
    id: str
    fix_versions: list[str] = []


class _Package(BaseModel):
    name: str
    version: str = ""
    skip_reason: str | None = None
    vulns: list[_Vulnerability] = []


def audited(service: str) -> list[_Package] | None:
    """What one database says of each pin; None where it cannot be reached."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--requirement", str(PINS)]
    how = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", _SECONDS]
    words = [*command, *how, "--format", "json", "--vulnerability-service", service]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    packages = TypeAdapter(list[_Package]).validate_python(found)
    return None if all(one.skip_reason for one in packages) else packages


def main() -> int:
    """0 where every pin was looked up and none is vulnerable, 1 where one is, 2 where one was not."""
    packages = next((found for service in ("pypi", "osv") if (found := audited(service))), None)
    if packages is None:
        print(f"No database of vulnerabilities can be reached: none of {PINS.name}'s packages was looked up")
        return 2
    bad = [one for one in packages if one.vulns]
    for one in bad:
        known = ", ".join(
            f"{v.id} (fixed in {', '.join(v.fix_versions) or 'nothing yet'})" for v in one.vulns
        )
        print(f"{one.name} {one.version}: {known}; change pyproject.toml, then make pins")
    skipped = [one.name for one in packages if one.skip_reason]
    print(f"{len(packages) - len(skipped)} packages looked up, {len(bad)} known to be vulnerable")
    if skipped:
        print(f"Not looked up: {', '.join(skipped)}")
    return 1 if bad else 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
