"""`python cliente.py`, run as a person runs it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apis import ROOT, Api, free_port
from tests.bundles import tiny_answer

AT_MOST_8_KB = (
    "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); "
    "os.execv(sys.executable, [sys.executable, '-B', *sys.argv[1:]])"
)
HEADER = ["Living Area", "Rate", "City", "Kind"]


def command(api: Api | None, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    url = api.url if api else f"http://127.0.0.1:{free_port()}"
    return subprocess.run(
        [sys.executable, str(ROOT / "cliente.py"), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "API_URL": url, "COLUMNS": "200"},
        cwd="/",
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def table(path: Path, rows: list[list[object]], header: list[str] = HEADER, delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def predicted(api: Api, source: Path, **options: str) -> subprocess.CompletedProcess[str]:
    target = source.with_name("previsoes.csv")
    return command(api, "--arquivo", str(source), "--saida", str(target), **options)


def test_without_arguments_the_models_example_is_predicted(served: Api) -> None:
    ran = command(served)
    assert ran.returncode == 0, ran.stderr
    assert "Living Area" in ran.stdout
    assert "21.00 R$" in ran.stdout


@pytest.mark.parametrize("by_stdin", [False, True])
def test_one_record_as_json_is_predicted(served: Api, by_stdin: bool) -> None:
    record = json.dumps({"Living_Area": 900, "City": 1, "Kind": "b"})
    ran = command(served, "--json", "-", stdin=record) if by_stdin else command(served, "--json", record)
    assert ran.returncode == 0, ran.stderr
    assert "1,811.00 R$" in ran.stdout
    assert "Warning: Living_Area is 900" in ran.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "--json is not JSON"),
        ("[1]", "must be one record"),
        ('{"City": 9}', "City cannot be 9; send one of 1, 2, 3."),
    ],
)
def test_a_bad_record_is_one_clear_message(served: Api, content: str, said: str) -> None:
    ran = command(served, "--json", content)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_an_api_the_message_says_what_to_do() -> None:
    ran = command(None)
    assert ran.returncode == 1
    assert "make run" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("arguments", [["--arquivo", "x.csv"], ["--saida", "x.csv"], ["--nonsense"]])
def test_wrong_usage_is_explained(served: Api, arguments: list[str]) -> None:
    ran = command(served, *arguments)
    assert ran.returncode == 2
    assert "Usage" in ran.stderr


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_of_several_batches_gets_a_prediction_column(
    served: Api, tmp_path: Path, delimiter: str
) -> None:
    rows: list[list[object]] = [[n % 1001, "" if n % 3 else 2.5, 1 + n % 3, "ab"[n % 2]] for n in range(2500)]
    ran = predicted(served, table(tmp_path / "casas.csv", rows, delimiter=delimiter))
    assert ran.returncode == 0, ran.stderr
    assert "2,500 predictions" in ran.stdout
    with (tmp_path / "previsoes.csv").open(newline="") as file:
        written = list(csv.DictReader(file, delimiter=delimiter))
    for row, (area, _, city, kind) in zip(written, rows, strict=True):
        record = {"Living Area": int(str(area)), "City": int(str(city)), "Kind": str(kind)}
        assert float(row["prediction"]) == tiny_answer(record)


def test_names_order_marks_blank_lines_and_other_columns_do_not_matter(served: Api, tmp_path: Path) -> None:
    source = tmp_path / "casas.csv"
    source.write_bytes('\ufeffKind,note,Living_Area,City\r\nb,"x, y",120.0,1\r\n\r\n'.encode())
    assert predicted(served, source).returncode == 0
    written = (tmp_path / "previsoes.csv").read_text()
    assert written == 'Kind,note,Living_Area,City,prediction,warnings,error\nb,"x, y",120.0,1,251.0,,\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"Living Area,Rate,City,Kind\n", "has no rows"),
        (b"Living Area,Rate,Kind\n1,2,a\n", "has no column City"),
        (b"1,2,1,a\n1,2,1,a\n", "has no column Living Area, City, Kind"),
        (b"City,City,Living Area,Kind\n1,1,1,a\n", "more than one column City"),
        (b"City,Living Area,Kind,prediction\n1,1,a,3\n", "already has a column 'prediction'"),
        (b"City,Living Area,Kind\n1,1,a\n\n1,1\n", "row 4: has 2 cells"),
        (b'City,Living Area,Kind\n1,1,"a\n', "row 2: is not CSV"),
        (b'City,Living Area,Kind\n1,1,"a"b\n', "row 2: is not CSV"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text in UTF-8"),
        ("City,Living Area,Kind\n1,1,á\n".encode("latin-1"), "is not text in UTF-8"),
    ],
)
def test_a_bad_csv_is_one_clear_message_and_writes_nothing(
    served: Api, tmp_path: Path, content: bytes, said: str
) -> None:
    source = tmp_path / "casas.csv"
    source.write_bytes(content)
    ran = predicted(served, source)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert names(tmp_path) == ["casas.csv"]


def test_a_file_that_is_missing_or_a_folder_is_named(served: Api, tmp_path: Path) -> None:
    assert "does not exist" in predicted(served, tmp_path / "casas.csv").stderr
    (tmp_path / "pasta").mkdir()
    assert "cannot be read" in predicted(served, tmp_path / "pasta").stderr


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("no/such.csv", "such.csv cannot be written: No such file or directory"),
        ("casas.csv/such.csv", "such.csv cannot be written: Not a directory"),
        ("/proc/such.csv", "such.csv cannot be written"),
        (f"{'x' * 300}.csv", "csv cannot be written: File name too long"),
        ("pasta", "pasta is a folder; give --saida the name of a file"),
    ],
)
def test_a_target_that_cannot_be_written_is_named_before_the_api_is_asked(
    tmp_path: Path, target: str, said: str
) -> None:
    source = table(tmp_path / "casas.csv", [[1, "", 1, "a"]])
    (tmp_path / "pasta").mkdir()
    ran = command(None, "--arquivo", str(source), "--saida", str(tmp_path / target))
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "No API answers" not in ran.stderr
    assert names(tmp_path) == ["casas.csv", "pasta"]


def test_a_delimiter_within_quotes_delimits_nothing(served: Api, tmp_path: Path) -> None:
    source = tmp_path / "casas.csv"
    source.write_text('Living Area,City,Kind,"a;b ""c;d"" e;f;g"\n120,1,b,x\n')
    assert predicted(served, source).returncode == 0
    (row,) = csv.DictReader((tmp_path / "previsoes.csv").read_text().splitlines())
    assert (row["prediction"], row['a;b "c;d" e;f;g']) == ("251.0", "x")


def test_what_cannot_be_a_key_is_one_clear_message() -> None:
    ran = command(None, "--api-key", "chavé")
    assert ran.returncode == 1
    assert "cannot be an API key" in ran.stderr
    assert "chav" not in ran.stderr


def test_a_full_disk_is_told_and_leaves_nothing(served: Api, tmp_path: Path) -> None:
    source = table(tmp_path / "casas.csv", [[1, "", 1, "a"]] * 5000)
    limited = [sys.executable, "-c", AT_MOST_8_KB, str(ROOT / "cliente.py"), "--url", served.url]
    told = ["--arquivo", str(source), "--saida", str(tmp_path / "previsoes.csv")]
    ran = subprocess.run([*limited, *told], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "cannot be written: File too large" in ran.stderr
    assert names(tmp_path) == ["casas.csv"]
