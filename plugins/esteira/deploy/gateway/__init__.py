"""The one door to every live case: HAProxy, what it is told, and its container."""
