"""Whether prices can be of one market, and of one denomination of it."""

from __future__ import annotations

import math

SPLITS = (2, 3, 4, 5, 8)
NEAR = 0.05  # how far a jump may be off a round factor
NEAR_TEN = 0.2  # and off a power of ten: prices move while a market rests


def of_one_market(price: float, other: float) -> bool:
    """Whether two prices of about the same time lie within a factor of two: those of one market do."""
    return bool(0.5 < other / price < 2.0)


def round_factor(before: float, after: float, *, gap: bool, near: float | None = None) -> str:
    """
    Name the round factor by which a price has jumped, if it is one.

    Parameters
    ----------
    before, after : float
    gap : bool
        Whether nothing was traded for a while in between: a jump by less than ten is a split only then.
    near : float, optional
        How far it may be off, in place of 20 % for powers of ten and 5 % for the others.

    Returns
    -------
    str
        "1:100" where one unit became a hundred, so that its price fell to a hundredth; "100:1" the other way; "" where
        the factor is not round.

    Examples
    --------
    >>> round_factor(150.26, 1.5001, gap=False), round_factor(0.012, 12.4, gap=True), round_factor(100, 25.1, gap=True)
    ('1:100', '1000:1', '1:4')
    >>> round_factor(100.0, 50.2, gap=False), round_factor(100.0, 61.0, gap=True)
    ('', '')
    """
    ratio = max(before / after, after / before)
    power = 10 ** int(math.log10(ratio))
    factors = [(factor, NEAR) for factor in (*(SPLITS if gap else ()), 2 * power, 5 * power) if gap or factor > 10]
    factors += [(ten, NEAR_TEN if near is None else near) for ten in (power, 10 * power) if ten > 1]
    known = [factor for factor, off in factors if abs(ratio / factor - 1) <= (off if near is None else near)]
    if not known:
        return ""
    factor = min(known, key=lambda one: abs(math.log(ratio / one)))
    return f"1:{factor}" if after < before else f"{factor}:1"
