"""A candidate's model is fitted with as many threads as help."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from esteira.candidates import DecisionTree, LinearRegression
from esteira.train import learn

TREE = DecisionTree()


@pytest.mark.parametrize("rows", [1_000, 400_000, 100_000_000])
def test_no_more_threads_work_than_there_are_cores(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)

    assert learn._threads(TREE, rows) == min(2, 1 + rows // 50_000)
    assert learn._threads(LinearRegression(), rows) == 1


def test_few_rows_are_left_to_one_thread_and_what_was_set_comes_back() -> None:
    before = _threads_of_libraries()

    with learn._controller().limit(limits=learn._threads(TREE, 1_000)):
        np.linalg.qr(np.ones((200, 20)))
        assert set(_threads_of_libraries().values()) == {1}

    assert _threads_of_libraries() == before


def _threads_of_libraries() -> dict[str, int]:
    return {library["filepath"]: library["num_threads"] for library in threadpool_info()}
