"""Shapley values against their definition: the mean of what a player adds, over all orders."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from app.shapley import EVERYBODY, NOBODY, Flags, Floats, plan


def outcomes_of(sets: Flags) -> Floats:
    """A game in which the players help and hinder each other, three at a time too."""
    inside = sets.astype(float)
    players = inside.shape[1]
    alone = inside @ np.arange(1.0, players + 1)
    pairs = inside[:, 0] * inside[:, -1] * 7
    return alone + pairs - inside[:, :3].prod(axis=1) * 5 + 11


def by_definition(players: int) -> Floats:
    values = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        steps = np.array(
            [[player in order[:come] for player in range(players)] for come in range(players + 1)]
        )
        values[list(order)] += np.diff(outcomes_of(steps))
    return values / len(orders)


@pytest.mark.parametrize("players", [1, 2, 3, 6])
def test_few_players_get_exactly_what_the_definition_says(players: int) -> None:
    game = plan(players, 64, np.random.default_rng(0))
    assert game.exact
    assert game.values(outcomes_of(game.sets)) == pytest.approx(by_definition(players))


@pytest.mark.parametrize(("players", "most"), [(6, 12), (6, 40), (30, 200), (200, 400)])
def test_many_players_share_out_the_whole_difference_within_the_rows_that_are_allowed(
    players: int, most: int
) -> None:
    game = plan(players, most, np.random.default_rng(0))
    outcomes = outcomes_of(game.sets)
    assert not game.exact
    assert len(game.sets) <= most
    assert not game.sets[NOBODY].any()
    assert game.sets[EVERYBODY].all()
    assert game.values(outcomes).sum() == pytest.approx(outcomes[EVERYBODY] - outcomes[NOBODY])


def test_sampled_values_come_near_the_true_ones() -> None:
    game = plan(8, 240, np.random.default_rng(0))
    assert not game.exact
    assert game.values(outcomes_of(game.sets)) == pytest.approx(by_definition(8), abs=0.7)


def test_what_players_do_in_pairs_is_found_exactly_by_an_order_and_its_reverse() -> None:
    game = plan(6, 12, np.random.default_rng(3))
    inside = game.sets.astype(float)
    values = game.values(inside[:, 0] * inside[:, 5] * 8 + inside[:, 2] * 3)
    assert values == pytest.approx([4, 0, 3, 0, 0, 4])
