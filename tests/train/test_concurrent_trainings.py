"""Two trainings of one case at once end as two whole versions, signed with one key."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from esteira import bundle, signing
from esteira.train import steps
from flats import flats


def train(dataset, now, training_id):
    case = flats(train={"candidates": [{"kind": "linear_regression"}]})
    prepared = steps.split_rows(case, dataset, training_id, now)
    fitted = steps.fit_candidate(case, prepared, "linear_regression", now)
    return steps.publish_version(prepared, steps.pass_the_gate(case, prepared, [fitted], now), now).version


def test_two_at_once_are_two_versions(dataset, now):
    train(dataset, now, "warm")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        numbers = sorted(pool.map(train, [dataset] * 2, [now] * 2, ["left", "right"]))
    assert numbers == [2, 3]
    for number in bundle.versions(now.ARTEFATOS_PATH, "flats"):
        published = bundle.load(now.ARTEFATOS_PATH, "flats", number)
        published.verify()
        signing.verify(published, now.ESTEIRA_HOME)
