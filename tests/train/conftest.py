"""The flats, cleaned for real, in a folder of their own."""

import shutil
from functools import cache
from pathlib import Path

import mlflow
import pytest
import stories
from questions import answered

from esteira import settings
from esteira.data import clean, raw
from esteira.settings import Settings
from flats import flats, write_flats


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A tracking store without runs: to copy one is a hundred times as fast as to make one."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def now(tmp_path, empty_store) -> Settings:
    shutil.copy(empty_store, tmp_path)
    write_flats(tmp_path / "raw" / "flats.csv")
    return settings.load(
        {
            "RAW_DATA_PATH": str(tmp_path / "raw"),
            "PROCESSED_DATA_PATH": str(tmp_path / "processed"),
            "ARTEFATOS_PATH": str(tmp_path / "artefatos"),
            "ESTEIRA_HOME": str(tmp_path / "home"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        }
    )


@pytest.fixture
def dataset(now):
    case = flats()
    return clean.clean(case, raw.find(case, now), now)


@pytest.fixture(scope="session")
def questions(tmp_path_factory):
    """Gives a question of `questions.QUESTIONS`, prepared and fitted once for all tests."""
    return cache(lambda question: answered(question, tmp_path_factory.mktemp("question")))


@pytest.fixture(scope="session")
def flat_story(tmp_path_factory, empty_store) -> stories.Story:
    return stories.of_flats(Path(shutil.copy(empty_store, tmp_path_factory.mktemp("flats"))).parent)


@pytest.fixture(scope="session")
def storm_story(tmp_path_factory, empty_store) -> stories.Story:
    return stories.of_storms(Path(shutil.copy(empty_store, tmp_path_factory.mktemp("storms"))).parent)
