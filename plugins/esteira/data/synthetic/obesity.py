"""People and their weight class, as in the obesity data of the UCI repository.

The class is nearly a function of the body-mass index (kg/m²): as in the original, it agrees in nine rows
of ten with the limits of the World Health Organization, with overweight cut once more at 27.5. The habits
lean with the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from esteira.data.synthetic.writing import write

if TYPE_CHECKING:
    import numpy as np

CLASSES = (
    "Insufficient_Weight", "Normal_Weight", "Overweight_Level_I", "Overweight_Level_II",
    "Obesity_Type_I", "Obesity_Type_II", "Obesity_Type_III",
)  # fmt: skip
OBESITY_COLUMNS = (
    "Age", "Gender", "Height", "Weight", "CALC", "FAVC", "FCVC", "NCP", "SCC", "SMOKE", "CH2O",
    "family_history_with_overweight", "FAF", "TUE", "CAEC", "MTRANS", "NObeyesdad",
)  # fmt: skip
DUPLICATES = 24 / 2111
"""The share of rows that repeat another, as in the original."""

# Of the classes of the original, in their order:
_ROWS_OF = (272, 287, 290, 290, 351, 297, 324)
_INDEX_MEAN = (17.4, 22.0, 26.0, 28.2, 32.3, 36.7, 42.3)
_INDEX_DEVIATION = (0.8, 1.8, 0.7, 0.8, 1.1, 1.3, 2.6)
_MALE = (0.36, 0.51, 0.50, 0.64, 0.56, 0.99, 0.0)
_CHUNK = 50_000
_FREQUENCY = ("no", "Sometimes", "Frequently", "Always")
_TRANSPORT = ("Public_Transportation", "Automobile", "Walking", "Motorbike", "Bike")


def obesity(path: Path, rows: int = 2_111, seed: int = 20) -> None:
    """Write people in bounded memory; the same seed gives the same rows."""
    write(path, _people(rows, seed))


def _people(rows: int, seed: int) -> Iterator[dict[str, np.ndarray]]:
    import numpy as np

    random = np.random.default_rng(seed)
    for start in range(0, rows, _CHUNK):
        wanted = min(_CHUNK, rows - start)
        repeated = round(wanted * DUPLICATES)
        distinct = wanted - repeated
        columns = _columns(random, distinct)
        places = random.permutation([*range(distinct), *random.choice(distinct, repeated, replace=False)])
        yield {name: columns[name][places] for name in OBESITY_COLUMNS}


def _columns(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Height in m, weight in kg, age in years, CH2O in litres; the other numbers are answers on a scale."""
    import numpy as np

    kind = random.choice(len(CLASSES), rows, p=np.array(_ROWS_OF) / sum(_ROWS_OF))
    heavy = kind / (len(CLASSES) - 1)
    index = np.clip(random.normal(np.array(_INDEX_MEAN)[kind], np.array(_INDEX_DEVIATION)[kind]), 13, 51)
    male = random.random(rows) < np.array(_MALE)[kind]
    height = np.clip(np.where(male, 1.76, 1.64) + random.normal(0, 0.07, rows), 1.45, 1.98).round(6)
    age = np.clip(16 + random.gamma(1.2, 4 + 6 * heavy), 14, 61)
    drives = np.clip((age - 17) / 30, 0.05, 0.6)
    otherwise = random.choice((0, 2, 3, 4), rows, p=(0.93, 0.05, 0.01, 0.01))
    transport = np.where(random.random(rows) < drives, _TRANSPORT.index("Automobile"), otherwise)
    return {
        "Age": _answered(random, age),
        "Gender": np.where(male, "Male", "Female"),
        "Height": height,
        "Weight": (index * height**2).round(6),
        "CALC": _often(random, 0.9 + 0.2 * heavy, rows),
        "FAVC": _yes(random, 0.75 + 0.25 * heavy),
        "FCVC": _answered(random, np.clip(random.normal(2.3 + 0.3 * heavy, 0.5), 1, 3)),
        "NCP": _answered(random, np.clip(random.normal(2.8, 0.7, rows), 1, 4)),
        "SCC": _yes(random, 0.12 * (1 - heavy)),
        "SMOKE": _yes(random, np.full(rows, 0.02)),
        "CH2O": _answered(random, np.clip(random.normal(1.9 + 0.2 * heavy, 0.6), 1, 3)),
        "family_history_with_overweight": _yes(random, 0.5 + 0.5 * heavy),
        "FAF": _answered(random, np.clip(random.normal(1.3 - 0.5 * heavy, 0.85), 0, 3)),
        "TUE": _answered(random, np.clip(random.normal(0.8 - 0.3 * heavy, 0.6), 0, 2)),
        "CAEC": _often(random, 1.5 - 0.6 * heavy, rows),
        "MTRANS": np.array(_TRANSPORT)[transport],
        "NObeyesdad": np.array(CLASSES)[kind],
    }


def _yes(random: np.random.Generator, share: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.where(random.random(len(share)) < share, "yes", "no")


def _often(random: np.random.Generator, mean: np.ndarray, rows: int) -> np.ndarray:
    import numpy as np

    place = random.normal(mean, 0.5, rows).round().clip(0, len(_FREQUENCY) - 1)
    words: np.ndarray = np.array(_FREQUENCY)[place.astype(int)]
    return words


def _answered(random: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Four in ten answers are whole numbers, the others have six decimals, as in the original."""
    import numpy as np

    return np.where(random.random(len(values)) < 0.4, values.round(), values.round(6))
