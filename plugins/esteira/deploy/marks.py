"""What people have said of a case's versions: which one it is pinned to, and which ones are withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from esteira import bundle as bundles
from esteira.bundle import BundleError
from esteira.deploy import standing
from esteira.deploy.errors import NoWayBackError, PinnedError, WithdrawnError
from esteira.deploy.facts import Outcome, Release
from esteira.deploy.journal import record, releases, user
from esteira.deploy.lock import locked
from esteira.metadata import Metadata
from esteira.settings import Settings


@dataclass(frozen=True)
class Marks:
    """The lines of the journal that hold now."""

    pinned: Release | None
    withdrawn: Mapping[int, Release]
    served: tuple[int, ...]
    """The versions that served, in the order of their going live; going back takes away what came after."""

    def check(self, case: str, version: int) -> None:
        """Raises WithdrawnError or PinnedError when the version is not to go live."""
        if version in self.withdrawn:
            raise WithdrawnError(
                f"Version {version} of {case!r} was withdrawn {_told(self.withdrawn[version])}; release "
                f"another one, or take that back first: esteira withdraw {case} {version} --undo"
            )
        if self.pinned and self.pinned.version != version:
            raise PinnedError(
                f"{case!r} was pinned to version {self.pinned.version} {_told(self.pinned)}, so version "
                f"{version} does not go live; to let it: esteira unpin {case}"
            )


def read(settings: Settings, case: str) -> Marks:
    """What holds for a case now."""
    pinned: Release | None = None
    withdrawn: dict[int, Release] = {}
    served: list[int] = []
    for line in releases(settings.ARTEFATOS_PATH, case):
        if line.outcome in ("pinned", "unpinned"):
            pinned = line if line.outcome == "pinned" else None
        elif line.outcome == "withdrawn":
            withdrawn[line.version] = line
        elif line.outcome == "restored":
            withdrawn.pop(line.version, None)
        elif line.outcome == "live":
            served = _gone_back(served, line.version) if line.back else [*served, line.version]
    return Marks(pinned, withdrawn, tuple(served))


def newest(settings: Settings, case: str) -> int:
    """The newest version that is not withdrawn. Raises BundleError when there is none, WithdrawnError."""
    withdrawn = read(settings, case).withdrawn
    known = bundles.versions(settings.ARTEFATOS_PATH, case) or [
        bundles.load(settings.ARTEFATOS_PATH, case).version
    ]
    left = [version for version in known if version not in withdrawn]
    if not left:
        raise WithdrawnError(f"Every version of {case!r} is withdrawn; train a new one: esteira run {case}")
    return left[-1]


def previous(settings: Settings, case: str) -> int:
    """The version to go back to: the one that served before, and is not withdrawn.

    Raises NoWayBackError when there is none.
    """
    marks, known = read(settings, case), standing.read(settings, case)
    now = known.version if known else None
    there = set(bundles.versions(settings.ARTEFATOS_PATH, case)) - marks.withdrawn.keys() - {now}
    for version in reversed(marks.served):
        if version in there:
            return version
    raise NoWayBackError(
        f"No version of {case!r} served before the one that does; name one with --to, of those in "
        f"`esteira versions {case}`"
    )


def mark(settings: Settings, case: str, version: int, outcome: Outcome, reason: str | None) -> Release:
    """Write a mark into the journal. Raises BundleError when there is no such version.

    One whose metadata cannot be read may be withdrawn all the same. Raises WithdrawnError when the version
    that serves was to be withdrawn.
    """
    facts = _facts(settings, case, version, outcome)
    with locked(settings, case):
        known = standing.read(settings, case)
        if outcome == "withdrawn" and known and known.version == version:
            raise WithdrawnError(
                f"Version {version} of {case!r} serves now; go back first (esteira rollback {case}), "
                "then withdraw it"
            )
        line = Release(
            when=datetime.now(UTC),
            case=case,
            version=version,
            by=user(),
            dataset_sha256=facts and facts.dataset.sha256,
            git_commit=facts and facts.git_commit,
            outcome=outcome,
            reason=reason,
        )
        record(settings.ARTEFATOS_PATH, line)
    return line


def _facts(settings: Settings, case: str, version: int, outcome: Outcome) -> Metadata | None:
    try:
        return bundles.load(settings.ARTEFATOS_PATH, case, version).metadata
    except BundleError:
        if outcome == "withdrawn" and version in bundles.versions(settings.ARTEFATOS_PATH, case):
            return None
        raise


def serving(settings: Settings, case: str) -> int:
    """The version that is to serve. Raises NoWayBackError when none is."""
    known = standing.read(settings, case)
    if known is None:
        raise NoWayBackError(f"No version of {case!r} is live; name one with --version")
    return known.version


def unpin(settings: Settings, case: str) -> None:
    """Let other versions go live again; nothing is said where the case was not pinned."""
    pinned = read(settings, case).pinned
    if pinned is not None:
        mark(settings, case, pinned.version, "unpinned", None)


def _gone_back(served: list[int], version: int) -> list[int]:
    if version not in served:
        return [*served, version]
    return served[: len(served) - served[::-1].index(version)]


def _told(line: Release) -> str:
    why = f": {line.reason}" if line.reason else ""
    return f"on {line.when.astimezone():%Y-%m-%d %H:%M} by {line.by}{why}"
