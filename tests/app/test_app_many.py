"""Many rows at once: sorted for large graphs, split over the cores, and back in their order."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from app import many
from bundles import tiny_bundle

ROWS = 2_000


def columns() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    numbers = [random.integers(0, 9, ROWS).astype(float), random.normal(size=ROWS)]
    numbers[1][::7] = np.nan
    return [*numbers, random.choice(np.array(["a", "b", ""], dtype=object), ROWS)]


def described(given: list[np.ndarray]) -> list[np.ndarray]:
    """Two outputs, of which each row says what the row was."""
    numbers = np.stack(given[:2], axis=1).astype(float)
    return [numbers, np.array([[hash(text) % 1000] for text in given[2]])]


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("keys", [[], [0], [1, 0]])
def test_answers_come_in_the_order_of_their_rows(cores: int, keys: list[int]) -> None:
    asked = columns()
    found = many.Sorted(described, keys, cores).outputs(asked)
    for given, wanted in zip(found, described(asked), strict=True):
        assert given.dtype == wanted.dtype
        np.testing.assert_array_equal(given, wanted)


def test_rows_are_asked_in_the_order_of_the_keys_each_core_its_part() -> None:
    parts: dict[str, list[np.ndarray]] = {}
    both = threading.Barrier(2, timeout=30)

    def ask(given: list[np.ndarray]) -> list[np.ndarray]:
        both.wait()
        parts[threading.current_thread().name] = given
        return described(given)

    many.Sorted(ask, [1, 0], 2).outputs(columns())
    first = parts.pop(threading.current_thread().name)
    (second,) = parts.values()
    rows = np.concatenate([np.stack(part[:2], axis=1).astype(float) for part in (first, second)])
    assert len(first[0]) == len(second[0]) == ROWS / 2
    np.testing.assert_array_equal(rows, rows[np.lexsort((rows[:, 0], rows[:, 1]))])


def test_what_goes_wrong_in_another_core_is_raised() -> None:
    def ask(given: list[np.ndarray]) -> list[np.ndarray]:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("of another")
        return described(given)

    with pytest.raises(ValueError, match="of another"):
        many.Sorted(ask, [0], 2).outputs(columns())


def test_few_rows_are_asked_as_they_are() -> None:
    asked = [column[: many.FEW - 1] for column in columns()]
    seen = []
    many.Sorted(lambda given: seen.append(given) or described(given), [0], 2).outputs(asked)
    assert seen == [asked]


@pytest.mark.parametrize("with_text", [True, False])
def test_a_large_graph_is_asked_by_the_weightiest_columns_of_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_text: bool
) -> None:
    metadata = tiny_bundle(tmp_path, with_text=with_text).metadata
    weights = {"Rate": 2.0, "Kind": 1.5, "City": 1.0, "Living Area": -0.1}
    metadata = metadata.model_copy(update={"importances": weights})
    features = {name: column for name, column in metadata.columns.items() if name != metadata.target}
    seen: list[list[np.ndarray]] = []

    def ask(given: list[np.ndarray]) -> list[np.ndarray]:
        seen.append(given)
        return [np.zeros((len(given[0]), 1))]

    assert many.asking(ask, metadata, features) is ask
    monkeypatch.setattr(many, "LARGE", metadata.files["onnx"].bytes)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    random = np.random.default_rng(0)
    sent = [random.integers(0, 5, 1_000).astype(float) for _ in range(3)]
    many.asking(ask, metadata, features)([*sent, np.array(["a"] * 1_000, object)])
    (asked,) = seen
    _, rate, city = list(map(list, asked[:3]))
    assert list(zip(rate, city, strict=True)) == sorted(zip(*map(list, sent[1:]), strict=True))
