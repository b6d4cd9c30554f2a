"""Asks Esteira's prediction API: a class to import and a command to run.

from cliente import Cliente
with Cliente() as api:
    print(api.predict({"Area": 120, "City": 1, ...}).prediction)

python cliente.py                                        the model's own example
python cliente.py --json '{"Area": 120, ...}'            one record; - reads it from standard input
python cliente.py --arquivo casas.csv --saida previsoes.csv
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self, TextIO

import httpx
import typer
from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

URL = "http://127.0.0.1:8000"
BATCH = 1000
DELIMITERS = ",;\t"
MOST_BARS = 15
BAR_WIDTH = 30

Answer = float | int | str
"""A number, or a class as the case spells it."""
Value = int | float | str | None
Record = Mapping[str, Value]


class ClienteError(Exception):
    """What went wrong, and what to do, in one message."""


class ApiUnreachableError(ClienteError):
    """Nothing answers at the address, or something else than the API does."""


class NotReadyError(ClienteError):
    """The API is up, but has no model to answer with."""


class RefusedError(ClienteError):
    """The API does not take what was sent; `faults` has an entry for each field."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class TableError(ClienteError):
    """A CSV file cannot be used."""


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

    def __init__(self, url: str = URL, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost")}
        self._http = httpx.Client(timeout=timeout, mounts=direct)

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
        """Predict up to 100,000 records; the answers are in the records' order."""
        answer = self._ask("POST", "/predict/batch", list(records))
        return [_prediction(answer, row) for row in answer["predictions"]]

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
        except httpx.TimeoutException:
            raise ApiUnreachableError(
                f"The API at {self.url} took too long; try again, or give Cliente a longer timeout"
            ) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ApiUnreachableError(
                f"No API answers at {self.url} ({error}).\n"
                f"Start it with `make run`, see what is up with `esteira status`, or give another --url."
            ) from None
        return _understood(response, self.url)


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
        raise NotReadyError(f"The API is up but has no model: {answer['detail']}")
    faults = [_fault(fault) for fault in answer.get("errors", ())]
    raise RefusedError(_lines(str(answer["detail"]), faults), faults)


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


def predict_file(api: Cliente, source: Path, target: Path, progress: Callable[[int], None]) -> int:
    """Copy a CSV with a `prediction` column added, and return its number of rows.

    After it come a `probability_…` of each class, or the interval's `low` and `high`, and the answer of each
    model of a comparison, by its name. Sends BATCH rows at a time, and calls `progress` with the number of
    bytes read so far. Columns that the model does not know are copied. The target appears when it is whole:
    whatever goes wrong, no half of it is left. Raises TableError naming the row, the header being row 1.
    """
    columns = api.model().columns
    with _opened(source) as file, _replaced(target) as out:
        delimiter = _delimiter(file)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        header = next(rows, [])
        names = _names(header, columns, source)
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        done = 0
        for batch in _batches(rows, len(header), source):
            answers = _answers(api, source, batch, [_record(cells, names, columns) for _, cells in batch])
            if not done:
                writer.writerow([*header, *_added(answers[0], header, source)])
            for (_, cells), answer in zip(batch, answers, strict=True):
                writer.writerow([*cells, *_cells(answer).values()])
            done += len(batch)
            progress(os.lseek(file.fileno(), 0, os.SEEK_CUR))
        if not done:
            raise TableError(f"{source} has no rows under its header; add the rows to predict")
    return done


@contextmanager
def _opened(source: Path) -> Iterator[TextIO]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except FileNotFoundError:
        raise TableError(f"{source} does not exist; give the CSV's path with --arquivo") from None
    except UnicodeDecodeError:
        raise TableError(f"{source} is not text in UTF-8; save it as CSV in UTF-8") from None
    except OSError as error:
        raise TableError(f"{source} cannot be read: {error.strerror}; give another CSV") from None


@contextmanager
def _replaced(target: Path) -> Iterator[TextIO]:
    """A new file that takes the target's place when the block ends well, and is gone when it does not."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except OSError as error:
        raise TableError(f"{target} cannot be written: {error.strerror}; choose another --saida") from None
    finally:
        part.unlink(missing_ok=True)


def _delimiter(file: TextIO) -> str:
    first = file.readline()
    file.seek(0)
    return max(DELIMITERS, key=first.count)


def _names(header: Sequence[str], columns: Mapping[str, Any], source: Path) -> list[str | None]:
    """The model's column for each of the header's, None for those that it does not know."""
    if not any(header):
        raise TableError(f"{source} is empty; its first row must name the columns {', '.join(columns)}")
    known = {alias: name for name in columns for alias in (name, _json_name(name))}
    names = [known.get(title.strip()) for title in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    missing = [name for name, about in columns.items() if name not in names and not about["optional"]]
    if twice:
        raise TableError(f"{source} has more than one column {', '.join(twice)}; keep one")
    if missing:
        raise TableError(
            f"{source} has no column {', '.join(missing)}; its first row is {', '.join(header)[:500]!r}"
        )
    return names


def _added(answer: Prediction, header: Sequence[str], source: Path) -> list[str]:
    """The names of the columns that answers add to a table."""
    names = list(_cells(answer))
    for name in names:
        if name in header:
            raise TableError(f"{source} already has a column {name!r}; rename it")
    return names


def _cells(answer: Prediction) -> dict[str, Answer]:
    cells: dict[str, Answer] = {"prediction": answer.prediction}
    for label, probability in (answer.probabilities or {}).items():
        cells[f"probability_{label}"] = probability
    if answer.interval:
        cells |= {"low": answer.interval.low, "high": answer.interval.high}
    return cells | answer.models


def _json_name(column: str) -> str:
    return "_".join(column.split())


def _batches(rows: Iterator[list[str]], width: int, source: Path) -> Iterator[list[tuple[int, list[str]]]]:
    """Rows with their numbers, BATCH at a time, without the blank ones."""
    number = 1
    batch: list[tuple[int, list[str]]] = []
    try:
        for number, cells in enumerate(rows, start=2):
            if cells and len(cells) != width:
                raise TableError(
                    f"{source}, row {number}: has {len(cells)} cells, but the header has {width} columns"
                )
            batch += [(number, cells)] if cells else []
            if len(batch) == BATCH:
                yield batch
                batch = []
    except csv.Error as error:
        raise TableError(f"{source}, row {number + 1}: is not CSV ({error}); correct it") from None
    if batch:
        yield batch


def _record(cells: Sequence[str], names: Sequence[str | None], columns: Mapping[str, Any]) -> Record:
    return {
        name: _value(cell.strip(), columns[name]) for name, cell in zip(names, cells, strict=True) if name
    }


def _value(cell: str, about: Mapping[str, Any]) -> Value:
    """A cell as its column's type; as text where it is no number, for the API to say what is allowed."""
    if not cell:
        return None
    whole = about["type"] == "integer" or isinstance((about.get("levels") or [""])[0], int)
    if whole and (match := re.fullmatch(r"([+-]?[0-9]{1,400})(\.0*)?", cell)):
        return int(match[1])
    if about["type"] == "number" and re.fullmatch(r"[+-]?([0-9]+\.?|[0-9]*\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
        return float(cell)
    return cell


def _answers(
    api: Cliente, source: Path, batch: Sequence[tuple[int, list[str]]], records: Sequence[Record]
) -> list[Prediction]:
    try:
        return api.predict_batch(records)
    except RefusedError as error:
        faults = [replace(fault, row=batch[fault.row - 1][0]) for fault in error.faults if fault.row]
        if not faults:
            raise
        listed = "\n".join(f"  row {fault.row}: {fault.message}" for fault in faults)
        raise TableError(f"{source}: these rows cannot be used, nothing was written:\n{listed}") from None


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def command(
    content: Annotated[
        str | None,
        typer.Option("--json", help="One record as a JSON object; - for standard input."),
    ] = None,
    arquivo: Annotated[Path | None, typer.Option(help="A CSV with a row for each record.")] = None,
    saida: Annotated[Path | None, typer.Option(help="The CSV to write: arquivo's, with predictions.")] = None,
    url: Annotated[str, typer.Option(envvar="API_URL", help="Where the API is.")] = URL,
) -> None:
    """Predict the model's own example, one record or a whole CSV."""
    if (arquivo is None) != (saida is None) or (arquivo and content):
        raise typer.BadParameter("give --json, or --arquivo together with --saida, or none of them")
    try:
        with Cliente(url) as api:
            if arquivo and saida:
                _predict_file_visibly(api, arquivo, saida)
            else:
                _predict_one_visibly(api, content)
    except ClienteError as error:
        Console(stderr=True, soft_wrap=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None


def _predict_one_visibly(api: Cliente, content: str | None) -> None:
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


def _predict_file_visibly(api: Cliente, source: Path, target: Path) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        size = source.stat().st_size if source.is_file() else None
        task = bar.add_task(source.name, total=size)
        rows = predict_file(api, source, target, lambda read: bar.update(task, completed=read))
    Console(soft_wrap=True).print(f"{rows:,} predictions written to {target}", highlight=False)


if __name__ == "__main__":
    app()
