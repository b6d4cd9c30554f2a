"""Asks Esteira's prediction API: a class to import and a command to run.

from cliente import Cliente
with Cliente() as api:
    print(api.predict({"Area": 120, "City": 1, ...}).prediction)

python cliente.py                                        the model's own example
python cliente.py --json '{"Area": 120, ...}'            one record; - reads it from standard input
python cliente.py --arquivo casas.csv --saida previsoes.csv      a whole file; .jsonl and .parquet too
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, Self, TextIO

import httpx
import typer
from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

URL = "http://127.0.0.1:8000"
BATCH = 10_000
MOST_ERRORS = 20
PATIENCE = 60.0
"""Seconds for which a batch is sent again while the API is away or busy."""
LONGEST_WAIT = 10.0
BUSY = frozenset({429, 500, 502, 503, 504})
UNFIT = frozenset({400, 413, 415, 422})
"""The statuses that the same content gets again, whoever sends it and whenever."""
NO_MODEL = "/problems/no-model"
"""The `type` of the only problem that says so; the API has others with the same status."""
DELIMITERS = ",;\t"
MOST_BARS = 15
BAR_WIDTH = 30
SOME_FAILED = 3
"""The exit code when a file was predicted but for some of its rows."""

Answer = float | int | str
"""A number, or a class as the case spells it."""
Value = int | float | str | None
Record = Mapping[str, Value]


class ClienteError(Exception):
    """What went wrong, and what to do, in one message."""


class ApiUnreachableError(ClienteError):
    """Nothing answers at the address, or something else than the API does."""


class NotReadyError(ClienteError):
    """The API is up, but cannot answer now: it has no model, or too much to do."""


class RefusedError(ClienteError):
    """The API does not take what was sent; `faults` has an entry for each field, `status` is HTTP's."""

    def __init__(self, message: str, faults: Sequence[Fault] = (), status: int | None = None) -> None:
        super().__init__(message)
        self.faults, self.status = tuple(faults), status


class TableError(ClienteError):
    """A file cannot be used."""


class OtherVersionError(ClienteError):
    """Another version than the one that a file was begun with answers now."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One field that the API does not take; `row` counts a batch's records from 1."""

    field: str
    message: str
    row: int | None = None


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the true value lies, for a share of `coverage` of all records."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The answer to one record: a number, perhaps with its interval, or a class with the odds of each."""

    case: str
    version: int
    prediction: Answer
    unit: str | None
    warnings: tuple[str, ...]
    probabilities: dict[str, float] | None = None
    interval: Interval | None = None
    models: dict[str, Answer] = field(default_factory=dict)
    """What each of the models says, where the case compares them."""
    technical_details: dict[str, dict[str, float]] = field(default_factory=dict)
    """How good each of those models is."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """The version that answers; `columns` maps each feature to its type, levels, range and unit."""

    case: str
    title: str
    version: int
    target: str
    unit: str | None
    task: str
    classes: list[int] | list[str] | None
    columns: dict[str, dict[str, Any]]
    example: dict[str, Value]
    scores: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Which process serves which version."""

    case: str
    version: int
    instance: str


class Cliente:
    """A connection to the API; use it in a `with` block, or call `close` when done."""

    def __init__(
        self,
        url: str = URL,
        *,
        timeout: float = 30.0,
        patience: float = PATIENCE,
        api_key: str | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._patience = patience
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost")}
        self._http = httpx.Client(timeout=timeout, mounts=direct, headers=_authorization(api_key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(self, record: Record) -> Prediction:
        """Predict one record, given by column names (or their JSON names)."""
        answer = self._ask("POST", "/predict", record)
        return _prediction(answer, answer)

    def predict_batch(self, records: Sequence[Record]) -> list[Prediction]:
        """Predict up to 100,000 records, all or none; the answers are in the records' order."""
        answer = self._ask("POST", "/predict/batch?strict=true", list(records))
        return [_prediction(answer, row) for row in answer["predictions"]]

    def send_batch(
        self,
        body: bytes,
        media_type: str,
        version: int | None = None,
        ended: threading.Event | None = None,
    ) -> bytes:
        """The answer to a batch of any of the API's types, in that type; bad rows have an error in it.

        While the API is away or busy it is sent again, after longer and longer waits, unless `ended` is set.
        Raises OtherVersionError where not `version` answers.
        """
        ended = ended or threading.Event()
        deadline, headers = (
            time.monotonic() + self._patience,
            {"Content-Type": media_type, "Accept": media_type},
        )
        for attempt in count():
            asked, failure = 0.0, ClienteError()
            try:
                response = self._http.post(f"{self.url}/predict/batch", content=body, headers=headers)
                if response.status_code not in BUSY:
                    return _whole(response, self.url, version)
                asked, failure = _asked_wait(response), _busy(response)
            except httpx.TransportError as error:
                failure = self._unreachable(error)
            except OtherVersionError as error:
                failure = error
            wait = max(asked, random.uniform(0, min(LONGEST_WAIT, 0.2 * 2**attempt)))  # noqa: S311
            if time.monotonic() + wait > deadline or ended.wait(wait):
                raise failure
        raise AssertionError

    def model(self) -> Model:
        """What is known of the version that answers."""
        answer = self._ask("GET", "/model")
        features = {name: about for name, about in answer["columns"].items() if name != answer["target"]}
        known = {name: answer[name] for name in Model.__dataclass_fields__}
        return Model(**{**known, "columns": features})

    def ready(self) -> Ready:
        """Who serves; raises NotReadyError while there is no verified model."""
        answer = self._ask("GET", "/health/ready")
        return Ready(case=answer["case"], version=answer["version"], instance=answer["instance"])

    def check(self) -> int:
        """The version that answers; raises NotReadyError while there is no verified model."""
        return int(self._ask("GET", "/check")["version"])

    def _ask(self, method: str, path: str, content: object = None) -> Any:
        body = None if content is None else _dumped(content)
        headers = {"Content-Type": "application/json"}
        try:
            response = self._http.request(method, self.url + path, content=body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from None
        return _understood(response, self.url)

    def _unreachable(self, error: Exception) -> ApiUnreachableError:
        if isinstance(error, httpx.TimeoutException):
            return ApiUnreachableError(
                f"The API at {self.url} took too long; try again, or give Cliente a longer timeout"
            )
        return ApiUnreachableError(
            f"No API answers at {self.url} ({error}).\n"
            f"Start it with `make run`, see what is up with `esteira status`, or give another --url."
        )


def _authorization(api_key: str | None) -> dict[str, str]:
    key = (api_key or "").strip()
    if not all("!" <= sign <= "~" for sign in key):
        raise ClienteError(
            "What was given cannot be an API key: it holds other than ASCII letters, digits and signs; "
            "copy the key once more to --api-key or ESTEIRA_API_KEY, as `esteira keys add` printed it"
        )
    return {"Authorization": f"Bearer {key}"} if key else {}


def _whole(response: httpx.Response, url: str, version: int | None) -> bytes:
    """The content of an answer to a batch."""
    if not response.is_success:
        _understood(response, url)
    answered = response.headers.get("model-version")
    if version is not None and answered not in (None, str(version)):
        raise OtherVersionError(
            f"Version {answered} answers now, and the file was begun with version {version}; "
            f"run this again to have all of it predicted by one version"
        )
    return response.content


def _busy(response: httpx.Response) -> NotReadyError:
    with suppress(ValueError, KeyError, TypeError):
        answer = response.json()
        detail = answer["detail"]
        state = "is up but has no model" if answer.get("type") == NO_MODEL else "cannot answer now"
        return NotReadyError(f"The API {state}: {detail}")
    return NotReadyError(f"The API cannot answer now (HTTP {response.status_code}); try again later")


def _asked_wait(response: httpx.Response) -> float:
    """For how many seconds a Retry-After asks to wait."""
    said = response.headers.get("retry-after", "")
    if said.isdigit():
        return min(float(said), 86_400)
    with suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    return 0.0


def _dumped(content: object) -> bytes:
    """JSON as the API reads it; NaN and infinity are sent, so that it says which field holds them."""
    return json.dumps(content).encode()


def _understood(response: httpx.Response, url: str) -> Any:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if response.is_success and isinstance(answer, dict):
        return answer
    if not isinstance(answer, dict) or "detail" not in answer:
        raise ApiUnreachableError(
            f"What answers at {url} is not Esteira's API (HTTP {response.status_code}); "
            f"give the API's address with --url"
        )
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise _busy(response)
    faults = [_fault(fault) for fault in answer.get("errors", ())]
    raise RefusedError(_lines(str(answer["detail"]), faults), faults, response.status_code)


def _fault(fault: Mapping[str, Any]) -> Fault:
    return Fault(field=fault["field"], message=fault["message"], row=fault.get("row"))


def _lines(detail: str, faults: Sequence[Fault]) -> str:
    if not faults:
        return detail
    places = [f"row {fault.row}: " if fault.row else "" for fault in faults]
    listed = [f"  {place}{fault.message}" for place, fault in zip(places, faults, strict=True)]
    return "\n".join(["The API does not take this:", *listed])


def _prediction(about: Mapping[str, Any], answer: Mapping[str, Any]) -> Prediction:
    interval = answer.get("interval")
    details = about.get("technical_details", {})
    return Prediction(
        case=about["case"],
        version=about["version"],
        prediction=answer["prediction"],
        unit=about.get("unit"),
        warnings=tuple(answer["warnings"]),
        probabilities=answer.get("probabilities"),
        interval=Interval(**interval) if interval else None,
        models={name: answer[name] for name in details},
        technical_details=details,
    )


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows of a file, as they are sent."""

    numbers: Sequence[int]
    """What the file counts them as; a header is row 1."""
    content: Any
    """The rows as the file has them."""
    body: bytes
    position: int
    """How much of the file was read by then."""
    is_first: bool = False
    """Whether a header is to be written before it."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a batch adds to the file that is written."""

    content: bytes
    errors: Sequence[tuple[int, str]]
    """The rows that could not be used, and why."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """How the prediction of a file ended."""

    rows: int
    failed: int
    errors: Sequence[tuple[int, str]]
    """The first MOST_ERRORS of the rows that could not be used, and why."""


class Source(ABC):
    """A file of one type: how it is sent in batches, and how the answers are written beside its rows."""

    media_type: str
    parameters = ""

    def __init__(self, path: Path, model: Model) -> None:
        self.path, self.model = path, model
        self.known = {alias: name for name in model.columns for alias in (name, _json_name(name))}

    @property
    def size(self) -> int:
        """What `Batch.position` grows to."""
        return self.path.stat().st_size

    @abstractmethod
    def batches(self, rows: int) -> Iterator[Batch]:
        """The file's rows, so many at a time; raises TableError naming the row."""

    @abstractmethod
    def merged(self, batch: Batch, answer: bytes) -> Merged:
        """The batch's rows with their answers; raises TableError when both have a column of one name."""

    def finish(self, part: Path, whole: Path) -> None:  # noqa: B027 - most files are what was merged, in order
        """Make of all that was merged the file that is asked for, by way of a second one."""

    def check_added(self, added: Iterable[str], present: Iterable[str], place: str = "") -> None:
        """Raise TableError for a column of the answer that the file, or a `place` in it, has too."""
        for name in added:
            if name in present:
                raise TableError(f"{self.path}{place} already has a column {name!r}; rename it")

    def check_columns(self, header: Sequence[str]) -> list[str | None]:
        """The model's column for each of the header's, None for those that it does not know."""
        columns, names = self.model.columns, [self.known.get(title.strip()) for title in header]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        missing = [name for name, about in columns.items() if name not in names and not about["optional"]]
        if twice:
            raise TableError(f"{self.path} has more than one column {', '.join(twice)}; keep one")
        if missing:
            told = ", ".join(header)[:500]
            raise TableError(f"{self.path} has no column {', '.join(missing)}; its first row is {told!r}")
        return names


class CsvSource(Source):
    """A CSV with a header; columns that the model does not know are copied."""

    media_type = "text/csv"

    def batches(self, rows: int) -> Iterator[Batch]:
        with _opened(self.path) as file:
            self._delimiter = _delimiter(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=self._delimiter, strict=True)
            self._header = next(reader, [])
            if not any(self._header):
                named = ", ".join(self.model.columns)
                raise TableError(f"{self.path} is empty; its first row must name the columns {named}")
            names = self.check_columns(self._header)
            sent = [at for at, name in enumerate(names) if name]
            for place, (numbers, taken) in enumerate(_counted(reader, len(self._header), self.path, rows)):
                cells = [[row[at].strip() for at in sent] for row in taken]
                yield Batch(
                    numbers=numbers,
                    content=taken,
                    body=_csv([[name for name in names if name], *cells], ",").encode(),
                    position=os.lseek(file.fileno(), 0, os.SEEK_CUR),
                    is_first=place == 0,
                )

    def merged(self, batch: Batch, answer: bytes) -> Merged:
        added, *answers = csv.reader(io.StringIO(answer.decode(), newline=""))
        self.check_added(added, self._header)
        rows = [[*row, *cells] for row, cells in zip(batch.content, answers, strict=True)]
        if batch.is_first:
            rows = [[*self._header, *added], *rows]
        errors = zip(batch.numbers, (cells[added.index("error")] for cells in answers), strict=True)
        content = _csv(rows, self._delimiter).encode()
        return Merged(content=content, errors=[(row, error) for row, error in errors if error])


class JsonLinesSource(Source):
    """A record as a JSON object in each line."""

    media_type = "application/json"

    def batches(self, rows: int) -> Iterator[Batch]:
        with _opened(self.path) as file:
            filled = ((number, line.strip()) for number, line in enumerate(file, start=1) if line.strip())
            while taken := list(islice(filled, rows)):
                lines = [line for _, line in taken]
                yield Batch(
                    numbers=[number for number, _ in taken],
                    content=[self._record(*numbered) for numbered in taken],
                    body=f"[{','.join(lines)}]".encode(),
                    position=os.lseek(file.fileno(), 0, os.SEEK_CUR),
                )

    def _record(self, number: int, line: str) -> dict[str, Any]:
        try:
            record = json.loads(line)
        except ValueError as error:
            raise TableError(f"{self.path}, row {number}: is not JSON ({error}); correct it") from None
        if not isinstance(record, dict):
            raise TableError(f"{self.path}, row {number}: is not a record, an object in braces; correct it")
        return record

    def merged(self, batch: Batch, answer: bytes) -> Merged:
        answers: list[dict[str, Any]] = json.loads(answer)["predictions"]
        added = sorted({"error"}.union(*answers))
        for number, record in zip(batch.numbers, batch.content, strict=True):
            self.check_added(added, record, f", row {number}:")
        lines = [
            json.dumps({**record, **row}, ensure_ascii=False) + "\n"
            for record, row in zip(batch.content, answers, strict=True)
        ]
        errors = zip(batch.numbers, (row.get("error") for row in answers), strict=True)
        return Merged(
            content="".join(lines).encode(), errors=[(row, str(error)) for row, error in errors if error]
        )


class ParquetSource(Source):
    """A Parquet file, by pyarrow; columns that the model does not know are copied."""

    media_type = "application/vnd.apache.arrow.stream"

    @property
    def size(self) -> int:
        with self._reading() as parquet:
            return int(parquet.read_metadata(self.path).num_rows)

    def batches(self, rows: int) -> Iterator[Batch]:
        with self._reading() as parquet:
            file, position = parquet.ParquetFile(self.path), 0
            header = file.schema_arrow.names
            names = self.check_columns(header)
            sent = [title for title, name in zip(header, names, strict=True) if name]
            for taken in map(_compact, file.iter_batches(batch_size=rows)):
                numbers = range(position + 1, position + taken.num_rows + 1)
                position += taken.num_rows
                body = _arrow(taken.select(sent))
                yield Batch(numbers=numbers, content=taken, body=body, position=position)

    def merged(self, batch: Batch, answer: bytes) -> Merged:
        import pyarrow as pa

        added = pa.ipc.open_stream(answer).read_all().combine_chunks().to_batches()[0]
        self.check_added(added.schema.names, batch.content.schema.names)
        schema = pa.schema([*batch.content.schema, *added.schema])
        rows = pa.RecordBatch.from_arrays([*batch.content.columns, *added.columns], schema=schema)
        errors = zip(batch.numbers, added.column("error").to_pylist(), strict=True)
        return Merged(content=_arrow(rows), errors=[(row, error) for row, error in errors if error])

    def finish(self, part: Path, whole: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with (
                pa.OSFile(str(part)) as file,
                pq.ParquetWriter(whole, pa.ipc.open_stream(file).schema) as writer,
            ):
                file.seek(0)
                while file.tell() < file.size():
                    for batch in pa.ipc.open_stream(file):
                        writer.write_batch(batch)
        except pa.ArrowException as error:
            raise TableError(
                f"{self.path} cannot be written as Parquet with its predictions: {error}; give it as a CSV"
            ) from None
        whole.replace(part)

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """pyarrow's way to Parquet; what it cannot read there becomes a TableError."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise TableError(
                f"{self.path} needs pyarrow to be read: pip install pyarrow, or give a CSV"
            ) from None
        try:
            yield pq
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"{self.path} cannot be read as Parquet: {error}; give another file") from None


SOURCES: Mapping[str, type[Source]] = {
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".txt": CsvSource,
    ".jsonl": JsonLinesSource,
    ".ndjson": JsonLinesSource,
    ".parquet": ParquetSource,
}


class Journal:
    """What of a file is predicted already, so that it is not done again after a break.

    The rows are in a file beside the target, and this is a second one, with a line for what is predicted and
    one for each batch that is done.
    """

    def __init__(self, target: Path, about: Mapping[str, Any]) -> None:
        self._target = target
        self._part, self._whole, self._path = (
            target.with_name(f".{target.name}.{name}") for name in ("part", "whole", "journal")
        )
        self._about = json.dumps(about)
        self.done: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        try:
            self._lines = self._path.open("a+", encoding="utf-8")
            _lock(self._lines, self._path)
            self._lines.seek(0)
            self._read(self._lines.read().splitlines())
            self._out = self._part.open("r+b" if self.done else "wb")
            self._out.truncate(self.done[-1]["end"] if self.done else 0)
            self._out.seek(0, os.SEEK_END)
        except OSError as error:
            raise _unwritable(self._target, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._out.close()
        self._lines.close()

    def add(self, merged: Merged, rows: int) -> None:
        """Write what a batch adds, and that it is done."""
        try:
            self._out.write(merged.content)
            self._out.flush()
            done = {"end": self._out.tell(), "rows": rows, "failed": len(merged.errors)}
            self.done.append(done | {"errors": merged.errors[:MOST_ERRORS]})
            self._lines.write(json.dumps(self.done[-1]) + "\n")
            self._lines.flush()
        except OSError as error:
            raise _unwritable(self._target, error) from None

    def finish(self, source: Source) -> Report:
        """Put the file in its place; raises TableError when nothing was written."""
        if not self.done:
            raise TableError(f"{source.path} has no rows under its header; add the rows to predict")
        try:
            os.fsync(self._out.fileno())
            source.finish(self._part, self._whole)
            self._part.replace(self._target)
            self._path.unlink()
        except OSError as error:
            raise _unwritable(self._target, error) from None
        listed = [(int(row), str(error)) for done in self.done for row, error in done["errors"]]
        rows, failed = (sum(done[name] for done in self.done) for name in ("rows", "failed"))
        return Report(rows=rows, failed=failed, errors=listed[:MOST_ERRORS])

    def told(self) -> str:
        """How far it is, and what to do."""
        rows = sum(done["rows"] for done in self.done)
        return f"{rows:,} rows are predicted; run the same again to go on from there."

    def forget(self) -> None:
        """Leave nothing of what was begun."""
        for path in (self._part, self._whole, self._path):
            path.unlink(missing_ok=True)

    def _read(self, lines: list[str]) -> None:
        """Keep what was done of the same; a last line may be a half."""
        if lines[:1] == [self._about]:
            written = self._part.stat().st_size if self._part.exists() else 0
            for line in lines[1:]:
                with suppress(ValueError):
                    done = json.loads(line)
                    self.done += [done] if done["end"] <= written else []
        self._lines.truncate(0)
        for line in (self._about, *map(json.dumps, self.done)):
            self._lines.write(line + "\n")
        self._lines.flush()


def predict_file(
    api: Cliente,
    source: Path,
    target: Path,
    *,
    parallel: int = 4,
    rows: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Copy a file with its predictions beside each row: a CSV, JSON lines or Parquet, by its name's ending.

    It goes in batches of so many rows, several at once, and `progress` is called with how much was read so
    far and how much there is. A row that cannot be used gets an error in the place of its prediction. The
    target appears when it is whole. After a break (of this program, or of the API for longer than the client
    is patient), or when a key is refused midway, the same call goes on where it stopped. Raises TableError
    naming the row that is no row.
    """
    kind = SOURCES.get(source.suffix.lower(), CsvSource)
    if kind is not SOURCES.get(target.suffix.lower(), CsvSource):
        raise TableError(f"{target} would be of another type than {source}; give it the same ending")
    _check_target(target)
    model = api.model()
    opened = kind(source, model)
    with Journal(target, _identity(source, model, rows)) as journal:
        try:
            _predict_batches(api, opened, journal, parallel, rows, progress or (lambda *_: None))
            return journal.finish(opened)
        except (TableError, RefusedError, ApiUnreachableError, NotReadyError) as error:
            if _is_final(error):
                journal.forget()
            else:
                error.args = (f"{error}\n{journal.told()}",)
            raise


def _is_final(error: ClienteError) -> bool:
    """Whether the same file would end in the same way again."""
    return isinstance(error, TableError) or (isinstance(error, RefusedError) and error.status in UNFIT)


def _predict_batches(
    api: Cliente,
    source: Source,
    journal: Journal,
    parallel: int,
    rows: int,
    progress: Callable[[int, int], None],
) -> None:
    """Send the batches that are not done yet, so many at once, and write their answers in order."""
    already, version, ended = len(journal.done), source.model.version, threading.Event()
    waiting: deque[tuple[Batch, Future[bytes]]] = deque()

    def write() -> None:
        batch, answer = waiting[0]
        merged = source.merged(batch, answer.result())
        journal.add(merged, len(batch.numbers))
        waiting.popleft()
        progress(batch.position, source.size)

    with ThreadPoolExecutor(parallel) as pool:
        try:
            for number, batch in enumerate(source.batches(rows)):
                if number >= already:
                    told = (batch.body, source.media_type, version, ended)
                    waiting.append((batch, pool.submit(api.send_batch, *told)))
                if len(waiting) > 2 * parallel:
                    write()
            while waiting:
                write()
        except BaseException:
            ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _check_target(target: Path) -> None:
    """Raise TableError for a place where the file could not be put once all is predicted."""
    try:
        TemporaryFile(dir=target.parent).close()
        is_folder = target.is_dir()
    except OSError as error:
        raise _unwritable(target, error) from None
    if is_folder:
        raise TableError(f"{target} is a folder; give --saida the name of a file")


def _unwritable(target: Path, error: OSError) -> TableError:
    return TableError(f"{target} cannot be written: {error.strerror or error}; choose another --saida")


def _identity(source: Path, model: Model, rows: int) -> dict[str, Any]:
    """What must be the same for a prediction to be gone on with."""
    try:
        about = source.stat()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise TableError(f"{source} does not exist; give the file's path with --arquivo") from None
        raise TableError(f"{source} cannot be read: {error.strerror}; give another file") from None
    return {
        "source": str(source.resolve()),
        "size": about.st_size,
        "changed": about.st_mtime_ns,
        "case": model.case,
        "version": model.version,
        "rows": rows,
    }


def _lock(file: TextIO, path: Path) -> None:
    """Keep a second run off the same target, where the system can."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise TableError(
            f"Another run is writing here ({path}); wait for it, or choose another --saida"
        ) from None


@contextmanager
def _opened(source: Path) -> Iterator[TextIO]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        raise TableError(f"{source} is not text in UTF-8; save it as CSV in UTF-8") from None
    except OSError as error:
        raise TableError(f"{source} cannot be read: {error.strerror}; give another file") from None


def _delimiter(header: str) -> str:
    """The one that a header has most of outside of quotes."""
    bare = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _counted(
    reader: Iterator[list[str]], width: int, source: Path, most: int
) -> Iterator[tuple[list[int], list[list[str]]]]:
    """Rows with their numbers, so many at a time, without the blank ones."""
    number = 1
    numbers: list[int] = []
    taken: list[list[str]] = []
    try:
        for number, cells in enumerate(reader, start=2):
            if not cells:
                continue
            if len(cells) != width:
                raise TableError(
                    f"{source}, row {number}: has {len(cells)} cells, but the header has {width} columns"
                )
            numbers.append(number)
            taken.append(cells)
            if len(taken) == most:
                yield numbers, taken
                numbers, taken = [], []
    except csv.Error as error:
        raise TableError(f"{source}, row {number + 1}: is not CSV ({error}); correct it") from None
    if taken:
        yield numbers, taken


def _csv(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _arrow(batch: Any) -> bytes:
    """A stream of its own: only a stream has the dictionaries of its columns."""
    import pyarrow as pa

    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, batch.schema) as stream:
        stream.write_batch(batch)
    return out.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _compact(batch: Any) -> Any:
    """The batch with dictionaries of its own: pyarrow gives each batch those of the whole file."""
    import pyarrow as pa

    for place, column in enumerate(batch.columns):
        if pa.types.is_dictionary(column.type):
            own = column.dictionary_decode().dictionary_encode()
            batch = batch.set_column(place, batch.schema.field(place).with_type(own.type), own)
    return batch


def _json_name(column: str) -> str:
    return "_".join(column.split())


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def command(
    content: Annotated[
        str | None,
        typer.Option("--json", help="One record as a JSON object; - for standard input."),
    ] = None,
    arquivo: Annotated[
        Path | None,
        typer.Option(help="A file of records: .csv, .jsonl (a record in each line) or .parquet."),
    ] = None,
    saida: Annotated[
        Path | None, typer.Option(help="The file to write: arquivo's rows, each with its prediction.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="How many batches are sent at once.")] = 4,
    lote: Annotated[int, typer.Option(min=1, max=100_000, help="How many rows a batch has.")] = BATCH,
    patience: Annotated[
        float, typer.Option(min=0, help="For how many seconds to go on trying while the API is away or busy.")
    ] = PATIENCE,
    url: Annotated[str, typer.Option(envvar="API_URL", help="Where the API is.")] = URL,
    api_key: Annotated[
        str | None, typer.Option(envvar="ESTEIRA_API_KEY", help="A key, where the API asks for one.")
    ] = None,
) -> None:
    """Predict the model's own example, one record or a whole file.

    A file's rows keep their order and their other columns. Rows that the model cannot take get an error
    beside them, are listed at the end, and make the exit code 3. Should it be stopped midway, the same
    command goes on where it was.
    """
    if (arquivo is None) != (saida is None) or (arquivo and content):
        raise typer.BadParameter("give --json, or --arquivo together with --saida, or none of them")
    try:
        with Cliente(url, patience=patience, api_key=api_key) as api:
            if arquivo and saida:
                failed = _predict_file_visibly(api, arquivo, saida, parallel, lote)
            else:
                failed = _predict_one_visibly(api, content)
    except ClienteError as error:
        _complain(str(error))
        raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(SOME_FAILED)


def _complain(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, style="red", markup=False, highlight=False)


def _predict_one_visibly(api: Cliente, content: str | None) -> int:
    model = api.model()
    record = model.example if content is None else _parsed(content)
    answer = api.predict(record)
    console = Console()
    console.print(_record_table(model, record, answer))
    if answer.probabilities:
        console.print(_bars(answer.probabilities))
    if answer.models:
        console.print(_side_by_side(answer))
    for warning in answer.warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False)
    return 0


def _record_table(model: Model, record: Record, answer: Prediction) -> Table:
    table = Table("column", "value", title=Text(f"{model.title}, version {answer.version}"))
    for name, value in record.items():
        table.add_row(Text(name), Text("" if value is None else str(value)))
    table.add_section()
    table.add_row(Text(model.target), Text(_amount(answer.prediction, answer)), style="bold green")
    if answer.interval:
        low, high = _amount(answer.interval.low, answer), _amount(answer.interval.high, answer)
        table.add_row(f"{answer.interval.coverage:.0%} of them lie", Text(f"between {low} and {high}"))
    return table


def _amount(value: Answer, answer: Prediction) -> str:
    """A class as it is; a number with two decimals and its unit."""
    if answer.probabilities is not None or isinstance(value, str):
        return str(value)
    return f"{value:,.2f}{f' {answer.unit}' if answer.unit else ''}"


def _bars(probabilities: Mapping[str, float]) -> Table:
    """The classes, the most probable first, each with a bar."""
    table = Table("class", "probability", "")
    ordered = sorted(probabilities.items(), key=lambda one: -one[1])
    for label, probability in ordered[:MOST_BARS]:
        bar = Bar(1.0, 0.0, probability, width=BAR_WIDTH, color="green")
        table.add_row(Text(label), f"{probability:.1%}", bar)
    if rest := ordered[MOST_BARS:]:
        table.add_row(f"{len(rest)} more", f"{sum(probability for _, probability in rest):.1%}")
    return table


def _side_by_side(answer: Prediction) -> Table:
    """What each model says, and how good it is."""
    scores = list(dict.fromkeys(name for known in answer.technical_details.values() for name in known))
    table = Table("model", "answer", *scores)
    for name, said in answer.models.items():
        known = answer.technical_details[name]
        cells = (f"{known[score]:,.3f}" if score in known else "" for score in scores)
        table.add_row(Text(name), Text(_amount(said, answer)), *cells)
    return table


def _parsed(content: str) -> Record:
    text = sys.stdin.read() if content == "-" else content
    try:
        record = json.loads(text)
    except ValueError as error:
        raise ClienteError(f"--json is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise ClienteError('--json must be one record, an object like {"column": value}')
    return record


def _predict_file_visibly(api: Cliente, source: Path, target: Path, parallel: int, rows: int) -> int:
    """Predict a file, and return how many of its rows could not be."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(source.name, total=None)
        report = predict_file(
            api,
            source,
            target,
            parallel=parallel,
            rows=rows,
            progress=lambda read, size: bar.update(task, completed=read, total=size),
        )
    predicted = report.rows - report.failed
    Console(soft_wrap=True).print(f"{predicted:,} predictions written to {target}", highlight=False)
    if report.failed:
        listed = [f"  row {row}: {error}" for row, error in report.errors]
        listed += ["  …"] if report.failed > len(listed) else []
        _complain("\n".join([f"{report.failed:,} of {report.rows:,} rows cannot be used:", *listed]))
    return report.failed


if __name__ == "__main__":
    app()
