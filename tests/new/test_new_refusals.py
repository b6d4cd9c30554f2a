"""A file of which no case can be made is refused in one clear sentence, and nothing is left of it."""

import pytest
from strangers import ROWS, csv, flats

from esteira.new.errors import NewCaseError


def refused(bench, path, match, target="price", **more):
    with pytest.raises(NewCaseError, match=match) as caught:
        bench.new(path, target, **more)
    assert "\n" not in str(caught.value)
    assert not [*bench.settings.CASOS_PATH.glob("*")]


def test_a_target_that_is_not_in_the_file_with_the_nearest_names(bench):
    path = bench.put(csv(flats()))
    refused(bench, path, r"flats\.csv has no column 'Prise'; did you mean 'price'\?", "Prise")
    refused(bench, path, r"no column 'zzz'; its columns are: area, rooms, price", "zzz")


@pytest.mark.parametrize("cells", [["yes"], ["yes"] * 49 + ["no"]])
def test_one_class_only(bench, cells):
    path = bench.put(csv(flats(kind=cells * (ROWS // len(cells)))))
    refused(bench, path, r"The target 'kind' holds one class only, 'yes'", "kind")


def test_fewer_than_fifty_rows(bench):
    path = bench.put(csv({name: cells[:49] for name, cells in flats().items()}))
    refused(bench, path, r"flats\.csv has 49 rows; a case needs at least 50")


def test_fewer_than_fifty_rows_with_a_target(bench):
    columns = flats()
    columns["price"] = [*columns["price"][:40], *[""] * 160]
    refused(bench, bench.put(csv(columns)), r"holds a value in 40 of 200 rows; a case needs at least 50")


def test_fewer_than_fifty_different_rows(bench):
    columns = {name: cells[:40] * 5 for name, cells in flats().items()}
    refused(bench, bench.put(csv(columns)), r"has 40 different rows that can be used, of 200")


def test_no_usable_column(bench):
    columns = {"id": range(ROWS), "country": ["Brasil"] * ROWS, "price": flats()["price"]}
    refused(bench, bench.put(csv(columns)), r"no column to predict the target from: 'id': it numbers")


def test_a_target_that_is_free_text_or_a_date(bench):
    texts = [f"text number {place}" for place in range(ROWS)]
    dates = [f"2020-{1 + place % 12:02d}-{1 + place % 28:02d}" for place in range(ROWS)]
    path = bench.put(csv(flats(remark=texts, day=dates)))
    refused(bench, path, r"'remark' holds 200 different texts", "remark")
    refused(bench, path, r"'day' holds dates; a case predicts a number or a class", "day")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"PK\x03\x04" + bytes(99), "is an Excel workbook or a zip archive"),
        (b"area\0price\n" * 99, "is not text"),
        (b"\xff\xfea\0,\0b\0", "is UTF-16"),
        (b"PAR1" + bytes(99), "is a Parquet file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page, not a CSV"),
        (b'{"area": 1, "price": 2}', "is JSON, not a CSV"),
        (b"price\n" + b"1\n" * 99, "none of , ; tab"),
        (b"Dear all,\nplease find the table\nbelow\nRegards\nJo\nthanks", "is not a table: its header has 2"),
    ],
)
def test_what_is_not_a_table(bench, content, match):
    refused(bench, bench.put(content), match)


def test_a_damaged_gzip(bench):
    whole = bench.put(csv(flats()), "flats.csv.gz").read_bytes()
    bench.put(b"", "flats.csv.gz").write_bytes(whole[: len(whole) // 2])
    refused(bench, bench.settings.RAW_DATA_PATH / "flats.csv.gz", "cannot be decompressed")


def test_no_such_file_with_the_nearest_name_and_a_folder(bench):
    path = bench.put(csv(flats()))
    refused(bench, path.with_name("flat.csv"), r"There is no file .*flat\.csv; near it: flats\.csv")
    refused(bench, path.parent, "is a folder; name one CSV file in it")


@pytest.mark.parametrize("name", ["Casa", "1st", "a-b", "a" * 41, "", "../up"])
def test_a_bad_name(bench, name):
    refused(bench, bench.put(csv(flats())), "cannot be a case's name; give small letters", name=name)


def test_a_file_name_of_which_no_name_can_be_made(bench):
    refused(bench, bench.put(csv(flats()), "2024.csv"), r"No name can be made of '2024\.csv'; give one")
    assert bench.new(bench.put(csv(flats()), "2024.csv"), name="y2024").written.name == "y2024"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("HousePrices_HalfMil.csv", "houseprices_halfmil"),
        ("Preços - São Paulo (2).csv", "precos_sao_paulo_2"),
    ],
)
def test_the_name_is_made_from_the_files(bench, file, name):
    assert bench.new(bench.put(csv(flats()), file)).written.name == name


def test_a_case_that_exists_is_kept_unless_it_is_replaced_on_purpose(bench):
    made = bench.of(flats())
    mine = made.text.replace("title: Flats", "title: Mine")
    made.written.case.write_text(mine, encoding="utf-8")
    with pytest.raises(NewCaseError, match=r"There is a case 'flats' already .* --force to replace it"):
        bench.of(flats())
    assert made.written.case.read_text(encoding="utf-8") == mine
    again = bench.new(bench.settings.RAW_DATA_PATH / "flats.csv", replace=True)
    assert again.case.title == "Flats"
    assert [path.name for path in bench.settings.CASOS_PATH.iterdir()] == ["flats.yaml"]
