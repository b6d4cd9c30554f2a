"""The class Cliente against a real API."""

from __future__ import annotations

import math
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from cliente import (
    ApiUnreachableError,
    Cliente,
    ClienteError,
    NotReadyError,
    Prediction,
    Ready,
    RefusedError,
)
from esteira import apikeys
from tests.apis import free_port, serving
from tests.bundles import tiny_answer, tiny_bundle

RECORD = {"Living Area": 120, "Rate": None, "City": 3, "Kind": "b"}


def test_a_record_is_predicted(api: Cliente) -> None:
    assert api.predict(RECORD) == Prediction(
        case="tiny",
        version=1,
        prediction=tiny_answer(RECORD),
        unit="R$",
        warnings=("City is 3, but training saw only 1, 2",),
    )


def test_a_batch_comes_back_in_its_order(api: Cliente) -> None:
    records = [{**RECORD, "Living Area": area} for area in (7, 3, 5)]
    assert [answer.prediction for answer in api.predict_batch(records)] == [tiny_answer(r) for r in records]


def test_the_model_tells_its_columns_and_an_example_that_works(api: Cliente) -> None:
    model = api.model()
    assert (model.case, model.version, model.unit) == ("tiny", 1, "R$")
    assert list(model.columns) == ["Living Area", "Rate", "City", "Kind"]
    assert api.predict(model.example).prediction == tiny_answer(model.example)


def test_ready_and_check_tell_who_serves(api: Cliente) -> None:
    assert api.ready() == Ready(case="tiny", version=1, instance="cliente")
    assert api.check() == 1


def test_a_refusal_lists_each_field(api: Cliente) -> None:
    with pytest.raises(RefusedError) as caught:
        api.predict({"Living Area": "big", "Rate": math.nan, "City": 1, "Kynd": "a"})
    assert [fault.field for fault in caught.value.faults] == ["Living_Area", "Rate", "Kind", "Kynd"]
    assert 'Living_Area cannot be "big"; send a whole number from 0 to 1000 (m²).' in str(caught.value)


def test_a_refused_batch_lists_rows(api: Cliente) -> None:
    with pytest.raises(RefusedError) as caught:
        api.predict_batch([RECORD, {**RECORD, "City": 9}])
    assert [(fault.row, fault.field) for fault in caught.value.faults] == [(2, "City")]
    with pytest.raises(RefusedError, match="at least one"):
        api.predict_batch([])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}", "127.0.0.1:{port}", "http://nowhere.invalid", "http://["]
)
def test_where_nothing_answers_the_message_says_what_to_do(url: str) -> None:
    with Cliente(url.format(port=free_port())) as api, pytest.raises(ApiUnreachableError, match="make run"):
        api.check()


def test_an_api_that_does_not_answer_in_time_is_told_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Cliente(url, timeout=0.2) as api, pytest.raises(ApiUnreachableError, match="took too long"):
            api.check()


def test_another_program_on_the_port_is_told_apart() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{other.server_port}"
        with Cliente(url) as api, pytest.raises(ApiUnreachableError, match="not Esteira's API"):
            api.check()
        other.shutdown()


def test_an_api_without_a_model_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path / "artefatos") as empty, Cliente(empty.url) as api:
        for ask in (api.check, api.ready, api.model):
            with pytest.raises(NotReadyError, match=r"has no model: .* holds no version yet"):
                ask()


def test_an_overloaded_api_is_told_from_one_without_a_model(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    with serving(tmp_path / "artefatos", API_MOST_REQUESTS="1") as full, Cliente(full.url) as api:
        with socket.create_connection(("127.0.0.1", full.port)) as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            with pytest.raises(NotReadyError, match=r"^The API cannot answer now: ") as caught:
                ask_until_it_is_full(api)
        assert "model" not in str(caught.value)


def ask_until_it_is_full(api: Cliente) -> NoReturn:
    while True:
        api.predict(RECORD)


@pytest.mark.parametrize("key", ["chavé", "two words", "two\nlines", "\udc80", "\x7f"])
def test_what_cannot_be_a_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ClienteError, match="cannot be an API key") as caught:
        Cliente(api_key=key)
    assert key not in str(caught.value)


def test_the_blanks_around_a_key_are_not_sent(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "artefatos")
    key, keys = apikeys.add(tmp_path, "shop", None), str(apikeys.path(tmp_path))
    with serving(tmp_path / "artefatos", API_KEYS_FILE=keys) as guarded:
        with Cliente(guarded.url, api_key=f" {key}\r\n") as api:
            assert api.predict(RECORD).prediction == tiny_answer(RECORD)
        with Cliente(guarded.url, api_key="\n") as api, pytest.raises(RefusedError, match="Send an API key"):
            api.predict(RECORD)
