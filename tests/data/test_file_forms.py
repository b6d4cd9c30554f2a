"""A file is read whatever its line ends, delimiter, encoding and packing, and its lines are counted right."""

from __future__ import annotations

import gzip
from itertools import product

import pandas as pd
import pyarrow.parquet as pq
import pytest

FORMS = [
    *product(["\n", "\r\n", "\r"], [",", ";", "\t", "|"], [False]),
    *product(["\n", "\r"], [";"], [True]),
]


@pytest.mark.parametrize(("end", "delimiter", "packed"), FORMS)
def test_rows_and_the_lines_of_bad_ones_are_right(bench, csv, flats, delimiter, end, packed):
    rows = [*flats[:30], "1,2", "x,1,flat,1,1", *flats[30:], '"y",1,"flat","1.5",1']
    content = b"\xef\xbb\xbf" + csv(rows).replace(",", delimiter).replace("\n", end).encode()
    bench.put(gzip.compress(content) if packed else content, "flats.csv.gz" if packed else "flats.csv")
    dataset = bench.clean()
    assert pd.read_parquet(dataset.path)["Area"].tolist() == [20 + place for place in range(60)]
    aside = pq.read_table(dataset.rejected_path).to_pylist()
    assert {row["_line"]: row["Area"] for row in aside} == {32: None, 33: "x", 64: "y"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quoted_cell_or_name_may_hold_other_line_ends(bench, csv, flats, end):
    header = 'Area,City,Kind,Fee,Price,"Remarks\nand notes"'
    text = csv([f"{row},#NOTE" for row in flats], header).replace("\n", end)
    bench.put(
        text.replace(f"Remarks{end}", "Remarks\n").replace("NOTE", '"one\ntwo, ""three"""').replace("#", "")
    )
    assert pd.read_parquet(bench.clean().path)["Area"].tolist() == [20 + place for place in range(60)]


def test_a_quote_in_the_wrong_place_costs_only_its_row(bench, csv, flats):
    bench.put(csv([*flats[:5], '1,1,"fl" at,1,1', *flats[5:]]))
    dataset = bench.clean()
    assert (dataset.rows_out, dataset.rejected) == (60, 1)


def test_quoted_numbers_are_numbers_and_rows_may_begin_with_a_hash(bench, csv, flats):
    quoted = [",".join(f'"{cell}"' for cell in row.split(",")) for row in flats]
    bench.put(csv([*quoted, "#5,1,flat,1,1"]))
    assert (
        bench.clean(
            ("Area:  {type: integer, min: 1, max: 1000}", "Area: {type: integer, symbol: '#'}")
        ).rows_out
        == 61
    )


def test_a_large_file_with_old_line_ends_is_read_in_order(bench, csv):
    rows = [f"{place % 1000 + 1},{place % 3 + 1},flat,{place},{place}" for place in range(100_000)]
    bench.put(csv(rows).replace("\n", "\r"))
    assert pd.read_parquet(bench.clean().path)["Fee"].tolist() == list(range(100_000))


@pytest.mark.parametrize("packed", [False, True])
def test_what_calls_itself_latin_1_may_hold_the_signs_of_windows_1252(bench, csv, flats, packed):
    content = csv([*flats, "5,1,“sótão” – 5 €,1,1", "x,1,flat,1,1"], "Area,City,Kind,Fee,Price").encode(
        "cp1252"
    )
    content += b"6,1,\x81,1,1\n"
    bench.put(gzip.compress(content) if packed else content, "flats.csv.gz" if packed else "flats.csv")
    dataset = bench.clean(
        ("{files: flats.csv}", "{files: flats.csv, encoding: latin-1}"), (", levels: [flat, house]", "")
    )
    assert pd.read_parquet(dataset.path)["Kind"].tolist()[60:] == ["“sótão” – 5 €", "\x81"]
    assert pq.read_table(dataset.rejected_path)["_line"].to_pylist() == [63]
