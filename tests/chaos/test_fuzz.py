"""All that the OpenAPI document of each case allows, and much that it does not, is asked of its API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from figures import Figures, count
from ground import FULL

from benchmarks.rows import Row
from esteira import casefile, settings
from esteira.data import clean, raw
from esteira.settings import PROJECT, Settings
from esteira.stack.local import tracked
from tests.apis import serving
from tests.asking import Asked, asked
from tests.awkward import awkward_bundle
from tests.rain import rain_bundle
from tests.rents import rents_bundle

BY_HAND = {"awkward": awkward_bundle, "rain": rain_bundle, "rents": rents_bundle}
IN_THE_BOX = tuple(casefile.names(PROJECT / "casos")) if FULL else ()
EXAMPLES = 300 if FULL else 10
LEAST = 10_000 if FULL else 500


def train(case_name: str, now: Settings) -> None:
    """Publish a version of a case in the box, from data that is made up, without releasing it."""
    from esteira.train import steps

    case = casefile.load(now.CASOS_PATH, case_name)
    prepared = steps.split_rows(case, clean.clean(case, raw.find(case, now), now), "fuzz", now)
    judgement = steps.pass_the_gate(case, prepared, steps.fit_all(case, prepared, now), now)
    steps.publish_version(prepared, judgement, now)


def home_in(folder: Path) -> Settings:
    """Settings under which nothing is read or written outside of a folder but the cases."""
    paths = {
        "RAW_DATA_PATH": folder / "raw",
        "PROCESSED_DATA_PATH": folder / "processed",
        "ARTEFATOS_PATH": folder / "artefatos",
        "ESTEIRA_HOME": folder / "home",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    return tracked(settings.load({name: str(path) for name, path in paths.items()}))


def each(now: Settings) -> Iterator[tuple[str, Asked]]:
    """What Schemathesis said of each case's API."""
    for publish in BY_HAND.values():
        publish(now.ARTEFATOS_PATH)
    for name in IN_THE_BOX:
        train(name, now)
    for name in (*BY_HAND, *IN_THE_BOX):
        with serving(now.ARTEFATOS_PATH, case=name) as api:
            yield name, asked(api, EXAMPLES)
            assert "Traceback" not in api.log.read_text()


@pytest.mark.timeout(3600)
def test_fuzz_every_answer_is_one_that_the_documentation_names(tmp_path: Path, figures: Figures) -> None:
    found = dict(each(home_in(tmp_path)))
    requests = sum(one.requests for one in found.values())
    failed = "\n".join(one.said for one in found.values() if one.failed)
    figures.add(
        "fuzz",
        *(
            count(f"{name}: answers that break a check", one.failed, one.requests)
            for name, one in found.items()
        ),
        Row(what="requests", figure=f"{requests:,}", target=f"≥ {LEAST:,}", met=requests >= LEAST),
    )
    assert not failed, failed
    assert requests >= LEAST
