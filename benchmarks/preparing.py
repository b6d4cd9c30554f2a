"""Read, clean, split and fit a linear model on 500,000 rows, against pandas as a prototype does it.

Both sides in turn. Ours are three processes, as the DAGs' tasks are: the seconds add up, the memory is
that of the largest. Seconds are those of the work, after the imports, on both sides.
Run: `python -m benchmarks.preparing`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from esteira.data.synthetic.houses import house_prices
from esteira.settings import PROJECT

ROUNDS = 5

PANDAS = """
import sys
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

started()
table = pd.read_csv(sys.argv[1])
for column in table.columns:
    low, high = table[column].quantile(0.25), table[column].quantile(0.75)
    reach = 1.5 * (high - low)
    table = table[(table[column] >= low - reach) & (table[column] <= high + reach)]
table = table.drop_duplicates()
X, y = table.drop(columns="Prices"), table["Prices"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
scaler = MinMaxScaler()
model = LinearRegression().fit(scaler.fit_transform(X_train), y_train)
assert r2_score(y_test, model.predict(scaler.transform(X_test))) > 0.999
"""

ESTEIRA = """
import sys
from pathlib import Path
from esteira import casefile, settings

step, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
now = settings.load({
    "RAW_DATA_PATH": str(source.parent),
    "PROCESSED_DATA_PATH": str(folder / "processed"),
    "ESTEIRA_HOME": str(folder / "home"),
})
case = casefile.load(now.CASOS_PATH, "imoveis").reading(source.name)
if step == "clean":
    import ibis
    import pyarrow.compute, pyarrow.parquet
    ibis.duckdb.connect().disconnect()
    from esteira.data import clean, raw
    started()
    dataset = clean.clean(case, raw.find(case, now), now)
    (folder / "dataset.json").write_text(dataset.model_dump_json())
if step == "split":
    from esteira.data.dataset import Dataset
    from esteira.train.prepare import prepare
    started()
    dataset = Dataset.model_validate_json((folder / "dataset.json").read_text())
    prepared = prepare(case, dataset, "benchmark", now)
    (folder / "prepared.json").write_text(prepared.model_dump_json())
if step == "fit":
    import sklearn.linear_model
    from esteira.train import fit, learn
    from esteira.train.prepared import Prepared
    started()
    prepared = Prepared.model_validate_json((folder / "prepared.json").read_text())
    linear = fit.named(case, "linear_regression")
    model = learn.learned(case, linear, learn.lesson(case, prepared, slice(None), linear.max_rows))
    answers = learn.answered(prepared, linear, model, prepared.columns("validation"))
    assert learn.scored(case, prepared, prepared.target("validation"), answers)["r2"] > 0.999
"""

_MEASURED = """
import json, time
began = time.perf_counter()
def started():
    global began
    began = time.perf_counter()
{program}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
memory = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps([time.perf_counter() - began, memory]))
"""


@dataclass(frozen=True)
class Preparing:
    """Medians of both sides: seconds of work, and the peak memory of the largest process in MB."""

    seconds: float
    memory: float
    pandas_seconds: float
    pandas_memory: float

    @property
    def time_ratio(self) -> float:
        return self.seconds / self.pandas_seconds

    @property
    def memory_ratio(self) -> float:
        return self.memory / self.pandas_memory


def measure(rounds: int = ROUNDS) -> Preparing:
    """Both sides in turn, after one round that is not counted."""
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "houses.csv"
        house_prices(source)
        for number in range(rounds + 1):
            theirs.append(_run(PANDAS, str(source)))
            home = Path(folder) / f"round{number}"
            home.mkdir()
            steps = [_run(ESTEIRA, step, str(source), str(home)) for step in ("clean", "split", "fit")]
            ours.append((sum(seconds for seconds, _ in steps), max(memory for _, memory in steps)))
    return Preparing(*_medians(ours[1:]), *_medians(theirs[1:]))


def _run(program: str, *words: str) -> tuple[float, float]:
    """The seconds and megabytes of a program in a process of its own."""
    told = {**os.environ, "PYTHONPATH": str(PROJECT / "plugins")}
    told.pop("PYTHONDONTWRITEBYTECODE", None)  # or both sides would compile what they import, each time
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURED.replace("{program}", program), *words],
        env=told,
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds, memory = json.loads(answer.stdout.splitlines()[-1])
    return seconds, memory


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return median(seconds for seconds, _ in runs), median(memory for _, memory in runs)


if __name__ == "__main__":
    found = measure()
    print(f"esteira {found.seconds:.2f} s {found.memory:.0f} MB")
    print(f"pandas  {found.pandas_seconds:.2f} s {found.pandas_memory:.0f} MB")
    print(f"ratios  {found.time_ratio:.2f} time, {found.memory_ratio:.2f} memory")
