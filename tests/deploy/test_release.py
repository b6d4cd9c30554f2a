"""A release, on each target: what goes live, what stays live, and what is left behind."""

from __future__ import annotations

import socket
import time

import httpx
import psutil
import pytest
from releasing import (
    ANSWER,
    ask,
    deployer,
    publish,
    publish_again,
    release,
    running,
    serving,
    traffic,
    url,
    verified,
)

from bundles import tiny_bundle
from esteira.bundle import BundleError
from esteira.deploy import journal, port
from esteira.deploy.errors import NotReadyError, PortError, StaleBuildError
from esteira.deploy.live import live, placed, stop
from esteira.deploy.release import ask_golden, build, retire, start, switch
from esteira.settings import Settings
from rain import COMPARED as RAIN_MODELS
from rain import rain_bundle
from rents import COMPARED as RENT_MODELS
from rents import rents_bundle


def test_a_new_version_takes_over_without_one_failed_request(on_target: Settings):
    publish(on_target)
    first = release(on_target)
    assert (first.from_version, first.version, ask(on_target)) == (None, 1, ANSWER)

    publish(on_target, offset=1000)
    with traffic(on_target) as answers:
        second = release(on_target)
        time.sleep(0.3)

    assert (second.from_version, second.version, ask(on_target)) == (1, 2, ANSWER + 1000)
    assert set(answers) == {str(ANSWER), str(ANSWER + 1000)}
    assert serving(on_target) == running(on_target) == list(second.instances)
    assert journal.releases(on_target.ARTEFATOS_PATH, "tiny") == [first, second]

    back = release(on_target, version=1)
    assert (back.from_version, back.version, ask(on_target)) == (2, 1, ANSWER)
    now = live("tiny", on_target)
    assert now is not None
    assert (now.version, now.url, now.target) == (1, url(on_target), on_target.DEPLOY_TARGET)

    assert [one.version for one in stop("tiny", on_target)] == [1]
    assert live("tiny", on_target) is None
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", on_target.API_PORT), timeout=1)


@pytest.mark.parametrize("case", ["rain", "rents"])
def test_classes_and_intervals_go_live_as_training_answered_them(on_target: Settings, case: str):
    publish_case = {"rain": rain_bundle, "rents": rents_bundle}[case]
    models = {"rain": RAIN_MODELS, "rents": RENT_MODELS}[case]
    golden = publish_case(on_target.ARTEFATOS_PATH, compared=models).metadata.golden
    url = release(on_target, case=case).url
    answer = httpx.post(f"{url}/predict", json=golden[4].record, trust_env=False).json()
    assert answer["prediction"] == golden[4].prediction
    assert tuple(answer.get("probabilities", {}).values()) == (golden[4].probabilities or ())
    assert set(answer["technical_details"]) == {model.name for model in models} < set(answer)


def test_an_altered_bundle_is_refused_by_name(on_target: Settings):
    bundle = publish(on_target)
    path = bundle.path("onnx")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(BundleError, match=r"modelo_v1\.onnx is not the file that was published"):
        build("tiny", None, on_target)
    (failed,) = journal.releases(on_target.ARTEFATOS_PATH, "tiny")
    assert (failed.outcome, failed.step, failed.version) == ("failed", "build", 1)
    assert "modelo_v1.onnx" in str(failed.reason)


def test_a_bundle_altered_after_the_build_is_refused(settings: Settings):
    bundle = publish(settings)
    built = build("tiny", None, settings)
    bundle.metadata_path.write_text(bundle.metadata_path.read_text() + "\n")
    with pytest.raises(StaleBuildError, match=r"metadados_v1\.json is not the file"):
        start(built, settings)


def test_a_version_that_cannot_serve_leaves_the_old_one_live(on_target: Settings):
    bundle = publish(on_target)
    first = release(on_target)
    publish_again(bundle, graph=b"not a graph")

    with (
        traffic(on_target) as answers,
        pytest.raises(NotReadyError, match=r"modelo_v2\.onnx cannot be run.*Its last lines:\n"),
    ):
        release(on_target)

    assert set(answers) == {str(ANSWER)}
    assert running(on_target) == list(first.instances)
    failed = journal.releases(on_target.ARTEFATOS_PATH, "tiny")[-1]
    assert (failed.outcome, failed.step, failed.version, failed.target) == (
        "failed",
        "start",
        2,
        on_target.DEPLOY_TARGET,
    )


def test_a_golden_example_that_is_answered_differently_leaves_the_old_one_live(settings: Settings):
    bundle = publish(settings)
    first = release(settings)
    publish_again(bundle, golden_prediction=77.25)

    with pytest.raises(NotReadyError, match=r"77\.25"):
        release(settings)

    assert ask(settings) == ANSWER
    assert running(settings) == list(first.instances)


def test_a_port_that_somebody_else_holds_is_named_and_nothing_is_left(on_target: Settings):
    publish(on_target)
    holder = rf"Port {on_target.API_PORT} is taken by process \d+ \(.+\)"
    with (
        socket.create_server(("127.0.0.1", on_target.API_PORT)),
        pytest.raises(PortError, match=holder),
    ):
        release(on_target)
    assert serving(on_target) == []
    assert journal.releases(on_target.ARTEFATOS_PATH, "tiny")[-1].step == "switch"


def test_a_second_case_goes_live_beside_the_first_and_stays_where_it_is(on_target: Settings):
    publish(on_target)
    release(on_target)
    for offset in (0, 7):
        tiny_bundle(on_target.ARTEFATOS_PATH, case="other", offset=offset)
        released = switch(verified(on_target, case="other"), on_target)
        retire(released, on_target)
        assert released.version == (2 if offset else 1)
    beside = live("other", on_target)
    assert beside is not None
    assert beside.url == released.url != url(on_target)
    assert httpx.get(f"{beside.url}/check").json()["version"] == 2
    assert ask(on_target) == ANSWER


def test_two_releases_at_once_end_with_one_of_them_live(on_target: Settings):
    publish(on_target)
    publish(on_target, offset=1000)
    both = [deployer(on_target, version) for version in (1, 2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    for process, said in zip(both, outputs, strict=True):
        assert process.returncode == 0 or "another release of 'tiny' was begun meanwhile" in said, outputs
    assert 0 in [process.returncode for process in both]

    now = live("tiny", on_target)
    assert now is not None
    assert ask(on_target) == (ANSWER if now.version == 1 else ANSWER + 1000)
    went = [entry for entry in journal.releases(on_target.ARTEFATOS_PATH, "tiny") if entry.outcome == "live"]
    assert went[-1].version == now.version
    assert serving(on_target) == running(on_target) == list(now.instances)


def test_another_port_takes_over_from_the_old_one(on_target: Settings):
    publish(on_target)
    release(on_target)
    elsewhere = on_target.model_copy(update={"API_PORT": port.spare()})
    release(elsewhere)
    assert ask(elsewhere) == ANSWER
    assert port.is_free(on_target.API_PORT)


def test_what_cannot_be_brought_back_now_is_kept_until_the_next_version_takes_its_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("esteira.deploy.live._AGAIN_SECONDS", 2)
    first = publish(settings)
    release(settings)
    ((_, instance),) = placed(None, settings)
    graph = first.path("onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-1])
    psutil.Process(int(instance.handle)).kill()
    publish(settings, offset=1000)

    built = build("tiny", 2, settings)
    assert [kept.version for _, kept in placed(None, settings)] == [1]
    retire(switch(ask_golden(start(built, settings), settings), settings), settings)
    assert [kept.version for _, kept in placed(None, settings)] == [2]
    assert ask(settings) == ANSWER + 1000
