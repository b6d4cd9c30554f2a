"""Raw files are found as they are, and synthesized only where there are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from esteira.data import synthesize
from esteira.data.clean import clean
from esteira.data.raw import RawDataError, RawFiles, find

SYNTHETIC = ("{files: flats.csv}", "{files: flats.csv, synthetic: few_flats}")


@pytest.fixture(autouse=True)
def few_flats(monkeypatch, csv, flats):
    generators = {**synthesize.GENERATORS, "few_flats": lambda path: path.write_text(csv(flats))}
    monkeypatch.setattr(synthesize, "GENERATORS", generators)


def test_a_missing_file_is_named_with_what_is_near_it(bench):
    bench.put("x", "flat.csv")
    with pytest.raises(
        RawDataError, match=r"raw/flats\.csv does not exist \(near it: flat\.csv\).*RAW_DATA_PATH"
    ):
        find(bench.case(), bench.settings)


@pytest.mark.parametrize("files", ["''", "nowhere/*.csv", "/nowhere-at-all/*.csv"])
def test_a_pattern_that_matches_nothing_is_a_clear_error(bench, files):
    with pytest.raises(RawDataError, match=r"source\.files"):
        find(bench.case(("files: flats.csv", f"files: {files}")), bench.settings)


def test_a_mistyped_name_of_another_file_is_an_error_and_makes_nothing_up(bench):
    bench.put("x", "people_2026.csv")
    case = bench.case(SYNTHETIC)
    with pytest.raises(RawDataError, match=r"peple_2026\.csv does not exist \(near it: people_2026\.csv\)"):
        find(case.reading("peple_2026.csv"), bench.settings)
    assert [path.name for path in (bench.folder / "raw").iterdir()] == ["people_2026.csv"]
    assert find(case.reading("people_2026.csv"), bench.settings).synthetic is False
    assert find(case.reading("flats.csv"), bench.settings).synthetic
    assert case.reading("") == case.reading(None) == case


def test_a_missing_file_is_synthesized_and_stays_known_as_synthetic(bench, caplog):
    case = bench.case(SYNTHETIC)
    first = find(case, bench.settings)
    assert first.synthetic
    assert "SYNTHETIC" in caplog.text
    assert find(case, bench.settings) == first
    assert [path.name for path in first.paths] == ["flats.csv"]


def test_made_up_files_can_lie_apart_from_those_that_may_not_be_written_to(bench, csv, flats, tmp_path):
    apart = bench.settings.model_copy(update={"SYNTHETIC_DATA_PATH": tmp_path / "made-up"})
    case = bench.case(SYNTHETIC)
    made = find(case, apart)
    assert made.synthetic
    assert made.paths == (tmp_path / "made-up" / "flats.csv",)
    assert find(case, apart) == made
    assert not (apart.RAW_DATA_PATH / "flats.csv").exists()
    observed = bench.put(csv(flats))
    assert find(case, apart).paths == (observed,)


def test_a_file_that_is_there_is_never_overwritten(bench, csv, flats):
    path = bench.put(csv(flats[:55]))
    raw = find(bench.case(SYNTHETIC), bench.settings)
    assert not raw.synthetic
    assert path.read_text() == csv(flats[:55])


@pytest.mark.parametrize(("named", "present"), [("flats.csv", "flats.csv.gz"), ("flats.csv.gz", "flats.csv")])
def test_a_file_that_is_there_packed_or_unpacked_is_used_rather_than_synthesized(bench, named, present):
    bench.put("x", present)
    case = bench.case(("{files: flats.csv}", f"{{files: {named}, synthetic: few_flats}}"))
    raw = find(case, bench.settings)
    assert [path.name for path in raw.paths] == [present]
    assert not raw.synthetic


def test_of_a_packed_and_an_unpacked_file_the_one_that_is_named_is_used(bench):
    for name in ("flats.csv", "flats.csv.gz"):
        bench.put("x", name)
    assert [path.name for path in find(bench.case(), bench.settings).paths] == ["flats.csv"]


def test_a_file_put_in_place_of_a_synthetic_one_is_real(bench, csv, flats):
    case = bench.case(SYNTHETIC)
    find(case, bench.settings)
    bench.put(csv(flats[:55]))
    assert not find(case, bench.settings).synthetic


def test_a_damaged_mark_does_not_stop_anything(bench):
    case = bench.case(SYNTHETIC)
    path = find(case, bench.settings).paths[0]
    path.with_name("flats.csv.synthetic.json").write_text("{")
    assert not find(case, bench.settings).synthetic


def test_a_generator_that_breaks_leaves_no_file(bench, monkeypatch):
    def broken(path):
        path.write_text("half")
        raise RuntimeError("stopped")

    monkeypatch.setattr(synthesize, "GENERATORS", {"few_flats": broken})
    with pytest.raises(RuntimeError, match="stopped"):
        find(bench.case(SYNTHETIC), bench.settings)
    assert [path.name for path in (bench.folder / "raw").iterdir()] == [".lock"]


def test_an_unknown_generator_is_named_with_its_near_one(bench):
    case = bench.case(("{files: flats.csv}", "{files: flats.csv, synthetic: house_price}"))
    with pytest.raises(
        synthesize.UnknownGeneratorError, match="no generator 'house_price'; did you mean 'house_prices'"
    ):
        find(case, bench.settings)


def test_a_generator_cannot_write_to_a_pattern(bench):
    case = bench.case(("{files: flats.csv}", "{files: '*.csv', synthetic: few_flats}"))
    with pytest.raises(RawDataError, match="name of one file"):
        find(case, bench.settings)


def test_a_pattern_takes_all_its_files_in_order_but_not_the_marks(bench):
    bench.put("b", "b.csv")
    bench.put(gzip.compress(b"a"), "a.csv.gz")
    bench.put("{}", "b.csv.synthetic.json")
    raw = find(bench.case(("files: flats.csv", "files: '*'")), bench.settings)
    assert [path.name for path in raw.paths] == ["a.csv.gz", "b.csv"]


def test_a_file_changed_after_it_was_found_is_refused(bench, csv, flats):
    path = bench.put(csv(flats))
    raw = find(bench.case(), bench.settings)
    bench.put(csv(flats[:55]))
    with pytest.raises(RawDataError, match=rf"{path} was changed"):
        raw.files[0].check_unchanged()


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("other")])
def test_cleaning_a_file_that_went_or_changed_after_it_was_found_says_to_run_the_dag_again(
    bench, csv, flats, change
):
    path = bench.put(csv(flats))
    raw = find(bench.case(), bench.settings)
    change(path)
    with pytest.raises(RawDataError, match=rf"{path} was changed or removed.*run the DAG extrai_trata_dados"):
        clean(bench.case(), raw, bench.settings)


def test_what_was_found_passes_between_tasks_as_json(bench, csv, flats):
    bench.put(csv(flats))
    raw = find(bench.case(), bench.settings)
    assert RawFiles.model_validate(json.loads(raw.model_dump_json())) == raw
