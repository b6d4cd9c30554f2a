"""The flats, cleaned for real, in a folder of their own."""

import pytest

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
