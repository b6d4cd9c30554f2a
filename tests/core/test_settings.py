"""The environment says where things are; a wrong value is named."""

from pathlib import Path

import pytest

from esteira import settings
from esteira.settings import PROJECT, SettingsError


def test_nothing_set_gives_the_projects_own_folders():
    now = settings.load({})
    assert now.RAW_DATA_PATH == PROJECT / "dados" / "raw"
    assert now.api_url == "http://127.0.0.1:8000"
    assert now.DEPLOY_TARGET == "auto"


def test_a_relative_path_is_taken_from_the_project_and_an_absolute_one_as_it_is():
    now = settings.load({"RAW_DATA_PATH": "elsewhere", "ARTEFATOS_PATH": "/srv/artefatos"})
    assert now.RAW_DATA_PATH == PROJECT / "elsewhere"
    assert Path("/srv/artefatos") == now.ARTEFATOS_PATH


def test_an_empty_value_counts_as_unset():
    assert settings.load({"API_PORT": ""}).API_PORT == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "eighty"),
        ("API_PORT", "70000"),
        ("DEPLOY_TARGET", "moon"),
        ("MLFLOW_TRACKING_URI", "./mlruns"),
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:99999"),
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:0"),
        ("AIRFLOW_URL", "http://airflow:eighty"),
        ("GATEWAY_URL", "http://gateway:99999"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(name, value):
    with pytest.raises(SettingsError, match=f"{name}={value!r}"):
        settings.load({name: value})
