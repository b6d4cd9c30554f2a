"""How likely it is that so many go wrong by chance alone."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, log


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X ≥ k) of n independent tries that each go wrong with probability p."""
    if k <= 0 or p >= 1:
        return 1.0 if k <= n else 0.0
    if k > n or p <= 0:
        return 0.0
    odds = log(p) - log(1 - p)

    def term(i: int) -> float:
        return _log_choose(n, i) + i * odds + n * log(1 - p)

    return _tail(term, k, 0, n, mean=n * p)


def hypergeometric_tail(k: int, drawn: int, bad: int, total: int) -> float:
    """P(X ≥ k) of bad ones among `drawn` of `total`, of which `bad` are bad (Fisher's exact test)."""
    lowest, highest = max(0, drawn + bad - total), min(drawn, bad)
    if k <= lowest:
        return 1.0
    if k > highest:
        return 0.0

    def term(i: int) -> float:
        return _log_choose(bad, i) + _log_choose(total - bad, drawn - i) - _log_choose(total, drawn)

    return _tail(term, k, lowest, highest, mean=drawn * bad / total)


def _tail(log_term: Callable[[int], float], k: int, lowest: int, highest: int, mean: float) -> float:
    """Sum the side of k that the mean is not on, whose terms only shrink."""
    if k > mean:
        return min(1.0, _sum(log_term, range(k, highest + 1)))
    return max(0.0, 1.0 - _sum(log_term, range(k - 1, lowest - 1, -1)))


def _sum(log_term: Callable[[int], float], places: range) -> float:
    total = 0.0
    for place in places:
        term = exp(log_term(place))
        total += term
        if term < total * 1e-17:
            break
    return total


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
