"""Why there is no new case."""

from esteira.errors import EsteiraError


class NewCaseError(EsteiraError):
    """No case can be made of a file, or not under that name."""
