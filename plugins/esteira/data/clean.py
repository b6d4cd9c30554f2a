"""Turns raw files into a cleaned dataset: one Parquet file with its quality report and rejected rows beside it."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.case import Case
from esteira.data import apart, describe, engine, layout, page, sifting, staging, workspace
from esteira.data.raw import RawFiles
from esteira.data.report import Report, Source, Step, as_text
from esteira.errors import EsteiraError
from esteira.settings import Settings

log = logging.getLogger("esteira")
FORMAT = 1
"""Part of each dataset's name: a change of what cleaning writes makes it another dataset."""

FEWEST_ROWS = 50


class CleaningError(EsteiraError):
    """Cleaning left no dataset that a model could be trained on."""


class Dataset(BaseModel):
    """A cleaned dataset; it exists if and only if `path` does. `sha` is that of what it was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    sha: str
    path: Path
    report_path: Path
    page_path: Path
    rejected_path: Path
    rows_in: int
    rows_out: int
    rejected: int
    duplicates: int
    synthetic: bool
    seconds: float


def clean(case: Case, raw: RawFiles, settings: Settings) -> Dataset:
    """Read, check and clean the raw files into PROCESSED_DATA_PATH/<case>/<sha>.parquet.

    The same input gives the same dataset, with its rows in the same order; one that is there is used again.
    Rows out = rows in - rejected - duplicates. Raises CleaningError, LayoutError, RawDataError or DiskFullError.
    """
    started = perf_counter()
    place = _place(settings.PROCESSED_DATA_PATH / case.name, _fingerprint(case, raw))
    known = _known(place)
    if known is not None:
        log.info("Dataset %s %s is there already: %s rows", case.name, known.sha, f"{known.rows_out:,}")
        return _dataset(known, place, perf_counter() - started)
    with workspace.opened(place.path.parent) as work:
        report = _made(case, raw, work, place, started)
    ...
