"""Daily weather of 49 Australian places, with the columns and the missing cells of weatherAUS.

A hidden wetness goes from day to day; it rains where it passes the place's threshold. What is measured
today follows today's wetness and, as fronts announce themselves, tomorrow's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

from esteira.data.synthetic.writing import write

if TYPE_CHECKING:
    import numpy as np

    Cells = dict[str, np.ndarray]

WEATHER_COLUMNS = (
    "Date", "Location", "MinTemp", "MaxTemp", "Rainfall", "Evaporation", "Sunshine", "WindGustDir",
    "WindGustSpeed", "WindDir9am", "WindDir3pm", "WindSpeed9am", "WindSpeed3pm", "Humidity9am",
    "Humidity3pm", "Pressure9am", "Pressure3pm", "Cloud9am", "Cloud3pm", "Temp9am", "Temp3pm",
    "RainToday", "RISK_MM", "RainTomorrow",
)  # fmt: skip

CLIMATE = {
    "Albury": (23, 21), "BadgerysCreek": (24, 20), "Cobar": (26, 13), "CoffsHarbour": (24, 29),
    "Moree": (27, 14), "Newcastle": (24, 25), "NorahHead": (23, 28), "NorfolkIsland": (22, 31),
    "Penrith": (25, 20), "Richmond": (24, 19), "Sydney": (23, 26), "SydneyAirport": (23, 26),
    "WaggaWagga": (23, 18), "Williamtown": (24, 27), "Wollongong": (21, 24), "Canberra": (21, 18),
    "Tuggeranong": (21, 19), "MountGinini": (12, 28), "Ballarat": (18, 26), "Bendigo": (22, 19),
    "Sale": (20, 21), "MelbourneAirport": (20, 22), "Melbourne": (21, 26), "Mildura": (25, 11),
    "Nhil": (22, 15), "Portland": (18, 37), "Watsonia": (21, 25), "Dartmoor": (20, 31),
    "Brisbane": (26, 22), "Cairns": (30, 32), "GoldCoast": (26, 26), "Townsville": (29, 17),
    "Adelaide": (23, 22), "MountGambier": (20, 30), "Nuriootpa": (22, 20), "Woomera": (27, 7),
    "Albany": (20, 30), "Witchcliffe": (22, 30), "PearceRAAF": (26, 18), "PerthAirport": (26, 19),
    "Perth": (25, 20), "SalmonGums": (24, 16), "Walpole": (20, 34), "Hobart": (18, 24),
    "Launceston": (19, 23), "AliceSprings": (29, 8), "Darwin": (33, 27), "Katherine": (35, 17),
    "Uluru": (30, 8),
}  # fmt: skip
"""Each place's mean highest temperature of a day in °C, and of 100 days those with more than 1 mm of rain."""
DIRECTIONS = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
MISSING = {
    "MinTemp": 0.01, "MaxTemp": 0.01, "WindGustSpeed": 0.07, "WindGustDir": 0.07, "WindDir9am": 0.07,
    "WindDir3pm": 0.03, "WindSpeed9am": 0.01, "WindSpeed3pm": 0.02, "Humidity9am": 0.02,
    "Humidity3pm": 0.03, "Pressure9am": 0.10, "Pressure3pm": 0.10, "Temp9am": 0.01, "Temp3pm": 0.02,
}  # fmt: skip
"""The share of a column's cells that is missing."""
UNEQUIPPED = {"Evaporation": 0.43, "Sunshine": 0.48, "Cloud9am": 0.38, "Cloud3pm": 0.41}
"""The share of the places that do not measure it at all."""

_LAST_DAY = date(2017, 6, 24)
_RAIN_MISSING = 0.022
_TROPICAL = 28.5
_MEMORY = 0.5  # how much of a day's wetness stays on the next one
_MONSOON, _WINTER = 0.55, -0.18  # how far a summer day moves the wetness, in standard deviations


def weather(path: Path, rows: int = 145_460, seed: int = 20) -> None:
    """Write the days of one place after the other; the same seed gives the same rows.

    Every place has as many days as the others or one more, and all end on the same day.
    """
    write(path, _places(rows, seed), missing="NA")


def _places(rows: int, seed: int) -> Iterator[Cells]:
    import numpy as np

    random = np.random.default_rng(seed)
    fewest, more = divmod(rows, len(CLIMATE))
    for place, name in enumerate(CLIMATE):
        days = fewest + (place < more)
        if days:
            cells = _with_gaps(random, _measured(random, name, days))
            yield {column: cells[column] for column in WEATHER_COLUMNS}


@dataclass(frozen=True)
class _Sky:
    """What moves everything that is measured on a place's days, each an array of the days."""

    summer: np.ndarray
    """From -1 in the middle of winter to 1 in the middle of summer."""
    wet: np.ndarray
    """One day more than the others: what is known of tomorrow needs it."""
    morning: np.ndarray
    afternoon: np.ndarray
    mild: np.ndarray
    tropical: bool

    @classmethod
    def over(cls, random: np.random.Generator, dates: list[date], tropical: bool) -> _Sky:
        import numpy as np

        days = len(dates)
        of_year = np.array([day.timetuple().tm_yday for day in dates])
        summer = np.cos(2 * np.pi * (of_year - 15) / 365.25)
        season = np.append(summer, summer[-1]) * (_MONSOON if tropical else _WINTER)
        wet = _drift(random, days + 1, _MEMORY) + season
        front = 0.35 * wet[:-1] + 0.8 * wet[1:]
        morning = 0.5 * wet[:-1] + 0.4 * front + random.normal(0, 0.7, days)
        afternoon = front + random.normal(0, 1, days)
        return cls(summer, wet, morning, afternoon, _drift(random, days, 0.6), tropical)


def _measured(random: np.random.Generator, name: str, days: int) -> Cells:
    """All cells of a place, none missing."""
    import numpy as np

    warmth, rainy = CLIMATE[name]
    dates = [_LAST_DAY - timedelta(days=back) for back in range(days - 1, -1, -1)]
    sky = _Sky.over(random, dates, warmth > _TROPICAL)
    rain = _rain(random, sky.wet, rainy / 100)
    falls = np.where(rain > 1, "Yes", "No")
    heat = _heat(random, sky, warmth)
    return {
        "Date": np.array([day.isoformat() for day in dates]),
        "Location": np.full(days, name),
        "Rainfall": rain[:-1],
        "RainToday": falls[:-1],
        "RISK_MM": rain[1:],
        "RainTomorrow": falls[1:],
        **heat,
        **_air(random, sky, dry=0.3 * (heat["MaxTemp"] - 23) - 0.9 * rainy),
        **_light(random, sky),
    }


def _rain(random: np.random.Generator, wet: np.ndarray, share: float) -> np.ndarray:
    """Millimetres: more than 1 where the wetness passes the threshold, now and then a trace below it."""
    import numpy as np

    beyond = wet + NormalDist().inv_cdf(share)
    trace = np.where(random.random(len(wet)) < 0.18, random.integers(1, 6, len(wet)) / 5, 0)
    heavy = 1.2 + random.gamma(0.7, 16 * np.clip(beyond, 0.2, None))
    return np.where(beyond > 0, heavy, trace).round(1)


def _heat(random: np.random.Generator, sky: _Sky, warmth: float) -> Cells:
    """Temperatures in °C."""
    days = len(sky.summer)
    highest = warmth + (3 if sky.tropical else 5.5) * sky.summer + 3 * sky.mild - 1.5 * sky.afternoon
    lowest = highest - 11 + 2.2 * sky.wet[:-1] + random.normal(0, 2, days)
    return {
        "MinTemp": lowest.round(1),
        "MaxTemp": highest.round(1),
        "Temp9am": ((lowest + highest - 1) / 2 + random.normal(0, 1.3, days)).round(1),
        "Temp3pm": (highest - 1.5 + random.normal(0, 0.6, days)).round(1),
    }


def _air(random: np.random.Generator, sky: _Sky, dry: np.ndarray) -> Cells:
    """Pressure in hPa, relative humidity in %, wind in km/h and where it comes from."""
    days = len(sky.summer)
    level = (1012 if sky.tropical else 1018) - 3.5 * sky.summer + 3 * _drift(random, days, 0.7)
    gust = 0.6 * (1017 - level) + 39 + 5 * sky.afternoon + random.normal(0, 10, days)
    wind = random.integers(0, len(DIRECTIONS)) + 2 * _drift(random, days, 0.7)
    return {
        "Pressure9am": (level - 2.6 * sky.morning + random.normal(0, 1, days)).round(1),
        "Pressure3pm": (level - 2.4 - 2.4 * sky.afternoon + random.normal(0, 1, days)).round(1),
        "Humidity9am": (53 - dry + 9 * sky.morning + random.normal(0, 9, days)).clip(3, 100).round(),
        "Humidity3pm": (34 - dry + 13 * sky.afternoon + random.normal(0, 8, days)).clip(1, 100).round(),
        "WindGustSpeed": gust.clip(7).round(),
        "WindSpeed9am": (0.4 * gust - 2 + random.normal(0, 6, days)).clip(0).round(),
        "WindSpeed3pm": (0.4 * gust + 3 + random.normal(0, 6, days)).clip(0).round(),
        "WindGustDir": _direction(random, wind),
        "WindDir9am": _direction(random, wind - 1),
        "WindDir3pm": _direction(random, wind),
    }


def _light(random: np.random.Generator, sky: _Sky) -> Cells:
    """Evaporation in mm, sunshine in hours, cloud in eighths of the sky."""
    days = len(sky.summer)
    evaporated = 5.5 + 2.5 * sky.summer - 1.2 * sky.wet[:-1] + random.normal(0, 2, days)
    sunny = 7.6 + 1.5 * sky.summer - 2.6 * sky.afternoon + random.normal(0, 2, days)
    return {
        "Evaporation": evaporated.clip(0).round(1),
        "Sunshine": sunny.clip(0, 14.5).round(1),
        "Cloud9am": (4.2 + 2 * sky.morning + random.normal(0, 1.5, days)).clip(0, 8).round(),
        "Cloud3pm": (4.3 + 2.2 * sky.afternoon + random.normal(0, 1.3, days)).clip(0, 8).round(),
    }


def _with_gaps(random: np.random.Generator, cells: Cells) -> Cells:
    """Cells go missing; the rain of a day with all that is said of it, there and the day before."""
    import numpy as np

    days = len(cells["Date"])
    lost = random.random(days + 1) < _RAIN_MISSING
    gaps = {name: random.random(days) < share for name, share in MISSING.items()}
    gaps |= {name: np.full(days, random.random() < share) for name, share in UNEQUIPPED.items()}
    gaps |= dict.fromkeys(("Rainfall", "RainToday"), lost[:-1])
    gaps |= dict.fromkeys(("RISK_MM", "RainTomorrow"), lost[1:])
    return cells | {name: _without(cells[name], gap) for name, gap in gaps.items()}


def _without(values: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.where(gaps, np.nan if values.dtype.kind == "f" else np.array(None), values)


def _direction(random: np.random.Generator, wind: np.ndarray) -> np.ndarray:
    import numpy as np

    towards = (wind + random.normal(0, 1.5, len(wind))).round().astype(int)
    names: np.ndarray = np.array(DIRECTIONS)[towards % len(DIRECTIONS)]
    return names


def _drift(random: np.random.Generator, days: int, memory: float) -> np.ndarray:
    """Standard normal values, each correlated with the one before (an autoregression of order 1)."""
    import numpy as np

    kernel = memory ** np.arange(30) * np.sqrt(1 - memory**2)
    return np.convolve(random.normal(0, 1, days + len(kernel) - 1), kernel, mode="valid")
