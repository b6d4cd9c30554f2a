"""Every column of a file has a name of its own, whatever its header says."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.columns import json_name
from esteira.data.layout import RESERVED, column_names
from esteira.data.report import Report

NAMES = {
    ("a", "b"): ("a", "b"),
    (" a ", "\tb\n", "\ufeffc"): ("a", "b", "c"),
    ("", "a", " ", ""): ("column_1", "a", "column_3", "column_4"),
    ("Price", "Price", "Price"): ("Price", "Price_2", "Price_3"),
    ("Price", "price", "PRICE"): ("Price", "price_2", "PRICE_3"),
    ("Glass Doors", "Glass_Doors", "Glass  Doors"): ("Glass Doors", "Glass_Doors_2", "Glass  Doors_3"),
    ("Ação", "AÇÃO"): ("Ação", "AÇÃO_2"),
    ("Price", "Price", "Price_2"): ("Price", "Price_3", "Price_2"),
    ("_line", "_File", "__row__"): ("_line_2", "_File_2", "__row___2"),
    (): (),
}


@pytest.mark.parametrize(("header", "names"), NAMES.items(), ids=map(str, NAMES))
def test_the_names_of_a_header(header, names):
    assert column_names(header) == names


@given(
    st.lists(st.sampled_from(["a", "A", "a_2", "A_2", "a 2", "", "column_1", "_line", "_line_2", "é", " a"]))
)
def test_names_are_always_different_also_in_json_and_in_any_capitals(header):
    names = column_names(header)
    assert len(names) == len(header)
    assert len({json_name(name).casefold() for name in [*names, *RESERVED]}) == len(names) + len(RESERVED)


def test_a_case_can_name_the_second_of_two_columns_and_the_log_says_which_is_which(bench, csv, flats, caplog):
    bench.put(csv([f"{row},{place}" for place, row in enumerate(flats)], "Area,City,Kind,Fee,Price,Price"))
    dataset = bench.clean(("target: Price", "target: Price_2"), ("  Price:", "  Price_2:"))
    assert pd.read_parquet(dataset.path)["Price_2"].tolist() == list(range(60))
    assert Report.model_validate_json(dataset.report_path.read_bytes()).sources[0].ignored_columns == (
        "Price",
    )
    assert "the column 'Price' 2 times; they are read as Price, Price_2, from left to right" in caplog.text


def test_columns_that_the_case_does_not_use_may_be_there_twice_without_a_word(bench, csv, flats, caplog):
    bench.put(csv([f"{row},1,2,," for row in flats], "Area,City,Kind,Fee,Price,Note,note,,"))
    assert bench.clean().rows_out == 60
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_column_without_a_name_is_known_by_its_place(bench, csv, flats):
    bench.put(csv([f"{place},{row}" for place, row in enumerate(flats)], ",Area,City,Kind,Fee,Price"))
    dataset = bench.clean(("  Area:", "  column_1: {type: integer}\n  Area:"))
    assert pd.read_parquet(dataset.path)["column_1"].tolist() == list(range(60))
