"""Finds a case's raw files, or has them synthesized where there are none."""

from __future__ import annotations

import difflib
import glob
import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.case import Case
from esteira.data import synthesize, workspace
from esteira.errors import EsteiraError
from esteira.settings import Settings

log = logging.getLogger("esteira")
MARK_SUFFIX = ".synthetic.json"


class RawDataError(EsteiraError):
    """The raw files of a case are not there, or are no longer what they were."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RawFile(_Fact):
    """One raw file as it was found."""

    path: Path
    sha256: str
    bytes: int
    modified_ns: int

    def check_unchanged(self) -> None:
        """Raise RawDataError if the file is not the one that was found."""
        status = self.path.stat() if self.path.is_file() else None
        if status is None or (status.st_size, status.st_mtime_ns) != (self.bytes, self.modified_ns):
            raise RawDataError(
                f"{self.path} was changed or removed after it was found; run the DAG extrai_trata_dados again"
            )


class RawFiles(_Fact):
    """The raw files of a case, in the order in which they are read."""

    files: tuple[RawFile, ...]
    synthetic: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(file.path for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def sha256(self) -> str:
        """The hash of the contents: of the one file, or of the files' hashes in order."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()

    def sentence(self) -> str:
        names = ", ".join(path.name for path in self.paths)
        return f"{names}, {self.bytes:,} bytes{', SYNTHETIC' if self.synthetic else ''}"


class Mark(_Fact):
    """Says that the file beside it was synthesized; it no longer holds for another content."""

    generator: str
    sha256: str
    bytes: int


def find(case: Case, settings: Settings) -> RawFiles:
    """The files that `source.files` names under RAW_DATA_PATH; where there is none, the generator writes it
    under SYNTHETIC_DATA_PATH, which by default is the same.

    A file that exists is used as it is, also where only its name with or without .gz is there; of two such
    files, the observed one. Raises RawDataError when there is none and no generator.
    """
    made_up = settings.SYNTHETIC_DATA_PATH or settings.RAW_DATA_PATH
    paths = _matching(case.source.files, settings.RAW_DATA_PATH)
    if not paths and case.source.synthetic is not None:
        paths = _matching(case.source.files, made_up) or [_synthesized(case, case.source.synthetic, made_up)]
    if not paths:
        raise RawDataError(_nothing_found(case, settings.RAW_DATA_PATH))
    files = tuple(_described(path) for path in paths)
    synthetic = any(_is_marked(file) for file in files)
    for file in files:
        log.info("Raw file %s: %s bytes, sha256 %s", file.path, f"{file.bytes:,}", file.sha256[:12])
    if synthetic:
        log.warning("The data of %s is SYNTHETIC: it was generated, not observed", case.name)
    return RawFiles(files=files, synthetic=synthetic)


def _matching(pattern: str, folder: Path) -> list[Path]:
    named = [folder / name for name in (pattern, _packed_or_not(pattern)) if (folder / name).is_file()]
    if named:
        return sorted(named, key=lambda path: _mark_path(path).exists())[:1]
    start = Path(Path(pattern).anchor or folder)
    relative = Path(pattern).relative_to(Path(pattern).anchor)
    found = sorted(start.glob(str(relative))) if relative.parts else []
    return [path for path in found if path.is_file() and not _is_ours(path.relative_to(start))]


def _packed_or_not(name: str) -> str:
    return name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"


def _is_ours(path: Path) -> bool:
    return path.name.endswith(MARK_SUFFIX) or any(part.startswith(".") for part in path.parts)


def _nothing_found(case: Case, folder: Path) -> str:
    present = sorted(
        path.name for path in folder.glob("*") if path.is_file() and not _is_ours(Path(path.name))
    )
    near = difflib.get_close_matches(case.source.files, present, n=3, cutoff=0.5)
    hint = f" (near it: {', '.join(near)})" if near else ""
    return (
        f"{folder / case.source.files} does not exist{hint}; put the raw CSV there, or correct the name in "
        f"the trigger form, source.files in the case {case.name!r} or the setting RAW_DATA_PATH"
    )


def _synthesized(case: Case, generator: str, folder: Path) -> Path:
    """Write the file through a temporary one; a file that came into being meanwhile is left as it is."""
    if glob.has_magic(case.source.files):
        raise RawDataError(
            f"source.files of the case {case.name!r} is the pattern {case.source.files!r}, which no file "
            f"under {folder} matches; source.synthetic needs the name of one file to write"
        )
    generate = synthesize.generator(generator)
    path = folder / case.source.files
    path.parent.mkdir(parents=True, exist_ok=True)
    log.warning("There is no %s: writing SYNTHETIC data there with the generator %s", path, generator)
    with workspace.opened(path.parent) as work:
        written = work / path.name
        generate(written)
        fact = _described(written)
        mark = Mark(generator=generator, sha256=fact.sha256, bytes=fact.bytes)
        (work / "mark").write_text(mark.model_dump_json(indent=2), encoding="utf-8")
        (work / "mark").replace(_mark_path(path))
        with suppress(FileExistsError):
            os.link(written, path)
    return path


def _described(path: Path) -> RawFile:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return RawFile(path=path, sha256=digest, bytes=status.st_size, modified_ns=status.st_mtime_ns)


def _is_marked(file: RawFile) -> bool:
    try:
        mark = Mark.model_validate_json(_mark_path(file.path).read_bytes())
    except (FileNotFoundError, ValidationError):
        return False
    return (mark.sha256, mark.bytes) == (file.sha256, file.bytes)


def _mark_path(path: Path) -> Path:
    return path.with_name(path.name + MARK_SUFFIX)
