from pathlib import Path

import pytest

from esteira.settings import NAMES, PROJECT, Settings
from esteira.stack import programs


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://localhost:5055", True),
        ("http://mlflow.example:5000", False),
        ("https://127.0.0.1:5000", False),
        ("sqlite:///runs.db", False),
    ],
)
def test_mlflow_is_started_only_where_its_address_is_of_this_machine(
    settings: Settings, address: str, ours: bool
) -> None:
    there = settings.model_copy(update={"MLFLOW_TRACKING_URI": address})
    assert there.mlflow_is_here is ours
    assert ("mlflow" in programs.names(there)) is ours


def test_tasks_see_every_setting_as_it_is_here_with_whole_paths(settings: Settings) -> None:
    seen = programs.environment(settings.model_copy(update={"RAW_DATA_PATH": Path("raw")}))
    assert set(NAMES) <= set(seen)
    assert Path(seen["RAW_DATA_PATH"]).is_absolute()
    assert seen["PYTHONPATH"].startswith(str(PROJECT / "plugins"))


def test_another_airflows_environment_is_left_behind(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://elsewhere")
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    monkeypatch.setenv("AIRFLOW_VAR_API_PORT", "8001")
    seen = programs.environment(settings)
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in seen
    assert seen["AIRFLOW_HOME"] == str(settings.ESTEIRA_HOME / "airflow")
    assert seen["AIRFLOW_VAR_API_PORT"] == "8001"


def test_this_machine_is_never_reached_through_a_proxy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "intranet")
    assert programs.environment(settings)["NO_PROXY"] == "intranet,127.0.0.1,localhost"
