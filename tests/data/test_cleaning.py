"""A dataset holds exactly the rows that the case allows, in the order of the files."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from esteira.data.dataset import Dataset
from esteira.data.report import Report


def with_rules(rules):
    return "train:", f"clean: [{rules}]\ntrain:"


def report_of(dataset: Dataset) -> Report:
    return Report.model_validate_json(dataset.report_path.read_bytes())


def reasons(dataset: Dataset) -> dict[str, int]:
    return {drop.reason: drop.rows for step in report_of(dataset).steps for drop in step.drops}


def test_good_rows_arrive_unchanged_and_in_order(bench, csv, flats):
    bench.put(csv(flats))
    dataset = bench.clean()
    assert (dataset.rows_in, dataset.rows_out, dataset.rejected, dataset.duplicates) == (60, 60, 0, 0)
    assert pd.read_parquet(dataset.path)["Area"].tolist() == [20 + place for place in range(60)]
    assert {field.name: str(field.type) for field in pq.read_schema(dataset.path)} == {
        "Area": "int16",
        "City": "int8",
        "Kind": "string",
        "Fee": "double",
        "Price": "double",
    }


BAD_ROWS = {
    "abc,1,flat,1,1": "Area: not an integer",
    "1.5,1,flat,1,1": "Area: not an integer",
    "nan,1,flat,1,1": "Area: not an integer",
    "1e400,1,flat,1,1": "Area: not an integer",
    ",1,flat,1,1": "Area: missing",
    "  ,1,flat,1,1": "Area: missing",
    "0,1,flat,1,1": "Area: below 1",
    "99999999999999999999,1,flat,1,1": "Area: above 1,000",
    "1,4,flat,1,1": "City: not one of 1, 2, 3",
    "1,x,flat,1,1": "City: not one of 1, 2, 3",
    "1,,flat,1,1": "City: missing",
    "1,1,Flat,1,1": "Kind: not one of flat, house",
    "1,1,,1,1": "Kind: missing",
    "1,1,flat,x,1": "Fee: not a number",
    "1,1,flat,-inf,1": "Fee: not a number",
    "1,1,flat,-1,1": "Fee: below 0",
    "1,1,flat,1,": "Price: missing",
    "1,1,flat,1,'1'": "Price: not a number",
    "1,1,flat,1,1000001": "Price: above 1,000,000",
    "1,1,flat,1": "row: too few fields",
    "1,1,flat,1,1,1": "row: too many fields",
}


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS.items(), ids=BAD_ROWS)
def test_a_bad_row_is_kept_aside_with_its_reason_text_and_line(bench, csv, flats, row, reason):
    bench.put(csv([*flats[:7], row, *flats[7:]]))
    dataset = bench.clean()
    assert reasons(dataset) == {reason: 1}
    assert dataset.rows_out == 60
    (aside,) = pq.read_table(dataset.rejected_path).to_pylist()
    assert (aside["_file"], aside["_line"], aside["_reason"]) == ("flats.csv", 9, reason)
    kept = aside["_text"] or ",".join(aside[name] or "" for name in ("Area", "City", "Kind", "Fee", "Price"))
    assert kept.replace(" ", "") == row.replace(" ", "")


def test_lines_are_right_after_rows_of_the_wrong_form(bench, csv, flats):
    bench.put(csv(["1,2", "x,1,flat,1,1", "1,1,1,1,1,1,1", "1,1", "y,1,flat,1,1", *flats, "z,1,flat,1,1"]))
    aside = pd.read_parquet(bench.clean().rejected_path).set_index("_line")["Area"].dropna()
    assert aside.to_dict() == {3: "x", 6: "y", 67: "z"}


def test_bad_rows_of_a_large_file_are_kept_with_their_own_lines(bench, csv):
    rows = [f"{place % 1000 + 1},1,flat,{place},1" for place in range(300_000)]
    bad = {line: f"x{line}" for line in range(5, len(rows), 997)}
    for line, word in bad.items():
        rows[line - 2] = "1,1" if line % 2 else f"{word},1,flat,1,1"
    bench.put(csv(rows))
    aside = pd.read_parquet(bench.clean().rejected_path).set_index("_line")["Area"].dropna()
    assert aside.to_dict() == {line: word for line, word in bad.items() if line % 2 == 0}


GOOD_ROWS = [
    "7.0,1.0,house,3,1e3",
    " 7 , 1,\tflat ,,5",
    '"7","1","house","1.5","5"',
    "+7,1,flat,-0,0.5",
    "7,3,flat,   ,0",
]


@pytest.mark.parametrize("row", GOOD_ROWS)
def test_a_row_in_an_uncommon_spelling_is_kept(bench, csv, flats, row):
    bench.put(csv([*flats, row]))
    dataset = bench.clean()
    assert reasons(dataset) == {}
    assert pd.read_parquet(dataset.path)["Area"].iloc[-1] == 7


def test_a_missing_optional_value_stays_missing_also_in_text(bench, csv, flats):
    bench.put(csv([*flats, "7,1,NA,n/a,5", "8,,flat,-999,5"]))
    dataset = bench.clean(
        ("{files: flats.csv}", "{files: flats.csv, missing: [NA, n/a, '-999']}"),
        ("levels: [flat, house]}", "optional: true}"),
        ("levels: [1, 2, 3]}", "levels: [1, 2, 3], optional: true}"),
    )
    last = pq.read_table(dataset.path).to_pylist()[-2:]
    assert [(row["City"], row["Kind"], row["Fee"]) for row in last] == [(1, None, None), (None, "flat", None)]
    assert {column.name: column.missing for column in report_of(dataset).columns}["Fee"] == 2


def test_the_last_line_needs_no_end(bench, csv, flats):
    bench.put(csv(flats).rstrip("\n"))
    assert bench.clean().rows_out == 60


def test_latin_1_is_read_where_the_case_says_so(bench, csv, flats):
    bench.put(csv([row.replace("house", "sótão") for row in flats]).encode("latin-1"))
    dataset = bench.clean(("{files: flats.csv}", "{files: flats.csv, encoding: latin-1}"), ("house", "sótão"))
    assert set(pd.read_parquet(dataset.path)["Kind"]) == {"flat", "sótão"}


def test_columns_that_the_case_does_not_use_are_ignored_and_listed(bench, csv, flats):
    bench.put(
        csv([f"{place},{row},é" for place, row in enumerate(flats)], "Id,Area,City,Kind,Fee,Price,Note")
    )
    dataset = bench.clean()
    assert dataset.rows_out == 60
    assert report_of(dataset).sources[0].ignored_columns == ("Id", "Note")


def test_files_with_their_columns_in_another_order_are_read_as_one(bench, csv, flats):
    bench.put(csv(flats[:30]), "flats-1.csv")
    turned = [";".join(reversed(row.split(","))) for row in [*flats[30:], "x,1,flat,1,1"]]
    bench.put(gzip.compress(csv(turned, "Price;Fee;Kind;City;Area").encode()), "flats-2.csv.gz")
    dataset = bench.clean(("files: flats.csv", "files: flats-*"))
    assert pd.read_parquet(dataset.path)["Area"].tolist() == [20 + place for place in range(60)]
    (aside,) = pq.read_table(dataset.rejected_path).to_pylist()
    assert (aside["_file"], aside["_line"], aside["Area"]) == ("flats-2.csv.gz", 32, "x")


def test_of_equal_rows_the_first_is_kept(bench, csv, flats):
    bench.put(csv([*flats, flats[5], "25.0,3, house,5.50,1005", *flats[:3], "7,1,flat,,1", "7,1,flat,,1"]))
    dataset = bench.clean(with_rules("drop_duplicates"))
    assert (dataset.rows_in, dataset.rows_out, dataset.duplicates, dataset.rejected) == (67, 61, 6, 0)
    assert pd.read_parquet(dataset.path)["Area"].tolist() == [*range(20, 80), 7]


def test_rows_that_miss_an_optional_value_are_dropped_on_request(bench, csv, flats):
    bench.put(csv([*flats, "7,1,flat,,1", "8,1,flat,,1"]))
    dataset = bench.clean(with_rules("drop_missing"))
    assert (dataset.rows_out, reasons(dataset)) == (60, {"Fee: missing": 2})
    dataset = bench.clean(with_rules("drop_missing: {columns: [Area]}"))
    assert (dataset.rows_out, reasons(dataset)) == (62, {})


def test_outliers_are_those_outside_the_exact_quartiles(bench, csv):
    random = np.random.default_rng(3)
    prices = np.round(random.lognormal(8, 1, 997), 2)
    bench.put(csv([f"{20 + place % 50},{1 + place % 3},flat,,{price}" for place, price in enumerate(prices)]))
    dataset = bench.clean(with_rules("iqr_outliers: {factor: 2, columns: [Price]}"))
    q1, q3 = np.quantile(prices, [0.25, 0.75])
    inside = (prices >= q1 - 2 * (q3 - q1)) & (prices <= q3 + 2 * (q3 - q1))
    assert pd.read_parquet(dataset.path)["Price"].tolist() == prices[inside].tolist()
    aside = pd.read_parquet(dataset.rejected_path)
    assert aside["Price"].astype(float).tolist() == prices[~inside].tolist()
    assert aside["_line"].tolist() == (np.flatnonzero(~inside) + 2).tolist()


def test_outliers_are_looked_for_in_every_number_with_a_spread_by_default(bench, csv, flats):
    rows = [f"{row.rsplit(',', 2)[0]},{place in (7, 8)},{1000}" for place, row in enumerate(flats)]
    rows = [row.replace("True", "99").replace("False", "1") for row in [*rows, "999,1,flat,1,1000"]]
    bench.put(csv(rows))
    dataset = bench.clean(with_rules("iqr_outliers"))
    assert list(reasons(dataset)) == ["Area: outside -10 to 110"]
    assert dataset.rows_out == 60


def test_rules_apply_in_the_order_of_the_case(bench, csv, flats):
    bench.put(csv([*flats, *[flats[0]] * 200]))
    first = bench.clean(with_rules("drop_duplicates, iqr_outliers: {columns: [Area]}"))
    assert (first.rows_out, first.duplicates, first.rejected) == (60, 200, 0)
    bench.put(csv([*flats, *[flats[0]] * 200]))
    steps = report_of(bench.clean(with_rules("drop_missing, drop_duplicates"))).steps
    assert [step.name for step in steps] == ["check columns", "drop_missing", "drop_duplicates"]


def test_rows_out_are_rows_in_less_rejected_and_duplicates(bench, csv, flats):
    bench.put(csv([*flats, *flats[:9], "x,1,flat,1,1", "1,2", "999,1,flat,9,1"]))
    dataset = bench.clean(with_rules("drop_duplicates, iqr_outliers: {columns: [Area]}"))
    assert (dataset.rejected, dataset.duplicates) == (3, 9)
    assert dataset.rows_out == dataset.rows_in - dataset.rejected - dataset.duplicates
    assert dataset.rejected == pq.read_metadata(dataset.rejected_path).num_rows


def test_the_same_input_gives_the_same_dataset_and_is_not_cleaned_twice(bench, csv, flats, caplog):
    bench.put(csv(flats))
    first = bench.clean()
    written = first.path.stat().st_mtime_ns
    caplog.set_level("INFO")
    again = bench.clean(("title: Flats", "title: Dwellings"))
    assert again.model_copy(update={"seconds": 0}) == first.model_copy(update={"seconds": 0})
    assert again.path.stat().st_mtime_ns == written
    assert "used again" in caplog.text


def test_another_content_or_another_rule_gives_another_dataset(bench, csv, flats):
    bench.put(csv(flats))
    names = {
        bench.clean().sha,
        bench.clean(with_rules("drop_missing")).sha,
        bench.clean(("max: 1000}", "max: 999}")).sha,
    }
    bench.put(csv(flats[:-1]))
    names.add(bench.clean().sha)
    assert len(names) == 4


@pytest.mark.parametrize("damaged", ["path", "report_path", "rejected_path"])
def test_a_damaged_dataset_is_made_again(bench, csv, flats, damaged):
    bench.put(csv(flats))
    first = bench.clean()
    path = getattr(first, damaged)
    path.unlink() if damaged == "rejected_path" else path.write_bytes(b"damaged")
    again = bench.clean()
    assert pd.read_parquet(again.path).equals(pd.read_parquet(bench.clean().path))
    assert report_of(again).rows_out == pq.read_metadata(again.rejected_path).num_rows + 60


def test_a_large_file_gives_the_same_rows_in_the_same_order_each_time(bench, csv):
    random = np.random.default_rng(5)
    rows = pd.DataFrame({"Area": random.integers(1, 1000, 300_000), "City": random.integers(1, 4, 300_000)})
    rows = rows.assign(Kind="flat", Fee=1, Price=random.integers(0, 100, 300_000))
    bench.put(rows.to_csv(index=False))
    tables = []
    for _ in range(2):
        dataset = bench.clean(with_rules("drop_duplicates"))
        tables.append(pq.read_table(dataset.path))
        dataset.path.unlink()
    assert tables[0].equals(tables[1])
    expected = rows.drop_duplicates().reset_index(drop=True)
    assert (tables[0].to_pandas()[["Area", "City", "Price"]] == expected[["Area", "City", "Price"]]).all(
        axis=None
    )


def test_a_dataset_passes_between_tasks_as_json(bench, csv, flats):
    bench.put(csv(flats))
    dataset = bench.clean()
    assert Dataset.model_validate(json.loads(dataset.model_dump_json())) == dataset


ODD_NAMES = [
    'a "b"',
    "select",
    "R$ (m²)",
    "x.y",
    "it's",
    "count",
    "Ação",
    "c0",
    "v1",
    "value",
    "n",
    "bar",
    "place",
]


@pytest.mark.parametrize("name", [*ODD_NAMES, "name", "rowid", "rows", "fault"])
def test_a_column_may_have_any_name(bench, csv, flats, name):
    spelled = '"' + name.replace('"', '""') + '"'
    bench.put(csv([*flats, flats[0], "x,1,flat,1,1"], f"{spelled},City,Kind,Fee,Price"))
    dataset = bench.clean(
        ("  Area:", f"  {json.dumps(name)}:"), with_rules("drop_duplicates, drop_missing, iqr_outliers")
    )
    assert reasons(dataset) == {f"{name}: not an integer": 1, "equal to an earlier row": 1}
    assert pd.read_parquet(dataset.path)[name].tolist() == [20 + place for place in range(60)]


def test_a_column_without_any_value_is_no_problem(bench, csv, flats):
    bench.put(csv([",".join([*row.split(",")[:3], "", row.split(",")[4]]) for row in flats]))
    dataset = bench.clean(with_rules("iqr_outliers"))
    assert (dataset.rows_out, reasons(dataset)) == (60, {})
    assert report_of(dataset).columns[3].missing == 60


def test_a_file_name_with_pattern_characters_is_only_a_name(bench, csv, flats):
    bench.put(csv(flats), "fl[a]ts *?.csv")
    assert bench.clean(("files: flats.csv", "files: 'fl[a]ts *?.csv'")).rows_out == 60
