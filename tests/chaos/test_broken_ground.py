"""What a release stands on is taken away under it, while clients ask."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from figures import Figures, count, said
from ground import (
    CASE,
    FULL,
    expected,
    go_live,
    publish_next,
    say_in_the_case,
    see_nothing_orphaned,
    under_load,
)

from esteira import bundle as bundles
from esteira.bundle import BundleError
from esteira.deploy import journal, port
from esteira.deploy.errors import DeployError, ImageError, PortError
from esteira.deploy.release import ask_golden, build, retire, start, switch
from esteira.errors import EsteiraError
from esteira.settings import Settings
from needs import missing

pytestmark = pytest.mark.docker

STEPS = ("build", "start", "golden", "switch") if FULL else ("switch",)
"""From which on the disk is full."""


@contextmanager
def refused(settings: Settings, figures: Figures, fault: str) -> Iterator[pytest.ExceptionInfo[EsteiraError]]:
    """A block in which a release fails with an error of ours, and version 1 answers every request."""
    with under_load(settings) as load, pytest.raises(EsteiraError) as raised:
        yield raised
    answers = load.answers
    figures.add(
        "broken_ground",
        count(f"{fault}: failed requests", answers.failed, answers.requests),
        said(f"{fault}: versions that answered", sorted(answers.versions), [1]),
    )
    assert answers.failures == {}
    assert answers.pairs == {(1, expected(1))}


def test_broken_ground_a_bundle_altered_between_two_steps_is_named(home: Settings, figures: Figures):
    bundle = bundles.load(home.ARTEFATOS_PATH, CASE, publish_next(home))
    verified = ask_golden(start(build(CASE, 2, home), home), home)
    graph = bundle.path("onnx")
    whole = graph.read_bytes()
    with refused(home, figures, "bundle altered") as raised:
        graph.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        switch(verified, home)
    assert isinstance(raised.value, BundleError)
    assert graph.name in str(raised.value)
    assert journal.releases(home.ARTEFATOS_PATH, CASE)[-1].outcome == "failed"

    graph.write_bytes(whole)
    go_live(home, build(CASE, 2, home))
    see_nothing_orphaned(home, 2)


def test_broken_ground_an_image_deleted_before_it_is_started_is_named(home: Settings, figures: Figures):
    built = build(CASE, publish_next(home), home)
    assert built.image is not None
    client = docker.from_env()
    with refused(home, figures, "image deleted") as raised:
        client.images.remove(built.image.id, force=True)
        go_live(home, built)
    assert isinstance(raised.value, ImageError)
    assert built.image.name in str(raised.value)

    go_live(home, build(CASE, 2, home))
    see_nothing_orphaned(home, 2)


def test_broken_ground_a_port_that_somebody_else_took_is_named(home: Settings, figures: Figures):
    built = build(CASE, publish_next(home), home)
    elsewhere = home.model_copy(update={"API_PORT": port.spare()})
    with (
        socket.create_server(("127.0.0.1", elsewhere.API_PORT)),
        refused(home, figures, "port stolen") as raised,
    ):
        go_live(elsewhere, built)
    assert isinstance(raised.value, PortError)
    assert str(elsewhere.API_PORT) in str(raised.value)

    go_live(home, built)
    see_nothing_orphaned(home, 2)


@pytest.fixture
def small(on_docker: Settings) -> Iterator[Settings]:
    """A home and artefacts on a disk of their own that holds four megabytes."""
    disk = on_docker.ESTEIRA_HOME.parent / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False).returncode:
        missing("this user cannot mount a small disk")
    try:
        yield on_docker.model_copy(
            update={
                "ESTEIRA_HOME": disk / "home",
                "ARTEFATOS_PATH": disk / "artefatos",
                "CASOS_PATH": on_docker.ESTEIRA_HOME.parent / "casos",
            }
        )
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_broken_ground_a_full_disk_is_named_and_once_there_is_room_the_version_goes_live(
    small: Settings, figures: Figures
):
    from esteira.deploy.live import stop

    say_in_the_case(small)
    publish_next(small)
    go_live(small, build(CASE, 1, small))
    publish_next(small)
    try:
        for step in STEPS:
            with refused(small, figures, f"disk full at {step}") as raised, _full_at(step, small):
                pass
            assert isinstance(raised.value, DeployError)
            assert "No space left on device" in str(raised.value)
        went = go_live(small, build(CASE, 2, small))
        retire(went, small)
        see_nothing_orphaned(small, 2)
    finally:
        stop(None, small)


@contextmanager
def _full_at(step: str, settings: Settings) -> Iterator[None]:
    """Release version 2, with the disk full from a step on."""
    filler = settings.ESTEIRA_HOME / "filler"
    try:
        _fill_if(step == "build", filler)
        built = build(CASE, 2, settings)
        _fill_if(step == "start", filler)
        started = start(built, settings)
        _fill_if(step == "golden", filler)
        verified = ask_golden(started, settings)
        _fill_if(step == "switch", filler)
        switch(verified, settings)
        yield
    finally:
        filler.unlink(missing_ok=True)


def _fill_if(now: bool, filler: Path) -> None:
    if not now:
        return
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return
