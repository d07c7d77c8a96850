"""Numbers as they are written."""


def price_number(price: float) -> float:
    """
    Return the number that a price is written as, which computing it from ticks may miss by its last bit.

    Examples
    --------
    >>> price_number(16731 * 0.1), price_number(16731 * 0.1) == 16731 * 0.1
    (1673.1, False)
    """
    return float(f"{price:.15g}")
