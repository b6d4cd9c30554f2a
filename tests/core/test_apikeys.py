"""API keys: made once, kept as hashes, revoked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from esteira import apikeys
from esteira.apikeys import ApiKeyError


def test_a_key_is_kept_as_a_hash_alone(tmp_path: Path) -> None:
    key = apikeys.add(tmp_path, "shop", 50)
    assert len(key) == len(apikeys.PREFIX) + 43
    assert key not in apikeys.path(tmp_path).read_text()
    assert key.removeprefix(apikeys.PREFIX) not in apikeys.path(tmp_path).read_text()
    assert [(one.name, one.rate) for one in apikeys.read(tmp_path)] == [("shop", 50)]


def test_a_name_is_taken_until_it_is_revoked(tmp_path: Path) -> None:
    first = apikeys.add(tmp_path, "shop", None)
    with pytest.raises(ApiKeyError, match="esteira keys revoke shop"):
        apikeys.add(tmp_path, "shop", None)
    apikeys.revoke(tmp_path, "shop")
    assert apikeys.add(tmp_path, "shop", None) != first


def test_who_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    apikeys.add(tmp_path, "shop", None)
    with pytest.raises(ApiKeyError, match="no key 'shp'; there are: shop"):
        apikeys.revoke(tmp_path, "shp")


@pytest.mark.parametrize(
    ("name", "rate"), [("", None), ("two words", None), ("x" * 65, None), ("a", 0), ("a", float("inf"))]
)
def test_what_cannot_be_a_key_is_one_message(tmp_path: Path, name: str, rate: float | None) -> None:
    with pytest.raises(ApiKeyError, match="a rate is a number above 0"):
        apikeys.add(tmp_path, name, rate)
    assert apikeys.read(tmp_path) == ()


def test_a_broken_file_is_named_and_not_written_over(tmp_path: Path) -> None:
    apikeys.add(tmp_path, "shop", None)
    apikeys.path(tmp_path).write_text("{")
    with pytest.raises(ApiKeyError, match=r"keys\.json cannot be read"):
        apikeys.add(tmp_path, "other", None)
    assert apikeys.path(tmp_path).read_text() == "{"


def test_of_many_commands_at_once_none_is_lost(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: apikeys.add(tmp_path, f"key-{number}", None), range(32)))
    assert len(apikeys.read(tmp_path)) == 32
