"""Read, clean, split and fit a linear model on 500,000 rows, against pandas as a prototype does it.

Each side runs in a process of its own, in turn; imports count. Run: `python -m benchmarks.preparing`.
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

from esteira.data.synthesize import house_prices
from esteira.settings import PROJECT

ROUNDS = 5

PANDAS = """
import sys
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

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
from esteira.data import clean, raw
from esteira.train.fit import fit, named
from esteira.train.prepare import prepare

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
now = settings.load({
    "RAW_DATA_PATH": str(source.parent),
    "PROCESSED_DATA_PATH": str(folder / "processed"),
    "ESTEIRA_HOME": str(folder / "home"),
})
case = casefile.load(now.CASOS_PATH, "imoveis").reading(source.name)
dataset = clean.clean(case, raw.find(case, now), now)
prepared = prepare(case, dataset, "benchmark", now)
assert fit(case, prepared, named(case, "linear_regression")).scores["r2"] > 0.999
"""

_MEASURED = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.run([sys.executable, "-c", *sys.argv[1:]]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, time.perf_counter() - started, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Preparing:
    """Medians of both sides: seconds of a whole process, and its peak memory in MB."""

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
            ours.append(_run(ESTEIRA, str(source), str(Path(folder) / f"round{number}")))
    return Preparing(*_medians(ours[1:]), *_medians(theirs[1:]))


def _run(program: str, *words: str) -> tuple[float, float]:
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURED, program, *words],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "plugins")},
        stdout=subprocess.PIPE,
        check=True,
    )
    code, seconds, memory = json.loads(answer.stdout.splitlines()[-1])
    if code:
        raise RuntimeError(f"a side of the benchmark ended with {code}")
    return seconds, memory


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return median(seconds for seconds, _ in runs), median(memory for _, memory in runs)


if __name__ == "__main__":
    found = measure()
    print(f"esteira {found.seconds:.2f} s {found.memory:.0f} MB")
    print(f"pandas  {found.pandas_seconds:.2f} s {found.pandas_memory:.0f} MB")
    print(f"ratios  {found.time_ratio:.2f} time, {found.memory_ratio:.2f} memory")
