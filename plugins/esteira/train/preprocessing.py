"""The fitted preprocessing as an ONNX graph: from raw features to float32 columns."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from esteira.train import dates
from esteira.train.features import Doubles, Floats, Layout
from esteira.train.nodes import ML, Array, Nodes
from esteira.train.scaler import LARGEST
from esteira.train.traced import Value

OUTPUT = "columns"
_NO_LEVEL = -(2.0**62)
"""Beyond the whole numbers that JSON and float64 share."""


def export(fitted: Pipeline, shape: Layout, width: int) -> bytes:
    """A pipeline of `scaler.fit` as serialized ONNX, from `numbers` and `texts` to `columns` [N, width]."""
    nodes = Nodes()
    inputs = {}
    for name, kind, columns in (
        ("numbers", TensorProto.DOUBLE, shape.numbers),
        ("texts", TensorProto.STRING, shape.texts),
    ):
        if columns:
            value = helper.make_tensor_value_info(name, kind, [None, len(columns)])
            inputs[name] = Value(nodes, nodes.input(value))
    parts: list[Value] = []
    for step, how, places in fitted.named_steps["columns"].transformers_:
        if step != "remainder":
            parts.extend(_STEPS[step](_Raw(inputs, shape, places), how))
    nodes.output(OUTPUT, _joined(parts).name, TensorProto.FLOAT, width)
    return nodes.serialized()


class _Raw:
    """The raw features that one step of the pipeline takes."""

    def __init__(self, inputs: Mapping[str, Value], shape: Layout, places: list[int]) -> None:
        self._inputs = inputs
        self._numbers = len(shape.numbers)
        self._places = places

    def together(self) -> Value:
        """As one value, [N, columns]; neighbours are taken together, which is faster than one by one."""
        ends = np.flatnonzero(np.diff(self._places) != 1) + 1
        return _joined([self._slice(run) for run in np.split(np.array(self._places), ends)])

    def __iter__(self) -> Iterator[Value]:
        """One after the other, [N] each."""
        for place in self._places:
            if place < self._numbers:
                yield self._pick("numbers", np.array(place))
            else:
                yield self._pick("texts", np.array(place - self._numbers))

    def repeated(self, times: list[int]) -> Value:
        """Each column so many times, [N, sum of times]."""
        return self._pick("numbers", np.repeat(self._places, times))

    def _slice(self, run: Array) -> Value:
        numbers = self._inputs["numbers"]
        return numbers.then("Slice", numbers, run[:1], run[-1:] + 1, np.array([1]))

    def _pick(self, kind: str, which: Array) -> Value:
        return self._inputs[kind].then("Gather", self._inputs[kind], which, axis=1)


def _numbers(columns: _Raw, how: Pipeline) -> Iterator[Value]:
    imputer, standard = (step for _, step in how.steps)
    filled, flags = _imputed(columns.together(), imputer)
    yield _scaled([filled, *flags], standard)


def _dates(columns: _Raw, how: Pipeline) -> Iterator[Value]:
    imputer, calendar, standard = (step for _, step in how.steps)
    days, flags = _imputed(columns.together(), imputer)
    words = dates.calendar(days)
    if calendar.timed:
        words += dates.clock(days.then("Gather", days, np.array(calendar.timed), axis=1))
    yield _scaled([*words, *flags], standard)


def _imputed(values: Value, imputer: SimpleImputer) -> tuple[Value, list[Value]]:
    missing = values.then("IsNaN", values)
    filled = values.then("Where", missing, imputer.statistics_[None, :], values)
    which = imputer.indicator_.features_.astype(np.int64)
    if not len(which):
        return filled, []
    flags = missing.then("Gather", missing, which, axis=1)
    return filled, [flags.then("Cast", flags, to=TensorProto.DOUBLE)]


def _scaled(parts: list[Value], standard: StandardScaler) -> Value:
    scaled: Value = (_joined(parts) - standard.mean_[None, :]) / standard.scale_[None, :]
    single = scaled.then("Cast", scaled, to=TensorProto.FLOAT)
    return single.then("Clip", single, *(np.array(end, np.float32) for end in (-LARGEST, LARGEST)))


def _joined(parts: list[Value]) -> Value:
    return parts[0].then("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]


def _codes(columns: _Raw, how: OneHotEncoder) -> Iterator[Value]:
    values = columns.repeated([len(levels) for levels in how.categories_])
    found = values.then("Equal", values, np.concatenate(how.categories_)[None, :])
    yield found.then("Cast", found, to=TensorProto.FLOAT)


def _texts(columns: _Raw, how: OneHotEncoder) -> Iterator[Value]:
    for column, levels in zip(columns, how.categories_, strict=True):
        yield _looked_up(column, levels, np.eye(len(levels) + 1, len(levels), dtype=np.float32))


def _encoded(columns: _Raw, how: Any) -> Iterator[Value]:
    encoder, standard = (step for _, step in how.estimator.steps)
    width = len(encoder.encodings_) // len(encoder.categories_)
    for place, (column, levels) in enumerate(zip(columns, encoder.categories_, strict=True)):
        mine = slice(place * width, (place + 1) * width)
        unseen = np.broadcast_to(encoder.target_mean_, (1, width))
        means: Doubles = np.vstack([np.column_stack(encoder.encodings_[mine]), unseen])
        scaled = (means - standard.mean_[mine]) / standard.scale_[mine]
        yield _looked_up(column, levels, np.clip(scaled, -LARGEST, LARGEST).astype(np.float32))


def _looked_up(column: Value, levels: Array, table: Floats) -> Value:
    """The table's row of each value's level, [N, columns of the table]; its last row for a level unseen."""
    if levels.dtype == np.float64:
        column, keys = _whole(column, levels)
    else:
        keys = {"keys_strings": levels.tolist()}
    places = column.then(
        "LabelEncoder",
        column,
        domain=ML,
        values_int64s=range(len(levels)),
        default_int64=len(levels),
        **keys,
    )
    return places.then("Gather", table, places, axis=0)


def _whole(column: Value, levels: Array) -> tuple[Value, dict[str, list[int]]]:
    """Whole numbers as int64, and their keys; a missing one is a number that is no level."""
    known = column.then("Where", column.then("IsNaN", column), _NO_LEVEL, column)
    keys = np.nan_to_num(levels, nan=_NO_LEVEL).astype(np.int64)
    return known.then("Cast", known, to=TensorProto.INT64), {"keys_int64s": keys.tolist()}


_STEPS: Mapping[str, Callable[[_Raw, Any], Iterator[Value]]] = {
    "numbers": _numbers,
    "dates": _dates,
    "codes": _codes,
    "texts": _texts,
    "encoded": _encoded,
}
