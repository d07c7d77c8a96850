"""
Liquidation prices in exact fractions: slow, obvious, and written from the table of formulas, not from the C++ code.

    linear,  mark   M + s q (P - e) = (m + f) q P - c           P = (s q e - M - c) / (q (s - m - f))
    linear,  entry  M + s q (P - e) = m q e - c                 P = e - s (M - MM) / q
    inverse, mark   M + s Q (1/e - 1/P) = (m + f) Q / P - c     P = Q (s + m + f) / (M + c + s Q / e)
    inverse, entry  M + s Q (1/e - 1/P) = m Q / e - c           P = Q / (Q / e + s (M - MM))
"""

from dataclasses import dataclass
from fractions import Fraction

SIGN = {"long": 1, "short": -1}


@dataclass(frozen=True)
class Tier:
    """One row of a risk-tier table; no cap: no end."""

    floor: Fraction
    cap: Fraction | None
    rate: Fraction
    amount: Fraction = Fraction(0)

    def holds(self, size):
        return self.floor <= size and (self.cap is None or size < self.cap)


@dataclass(frozen=True)
class Position:
    """Everything as fractions; `margin` is all that stands behind the position."""

    side: str
    entry: Fraction
    quantity: Fraction
    margin: Fraction
    contract: str = "linear"

    def value(self, price):
        """Notional in the margin currency."""
        return self.quantity * price if self.contract == "linear" else self.quantity / price

    def equity(self, price):
        s = SIGN[self.side]
        if self.contract == "linear":
            return self.margin + s * self.quantity * (price - self.entry)
        return self.margin + s * self.quantity * (1 / self.entry - 1 / price)


def tier_for(tiers, size):
    """The row of a size; beyond the last cap the last row goes on."""
    return next((tier for tier in tiers if tier.holds(size)), tiers[-1])


def maintenance(position, price, tiers, *, fee=Fraction(0), basis="mark", amounts=True):
    """Maintenance margin and liquidation fee at a price."""
    at = position.entry if basis == "entry" or not amounts else price
    tier = tier_for(tiers, position.value(at))
    counted = position.entry if basis == "entry" else price
    return (tier.rate + fee) * position.value(counted) - tier.amount


def price_in_tier(position, tier, fee, basis):
    """The table above, row by row; None where no price is above zero."""
    s, e, q, m = SIGN[position.side], position.entry, position.quantity, position.margin
    rate, c = tier.rate, tier.amount
    if position.contract == "linear":
        if basis == "mark":
            price = (s * q * e - m - c) / (q * (s - rate - fee))
        else:
            price = e - s * (m - (rate * q * e - c)) / q
        return price if price > 0 else None
    if basis == "mark":
        below = m + c + s * q / e
        price = q * (s + rate + fee) / below if below != 0 else None
    else:
        below = q / e + s * (m - (rate * q / e - c))
        price = q / below if below != 0 else None
    return price if price is not None and price > 0 else None


def liquidation_price(position, tiers, *, fee=Fraction(0), basis="mark", amounts=True):
    """Compute the price in every tier and take the one whose notional lies in its own tier."""
    if basis == "entry" or not amounts:
        return price_in_tier(position, tier_for(tiers, position.value(position.entry)), fee, basis)
    found = []
    for n, tier in enumerate(tiers):
        price = price_in_tier(position, tier, fee, basis)
        if price is None:
            continue
        size = position.value(price)
        if tier.holds(size) or (n == len(tiers) - 1 and size >= tier.floor):
            found.append(price)
    assert len(found) <= 1, "with continuous amounts and rising rates there is at most one"
    return found[0] if found else None


def bankruptcy_price(position):
    """The price at which equity is zero."""
    return price_in_tier(position, Tier(Fraction(0), None, Fraction(0)), Fraction(0), "mark")
