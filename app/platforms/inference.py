"""The Open Inference Protocol, version 2 (KServe, Triton, MLServer), over HTTP and JSON.

A column is a tensor of its name, [N] or [N, 1]; or all columns are one tensor [N, columns] in the model's
order, whatever its name. Source: the protocol's REST API specification.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from math import prod
from typing import Any

from app import pieces
from app.batches import MOST_RECORDS
from app.jsonrows import too_many
from app.platforms.whole import Outputs, Rows, Whole, check_each_once, unusable
from app.problems import Refusal
from esteira.columns import Category, Integer, is_text, json_name

_DATATYPES = frozenset(
    "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES".split()  # noqa: SIM905
)


class Inference:
    """Answers what is below `/v2`."""

    def __init__(self, whole: Whole) -> None:
        self._whole, metadata = whole, whole.modelo.metadata
        self._name, self._version = metadata.case, str(metadata.version)
        self._outputs = [(output.name, output.width) for output in whole.modelo.outputs]
        self.server = _json({"name": "esteira", "version": self._version, "extensions": []})
        self.live, self.ready = _json({"live": True}), _json({"ready": True})
        self.model_ready = _json({"name": self._name, "ready": True})
        self.model = _json(
            {
                "name": self._name,
                "versions": [self._version],
                "platform": "onnx_onnxruntime",
                "inputs": list(self._described()),
                "outputs": [
                    {
                        "name": name,
                        "datatype": self._datatype(name),
                        "shape": [-1, width] if width > 1 else [-1],
                    }
                    for name, width in self._outputs
                ],
            }
        )

    def check(self, name: str, version: str | None) -> None:
        """Raise Refusal where another model or version is asked for."""
        if name != self._name or version not in (None, self._version):
            asked = name if version is None else f"{name}, version {version}"
            detail = f"Here is {self._name}, version {self._version}, not {asked[:200]}"
            raise Refusal(HTTPStatus.NOT_FOUND, detail)

    def infer(self, content: bytes) -> bytes:
        """The answer to an inference request; raises Refusal."""
        sent = pieces.whole(content)
        tensors = sent.get("inputs") if isinstance(sent, dict) else None
        if not isinstance(tensors, list) or not tensors:
            raise unusable("The body must be an object with inputs, a list of tensors")
        wanted, named = self._wanted(sent.get("outputs")), _named(sent.get("id"))
        outputs = self._whole.answer(self._rows([_Tensor(one) for one in tensors]))
        answer = {"model_name": self._name, "model_version": self._version, **named}
        return _json({**answer, "outputs": [one for one in self._tensors(outputs) if one["name"] in wanted]})

    def _rows(self, tensors: list[_Tensor]) -> Rows:
        known = {*self._whole.names, *self._whole.modelo.columns}
        if len(tensors) == 1 and tensors[0].name not in known:
            return self._whole.named(tensors[0].rows(len(self._whole.names)))
        check_each_once(one.name for one in tensors)
        return {one.name: one.cells() for one in tensors}

    def _tensors(self, outputs: Outputs) -> Iterator[dict[str, Any]]:
        classes = self._whole.modelo.metadata.classes
        for (name, width), found in zip(self._outputs, outputs, strict=True):
            cells = found.reshape(-1).tolist()
            if classes is not None and self._datatype(name) != "FP64":
                cells = [classes[place] for place in cells]
            shape = [len(found), width] if width > 1 else [len(found)]
            told = (
                {"parameters": {"labels": [str(one) for one in classes]}}
                if name == "probabilities" and classes
                else {}
            )
            yield {"name": name, "datatype": self._datatype(name), "shape": shape, "data": cells, **told}

    def _wanted(self, outputs: Any) -> set[str]:
        every = {name for name, _ in self._outputs}
        if outputs is None:
            return every
        listed = outputs if isinstance(outputs, list) else []
        names = [one.get("name") if isinstance(one, dict) else None for one in listed]
        if not names or not all(isinstance(name, str) and name in every for name in names):
            raise unusable(f"outputs must name some of {', '.join(sorted(every))}")
        return {str(name) for name in names}

    def _described(self) -> Iterator[Mapping[str, Any]]:
        for name, column in self._whole.modelo.columns.items():
            whole = isinstance(column, Integer | Category)
            kind = "BYTES" if is_text(column) or column.type == "date" else "INT64" if whole else "FP64"
            yield {"name": json_name(name), "datatype": kind, "shape": [-1]}

    def _datatype(self, output: str) -> str:
        classes = self._whole.modelo.metadata.classes
        if classes is None or output == "probabilities":
            return "FP64"
        return "INT64" if isinstance(classes[0], int) else "BYTES"


class _Tensor:
    """One input; raises Refusal where it is not as the protocol says."""

    def __init__(self, sent: Any) -> None:
        if not isinstance(sent, dict) or not isinstance(sent.get("name"), str):
            raise unusable("Each of inputs must be an object with name, shape, datatype and data")
        self.name: str = sent["name"]
        data, kind = sent.get("data"), sent.get("datatype")
        if not isinstance(kind, str) or kind not in _DATATYPES:
            raise self._wrong(f"datatype must be one of {', '.join(sorted(_DATATYPES))}")
        self._shape = self._sizes(sent.get("shape"))
        if not isinstance(data, list):
            raise self._wrong("data must be a list; binary data are not taken")
        self._data, size = list(_flat(data, len(self._shape))), prod(self._shape)
        if len(self._data) != size:
            raise self._wrong(f"data has {len(self._data):,} values, but shape says {size:,}")

    def cells(self) -> list[Any]:
        """Of one column."""
        if self._shape[1:] not in ([], [1]):
            raise self._wrong(f"shape must be [N] or [N, 1], not {self._shape}")
        return self._data

    def rows(self, width: int) -> list[list[Any]]:
        """Of all columns."""
        if len(self._shape) != 2 or self._shape[1] != width:
            raise self._wrong(f"shape must be [N, {width}], a value for each column, or its name a column's")
        return [self._data[start : start + width] for start in range(0, len(self._data), width)]

    def _sizes(self, shape: Any) -> list[int]:
        """Sizes of any length and number would take minutes to multiply, and cannot even be written."""
        if not isinstance(shape, list) or len(shape) not in (1, 2):
            raise self._wrong("shape must be [N] or [N, 1], or of all columns [N, columns]")
        if not all(type(size) is int and size >= 0 for size in shape):
            raise self._wrong("shape must be a list of whole numbers")
        if shape[0] > MOST_RECORDS:
            raise too_many(MOST_RECORDS)
        if shape[-1] > MOST_RECORDS:
            raise self._wrong("shape says more columns than there can be")
        return shape

    def _wrong(self, what: str) -> Refusal:
        return unusable(f"Input {self.name[:100]!r}: {what}")


def _flat(data: list[Any], depth: int) -> Iterator[Any]:
    """The values in row-major order, of nested lists or of one."""
    for one in data:
        if isinstance(one, list) and depth > 1:
            yield from _flat(one, depth - 1)
        else:
            yield one


def _named(number: Any) -> dict[str, str]:
    """The request's own id, as the answer repeats it."""
    if number is None:
        return {}
    if not isinstance(number, str | int):
        raise unusable("id must be a text")
    return {"id": str(number)}


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
