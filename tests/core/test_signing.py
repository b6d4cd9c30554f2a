"""Who published a version, and that it is still what was published, can be proven."""

import hashlib
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bundles import tiny_bundle
from esteira import bundle, signing
from esteira.bundle import Bundle, BundleError
from esteira.settings import PROJECT
from esteira.signing import KeyPairError, SignatureError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def signed(tmp_path: Path) -> Bundle:
    return tiny_bundle(tmp_path / "artefatos")


def refused(signed: Bundle, home: Path) -> str:
    with pytest.raises(SignatureError) as error:
        signing.verify(signed, home)
    return str(error.value)


def test_a_published_version_is_signed_by_its_home(signed: Bundle, home: Path):
    assert signed.signature_path.name == "assinatura_v1.sig"
    signing.verify(signed, home)
    signing.verify(tiny_bundle(signed.folder.parent), home)


def test_the_librarys_own_command_verifies_it(signed: Bundle, home: Path):
    pair = signing.found(home)
    told = ["--signature", signed.signature_path, "--public_key", pair.public, signed.metadata_path]
    command = [sys.executable, "-m", "model_signing", "verify", "key", *told]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_the_key_is_made_once_and_for_its_owner_alone(home: Path):
    previous = os.umask(0)
    try:
        pair = signing.made(home)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(pair.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
    content = pair.private.read_bytes()
    assert signing.made(home).private.read_bytes() == content
    assert {path.name for path in pair.folder.iterdir()} == {"assinatura.pem", "assinatura.pub"}


def test_processes_that_sign_at_once_make_one_key(tmp_path: Path, home: Path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=tiny_bundle, args=(tmp_path / "artefatos",)) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 6
    for version in bundle.versions(tmp_path / "artefatos", "tiny"):
        signing.verify(bundle.load(tmp_path / "artefatos", "tiny", version), home)
    assert len(list((home / "keys").iterdir())) == 2


MAKER = """
import os, signal, sys
from pathlib import Path
from esteira import signing

home, die_at, calls = Path(sys.argv[1]), int(sys.argv[2]), 0

def dying(event, arguments):
    global calls
    if event in ("os.link", "os.mkdir", "os.remove", "open") and str(home) in str(arguments):
        calls += 1
        if calls == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(dying)
signing.made(home)
"""


def test_a_kill_at_any_moment_of_making_the_key_leaves_none_or_one_that_works(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "plugins")}
    for die_at in range(1, 30):
        home = tmp_path / f"home {die_at}"
        command = [sys.executable, "-c", MAKER, str(home), str(die_at)]
        code = subprocess.run(command, env=environment, check=False).returncode
        pair = signing.made(home)
        assert stat.S_IMODE(pair.private.stat().st_mode) == 0o600
        if code == 0:
            break
    assert die_at >= 6


def test_a_version_without_a_signature_is_refused_by_name(signed: Bundle, home: Path):
    signed.signature_path.unlink()
    assert f"{signed.signature_path} is missing, so nobody vouches for version 1" in refused(signed, home)


def test_altered_metadata_is_refused_by_name(signed: Bundle, home: Path):
    text = signed.metadata_path.read_text()
    signed.metadata_path.write_text(text.replace("The tiny case", "Another case"))
    said = refused(bundle.load(signed.folder.parent, "tiny"), home)
    assert said.startswith(f"{signed.metadata_path} is not the file that was signed as version 1")


def test_a_file_altered_together_with_its_hash_is_refused(signed: Bundle, home: Path):
    content = b"another graph"
    signed.path("onnx").write_bytes(content)
    fact = signed.metadata.files["onnx"]
    forged = fact.model_copy(update={"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)})
    files = {**signed.metadata.files, "onnx": forged}
    signed.metadata_path.write_text(signed.metadata.model_copy(update={"files": files}).model_dump_json())
    again = bundle.load(signed.folder.parent, "tiny")
    again.verify()
    assert "is not the file that was signed" in refused(again, home)


def test_a_signature_by_another_key_is_refused_by_name(signed: Bundle, tmp_path: Path):
    other = tmp_path / "other home"
    signing.made(other)
    said = refused(signed, other)
    assert f"{signed.signature_path} was made with another key than {other}/keys/assinatura.pub" in said


def test_the_signature_of_another_version_is_refused(signed: Bundle, home: Path):
    second = tiny_bundle(signed.folder.parent)
    second.signature_path.write_bytes(signed.signature_path.read_bytes())
    assert "metadados_v2.json is not the file that was signed as version 2" in refused(second, home)


def test_an_older_version_under_a_newer_ones_name_is_refused(signed: Bundle):
    second = tiny_bundle(signed.folder.parent)
    second.signature_path.write_bytes(signed.signature_path.read_bytes())
    second.metadata_path.write_bytes(signed.metadata_path.read_bytes())
    with pytest.raises(BundleError, match=r"metadados_v2\.json is the metadata of version 1"):
        bundle.load(signed.folder.parent, "tiny", 2)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"verificationMaterial": {}}', b'{"verificationMaterial": null}'],
)
def test_what_is_no_signature_is_refused_by_name(signed: Bundle, home: Path, content: bytes):
    signed.signature_path.write_bytes(content)
    assert f"{signed.signature_path} is no signature of {signed.metadata_path}" in refused(signed, home)


def test_a_signature_altered_by_one_character_is_refused(signed: Bundle, home: Path):
    text = signed.signature_path.read_text()
    at = text.index('"sig":"') + 40
    signed.signature_path.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    assert "is no signature of" in refused(signed, home)


def test_without_the_private_key_nothing_is_published_and_what_was_is_verified(signed: Bundle, home: Path):
    pair = signing.found(home)
    pair.private.unlink()
    with pytest.raises(KeyPairError, match=r"assinatura\.pem is missing.*restore it from a copy"):
        tiny_bundle(signed.folder.parent)
    assert bundle.versions(signed.folder.parent, "tiny") == [1]
    assert not pair.private.exists()
    signing.verify(signed, home)


def test_the_public_key_is_made_again_from_the_private_one(signed: Bundle, home: Path):
    public = signing.found(home).public
    content = public.read_bytes()
    public.unlink()
    signing.verify(signed, home)
    assert public.read_bytes() == content


def test_without_any_key_nothing_is_verified_until_it_is_restored(signed: Bundle, home: Path, tmp_path: Path):
    shutil.move(home / "keys", tmp_path / "copy")
    with pytest.raises(KeyPairError, match=r"assinatura\.pub is missing.*copy the folder keys"):
        signing.verify(signed, home)
    assert not (home / "keys").exists()
    shutil.move(tmp_path / "copy", home / "keys")
    signing.verify(signed, home)


def test_a_second_home_verifies_with_the_first_ones_public_key(signed: Bundle, home: Path, tmp_path: Path):
    second = tmp_path / "second home"
    (second / "keys").mkdir(parents=True)
    shutil.copy(signing.found(home).public, second / "keys")
    signing.verify(signed, second)


def test_two_halves_of_different_pairs_are_refused(home: Path, tmp_path: Path):
    pair, other = signing.made(home), signing.made(tmp_path / "other home")
    pair.public.write_bytes(other.public.read_bytes())
    with pytest.raises(KeyPairError, match=r"assinatura\.pub is not the public key of .*assinatura\.pem"):
        signing.made(home)


def test_a_key_of_another_kind_is_refused_by_name(home: Path):
    pair = signing.made(home)
    pair.private.write_bytes(b"not a key")
    with pytest.raises(KeyPairError, match=r"assinatura\.pem cannot be read as a private key"):
        signing.made(home)
    key = rsa.generate_private_key(65537, 2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair.private.write_bytes(encoded)
    with pytest.raises(KeyPairError, match=r"assinatura\.pem is not the key of an elliptic curve"):
        signing.made(home)
