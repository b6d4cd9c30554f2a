"""A version exists whole or not at all, whoever writes, whatever dies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bundles import tiny_bundle
from esteira import bundle
from esteira.bundle import BundleError
from esteira.metadata import Facts
from esteira.settings import PROJECT

FILES = {"modelo": b"m" * 100, "scaler": b"s" * 100, "onnx": b"o" * 100}


def sign(path: Path, signature: Path) -> None:
    signature.write_bytes(b"signed: " + path.read_bytes())


@pytest.fixture
def facts(tmp_path) -> Facts:
    known = tiny_bundle(tmp_path / "pattern").metadata
    return Facts(**{name: getattr(known, name) for name in Facts.model_fields})


def another(facts: Facts, training: str) -> Facts:
    return facts.model_copy(update={"training_id": training})


def test_versions_count_from_one_and_the_newest_is_loaded(tmp_path, facts):
    assert bundle.publish(tmp_path, another(facts, "a"), FILES).version == 1
    assert bundle.publish(tmp_path, another(facts, "b"), FILES).version == 2
    assert bundle.versions(tmp_path, "tiny") == [1, 2]
    assert bundle.load(tmp_path, "tiny").version == 2
    assert bundle.load(tmp_path, "tiny", 1).read("onnx") == FILES["onnx"]
    bundle.load(tmp_path, "tiny").verify()


def test_the_files_have_the_names_that_users_know(tmp_path, facts):
    bundle.publish(tmp_path, facts, FILES, sign)
    found = {str(path.relative_to(tmp_path / "tiny")) for path in (tmp_path / "tiny").rglob("*v1*")}
    assert found == {
        "modelo/modelo_v1.pkl",
        "scaler/scaler_v1.pkl",
        "onnx/modelo_v1.onnx",
        "assinatura/assinatura_v1.sig",
        "metadados/metadados_v1.json",
    }


def test_the_signature_is_that_of_the_metadata_file(tmp_path, facts):
    published = bundle.publish(tmp_path, facts, FILES, sign)
    assert published.signature_path.read_bytes() == b"signed: " + published.metadata_path.read_bytes()


def test_a_version_that_cannot_be_signed_is_not_published(tmp_path, facts):
    def cannot(path: Path, signature: Path) -> None:
        raise OSError("no key")

    with pytest.raises(OSError, match="no key"):
        bundle.publish(tmp_path, facts, FILES, cannot)
    assert [path.name for path in (tmp_path / "tiny").rglob("*")] == [".lock"]
    assert bundle.publish(tmp_path, facts, FILES, sign).version == 1


def test_the_metadata_of_another_version_is_refused_by_name(tmp_path, facts):
    first = bundle.publish(tmp_path, another(facts, "a"), FILES)
    second = bundle.publish(tmp_path, another(facts, "b"), FILES)
    second.metadata_path.write_bytes(first.metadata_path.read_bytes())
    with pytest.raises(BundleError, match=r"metadados_v2\.json is the metadata of version 1 of 'tiny'"):
        bundle.load(tmp_path, "tiny", 2)


def test_the_same_training_published_twice_is_one_version(tmp_path, facts):
    first = bundle.publish(tmp_path, facts, FILES)
    assert bundle.publish(tmp_path, facts, FILES).version == first.version
    assert bundle.versions(tmp_path, "tiny") == [1]


@pytest.mark.parametrize("role", ["modelo", "scaler", "onnx"])
def test_a_file_altered_by_one_byte_is_refused_by_name(tmp_path, facts, role):
    published = bundle.publish(tmp_path, facts, FILES)
    path = published.path(role)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=path.name):
        bundle.load(tmp_path, "tiny").verify()


def test_a_missing_file_is_refused_by_name(tmp_path, facts):
    published = bundle.publish(tmp_path, facts, FILES)
    published.path("onnx").unlink()
    with pytest.raises(BundleError, match=r"modelo_v1\.onnx is missing"):
        published.read("onnx")


def test_torn_metadata_is_refused_by_name(tmp_path, facts):
    path = bundle.publish(tmp_path, facts, FILES).metadata_path
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BundleError, match=r"metadados_v1\.json"):
        bundle.load(tmp_path, "tiny")


def test_a_version_that_cannot_be_read_does_not_stop_the_next_from_being_published(tmp_path, facts):
    path = bundle.publish(tmp_path, another(facts, "a"), FILES).metadata_path
    path.write_text(path.read_text().replace('"r2": 1.0', '"r2": null'))
    assert bundle.publish(tmp_path, another(facts, "b"), FILES).version == 2
    assert bundle.of_training(tmp_path, "tiny", "b").version == 2
    assert bundle.of_training(tmp_path, "tiny", "a") is None


def test_a_version_that_was_never_published_is_refused(tmp_path, facts):
    with pytest.raises(BundleError, match="holds no version yet"):
        bundle.load(tmp_path, "tiny")
    bundle.publish(tmp_path, facts, FILES)
    with pytest.raises(BundleError, match=r"Version 7 of 'tiny' does not exist; there are: \[1\]"):
        bundle.load(tmp_path, "tiny", 7)


def test_two_trainings_at_once_get_two_numbers(tmp_path, facts):
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=bundle.publish, args=(tmp_path, another(facts, f"t{i}"), FILES))
        for i in range(6)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 6
    assert bundle.versions(tmp_path, "tiny") == [1, 2, 3, 4, 5, 6]
    for version in bundle.versions(tmp_path, "tiny"):
        bundle.load(tmp_path, "tiny", version).verify()


WRITER = """
import os, signal, sys
from pathlib import Path
from esteira import bundle
from esteira.metadata import Facts

target, facts_file, die_at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
facts = Facts.model_validate_json(facts_file.read_bytes())
calls = 0

def dying(event, arguments):
    global calls
    if event in ("os.rename", "os.link", "os.mkdir", "open") and str(target) in str(arguments):
        calls += 1
        if calls == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

def sign(path, signature):
    signature.write_bytes(b"signed: " + path.read_bytes())

sys.addaudithook(dying)
bundle.publish(target, facts, {"modelo": b"m" * 100, "scaler": b"s" * 100, "onnx": b"o" * 100}, sign)
"""


def publish_and_die(target: Path, facts_file: Path, die_at: int) -> int:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(target), str(facts_file), str(die_at)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
        check=False,
    ).returncode


def test_a_kill_at_any_moment_of_publishing_loses_nothing_and_reuses_no_number(tmp_path, facts):
    target, facts_file = tmp_path / "artefatos", tmp_path / "facts.json"
    bundle.publish(target, another(facts, "first"), FILES, sign)
    killed = 0
    for die_at in range(1, 60):
        before = bundle.versions(target, "tiny")
        facts_file.write_text(another(facts, f"try {die_at}").model_dump_json())
        code = publish_and_die(target, facts_file, die_at)
        killed += code == -signal.SIGKILL
        assert bundle.versions(target, "tiny")[: len(before)] == before
        for version in bundle.versions(target, "tiny"):
            found = bundle.load(target, "tiny", version)
            found.verify()
            assert found.signature_path.read_bytes() == b"signed: " + found.metadata_path.read_bytes()
        if code == 0:
            break
    assert killed >= 12
    final = bundle.publish(target, another(facts, "last"), FILES)
    numbers = [int(path.stem.split("_v")[1]) for path in (target / "tiny" / "onnx").iterdir()]
    assert final.version == max(numbers)
    assert len(numbers) == len(set(numbers))


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, facts):
    left = tmp_path / "tiny" / ".staging-dead"
    left.mkdir(parents=True)
    (left / "onnx").write_bytes(b"half")
    bundle.publish(tmp_path, facts, FILES)
    assert list((tmp_path / "tiny").glob(".staging-*")) == []


def test_a_full_disk_leaves_the_earlier_version_and_nothing_else(tmp_path, facts):
    bundle.publish(tmp_path, another(facts, "a"), FILES)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    program = (
        "import resource, sys; from pathlib import Path; from esteira import bundle\n"
        "from esteira.metadata import Facts\n"
        "facts = Facts.model_validate_json(Path(sys.argv[2]).read_bytes())\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "bundle.publish(Path(sys.argv[1]), facts, {'modelo': b'm', 'scaler': b's', 'onnx': b'o' * 50_000})\n"
    )
    facts_file = tmp_path.parent / "full-disk-facts.json"
    facts_file.write_text(another(facts, "b").model_dump_json())
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), str(facts_file)],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert bundle.publish(tmp_path, another(facts, "b"), FILES).version == 2
