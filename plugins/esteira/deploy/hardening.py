"""What every container is denied, and how much of the machine it may take."""

from typing import Any

HARDENED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "init": True,
    "log_config": {"type": "json-file", "config": {"max-size": "5m", "max-file": "2"}},
}
API_LIMITS: dict[str, Any] = {"mem_limit": "1g", "memswap_limit": "1g", "pids_limit": 128}
DOOR_LIMITS: dict[str, Any] = {"mem_limit": "64m", "memswap_limit": "64m", "pids_limit": 16}
RESTARTED: Any = {"Name": "unless-stopped"}
