"""What a candidate is fitted on is what production computes, whatever a row brings."""

from datetime import date, datetime, timedelta

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as running
from hypothesis import strategies as some
from onnx import TensorProto, helper
from sklearn.preprocessing import TargetEncoder

from esteira import settings
from esteira.days import to_days
from esteira.train import dates, encoding, features
from esteira.train.columns import Columns, SkewError, prove
from esteira.train.nodes import Nodes
from esteira.train.prepare import prepare
from esteira.train.split import TRAIN, divide
from esteira.train.traced import Value
from mixed import COLUMNS, cleaned, mixed, table

FIRST, LAST = date(1700, 1, 1), date(2300, 12, 31)
CASES = {
    "regression": {},
    "log": {"log_target": True},
    "two classes": {"target": "sold"},
    "seven classes": {"target": "grade"},
}


@pytest.fixture(scope="module")
def every_day():
    """Each day of six centuries, and how many days it is from 1970."""
    days = [FIRST + timedelta(step) for step in range((LAST - FIRST).days + 1)]
    return days, np.array([[(day - date(1970, 1, 1)).days] for day in days], dtype=np.float64)


@pytest.fixture(scope="module", params=CASES)
def trained(request, tmp_path_factory):
    """A case, its training, and the graph of its preprocessing."""
    folder, case = tmp_path_factory.mktemp("trained"), mixed(**CASES[request.param])
    now = settings.load({"ESTEIRA_HOME": str(folder)})
    prepared = prepare(case, cleaned(folder / "mixed.parquet", table()), "one", now)
    return case, prepared, Columns(prepared.preprocessing.read_bytes(), features.layout(case.features))


def in_a_graph(formula, days):
    """What an ONNX graph made of a formula answers."""
    nodes = Nodes()
    name = nodes.input(helper.make_tensor_value_info("days", TensorProto.DOUBLE, [None, 1]))
    words = formula(Value(nodes, name))
    for place, word in enumerate(words):
        nodes.output(f"word{place}", word.name, TensorProto.DOUBLE, 1)
    return onnxruntime.InferenceSession(nodes.serialized()).run(None, {"days": days})


@pytest.mark.parametrize("time", [0.0, 0.4, 86_399 / 86_400])
def test_the_calendar_is_right_on_each_day_from_1700_to_2300(every_day, time):
    days, numbers = every_day
    year, month, of_year, of_week, *cycles = (word.ravel() for word in dates.calendar(numbers + time))
    assert year.tolist() == [day.year for day in days]
    assert month.tolist() == [day.month for day in days]
    assert of_year.tolist() == [day.timetuple().tm_yday for day in days]
    assert of_week.tolist() == [day.isoweekday() for day in days]
    assert date(2000, 2, 29) in days
    for sine, cosine in zip(cycles[::2], cycles[1::2], strict=True):
        assert np.allclose(sine**2 + cosine**2, 1)
    july = month == 7
    assert np.allclose(cycles[0][july], 0, atol=1e-12)
    assert np.allclose(cycles[1][july], -1)


def test_the_hour_of_a_moment_holds_its_minutes():
    moments = [datetime(1700, 3, 1, 6), datetime(2024, 2, 29, 13, 45), datetime(2299, 12, 31, 18)]
    days = np.array([[to_days(moment.isoformat())] for moment in moments])
    hour, sine, cosine = dates.clock(days)
    assert np.allclose(hour.ravel(), [6, 13.75, 18], atol=1e-6)
    assert np.allclose(sine.ravel()[[0, 2]], [1, -1])
    assert np.allclose(cosine.ravel()[[0, 2]], 0, atol=1e-6)


@pytest.mark.parametrize(("formula", "words"), [(dates.calendar, dates.CALENDAR), (dates.clock, dates.CLOCK)])
def test_a_graph_keeps_the_same_calendar(every_day, formula, words):
    days = every_day[1] + np.random.default_rng(0).random(every_day[1].shape)
    ours = formula(days)
    assert len(ours) == len(words)
    for mine, theirs in zip(ours, in_a_graph(formula, days), strict=True):
        assert np.allclose(theirs, mine, rtol=0, atol=1e-15)


def test_a_date_is_the_same_days_for_arrow_pandas_and_a_request():
    moments = ["1700-01-01", "1969-12-31T23:59:59", "2000-02-29T06:30:01", "2300-12-31"]
    column = pa.array([*(datetime.fromisoformat(one) for one in moments), None], pa.timestamp("us"))
    expected = [*map(to_days, moments), np.nan]
    assert np.array_equal(features.doubles(column), expected, equal_nan=True)
    rows = pd.DataFrame({"seen": column.to_pandas()})
    framed = features.frame(rows, features.Layout(("seen",), ()))["seen"]
    assert np.array_equal(framed, expected, equal_nan=True)


def test_a_graph_takes_the_same_tensors_from_arrow_and_from_pandas():
    shape, rows = features.layout(mixed().features), table(200)
    ours = features.tensors(features.frame(rows.to_pandas(), shape), shape)
    theirs = features.batch_tensors(rows.to_batches()[0], shape)
    assert np.array_equal(ours["numbers"], theirs["numbers"], equal_nan=True)
    assert (ours["texts"] == theirs["texts"]).all()


def test_graph_scikit_learn_and_the_training_see_the_same_columns(trained):
    case, prepared, graph = trained
    rows = features.frame(prepared.raw("holdout"), features.layout(case.features))
    columns = prepared.columns("holdout")
    assert columns.shape == (len(rows), len(prepared.column_names))
    assert columns.dtype == np.float32
    assert np.array_equal(graph.of(rows), columns)
    assert np.allclose(prepared.scaler().transform(rows), columns, rtol=1e-6, atol=1e-6)


def test_they_agree_on_missing_cells_and_unseen_levels(trained):
    case, prepared, graph = trained
    odd = features.disturbed(prepared.raw("holdout"), case)
    rows = features.frame(odd, features.layout(case.features))
    answers = graph.of(rows)
    assert np.isfinite(answers).all()
    assert np.allclose(prepared.scaler().transform(rows), answers, rtol=1e-6, atol=1e-6)


def test_disturbed_rows_miss_each_feature_and_bring_unseen_levels():
    case = mixed()
    rows = features.frame(features.disturbed(table(50).to_pandas(), case), features.layout(case.features))
    whole = features.frame(table(50).to_pandas(), features.layout(case.features))
    for name, column in COLUMNS.items():
        absent = rows[name] == "" if name in ("kind", "street") else rows[name].isna()
        assert absent.sum() >= 20
        if column["type"] == "category":
            assert not set(rows[name].dropna()) - {""} <= set(whole[name])
    assert "price" not in rows


NUMBER = some.one_of(
    some.floats(allow_infinity=False), some.sampled_from([1e308, -1e308, 5e-324, 3.4028236e38, -0.0])
)
WORD = some.text(max_size=5)
DAY = some.one_of(some.just(np.nan), some.floats(-700_000, 2_900_000))
ROW = some.fixed_dictionaries(
    {
        "area": some.one_of(some.just(np.nan), some.integers(-(2**53), 2**53).map(float)),
        "age": NUMBER,
        "city": some.sampled_from([np.nan, 0.0, 1.0, 3.0, 4.0, -7.0, 2.0**31]),
        "zone": some.sampled_from([np.nan, 99.0, 100.0, 149.0, 150.0, -1.0, 2.0**40]),
        "built": DAY,
        "seen": DAY,
        "kind": some.one_of(WORD, some.sampled_from(["casa", "Casa", " casa", "sítio"])),
        "street": some.one_of(
            some.text(max_size=5), some.sampled_from(["Rua 1", "Rua 299", "Rua 300", "rua 1"])
        ),
    }
)


@running(max_examples=25, deadline=None, derandomize=True)
@given(rows=some.lists(ROW, min_size=1, max_size=20))
def test_they_agree_on_whatever_a_row_brings(trained, rows):
    case, prepared, graph = trained
    frame = pd.DataFrame(rows)[features.layout(case.features).names]
    frame[["kind", "street"]] = frame[["kind", "street"]].astype(object)
    with np.errstate(over="ignore"):
        expected = prepared.scaler().transform(frame)
    answers = graph.of(frame)
    assert np.isfinite(answers).all()
    assert np.allclose(answers, expected, rtol=1e-6, atol=1e-6)


def test_a_graph_that_computes_otherwise_is_refused_and_the_column_named(trained):
    case, prepared, graph = trained
    rows = features.frame(prepared.raw("holdout"), features.layout(case.features))
    scaler = prepared.scaler()
    prove(graph.of(rows), scaler, rows, prepared.column_names)
    numbers = scaler.named_steps["columns"].named_transformers_["numbers"]
    numbers.named_steps["standardscaler"].mean_[1] += 0.01
    with pytest.raises(SkewError, match=r"differs from scikit-learn by 0\.000\d+ in 'age', at most 1e-06"):
        prove(graph.of(rows), scaler, rows, prepared.column_names)


def named(prepared, columns, *names):
    return columns[:, [prepared.column_names.index(name) for name in names]]


def test_a_missing_text_is_a_level_and_an_unseen_one_is_none(trained):
    case, prepared, graph = trained
    row = features.frame(prepared.raw("holdout").head(1), features.layout(case.features))
    kinds = ["kind is missing", "kind is apartamento", "kind is casa", "kind is sítio"]
    cities = ["city is 1", "city is 2", "city is 3"]
    for kind, expected in [("", [1, 0, 0, 0]), ("sítio", [0, 0, 0, 1]), ("castelo", [0, 0, 0, 0])]:
        assert named(prepared, graph.of(row.assign(kind=kind)), *kinds).tolist() == [expected]
    for city, expected in [(3.0, [0, 0, 1]), (4.0, [0, 0, 0]), (np.nan, [0, 0, 0])]:
        assert named(prepared, graph.of(row.assign(city=city)), *cities).tolist() == [expected]


def test_a_missing_number_or_date_is_the_median_and_says_so(trained):
    case, prepared, graph = trained
    shape = features.layout(case.features)
    row = features.frame(prepared.raw("holdout").dropna().head(1), shape)
    gone = row.assign(age=np.nan, built=np.nan)
    train = table().filter(divide(case, prepared.cleaned.path).sides == TRAIN)
    median = features.frame(train.to_pandas(), shape)[["age", "built"]].median()
    filled = row.assign(age=median["age"], built=median["built"])
    numbers = ["age", "built: year", "built: day of year", "built: day of week (sine)"]
    absent, present = graph.of(gone), graph.of(filled)
    assert np.array_equal(named(prepared, absent, *numbers), named(prepared, present, *numbers))
    flags = ["age is missing", "built is missing"]
    assert (named(prepared, absent, *flags) > 1).all()
    assert (named(prepared, present, *flags) < 0).all()


def test_an_unseen_level_gets_the_mean_target_and_a_known_one_its_own(trained):
    case, prepared, graph = trained
    row = features.frame(prepared.raw("holdout").head(1), features.layout(case.features))
    names = [name for name in prepared.column_names if name.startswith("street by target")]
    assert len(names) == (7 if prepared.classes and len(prepared.classes) > 2 else 1)
    fitted = prepared.scaler().named_steps["columns"].named_transformers_["encoded"].estimator
    encoder, standard = fitted.named_steps["targetencoder"], fitted.named_steps["standardscaler"]
    target = prepared.target("train")
    mean = np.mean(np.log(target) if case.train.log_target else target)
    if prepared.classes and len(prepared.classes) > 2:
        mean = np.bincount(target) / len(target)
    assert np.allclose(encoder.target_mean_, mean)
    width = len(names)
    expected = (encoder.target_mean_ - standard.mean_[-width:]) / standard.scale_[-width:]
    answer = named(prepared, graph.of(row.assign(street="Rua nova")), *names)[0]
    assert np.allclose(answer, expected, atol=1e-6)
    assert not np.allclose(
        named(prepared, graph.of(row.assign(street="Rua 299")), *names)[0], answer, atol=0.1
    )


def test_training_rows_are_encoded_by_other_rows_and_judged_rows_by_all(tmp_path):
    """A level of its own for nearly each row: encoded with itself, the target would be in the column."""
    random, rows = np.random.default_rng(0), 2_000
    noise = pa.table(
        {
            "street": np.char.add("Rua ", random.integers(0, 1_000, rows).astype(str)),
            "price": random.uniform(1, 2, rows),
        }
    )
    now, case = settings.load({"ESTEIRA_HOME": str(tmp_path)}), mixed(columns=("street",))
    prepared = prepare(case, cleaned(tmp_path / "noise.parquet", noise), "one", now)
    target, columns = prepared.target("train"), prepared.columns("train")[:, 0]
    assert abs(np.corrcoef(columns, target)[0, 1]) < 0.1
    frame = noise.to_pandas()
    leaking = TargetEncoder(cv=5).fit(frame[["street"]], frame["price"]).transform(frame[["street"]])
    assert np.corrcoef(leaking[:, 0], frame["price"])[0, 1] > 0.3
    held = features.frame(prepared.raw("holdout"), features.layout(case.features))
    assert np.array_equal(prepared.scaler().transform(held), prepared.columns("holdout"))


def test_training_rows_outside_the_encoders_sample_are_encoded_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "_ROWS", 900)
    monkeypatch.setattr(features, "BATCH_ROWS", 128)
    case, rows = mixed(columns=("area", "street")), table()
    now = settings.load({"ESTEIRA_HOME": str(tmp_path)})
    prepared = prepare(case, cleaned(tmp_path / "some.parquet", rows), "one", now)
    train = rows.filter(divide(case, prepared.cleaned.path).sides == TRAIN).to_pandas()
    plain = prepared.scaler().transform(features.frame(train, features.layout(case.features)))
    columns, step = prepared.columns("train"), 3
    assert np.array_equal(columns[:, 0], plain[:, 0])
    sampled = np.arange(len(columns)) % step == 0
    assert sampled.sum() <= 900
    assert np.array_equal(columns[~sampled, 1], plain[~sampled, 1])
    assert (columns[sampled, 1] == plain[sampled, 1]).mean() < 0.1


def test_a_category_of_middling_size_gets_a_column_for_each_level_and_its_encoding():
    shape = features.Layout((), ("few", "middling", "many"))
    levels = {
        "few": tuple(map(str, range(encoding.FEW_LEVELS))),
        "middling": tuple(map(str, range(encoding.MANY_LEVELS))),
        "many": tuple(map(str, range(encoding.MANY_LEVELS + 1))),
    }
    plan = encoding.Plan.of(shape, levels, 1_000)
    assert plan.one_hot == {"few", "middling"}
    assert plan.encoded == ("middling", "many")
    dear = encoding.Plan.of(shape, levels, encoding.ONE_HOT_CELLS)
    assert dear.one_hot == {"few"}
    assert dear.encoded == ("middling", "many")
