"""What can go wrong between a published version and the live API."""

from esteira.errors import EsteiraError


class DeployError(EsteiraError):
    """A release did not happen; what was live before still is."""


class EngineError(DeployError):
    """The Docker engine does not answer, stopped midway or refused a request."""

    may_pass = True


class GoneError(EngineError):
    """The Docker engine does not know a container or an image any more."""

    may_pass = False


class ImageError(DeployError):
    """An image could not be built, or is gone."""


class StaleBuildError(DeployError):
    """A version's files are no longer those that were built."""


class NotReadyError(DeployError):
    """An instance ended, refused or stayed silent instead of becoming ready."""


class GoldenError(DeployError):
    """An instance answers a golden example differently than the training process did."""


class PortError(DeployError):
    """The public port serves something else."""


class DiskError(DeployError):
    """There is no room left for what a release writes down."""


class LockedError(DeployError):
    """Another release of the case is under way."""

    may_pass = True


class GatewayError(DeployError):
    """The gateway does not answer, or refuses what it was told."""

    may_pass = True


class CanaryError(DeployError):
    """A share of the traffic was asked for where there is no gateway to share it."""


class PinnedError(DeployError):
    """The case is pinned to another version."""


class WithdrawnError(DeployError):
    """The version was withdrawn, and is not to be released."""


class NoWayBackError(DeployError):
    """There is no earlier version to go back to."""
