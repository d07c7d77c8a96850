"""Numbers as they are written."""

import math
from typing import Any

SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
"""What the letter behind an amount stands for, in lower case."""


def price_number(price: float) -> float:
    """
    Return the number that a price is written as, which computing it from ticks may miss by its last bit.

    Examples
    --------
    >>> price_number(16731 * 0.1), price_number(16731 * 0.1) == 16731 * 0.1
    (1673.1, False)
    """
    return float(f"{price:.15g}")


def plain_values(value: Any) -> Any:
    """
    Return what JSON can hold: lists for tuples, and None for numbers that are not finite.

    Examples
    --------
    >>> plain_values({"low": float("nan"), "at": (1.0, 2)})
    {'low': None, 'at': [1.0, 2]}
    """
    if isinstance(value, dict):
        return {key: plain_values(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(of) for of in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
