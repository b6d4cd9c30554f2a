"""How a task ends and what it says of itself, with a stand-in for Airflow."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from esteira.settings import PROJECT


class FailForGoodError(Exception):
    """Stands for what Airflow does not try again."""


@pytest.fixture
def said() -> dict[str, str]:
    """What the task pushed."""
    return {}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, said: dict[str, str]) -> Iterator[Any]:
    """The DAGs' own module, in a task of a run of Airflow."""
    context = {
        "params": {},
        "dag_run": SimpleNamespace(dag_id="extrai_trata_dados", run_id="r1"),
        "ti": SimpleNamespace(xcom_push=lambda key, value: said.update({key: value})),
    }
    sdk, errors = ModuleType("airflow.sdk"), ModuleType("airflow.sdk.exceptions")
    vars(sdk).update(
        Asset=SimpleNamespace,
        Variable=SimpleNamespace(get=lambda _, default: default),
        get_current_context=lambda: context,
    )
    vars(errors).update(AirflowFailException=FailForGoodError)
    for module in (ModuleType("airflow"), sdk, errors):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.syspath_prepend(PROJECT / "dags")
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    yield importlib.import_module("steps")
    del sys.modules["steps"]


def test_a_wrong_setting_of_the_environment_is_told_and_fails_for_good(
    steps: Any, said: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_PORT", "eighty")
    with pytest.raises(FailForGoodError, match="API_PORT='eighty' cannot be used"), steps.step("imoveis"):
        pass
    assert said["summary"].startswith("API_PORT='eighty' cannot be used")
