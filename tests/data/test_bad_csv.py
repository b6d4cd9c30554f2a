"""A file that cannot become a dataset is refused by name, with the reason and the remedy."""

from __future__ import annotations

import gzip
import os

import pyarrow.parquet as pq
import pytest

from esteira.data.clean import CleaningError
from esteira.data.layout import LayoutError
from esteira.errors import EsteiraError


def refused(bench, error, match, *changes):
    with pytest.raises(error, match=match) as caught:
        bench.clean(*changes)
    assert isinstance(caught.value, EsteiraError)
    left = {path.name.split(".", 1)[-1] for path in bench.processed.iterdir()}
    assert left <= {"lock", "rejected.parquet"}, "no dataset and nothing half made is left"
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file(bench, content):
    bench.put(content)
    refused(bench, LayoutError, r"flats\.csv is empty; put a CSV")


def test_a_file_with_only_a_header(bench, csv):
    bench.put(csv([]))
    refused(bench, CleaningError, r"flats\.csv has a header but no rows")


@pytest.mark.parametrize("content", [b"PK\x03\x04\0\0\0" + os.urandom(5000), "Area,City".encode("utf-16")])
def test_a_binary_file(bench, content):
    bench.put(content)
    refused(bench, LayoutError, r"flats\.csv is not text \(it holds NUL bytes\)")


def test_binary_content_after_a_good_header(bench, csv):
    bench.put(csv([]).encode() + os.urandom(200_000).replace(b"\0", b"\1"))
    refused(bench, EsteiraError, r"flats\.csv")


def test_a_file_in_another_encoding(bench, csv, flats):
    bench.put(csv([*flats, "1,1,sótão,1,1"]).encode("latin-1"))
    refused(bench, LayoutError, r"is not utf-8: byte 0xf3 .* source\.encoding to latin-1")


def test_a_wrong_byte_far_down_costs_only_its_row(bench, csv, flats):
    bench.put(csv([*flats * 400, "1,1,s\udcf3,1,1"]).encode("utf-8", "surrogateescape"))
    dataset = bench.clean()
    assert (dataset.rows_out, dataset.rejected) == (24_000, 1)
    assert pq.read_table(dataset.rejected_path)["_reason"].to_pylist() == ["row: not UTF-8"]


def test_a_file_cut_off_in_a_quoted_cell_loses_only_its_last_row(bench, csv, flats):
    bench.put(csv([*flats, '7,1,"fla']).rstrip("\n"))
    dataset = bench.clean()
    assert (dataset.rows_out, dataset.rejected) == (60, 1)
    (aside,) = pq.read_table(dataset.rejected_path).to_pylist()
    assert (aside["_reason"], aside["_text"]) == ("row: a quote that does not end", '7,1,"fla')


@pytest.mark.parametrize("content", ["good,\n", None])
def test_a_damaged_gzip(bench, csv, flats, content):
    packed = gzip.compress(
        csv([f"{place % 900 + 1},1,flat,{place},{place * 7919 % 999}" for place in range(99_999)]).encode()
    )
    bench.put(packed[: len(packed) // 2] if content is None else content.encode(), "flats.csv.gz")
    refused(bench, LayoutError, r"flats\.csv\.gz .*copy it again in full", ("flats.csv", "flats.csv.gz"))


def test_a_missing_column_is_named_with_those_that_are_there(bench, csv, flats):
    bench.put(csv(flats, "Area,City,Kind,Fee,Value"))
    refused(bench, LayoutError, r"has no column 'Price'.*its columns are: Area, City, Kind, Fee, Value")


def test_a_renamed_column_is_named_with_its_near_one(bench, csv, flats):
    bench.put(csv(flats, "area,City,Kind,Fee,Prices"))
    refused(bench, LayoutError, r"has no column 'Area' \(near it: 'area'\), 'Price' \(near it: 'Prices'\)")


def test_a_delimiter_that_the_file_does_not_have(bench, csv, flats):
    bench.put(csv(flats))
    refused(
        bench,
        LayoutError,
        "With ';' as delimiter",
        ("{files: flats.csv}", "{files: flats.csv, delimiter: ;}"),
    )


@pytest.mark.parametrize("ends", [("\n", "\r\n"), ("\r\n", "\n"), ("\r", "\n"), ("\r\n", "\r")])
def test_lines_that_end_in_different_ways(bench, csv, flats, ends):
    halves = csv(flats[:30]), csv(flats[30:], flats[0])
    bench.put("".join(half.replace("\n", end) for half, end in zip(halves, ends, strict=True)))
    refused(bench, LayoutError, r"flats\.csv cannot be read as a CSV .*lines end in different ways")


def test_every_row_rejected(bench, csv, flats):
    bench.put(csv([row.replace("flat", "hut").replace("house", "hut") for row in flats]))
    said = refused(bench, CleaningError, r"60 of 60 rows of .*flats\.csv \(100\.0%\)")
    assert "Kind: not one of flat, house (60 rows, first in flats.csv line 2: 'hut')" in said


def test_every_row_rejected_is_an_error_also_where_the_case_allows_any_share(bench, csv, flats):
    bench.put(csv([f"x{row}" for row in flats]))
    refused(
        bench, CleaningError, "60 of 60 rows", ("{files: flats.csv}", "{files: flats.csv, max_rejected: 1}")
    )


def test_more_rejected_than_the_case_allows_keeps_them_to_look_at(bench, csv, flats):
    bench.put(csv([*flats, *["x,1,flat,1,1"] * 3, *["0,1,flat,1,1"] * 4]))
    said = refused(
        bench,
        CleaningError,
        r"10\.4%.*\(10%\)",
        ("{files: flats.csv}", "{files: flats.csv, max_rejected: 0.1}"),
    )
    assert said.index("below 1 (4 rows") < said.index("not an integer (3 rows")
    (aside,) = bench.processed.glob("*.rejected.parquet")
    assert str(aside) in said
    assert pq.read_metadata(aside).num_rows == 7


def test_too_few_rows_left_for_a_training(bench, csv, flats):
    bench.put(csv(flats[:30] * 9))
    refused(
        bench,
        CleaningError,
        r"Only 30 of 270 rows .* fewer than 50",
        ("train:", "clean: [drop_duplicates]\ntrain:"),
    )


def test_a_corrected_file_is_cleaned_after_a_refusal(bench, csv, flats):
    bench.put(csv([f"x{row}" for row in flats]))
    refused(bench, CleaningError, "not an integer")
    bench.put(csv(flats))
    assert bench.clean().rows_out == 60


@pytest.mark.parametrize(("name", "called"), [("area", "area_2"), ("_line", "_line_2")])
def test_a_name_that_only_the_case_thinks_free_is_answered_with_the_one_to_use(
    bench, csv, flats, name, called
):
    bench.put(csv([f"{row},1" for row in flats], f"Area,City,Kind,Fee,Price,{name}"))
    changed = ("  Fee:", f"  {name}: {{type: integer}}\n  Fee:")
    refused(bench, LayoutError, f"has no column '{name}' .near it: '{called}'", changed)


def test_a_date_format_that_is_none(bench, csv, flats):
    bench.put(csv(flats))
    changed = ("{type: number, min: 0, optional: true}", "{type: date, format: '%d/%Q/%Y'}")
    refused(bench, LayoutError, r"columns\.Fee\.format .* '%d/%Q/%Y', which is not in the words of", changed)
