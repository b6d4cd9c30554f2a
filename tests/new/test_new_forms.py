"""Whatever its encoding, delimiter and line ends, a file is read as it was meant."""

import pytest
from strangers import ROWS, csv, flats

PLACES = {"bairro": ["Jardim Botânico", "São João", "Centro", "Glória"] * 50}


@pytest.mark.parametrize(
    ("delimiter", "end"),
    [(",", "\n"), (",", "\r"), (";", "\r\n"), (";", "\r"), ("\t", "\n"), ("\t", "\r\n"), ("|", "\r")],
)
def test_every_delimiter_and_every_line_end(bench, delimiter, end):
    made = bench.new(bench.put(csv(flats(**PLACES), delimiter=delimiter, end=end)))
    assert made.case.source.delimiter == delimiter
    assert list(made.case.columns) == ["area", "rooms", "bairro", "price"]
    assert (made.dataset.rows_out, made.dataset.rejected) == (ROWS, 0)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("latin-1", "latin-1"), ("cp1252", "latin-1")],
)
def test_accents_arrive_in_every_encoding(bench, encoding, said):
    made = bench.new(bench.put(csv(flats(**PLACES), encoding=encoding)))
    assert made.case.source.encoding == said
    assert set(made.table["bairro"]) == set(PLACES["bairro"])
    assert next(iter(made.case.columns)) == "area", "a byte-order mark is no part of a name"


def test_accents_after_a_long_plain_start_are_still_found_to_be_latin_1(bench):
    places = {"bairro": ["Centro"] * 199 + ["Glória"]}
    padded = {"note": ["x" * 9000] * ROWS}
    made = bench.new(bench.put(csv(flats(**padded, **places), encoding="latin-1")))
    assert made.case.source.encoding == "latin-1"
    assert "Glória" in set(made.table["bairro"])


def test_one_wrong_byte_far_down_in_utf_8_costs_its_row_only(bench):
    padded = {"note": ["x" * 9000] * ROWS}
    start, last = csv(flats(**padded, **PLACES)).rsplit("Glória".encode(), 1)
    made = bench.new(bench.put(start + b"Gl\xf3ria" + last))
    assert made.case.source.encoding == "utf-8"
    assert (made.dataset.rows_out, made.dataset.rejected) == (ROWS - 1, 1)
    assert "not UTF-8" in made.notes


def test_a_mixture_of_encodings_is_read_and_said(bench):
    made = bench.new(bench.put(csv(flats(**PLACES)).replace("Glória".encode(), b"Gl\xf3ria", 1)))
    assert made.dataset.rows_out == ROWS
    assert "it mixes UTF-8 with other bytes" in made.notes


def test_a_compressed_file_is_read_as_it_is(bench):
    made = bench.new(bench.put(csv(flats()), "flats.csv.gz"))
    assert (made.written.name, made.case.source.files) == ("flats", "flats.csv.gz")
    assert made.dataset.rows_out == ROWS


def test_numbers_in_quotes_are_numbers(bench):
    made = bench.new(bench.put(csv(flats(), quoted=True)))
    assert made.column("area")["type"] == "number"
    assert made.dataset.rows_out == ROWS


def test_rows_of_another_form_are_counted_and_rejected(bench):
    made = bench.new(bench.put(csv(flats()) + b"1,2\n1,2,3,4,5\n"))
    assert (made.dataset.rows_out, made.dataset.rejected) == (ROWS, 2)
    assert "2 rows without as many fields as the header" in made.notes


def test_a_file_under_raw_data_path_is_named_bare_and_another_by_its_path(bench, tmp_path):
    inside = bench.new(bench.put(csv(flats())))
    elsewhere = tmp_path / "else where" / "flats [2].csv"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(csv(flats()))
    outside = bench.new(elsewhere, name="outside")
    assert inside.case.source.files == "flats.csv"
    assert outside.case.source.files == str(elsewhere)
    assert "to take the case to another machine, put the file into" in outside.text
    assert outside.dataset.rows_out == ROWS


def test_names_with_blanks_accents_and_twins_become_columns(bench):
    columns = flats(**{" Área útil ": range(ROWS), "Área_útil": [5, 7] * 100, "": [3, 4, 5, 6] * 50})
    content = csv(columns).replace(b"rooms", b"area", 1)
    made = bench.new(bench.put(content))
    assert made.dataset.rows_out == ROWS
    assert len(made.case.columns) == 5
    assert {"area", "area_2", "price"} <= set(made.case.columns)
    assert made.reason("Área útil").endswith("says nothing of a new one")
