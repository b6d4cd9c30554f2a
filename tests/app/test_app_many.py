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


def alike(given: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    for one, other in zip(given, wanted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_each_core_answers_a_part_and_the_parts_are_put_together(cores: int) -> None:
    parts: dict[str, list[np.ndarray]] = {}
    all_at_once = threading.Barrier(cores, timeout=30)

    def ask(given: list[np.ndarray]) -> list[np.ndarray]:
        all_at_once.wait()
        parts[threading.current_thread().name] = given
        return described(given)

    asked = columns()
    alike(many.Split(ask, cores).outputs(asked), described(asked))
    assert sorted(len(part[0]) for part in parts.values()) == sorted(
        map(len, np.array_split(asked[0], cores))
    )


def test_what_goes_wrong_in_another_core_is_raised() -> None:
    def ask(given: list[np.ndarray]) -> list[np.ndarray]:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("of another")
        return described(given)

    with pytest.raises(ValueError, match="of another"):
        many.Split(ask, 2).outputs(columns())


@pytest.mark.parametrize("keys", [[0], [1, 0]])
def test_rows_are_asked_in_the_order_of_the_keys_and_answered_in_their_own(keys: list[int]) -> None:
    seen: list[list[np.ndarray]] = []
    asked = columns()
    alike(
        many.Alike(lambda given: seen.append(given) or described(given), keys).outputs(asked),
        described(asked),
    )
    numbers = np.stack(seen[0][:2], axis=1).astype(float)
    np.testing.assert_array_equal(numbers, numbers[np.lexsort([numbers[:, key] for key in reversed(keys)])])


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

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    random = np.random.default_rng(0)
    sent = [random.integers(0, 5, many.FEW).astype(float) for _ in range(3)]
    sent.append(np.array(["a"] * many.FEW, object))
    few = [column[1:] for column in sent]
    many.asking(ask, metadata, features)(sent)
    monkeypatch.setattr(many, "LARGE", metadata.files["onnx"].bytes)
    many.asking(ask, metadata, features)(few)
    assert seen == [sent, few]
    many.asking(ask, metadata, features)(sent)
    asked = seen[-1]
    _, rate, city = list(map(list, asked[:3]))
    assert list(zip(rate, city, strict=True)) == sorted(zip(*map(list, sent[1:3]), strict=True))
