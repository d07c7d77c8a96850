"""Cascades, slow and plain: every fixed point by brute force, and the rounds in loops over single bins."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bin:
    """Levels of one bin: its nearer edge's distance from the price, an amount, and where they are bankrupt."""

    away: float
    amount: float
    bankrupt: float = math.inf


Move = Callable[[float], float]


def is_reached(side: str, away: float, price_away: float) -> bool:
    return price_away > 0 and (price_away > away if side == "long" else price_away >= away)


def fixed_points(side: str, bins: list[Bin], shock: float, order: float, move: Move) -> list[float]:
    """All x with x = shock + move(order + reached(x)): x is one of as many values as there are sums."""
    ordered = sorted(bins, key=lambda each: each.away)
    candidates = [
        shock + move(order + math.fsum(each.amount for each in ordered[:count])) for count in range(len(ordered) + 1)
    ]
    return [
        x
        for x in candidates
        if x == shock + move(order + math.fsum(each.amount for each in ordered if is_reached(side, each.away, x)))
    ]


def rounds(
    side: str, bins: list[Bin], shock: float, move: Move, *, refill: float = 0.0, decay: float = math.inf,
    backstop: bool = False, price: float = 1.0, fund: float = math.inf,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Farthest distance, what was sold, taken over and deleveraged, and the loss."""
    x = shock
    farthest = x
    waiting = sorted(bins, key=lambda each: each.away)
    sold: list[float] = []
    taken = deleveraged = loss = 0.0
    while True:
        now = [each for each in waiting if is_reached(side, each.away, farthest)]
        if not now:
            return farthest, math.fsum(sold), taken, deleveraged, loss
        waiting = [each for each in waiting if each not in now]
        over = [each for each in now if backstop and each.bankrupt <= farthest]
        here = math.fsum(each.amount * (farthest - each.bankrupt) / price for each in over)
        amount = math.fsum(each.amount for each in over)
        if here > 0:
            deleveraged += amount * max(loss + here - max(loss, fund), 0.0) / here
        loss += here
        taken += amount
        sold.append(math.fsum(each.amount for each in now) - amount)
        pressing = math.fsum(each * (1 - refill) / (1 + (len(sold) - 1 - n) / decay) for n, each in enumerate(sold))
        x = shock + move(pressing)
        farthest = max(farthest, x)
