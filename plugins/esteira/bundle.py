"""A version's files: publish, load, verify.

    <artefatos>/<case>/modelo/modelo_v3.pkl         joblib, for data scientists
    <artefatos>/<case>/scaler/scaler_v3.pkl         likewise
    <artefatos>/<case>/onnx/modelo_v3.onnx          preprocessing and model, what the API runs
    <artefatos>/<case>/cartao/cartao_v3.html        the model card, for people
    <artefatos>/<case>/assinatura/assinatura_v3.sig the signature of the metadata file
    <artefatos>/<case>/metadados/metadados_v3.json  the commit record

A version exists if and only if its metadata file does. The other files are put in place first,
the metadata last, by a create-if-absent that two writers cannot both win.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from esteira.errors import EsteiraError
from esteira.metadata import Facts, FileFact, Metadata, Role

FILE_NAMES: Mapping[Role, str] = {
    "modelo": "modelo_v{version}.pkl",
    "scaler": "scaler_v{version}.pkl",
    "onnx": "modelo_v{version}.onnx",
    "cartao": "cartao_v{version}.html",
}
_METADATA_NAME = "metadados_v{version}.json"
_SIGNATURE_NAME = "assinatura_v{version}.sig"
_STAGING = ".staging-"

Sign = Callable[[Path, Path], None]
"""Writes the signature of the file at the first path to the second."""


class BundleError(EsteiraError):
    """A version does not exist, or a file of it is missing or differs from what was published."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A published version in `folder`, the case's own folder under ARTEFATOS_PATH."""

    folder: Path
    metadata: Metadata

    @property
    def version(self) -> int:
        return self.metadata.version

    @property
    def metadata_path(self) -> Path:
        return _metadata_path(self.folder, self.version)

    @property
    def signature_path(self) -> Path:
        return _signature_path(self.folder, self.version)

    @property
    def sha256(self) -> str:
        """Of the metadata file as it is now; with the hashes that it holds, of the whole version."""
        return hashlib.sha256(self.metadata_path.read_bytes()).hexdigest()

    def path(self, role: Role) -> Path:
        return self.folder / self.metadata.files[role].path

    def read(self, role: Role) -> bytes:
        """The bytes of a file, if they are those that were published; else BundleError names it."""
        fact, path = self.metadata.files[role], self.path(role)
        if not path.is_file():
            raise BundleError(f"{path} is missing; restore it, or train again to publish a new version")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != fact.sha256:
            raise BundleError(
                f"{path} is not the file that was published as version {self.version}: its SHA-256 differs "
                f"({len(content)} bytes, {fact.bytes} expected); restore it, or train again"
            )
        return content

    def verify(self) -> None:
        """Read every file; raises BundleError at the first that is missing or differs."""
        for role in self.metadata.files:
            self.read(role)


def versions(artefatos: Path, case: str) -> list[int]:
    """The published versions of a case, oldest first."""
    return sorted(_numbers(artefatos / case / "metadados", _METADATA_NAME))


def load(artefatos: Path, case: str, version: int | None = None) -> Bundle:
    """Open a version (by default the newest); files are verified when they are read.

    Raises BundleError when there is no such version or its metadata cannot be understood.
    """
    known = versions(artefatos, case)
    if version is None and not known:
        raise BundleError(
            f"{artefatos / case} holds no version yet; train one with the DAG treina_salva_modelo"
        )
    chosen = known[-1] if version is None else version
    if chosen not in known:
        raise BundleError(f"Version {chosen} of {case!r} does not exist; there are: {known or 'none'}")
    path = _metadata_path(artefatos / case, chosen)
    try:
        metadata = Metadata.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the whole file"
        raise BundleError(f"{path} is not a version's metadata ({key}: {fault['msg']}); restore it") from None
    if (metadata.case, metadata.version) != (case, chosen):
        raise BundleError(
            f"{path} is the metadata of version {metadata.version} of {metadata.case!r}; restore the file of "
            f"version {chosen} of {case!r}"
        )
    return Bundle(folder=artefatos / case, metadata=metadata)


def of_training(artefatos: Path, case: str, training_id: str) -> Bundle | None:
    """The version of a case that a training was published as, if it was.

    One whose metadata cannot be understood is passed over: else no training after it could be published.
    """
    for known in reversed(versions(artefatos, case)):
        with suppress(BundleError):
            bundle = load(artefatos, case, known)
            if bundle.metadata.training_id == training_id:
                return bundle
    return None


def publish(artefatos: Path, facts: Facts, files: Mapping[Role, bytes], sign: Sign | None = None) -> Bundle:
    """Give a trained model the next version number and put its files in place, signed.

    Whatever happens on the way, the earlier versions stay as they are and no number is given twice.
    The same training published again gives the version that it already has. Without `sign` the
    version can be opened, but not built.
    """
    folder = artefatos / facts.case
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        known = of_training(artefatos, facts.case, facts.training_id)
        if known is not None:
            return known
        for left in folder.glob(f"{_STAGING}*"):  # by a writer that was killed: whoever lives holds the lock
            shutil.rmtree(left, ignore_errors=True)
        version = 1 + max(_used_numbers(folder), default=0)
        staging = folder / f"{_STAGING}{uuid.uuid4().hex}"
        try:
            return _commit(folder, staging, version, facts, files, sign)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _commit(
    folder: Path,
    staging: Path,
    version: int,
    facts: Facts,
    files: Mapping[Role, bytes],
    sign: Sign | None,
) -> Bundle:
    file_facts = {
        role: FileFact(
            path=f"{role}/{FILE_NAMES[role].format(version=version)}",
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )
        for role, content in files.items()
    }
    metadata = Metadata(**dict(facts), version=version, created_at=datetime.now(UTC), files=file_facts)
    staging.mkdir()
    for role, content in files.items():
        _write_through(staging / role, content)
    path, signature = _metadata_path(folder, version), _signature_path(folder, version)
    staged = staging / path.name
    _write_through(staged, metadata.model_dump_json(indent=2).encode())
    moves = {staging / role: folder / fact.path for role, fact in file_facts.items()}
    if sign is not None:
        sign(staged, staging / signature.name)
        _sync(staging / signature.name)
        moves[staging / signature.name] = signature
    for source, destination in moves.items():
        destination.parent.mkdir(exist_ok=True)
        source.replace(destination)
        _sync(destination.parent)
    path.parent.mkdir(exist_ok=True)
    os.link(staged, path)
    _sync(path.parent)
    return Bundle(folder=folder, metadata=metadata)


def _used_numbers(folder: Path) -> set[int]:
    """Every number that any file carries: one left by a writer that was killed is not given again."""
    used = _numbers(folder / "metadados", _METADATA_NAME) | _numbers(folder / "assinatura", _SIGNATURE_NAME)
    for role, name in FILE_NAMES.items():
        used |= _numbers(folder / role, name)
    return used


def _numbers(folder: Path, name: str) -> set[int]:
    pattern = re.compile(re.escape(name).replace(r"\{version\}", r"(\d+)"))
    entries = folder.iterdir() if folder.is_dir() else ()
    return {int(match[1]) for entry in entries if (match := pattern.fullmatch(entry.name))}


def _metadata_path(folder: Path, version: int) -> Path:
    return folder / "metadados" / _METADATA_NAME.format(version=version)


def _signature_path(folder: Path, version: int) -> Path:
    return folder / "assinatura" / _SIGNATURE_NAME.format(version=version)


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the case's publishing lock; the kernel lets it go when its holder dies."""
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
