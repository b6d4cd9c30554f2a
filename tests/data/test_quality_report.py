"""The quality report tells a person what became of the rows and what the columns hold."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from esteira.data.report import Report


@pytest.fixture
def dataset(bench, csv, flats):
    bench.put(csv([*flats, *flats[:9], "<b>x</b>,1,flat,1,1", "1,2"]))
    return bench.clean(("train:", "clean: [drop_duplicates]\ntrain:"), ("max: 1000}", "max: 1000, unit: m²}"))


@pytest.fixture
def report(dataset):
    return Report.model_validate_json(dataset.report_path.read_bytes())


def test_it_describes_each_column(report):
    area, city, kind, fee, _ = report.columns
    assert (area.min, area.max, area.mean, area.unit, area.missing) == (20, 79, 49.5, "m²", 0)
    assert (city.levels, [(bar.label, bar.rows) for bar in city.bars]) == (
        3,
        [("1", 20), ("2", 20), ("3", 20)],
    )
    assert (kind.levels, kind.mean) == (2, None)
    assert sum(bar.rows for bar in fee.bars) == 60
    assert len(fee.bars) == 24


def test_a_column_whose_sum_is_too_large_to_be_counted_has_no_mean(bench):
    bench.put("Area,City,Kind,Fee,Price\n" + "".join(f"{n + 1},1,flat,1.5e308,1\n" for n in range(60)))
    dataset = bench.clean()
    fee = next(
        one
        for one in Report.model_validate_json(dataset.report_path.read_bytes()).columns
        if one.name == "Fee"
    )
    assert (fee.max, fee.mean, fee.figures()[1]) == (1.5e308, None, "")


def test_it_says_where_the_rows_went(report):
    check, duplicates = report.steps
    assert (check.rows_after, duplicates.rows_after) == (69, 60)
    drops = {drop.reason: drop for drop in check.drops}
    assert (drops["Area: not an integer"].line, drops["Area: not an integer"].example) == (71, "<b>x</b>")
    assert (drops["row: too few fields"].line, drops["row: too few fields"].example) == (72, "1,2")


def test_the_log_shows_it_as_a_table(bench, csv, flats, caplog):
    caplog.set_level("INFO")
    bench.put(csv([*flats, "x,1,flat,1,1"]))
    bench.clean()
    assert "61 rows in, 60 out (1 kept aside, 0 duplicates)" in caplog.text
    assert "Area: not an integer (1 rows, first in flats.csv line 62: 'x')" in caplog.text


def test_the_page_is_well_formed_and_shows_cells_as_text(dataset):
    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.seen: list[str] = []

        def handle_starttag(self, tag, attrs):
            self.seen.append(tag)

    page = dataset.page_path.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert tags.seen.count("svg") == 5
    assert "<b>x" not in page
    assert "71 rows in" in page.replace("<b>", "").replace("</b>", "")


def test_synthetic_data_is_called_synthetic(bench, csv, flats, caplog, monkeypatch):
    from esteira.data import synthesize

    monkeypatch.setattr(synthesize, "GENERATORS", {"few_flats": lambda path: path.write_text(csv(flats))})
    dataset = bench.clean(("{files: flats.csv}", "{files: flats.csv, synthetic: few_flats}"))
    assert dataset.synthetic
    assert "synthetic" in dataset.page_path.read_text()


def test_a_bar_counts_the_values_from_its_edge_on(bench, csv):
    bench.put(csv([f"{1 + place % 25},{1 + place % 3},flat,,{(-1) ** place}e308" for place in range(100)]))
    dataset = bench.clean(("{type: number, min: 0, max: 1000000}", "{type: number}"))
    area, *_, price = Report.model_validate_json(dataset.report_path.read_bytes()).columns
    assert [(bar.label, bar.rows) for bar in area.bars] == [(str(edge), 4) for edge in range(1, 24)] + [
        ("24", 8)
    ]
    assert (price.bars[0].rows, price.bars[-1].rows) == (50, 50)
