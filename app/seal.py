"""Whether the version that an image holds is still the one that it was built with."""

from __future__ import annotations

from app.settings import Settings, StartError
from esteira.bundle import BundleError, load


def check(told: Settings) -> None:
    """Raise StartError, naming the file, when one is not what BUNDLE_SHA256 says; unset, it says nothing."""
    if told.BUNDLE_SHA256 is None:
        return
    try:
        bundle = load(told.ARTEFATOS_PATH, told.CASE, told.MODEL_VERSION)
        found = bundle.sha256
        bundle.read("onnx")
    except BundleError as error:
        raise StartError(
            f"This is not what the image was built with: {error}, or build the image again"
        ) from None
    if found != told.BUNDLE_SHA256:
        raise StartError(
            f"{bundle.metadata_path} is not the file that the image was built with: its SHA-256 is {found}, "
            f"BUNDLE_SHA256 is {told.BUNDLE_SHA256}; build the image again"
        )
