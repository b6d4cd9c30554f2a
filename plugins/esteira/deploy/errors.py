"""What can go wrong between a published version and the live API."""

from esteira.errors import EsteiraError


class DeployError(EsteiraError):
    """A release did not happen; what was live before still is."""


class EngineError(DeployError):
    """The Docker engine does not answer, stopped midway or refused a request."""


class GoneError(EngineError):
    """The Docker engine does not know a container or an image any more."""


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


class LockedError(DeployError):
    """Another release of the case is under way."""
