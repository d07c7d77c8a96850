"""Whether prices can be of one market."""

from __future__ import annotations


def of_one_market(price: float, other: float) -> bool:
    """Whether two prices of about the same time lie within a factor of two: those of one market do."""
    return bool(0.5 < other / price < 2.0)
