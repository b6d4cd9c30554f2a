"""How the proxy says no."""

from esteira.errors import EsteiraError


class RefusedError(EsteiraError):
    """A request that the engine never sees, or whose answer it gave before; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status
