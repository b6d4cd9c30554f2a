"""A picture shows names as they are written, and each of them for itself."""

from __future__ import annotations

from io import BytesIO, StringIO
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from esteira.data import clean, raw
from esteira.train import class_plots, plots, steps
from esteira.train.importance import Dependence
from flats import flats

PRICES = ["R$ 10% - R$ 20%", "$<10_$", r"10$\%$", r"a\$b$"]
LONG = ["temperature_of_the_engine_1", "temperature_of_the_engine_2"]


def texts(figure) -> set[str]:
    """What can be read in a picture."""
    drawn = StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        figure.savefig(drawn, format="svg")
    found = ElementTree.fromstring(drawn.getvalue()).iter(  # noqa: S314 (it is our own)
        "{http://www.w3.org/2000/svg}text"
    )
    return {"".join(one.itertext()) for one in found}


@pytest.mark.parametrize("name", PRICES)
def test_dollar_signs_are_money_and_no_formula(name):
    actual = np.array([0, 1, 0, 1] * 20)
    probabilities = np.column_stack([1 - 0.9 * actual, 0.9 * actual])
    dependence = Dependence(name=name, values=pd.Series([name, "b"]), means=np.zeros((2, 1)), ordered=False)
    numbers = np.arange(5.0)
    assert name in texts(class_plots.confusion(actual, actual, [name, "b"]))
    assert f"{name} (area 1.000)" in texts(class_plots.roc(actual, probabilities, ["b", name]))
    assert name in texts(class_plots.calibration(actual, probabilities, ["b", name]))
    assert name in texts(plots.importances({name: 1.0}, "rmse"))
    assert {name, f"mean {name}"} <= texts(plots.dependences([dependence], f"mean {name}", None))
    assert f"actual ({name})" in texts(plots.predicted_against_actual(numbers, numbers, f"({name})"))
    assert f"predicted - actual ({name})" in texts(plots.residuals(numbers, numbers, f"({name})"))


def test_columns_that_begin_alike_have_a_bar_each():
    (axes,) = plots.importances(dict.fromkeys(LONG, 1.0), "rmse").axes
    assert len({bar.get_y() for bar in axes.patches}) == 2
    assert len(axes.get_yticklabels()) == 2


def test_levels_that_begin_alike_have_a_place_each():
    values = pd.Series(LONG)
    dependence = Dependence(name="engine", values=values, means=np.zeros((2, 1)), ordered=False)
    figure = plots.dependences([dependence], "mean price", None)
    figure.savefig(BytesIO())
    (line,) = figure.axes[0].lines
    assert len(set(line.get_xdata())) == 2


def test_a_table_full_of_dollar_signs_is_trained_on_like_any_other(now):
    cells = (now.RAW_DATA_PATH / "flats.csv").read_text().replace("casa", "R$ 10% - R$ 20%")
    (now.RAW_DATA_PATH / "flats.csv").write_text(
        cells.replace("kind", "US$ or R$ %").replace("price", "$y_$")
    )
    columns = {
        "area": {"type": "integer"},
        "US$ or R$ %": {"type": "category", "optional": True},
        "$y_$": {"type": "number", "unit": "US$ %$"},
    }
    words = [{"kind": "decision_tree"}, {"kind": "linear_regression"}]
    case = flats(title="$_$", target="$y_$", columns=columns, train={"candidates": words}, gate={})
    prepared = steps.split_rows(case, clean.clean(case, raw.find(case, now), now), "dollars", now)
    fitted = steps.fit_all(case, prepared, now)
    assert [one.name for one in fitted] == ["decision_tree", "linear_regression"]
    assert steps.publish_version(prepared, steps.pass_the_gate(case, prepared, fitted, now), now).version == 1
