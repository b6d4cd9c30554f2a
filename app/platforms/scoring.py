"""`GET /ping` and `POST /invocations`: MLflow's scoring protocol, and what Amazon SageMaker asks for.

The forms of a body are those of MLflow's documentation (Deploy model as local inference server): JSON with
one of `dataframe_split`, `dataframe_records`, `instances` and `inputs`, or a CSV. SageMaker's (Custom
inference code with hosting services) leaves the body to the container.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers

from app import media, pieces
from app.platforms.whole import Outputs, Rows, Whole, check_each_once, no_rows, unusable
from app.problems import Refusal

LARGEST = 64_000_000


class Scoring:
    """Answers `/invocations`."""

    def __init__(self, whole: Whole) -> None:
        self._whole = whole

    def answer(self, content: bytes, headers: Headers) -> tuple[bytes, str]:
        """The answer and its media type; raises Refusal saying what a body may be."""
        sent = media.sent(headers)
        if sent not in ("json", "csv"):
            raise Refusal(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "Send application/json or text/csv here, other types to /predict/batch",
            )
        wanted = media.wanted(headers, "json")
        outputs = self._whole.answer_csv(content) if sent == "csv" else self._of_json(pieces.whole(content))
        found = self._whole.predictions(outputs)
        if wanted == "csv":
            return "".join(f"{_cell(one)}\n" for one in found).encode(), media.TYPES["csv"]
        return json.dumps({"predictions": found}, ensure_ascii=False).encode(), media.TYPES["json"]

    def _of_json(self, sent: Any) -> Outputs:
        if isinstance(sent, dict):
            if sent.get("params"):
                raise unusable("The model takes no params; leave them out")
            forms = [name for name in _FORMS if name in sent]
            if len(forms) == 1:
                return self._whole.answer(_FORMS[forms[0]](sent[forms[0]], self._whole))
        raise unusable(f"The body must be an object with exactly one of {', '.join(_FORMS)}")


def rows_of(sent: Any, whole: Whole) -> Rows:
    """Records, or lists of cells in the model's order; raises Refusal for what is neither."""
    if not isinstance(sent, list) or not sent:
        raise unusable("There must be a list of records, or of lists of values")
    return sent if isinstance(sent[0], dict) else whole.named(sent)


def _split(sent: Any, whole: Whole) -> Rows:
    if not isinstance(sent, dict) or not isinstance(sent.get("data"), list):
        raise unusable("dataframe_split must be an object with columns and data")
    names, rows = sent.get("columns"), sent["data"]
    if names is None:
        return whole.named(rows)
    _check_names(names)
    if not rows:
        raise no_rows()
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise unusable(f"Row {number} of dataframe_split.data must have a value for each of its columns")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _check_names(names: Any) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise unusable("dataframe_split.columns must be a list of the columns' names, each a text")
    check_each_once(names)


def _inputs(sent: Any, whole: Whole) -> Rows:
    if isinstance(sent, dict):
        return {name: cells if isinstance(cells, list) else [cells] for name, cells in sent.items()}
    return rows_of(sent, whole)


def _cell(value: Any) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n\r') else text


_FORMS: Mapping[str, Callable[[Any, Whole], Rows]] = {
    "dataframe_split": _split,
    "dataframe_records": rows_of,
    "instances": rows_of,
    "inputs": _inputs,
}
