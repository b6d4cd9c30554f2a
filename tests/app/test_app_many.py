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


def inputs() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    numbers = np.stack([random.integers(0, 9, ROWS), random.normal(size=ROWS)], axis=1)
    numbers[::7, 1] = np.nan
    return {"numbers": numbers, "texts": random.choice(np.array(["a", "b", ""], dtype=object), (ROWS, 1))}


def described(given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Two outputs, of which each row says what the row was."""
    return [given["numbers"].copy(), np.array([[hash(text) % 1000] for (text,) in given["texts"]])]


def alike(given: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    for one, other in zip(given, wanted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_each_core_answers_a_part_and_the_parts_are_put_together(cores: int) -> None:
    parts: dict[str, int] = {}
    all_at_once = threading.Barrier(cores, timeout=30)

    def ask(given: dict[str, np.ndarray]) -> list[np.ndarray]:
        all_at_once.wait()
        parts[threading.current_thread().name] = len(given["texts"])
        return described(given)

    alike(many.Split(ask, cores).outputs(inputs()), described(inputs()))
    assert sum(parts.values()) == ROWS
    assert max(parts.values()) - min(parts.values()) <= 1


def test_what_goes_wrong_in_another_core_is_raised() -> None:
    def ask(given: dict[str, np.ndarray]) -> list[np.ndarray]:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("of another")
        return described(given)

    with pytest.raises(ValueError, match="of another"):
        many.Split(ask, 2).outputs(inputs())


@pytest.mark.parametrize("with_text", [True, False])
def test_a_large_graph_is_asked_by_the_weightiest_columns_of_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_text: bool
) -> None:
    metadata = tiny_bundle(tmp_path, with_text=with_text).metadata
    weights = {"Rate": 2.0, "Kind": 1.5, "City": 1.0, "Living Area": -0.1}
    metadata = metadata.model_copy(update={"importances": weights})
    features = {name: column for name, column in metadata.columns.items() if name != metadata.target}
    seen: list[dict[str, np.ndarray]] = []

    def ask(given: dict[str, np.ndarray]) -> list[np.ndarray]:
        seen.append(given)
        return [given["numbers"] * 2]

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    random = np.random.default_rng(0)
    numbers = random.integers(0, 5, (many.FEW, 3)).astype(float)
    texts = [random.choice(np.array(["a", "b"], object), many.FEW)] if with_text else []

    def asked_about(rows: int) -> np.ndarray:
        given = [column[:rows] for column in (*numbers.T, *texts)]
        (answer,) = many.asking(ask, metadata, features)(given)
        np.testing.assert_array_equal(answer, numbers[:rows] * 2)
        assert seen[-1].keys() == ({"numbers", "texts"} if with_text else {"numbers"})
        return seen[-1]["numbers"]

    np.testing.assert_array_equal(asked_about(many.FEW), numbers)
    monkeypatch.setattr(many, "LARGE", metadata.files["onnx"].bytes)
    np.testing.assert_array_equal(asked_about(many.FEW - 1), numbers[:-1])
    rate_and_city = asked_about(many.FEW)[:, 1:].tolist()
    assert rate_and_city == sorted(numbers[:, 1:].tolist())


def test_any_numbers_can_be_sorted_by() -> None:
    rows = {"numbers": np.arange(9.0)[:, None]}
    odd = [np.full(9, np.nan), np.zeros(9), np.array([1.7e308, -1.7e308, *[np.nan] * 7])]
    for keys in ([odd[0]], [odd[1]], [odd[2]], odd):
        (answer,) = many._alike(lambda given: [given["numbers"]], keys, rows)
        np.testing.assert_array_equal(answer, rows["numbers"])
