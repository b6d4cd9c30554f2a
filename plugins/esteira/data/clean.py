"""Turns raw files into a cleaned dataset: a Parquet file, with its report and rejected rows beside it."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from esteira.case import Case
from esteira.data import apart, describe, engine, layout, staging, workspace
from esteira.data.dataset import FORMAT, Dataset, Place, known
from esteira.data.page import as_page
from esteira.data.raw import RawFiles
from esteira.data.report import Drop, Report, Source, Step, as_text
from esteira.data.sifting import DUPLICATE, Sieve
from esteira.data.staging import Staged
from esteira.errors import EsteiraError
from esteira.rules import ROW
from esteira.settings import Settings

log = logging.getLogger("esteira")
FEWEST_ROWS = 50
_REASONS_SHOWN = 5
_GROUP_ROWS = 61_440  # half of the engine's own: writer and readers hold a group of each column at a time


class CleaningError(EsteiraError):
    """Cleaning left no dataset that a model could be trained on."""


def clean(case: Case, raw: RawFiles, settings: Settings) -> Dataset:
    """Read, check and clean the raw files into PROCESSED_DATA_PATH/<case>/<sha>.parquet.

    The same input gives the same dataset, with its rows in the order of the files; one that is there is
    used again. Rows out = rows in - rejected - duplicates.
    Raises CleaningError, LayoutError, RawDataError or DiskFullError; then no dataset is there.
    """
    started = perf_counter()
    place = Place(settings.PROCESSED_DATA_PATH / case.name, fingerprint(case, raw))
    report = known(place)
    if report is not None:
        log.info("The dataset %s is there already, made from the same input; it is used again", place.dataset)
    else:
        with workspace.opened(place.folder) as work:
            report = _commit(_make(case, raw, work, place, started), work, place)
    log.info("%s", as_text(report))
    return Dataset.of(report, place, seconds=perf_counter() - started)


def fingerprint(case: Case, raw: RawFiles) -> str:
    """Twelve hexadecimal digits that name what a dataset is made from: raw content and what the case says."""
    said = case.model_dump(mode="json", include={"source", "target", "columns", "clean"})
    made_from = [FORMAT, raw.sha256, raw.synthetic, said]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:12]


def _make(case: Case, raw: RawFiles, work: Path, place: Place, started: float) -> Report:
    """Write the dataset and its rejected rows into the work folder."""
    for file in raw.files:
        file.check_unchanged()
    layouts = [layout.inspect(path, case) for path in raw.paths]
    with engine.connected(work / "spill") as connection:
        staged = staging.read(connection, case, layouts, work)
        with apart.opened(work / "rejected", case) as rejected:
            steps = _sift(Sieve(connection, case, staged, rejected), work / "dataset")
        for file in raw.files:
            file.check_unchanged()
        _judge(case, staged, steps, work, place)
    columns = describe.profiles(work / "dataset", layout.columns(case))
    duplicates = sum(drop.rows for step in steps for drop in step.drops if drop.reason == DUPLICATE)
    return Report(
        format=FORMAT,
        case=case.name,
        title=case.title,
        target=case.target,
        sha=place.sha,
        created_at=datetime.now(UTC),
        sources=_sources(raw, staged),
        synthetic=raw.synthetic,
        rows_in=staged.rows_in,
        rows_out=steps[-1].rows_after,
        rejected=rejected.rows,
        duplicates=duplicates,
        steps=tuple(steps),
        columns=columns,
        seconds=perf_counter() - started,
    )


def _sift(sieve: Sieve, dataset: Path) -> list[Step]:
    steps = [sieve.check()]
    rows = sieve.sound()
    for place, rule in enumerate(sieve.case.clean):
        rows, step = sieve.apply(rule, place, rows, steps[-1].rows_after)
        steps.append(step)
    rows.order_by(ROW).drop(ROW).to_parquet(dataset, row_group_size=_GROUP_ROWS)
    return steps


def _sources(raw: RawFiles, staged: Staged) -> tuple[Source, ...]:
    return tuple(
        Source(
            path=file.path,
            sha256=file.sha256,
            bytes=file.bytes,
            rows=part.rows + part.broken.num_rows,
            ignored_columns=part.layout.ignored,
        )
        for file, part in zip(raw.files, staged.parts, strict=True)
    )


def _judge(case: Case, staged: Staged, steps: list[Step], work: Path, place: Place) -> None:
    """Raise CleaningError, keeping the rejected rows, when too few rows are left to go on."""
    faulty = staged.rows_in - steps[0].rows_after
    files = ", ".join(str(part.layout.path) for part in staged.parts)
    if staged.rows_in == 0:
        raise CleaningError(f"{files} has a header but no rows; put a CSV with rows there")
    share = faulty / staged.rows_in
    if share == 1 or share > case.source.max_rejected:
        problem = (
            f"{faulty:,} of {staged.rows_in:,} rows of {files} ({share:.1%}) are not what the case "
            f"{case.name!r} allows, more than source.max_rejected ({case.source.max_rejected:.0%})"
        )
        drops = steps[0].drops
    elif steps[-1].rows_after < FEWEST_ROWS:
        problem = (
            f"Only {steps[-1].rows_after:,} of {staged.rows_in:,} rows of {files} are left after cleaning, "
            f"fewer than {FEWEST_ROWS}"
        )
        drops = tuple(drop for step in steps for drop in step.drops)
    else:
        return
    workspace.put_in_place({work / "rejected": place.rejected})
    raise CleaningError(f"{problem}:\n{_listed(drops)}\n{_remedy(case, place)}")


def _listed(drops: tuple[Drop, ...]) -> str:
    shown = [f"  {drop}" for drop in drops[:_REASONS_SHOWN]]
    more = len(drops) - len(shown)
    return "\n".join([*shown, *([f"  and {more} more reasons"] if more > 0 else [])])


def _remedy(case: Case, place: Place) -> str:
    return (
        f"Correct the file, or columns, clean or source in the case {case.name!r}; "
        f"the rejected rows are in {place.rejected}"
    )


def _commit(report: Report, work: Path, place: Place) -> Report:
    """Put the files in place, the dataset last; of two writers of one dataset the first one's stays."""
    (work / "page").write_text(as_page(report), encoding="utf-8")
    (work / "report").write_text(report.model_dump_json(indent=2), encoding="utf-8")
    with workspace.locked(place.folder):
        made_meanwhile = known(place)
        if made_meanwhile is not None:
            return made_meanwhile
        workspace.put_in_place(
            {
                work / "rejected": place.rejected,
                work / "page": place.page,
                work / "report": place.report,
                work / "dataset": place.dataset,
            }
        )
    return report
