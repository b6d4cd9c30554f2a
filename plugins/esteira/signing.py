"""Signs a version when it is published, and verifies it before it is built.

    <home>/keys/assinatura.pem                       the private key, made on first use, for its owner alone
    <home>/keys/assinatura.pub                       the public key
    <artefatos>/<case>/assinatura/assinatura_v3.sig  the signature of a version's metadata file

The metadata file holds the SHA-256 of every other file, so that its signature covers the whole version.
Signatures are those of OpenSSF Model Signing; its own command verifies them too. That library takes a
while to load, so it is imported where it is needed.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from esteira.bundle import Bundle, Sign
from esteira.errors import EsteiraError


class KeyPairError(EsteiraError):
    """The key pair of a home is lost, halved or cannot be read."""


class SignatureError(EsteiraError):
    """A version is not signed, or not as it was signed, or by somebody else."""


@dataclass(frozen=True)
class KeyPair:
    """The keys of a home, which are there once `made` or `found` has returned them."""

    folder: Path

    @property
    def private(self) -> Path:
        return self.folder / "assinatura.pem"

    @property
    def public(self) -> Path:
        return self.folder / "assinatura.pub"


def signer(home: Path) -> Sign:
    """What signs a file with the key of a home; the first signature makes the key.

    It raises KeyPairError when the private key is lost or is not the public key's.
    """

    def sign(path: Path, signature: Path) -> None:
        pair = made(home)

        from model_signing import signing

        signing.Config().use_elliptic_key_signer(private_key=pair.private).sign(path, signature)

    return sign


def verify(bundle: Bundle, home: Path) -> None:
    """Return when the version's metadata file is what was signed with the key of this home.

    Raises SignatureError, or KeyPairError without a key, naming the file and what to do.
    """
    signature, path = bundle.signature_path, bundle.metadata_path
    if not signature.is_file():
        raise SignatureError(
            f"{signature} is missing, so nobody vouches for version {bundle.version}: it was published "
            "before versions were signed, or the signature was removed; restore it, or train again"
        )
    pair = found(home)

    from cryptography.exceptions import InvalidSignature
    from model_signing import verifying

    try:
        verifying.Config().use_elliptic_key_verifier(public_key=pair.public).verify(path, signature)
    except (ValueError, LookupError, TypeError, AttributeError, OSError, InvalidSignature) as error:
        raise SignatureError(_told(error, bundle, pair)) from error


def made(home: Path) -> KeyPair:
    """The key pair of a home; made if there is none, by one of several processes that ask at once.

    Raises KeyPairError when only the public key is left, when the two differ, or one cannot be read.
    """
    pair = KeyPair(home / "keys")
    had_public = pair.public.exists()
    if not pair.private.exists():
        if had_public:
            raise KeyPairError(
                f"{pair.private} is missing, so no version can be signed; restore it from a copy. If it is "
                f"lost, remove {pair.public} too: the next training makes a new key, and versions that were "
                "signed before must be trained again to be built"
            )
        _make_private(pair)
    public = _public_of(pair)
    if not had_public:
        _put(pair.public, public, 0o644)
    if pair.public.read_bytes() != public:
        raise KeyPairError(
            f"{pair.public} is not the public key of {pair.private}: nothing signed now could be verified; "
            "restore the two together from one copy"
        )
    return pair


def found(home: Path) -> KeyPair:
    """The key pair of a home as far as verifying needs it; raises KeyPairError when there is none."""
    pair = KeyPair(home / "keys")
    if not pair.public.exists() and not pair.private.exists():
        raise KeyPairError(
            f"{pair.public} is missing, so no signature can be verified; copy the folder {pair.folder.name} "
            "from the home that published the version, or train again here"
        )
    return pair if pair.public.exists() else made(home)


def _make_private(pair: KeyPair) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    content = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair.folder.parent.mkdir(parents=True, exist_ok=True)
    pair.folder.mkdir(mode=0o700, exist_ok=True)
    _put(pair.private, content, 0o600)


def _public_of(pair: KeyPair) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    try:
        key = serialization.load_pem_private_key(pair.private.read_bytes(), None)
    except (ValueError, TypeError, OSError) as error:
        raise KeyPairError(f"{pair.private} cannot be read as a private key: {error}; restore it") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyPairError(
            f"{pair.private} is not the key of an elliptic curve; restore the one that was made"
        )
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _put(path: Path, content: bytes, mode: int) -> None:
    """Create a file whole, unless it is there already."""
    staged = path.with_name(f".{uuid.uuid4().hex}")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(staged, path)
    finally:
        staged.unlink()


def _told(error: Exception, bundle: Bundle, pair: KeyPair) -> str:
    reason = str(error)
    if reason.startswith("Key mismatch"):
        return (
            f"{bundle.signature_path} was made with another key than {pair.public}: version {bundle.version} "
            "was published by somebody else, or the key was lost and made anew; restore the key that it was "
            "signed with, or train again"
        )
    if reason.startswith("Signature mismatch"):
        return (
            f"{bundle.metadata_path} is not the file that was signed as version {bundle.version}: its "
            "SHA-256 differs; restore it, or train again"
        )
    what = f"{type(error).__name__}: {reason.splitlines()[0]}" if reason else "it was altered"
    return (
        f"{bundle.signature_path} is no signature of {bundle.metadata_path} by the key {pair.public} "
        f"({what}); restore it, or train again"
    )
