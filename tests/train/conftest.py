"""The flats, cleaned for real, in a folder of their own."""

from functools import cache

import pytest
import stories
from questions import answered

from esteira import settings
from esteira.data import clean, raw
from esteira.settings import Settings
from flats import flats, write_flats


@pytest.fixture
def now(tmp_path) -> Settings:
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
def flat_story(tmp_path_factory) -> stories.Story:
    return stories.of_flats(tmp_path_factory.mktemp("flats"))


@pytest.fixture(scope="session")
def storm_story(tmp_path_factory) -> stories.Story:
    return stories.of_storms(tmp_path_factory.mktemp("storms"))
