"""Shares a difference between two outcomes out among what changed between them: Shapley values.

In a game each player is in or out, and each set of those who are in has an outcome. A player's Shapley
value is what it changes by coming in, as a mean over all orders in which the players can come in; together
they are the outcome with everybody less the outcome with nobody. Few players are weighed over all their
sets, more of them over orders drawn at random, each with its reverse, which cancels much of the chance:
Castro, Gómez and Tejada, Polynomial calculation of the Shapley value based on sampling, 2009; Štrumbelj and
Kononenko, Explaining prediction models and individual predictions with feature contributions, 2014; Mitchell
et al., Sampling permutations for Shapley value estimation, 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOBODY, EVERYBODY = 0, 1
"""The places of these two sets in a plan."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which sets of a game to find the outcomes of, and what those say of each player."""

    sets: Flags
    """[sets, players]: who is in."""
    weights: Floats
    """[sets, players]: by what each outcome counts for each player's value."""
    exact: bool

    def values(self, outcomes: Floats) -> Floats:
        """The players' values, given each set's outcome."""
        return outcomes @ self.weights


def plan(players: int, most: int, random: np.random.Generator) -> Plan:
    """The sets to look at of a game, at most `most` of them; that must be twice the players or more."""
    if 2**players <= most:
        return _every_set(players)
    return _orders(players, pairs=(most - 2) // (2 * players - 2), random=random)


def _every_set(players: int) -> Plan:
    sets = np.arange(2**players)[:, None] >> np.arange(players) & 1 == 1
    sets[[EVERYBODY, -1]] = sets[[-1, EVERYBODY]]
    size = sets.sum(axis=1)[:, None]
    # before a player that joins stand `others` of the rest, in each order of them equally often
    others = np.where(sets, size - 1, size)
    share = np.array([1 / (players * comb(players - 1, before)) for before in range(players)] + [0.0])
    return Plan(sets=sets, weights=np.where(sets, share[others], -share[others]), exact=True)


def _orders(players: int, pairs: int, random: np.random.Generator) -> Plan:
    drawn = np.stack([random.permutation(players) for _ in range(pairs)])
    orders = np.concatenate([drawn, drawn[:, ::-1]])
    count, between = len(orders), players - 1
    place = np.argsort(orders, axis=1)
    inside = place[:, None, :] <= np.arange(between)[None, :, None]
    sets = np.concatenate([[[False] * players, [True] * players], inside.reshape(count * between, players)])
    weights = np.zeros(sets.shape)
    first = 2 + np.arange(count) * between
    for step in range(players):
        joins = orders[:, step]
        before = np.full(count, NOBODY) if step == 0 else first + step - 1
        after = np.full(count, EVERYBODY) if step == between else first + step
        np.add.at(weights, (after, joins), 1 / count)
        np.add.at(weights, (before, joins), -1 / count)
    return Plan(sets=sets, weights=weights, exact=False)
