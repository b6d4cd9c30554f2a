"""What every container is denied, and how much of the machine it may take."""

from typing import Any

HARDENED: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=512m"},  # noqa: S108
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "init": True,
    "log_config": {"type": "json-file", "config": {"max-size": "5m", "max-file": "2"}},
}
API_LIMITS: dict[str, Any] = {
    "network_mode": "none",
    "mem_limit": "1g",
    "memswap_limit": "1g",
    "pids_limit": 128,
}
GATEWAY_LIMITS: dict[str, Any] = {"mem_limit": "256m", "memswap_limit": "256m", "pids_limit": 64}
RESTARTED: Any = {"Name": "unless-stopped"}
