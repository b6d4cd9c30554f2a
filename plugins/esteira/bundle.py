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
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.columns import Column
from esteira.errors import EsteiraError
from esteira.vocabulary import Task

Role = Literal["modelo", "scaler", "onnx", "cartao"]
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

Value = int | float | str | None
Record = dict[str, Value]
Answer = float | int | str
"""A number, or a class as the case spells it."""


_FIRST_SCORES: Mapping[Task, tuple[tuple[str, str], ...]] = {
    "regression": (("r2", "R² {:.4f}"), ("rmse", "RMSE {:,.4g}")),
    "classification": (("accuracy", "accuracy {:.4f}"), ("f1", "F1 {:.4f}")),
}


class BundleError(EsteiraError):
    """A version does not exist, or a file of it is missing or differs from what was published."""


class _Fact(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        allow_inf_nan=False,  # JSON has no word for them: such a version could never be opened again
    )


class FileFact(_Fact):
    """One file of a bundle, its path relative to the case's folder."""

    path: str
    sha256: str
    bytes: int


class Seen(_Fact):
    """What training saw of a column: the range of a number, or of a date in days, or a category's levels."""

    min: float | None = None
    max: float | None = None
    levels: tuple[int, ...] | tuple[str, ...] | None = None


class Golden(_Fact):
    """A record (by column name; a date as ISO 8601) and the answer that the training process gave."""

    record: Record
    prediction: Answer
    probabilities: tuple[float, ...] | None = None
    """One for each of the model's classes, in their order."""
    interval: tuple[float, float] | None = None


class Interval(_Fact):
    """The prediction interval of a regression: the share that was asked, and what the holdout showed."""

    asked: float
    coverage: float
    """The share of the holdout's true values that lay inside."""
    width: float
    """The median width on the holdout, in the target's unit."""


class ClassScores(_Fact):
    """How well one class is told from the others on the holdout; `support` is its rows there."""

    precision: float
    recall: float
    f1: float
    support: int


class Compared(_Fact):
    """A candidate whose own answer stands beside the prediction, under its name."""

    name: str
    """As in `DecisionTree`."""
    kind: str
    scores: dict[str, float]
    """Its technical details on the holdout, by the names under which the API shows them."""


class CandidateFact(_Fact):
    """One candidate as it was trained: its parameters and its scores on the validation part."""

    name: str
    parameters: dict[str, Value]
    scores: dict[str, float]
    seconds: float
    bound: str
    mlflow_run_id: str | None = None


class DatasetFact(_Fact):
    """The dataset a version was trained on; the rows are those of its three parts."""

    sha256: str
    rows: int
    train_rows: int
    validation_rows: int
    holdout_rows: int
    synthetic: bool = False


class HeldOutFact(_Fact):
    """What decided which rows a version was judged on, and so never trained on."""

    share: float
    """That was asked for; by content, a smaller share's rows are all among a larger one's."""
    time: str | None = None
    """The date column whose newest rows they are; None where the rows' content decided."""
    since: float | None = None
    """If time decided: the day from which on rows are held out, counted from 1970."""


class Facts(_Fact):
    """Everything known of a trained model before it gets a version number."""

    case: str
    title: str
    target: str
    unit: str | None = None
    task: Task
    classes: tuple[int, ...] | tuple[str, ...] | None = None
    """What a classification tells apart, in the order of the probabilities."""
    threshold: float | None = None
    """Two classes: from this probability of the second one on, it is the answer."""
    columns: dict[str, Column]
    seen: dict[str, Seen]
    example: Record
    golden: tuple[Golden, ...]
    tolerance: float
    """How far an answer may be off, relative to its own size or to `scale`, whichever is larger."""
    scale: float = 1.0
    """The size of a usual answer: the target's standard deviation, in its unit; 1 for classes."""
    chosen: str
    candidates: tuple[CandidateFact, ...]
    scores: dict[str, float]
    """The chosen candidate's scores on the holdout."""
    per_class: dict[str, ClassScores] = {}
    interval: Interval | None = None
    importances: dict[str, float] = {}
    """By how much the case's metric on the holdout worsens when a column is shuffled, strongest first."""
    compared: tuple[Compared, ...] = ()
    """The candidates of the graph's output `models`, in its order."""
    parity: float
    """The largest relative difference between ONNX and scikit-learn on the holdout."""
    dataset: DatasetFact
    held_out: HeldOutFact | None = None
    """None in versions that were published before this was written down."""
    packages: dict[str, str]
    git_commit: str | None = None
    mlflow_run_id: str | None = None
    training_id: str
    """Names the training: publishing the same one again gives the version it already has."""

    def agrees(self, answer: Answer, expected: Answer) -> bool:
        """Whether a class is the expected one, or a number or probability is, within the tolerance."""
        if isinstance(answer, str) or isinstance(expected, str):
            return answer == expected
        return abs(answer - expected) <= self.tolerance * max(self.scale, abs(expected))

    def told(self) -> str:
        """The scores that people look at first, in words."""
        return told(self.task, self.scores)


class Metadata(Facts):
    """The commit record of a version."""

    version: int
    created_at: datetime
    files: dict[Role, FileFact]


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


def told(task: Task, scores: Mapping[str, float]) -> str:
    """The scores that people look at first, of a task, in words."""
    return ", ".join(words.format(scores[name]) for name, words in _FIRST_SCORES[task] if name in scores)


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
