"""Why a benchmark has no figure."""

from esteira.errors import EsteiraError


class BenchmarkError(EsteiraError):
    """A benchmark could not be run."""
