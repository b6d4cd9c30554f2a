"""A cleaned dataset as it lies on the disk."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from esteira.data.report import Report

log = logging.getLogger("esteira")
FORMAT = 2
"""Part of what names a dataset: a change of what cleaning writes makes it another one."""


@dataclass(frozen=True)
class Place:
    """Where a dataset's files are; the dataset exists if and only if `dataset` does."""

    folder: Path
    sha: str

    @property
    def dataset(self) -> Path:
        return self.folder / f"{self.sha}.parquet"

    @property
    def report(self) -> Path:
        return self.folder / f"{self.sha}.report.json"

    @property
    def page(self) -> Path:
        return self.folder / f"{self.sha}.report.html"

    @property
    def rejected(self) -> Path:
        return self.folder / f"{self.sha}.rejected.parquet"


class Dataset(BaseModel):
    """A cleaned dataset, as it passes from step to step; `sha` names what it was made from."""

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
    """How long it took to get it this time."""

    @classmethod
    def of(cls, report: Report, place: Place, seconds: float) -> Self:
        """The dataset that a report is about."""
        return cls(
            case=report.case,
            sha=report.sha,
            path=place.dataset,
            report_path=place.report,
            page_path=place.page,
            rejected_path=place.rejected,
            rows_in=report.rows_in,
            rows_out=report.rows_out,
            rejected=report.rejected,
            duplicates=report.duplicates,
            synthetic=report.synthetic,
            seconds=seconds,
        )

    def sentence(self) -> str:
        return (
            f"{self.rows_in:,} rows in, {self.rows_out:,} out "
            f"({self.rejected:,} kept aside, {self.duplicates:,} duplicates)"
        )


def known(place: Place) -> Report | None:
    """The report of the dataset that is at a place, if it is there and whole."""
    if not place.dataset.is_file():
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        report = Report.model_validate_json(place.report.read_bytes())
        rows = pq.read_metadata(place.dataset).num_rows
    except (FileNotFoundError, ValidationError, pa.ArrowException) as error:
        log.warning("The dataset %s is damaged (%s); it is made again", place.dataset, error)
        return None
    if rows != report.rows_out or not (place.page.is_file() and place.rejected.is_file()):
        log.warning("The dataset %s is not as its report says; it is made again", place.dataset)
        return None
    return report
