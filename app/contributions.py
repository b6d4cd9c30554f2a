"""What each of a record's values adds to the model's answer, against records that the model knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from app.modelo import Modelo, values_of
from app.outputs import NotFiniteError
from app.seen import Values
from app.shapley import EVERYBODY, NOBODY, Flags, Floats, Plan, plan
from esteira.columns import is_text

MOST_ROWS = 10_000
"""That the model answers to share one answer out."""
MOST_KNOWN = 25
MOST_FIELDS = MOST_ROWS // MOST_KNOWN // 2
AT_ONCE = 1_000
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Shares:
    """An answer's number shared out: `base` and `each` add up to `value`."""

    place: int
    """Of the class whose probability the number is; 0 where it is the prediction."""
    value: float
    base: float
    """The mean of the same number over the records that the model knows."""
    each: Floats
    """By column."""
    exact: bool


@dataclass(frozen=True, kw_only=True)
class _Rows:
    numbers: Floats
    texts: npt.NDArray[np.object_]


class Sharing:
    """Shares the answers of one version out; safe to use from several threads.

    A record is compared with each of the version's examples: the columns in which the two differ are the
    players of a game (`app.shapley`), those who are in have this record's value, the others the example's.
    A column's share is the mean of its Shapley values in all these games.
    """

    def __init__(self, modelo: Modelo) -> None:
        self._session = modelo.session
        texts = [is_text(column) for column in modelo.columns.values()]
        self._text_at, self._number_at = np.flatnonzero(texts), np.flatnonzero(np.logical_not(texts))
        self._classes = modelo.metadata.classes is not None
        self._known = self._rows(list(_usable(modelo)))
        self.known = len(self._known.numbers)

    def of(self, values: Values) -> Shares:
        """The shares of a record's answer; raises NotFiniteError."""
        row = self._rows([values])
        place = int(self._run("prediction", row)[0, 0]) if self._classes else 0
        (value,) = self._outcomes(row, place)
        random = np.random.default_rng(SEED)
        differs = self._differing(row)
        most = MOST_ROWS // self.known
        plans = [plan(count, most, random) if count else None for count in differs.sum(axis=1).tolist()]
        return self._shared(row, place, float(value), differs, plans)

    def _shared(
        self, row: _Rows, place: int, value: float, differs: Flags, plans: Sequence[Plan | None]
    ) -> Shares:
        games = [(at, game) for at, game in enumerate(plans) if game is not None]
        each, base = np.zeros(differs.shape), np.full(self.known, value)
        mixed = [self._mixed(row, at, differs[at], game.sets) for at, game in games]
        outcomes = self._outcomes(_joined(mixed), place) if mixed else np.zeros(0)
        start = 0
        for at, game in games:
            found = outcomes[start : start + len(game.sets)]
            start += len(game.sets)
            found[EVERYBODY] = value  # the same record in another batch may differ in its last digit
            each[at, differs[at]], base[at] = game.values(found), found[NOBODY]
        exact = all(game.exact for _, game in games)
        return Shares(place=place, value=value, base=float(base.mean()), each=each.mean(axis=0), exact=exact)

    def _rows(self, rows: Sequence[Values]) -> _Rows:
        numbers = np.array([[row[at] for at in self._number_at] for row in rows], dtype=np.float64)
        texts = np.array([[row[at] or "" for at in self._text_at] for row in rows], dtype=object)
        return _Rows(
            numbers=numbers.reshape(len(rows), len(self._number_at)),
            texts=texts.reshape(len(rows), len(self._text_at)),
        )

    def _differing(self, row: _Rows) -> Flags:
        """[known, columns]: where a known record has another value; a missing one is like a missing one."""
        both_missing = np.isnan(row.numbers) & np.isnan(self._known.numbers)
        differs = np.empty((self.known, len(self._number_at) + len(self._text_at)), dtype=np.bool_)
        differs[:, self._number_at] = (row.numbers != self._known.numbers) & ~both_missing
        differs[:, self._text_at] = row.texts != self._known.texts
        return differs

    def _mixed(self, row: _Rows, at: int, differs: Flags, sets: Flags) -> _Rows:
        """A row for each set: the record's values of who is in, a known record's of all others."""
        inside = np.zeros((len(sets), len(differs)), dtype=np.bool_)
        inside[:, differs] = sets
        numbers = np.where(inside[:, self._number_at], row.numbers, self._known.numbers[at])
        return _Rows(
            numbers=numbers, texts=np.where(inside[:, self._text_at], row.texts, self._known.texts[at])
        )

    def _outcomes(self, rows: _Rows, place: int) -> Floats:
        name = "probabilities" if self._classes else "prediction"
        found = self._run(name, rows)[:, place].astype(np.float64)
        if not np.isfinite(found).all():
            raise NotFiniteError(int(np.flatnonzero(~np.isfinite(found))[0]))
        return found

    def _run(self, name: str, rows: _Rows) -> npt.NDArray[np.generic]:
        """An output, asked for in parts, so that other threads get their turn."""
        parts = []
        for start in range(0, len(rows.numbers), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            feeds = {"numbers": rows.numbers[part], "texts": rows.texts[part]}
            parts += self._session.run([name], {key: array for key, array in feeds.items() if array.shape[1]})
        return np.concatenate(parts)


def _usable(modelo: Modelo) -> Iterator[Values]:
    """The values of the version's examples that a client could send too, at most MOST_KNOWN."""
    metadata = modelo.metadata
    for record in [metadata.example, *(golden.record for golden in metadata.golden)][:MOST_KNOWN]:
        with suppress(ValidationError):
            yield values_of(modelo.one.validate_python(record))


def _joined(rows: Sequence[_Rows]) -> _Rows:
    return _Rows(
        numbers=np.concatenate([one.numbers for one in rows]),
        texts=np.concatenate([one.texts for one in rows]),
    )
