"""Takes a version live, and halts on the way: `python halting.py <settings> <version> [<point>]`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

from esteira.deploy.facts import Wanted
from esteira.deploy.whole import go_live
from esteira.settings import Settings

BEFORE: dict[str, tuple[str, str]] = {
    "before the image is built": ("esteira.deploy.image", "build"),
    "with a container that is not started": ("esteira.deploy.labels", "started"),
    "before it is ready": ("esteira.deploy.release", "await_ready"),
    "before the golden examples": ("esteira.deploy.release", "check_golden"),
    "with its share in the standing alone": ("esteira.deploy.container", "DockerTarget.route"),
    "while it bakes": ("esteira.deploy.trial", "bake"),
    "before it is to serve": ("esteira.deploy.release", "_commit"),
    "once it is to serve and the gateway does not know": ("esteira.deploy.container", "DockerTarget.route"),
    "with the gateway half told": ("esteira.deploy.gateway.runtime", "Runtime.change"),
    "with the new one added and the old one not dropped": ("esteira.deploy.gateway.runtime", "Runtime._drop"),
    "before the journal": ("esteira.deploy.release", "record"),
    "before the old one is stopped": ("esteira.deploy.container", "DockerTarget.retire"),
    "with the old one stopped": ("esteira.deploy.container", "DockerTarget.prune"),
}
"""What is about to be done at each point."""
CANARY = {"with its share in the standing alone", "while it bakes"}
"""Where a release gets without one, these are passed by."""


def _halt_at(point: str) -> None:
    module, path = BEFORE[point]
    owner: Any = importlib.import_module(module)
    *within, name = path.split(".")
    for part in within:
        owner = getattr(owner, part)
    setattr(owner, name, _halting(getattr(owner, name), point))


def _halting(does: Callable[..., Any], point: str) -> Callable[..., Any]:
    def halting(*args: Any, **kwargs: Any) -> Any:
        if _reached(point):
            print("here", flush=True)
            time.sleep(600)
        return does(*args, **kwargs)

    return halting


def _reached(point: str) -> bool:
    """Whether this call is the point's: every step tells the gateway, and most change nothing."""
    from esteira.deploy import standing

    known = standing.read(_settings, "tiny")
    if "share in the standing" in point:
        return known is not None and bool(known.trial)
    if "gateway" in point or "dropped" in point:
        return known is not None and known.version == _version
    return True


if __name__ == "__main__":
    _settings, _version = Settings.model_validate_json(sys.argv[1]), int(sys.argv[2])
    point = sys.argv[3] if sys.argv[3:] else None
    if point:
        _halt_at(point)
    wanted = Wanted(canary=20, bake=5) if point in CANARY else None
    print(go_live("tiny", _version, _settings, wanted).sentence())
