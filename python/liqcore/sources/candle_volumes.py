"""Which columns of candles are the volume, and what takers bought and sold of it: never turnover."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .meaning import find_quantity, is_same, is_turnover, money_columns, quantity_like

Numbers = NDArray[np.float64]

# Names of a meaning, lower case, the most telling first.
VOLUME = ("volume", "vol", "qty", "quantity", "amount", "base_volume", "volume_base", "volumefrom", "v")
BOUGHT = ("taker_buy_volume", "taker_buy_base_volume", "taker_buy_base_asset_volume", "taker_buy_base", "buy_volume",
          "buy_qty", "V")  # fmt: skip
SOLD = ("taker_sell_volume", "sell_volume", "sell_qty")
_PART = re.compile(r"taker|buy|bought|sell|sold|bid|ask")  # of the volume
_COIN = re.compile(
    r"vol(?:ume)?[\s_]*\(?(?:btc|xbt|eth|coins?)\)?|(?:btc|xbt|eth|coin)[\s_]*vol(?:ume)?", re.IGNORECASE
)
_ROUGHLY = 0.05  # relative; the price at which a candle's volume was traded is not known so well


class VolumeError(ValueError):
    """Columns of which none is a volume, though they are called so; the message says what was expected and found."""


class Volumes(NamedTuple):
    """Where a table of candles has its volume, and what takers bought and sold of it; -1: nowhere."""

    volume: int
    bought: int
    sold: int


def find_volumes(
    names: Sequence[str], low: int, high: int, number: Callable[[int], Numbers]
) -> tuple[Volumes, list[str]]:
    """
    Find the volumes of candles, by name and by number.

    What is another column times the price is turnover, and that other column is taken in its place; so is what is the
    same as a column that is turnover by its name.

    Parameters
    ----------
    names : sequence of str
        All columns' names.
    low, high : int
        Where these prices stand.
    number : callable
        Gives the first values of a column, NaN where there is no number.

    Returns
    -------
    Volumes
    notes : list of str
        What was done, for the report.

    Raises
    ------
    VolumeError
        If there is only turnover, or if it cannot be told which column is the volume.
    """
    found = [find_quantity(names, known) for known in (VOLUME, BOUGHT, SOLD)]
    like = [at for at in quantity_like(names) if at not in found]
    money = [names.index(name) for name in money_columns(names)]
    prices = number(low), number(high)
    notes: list[str] = []
    for place, (at, what) in enumerate(zip(found, ("the volume", "what was bought", "what was sold"), strict=True)):
        if at < 0 or not len(prices[0]):
            continue
        own = number(at)
        part = bool(_PART.search(names[at]))
        for other in (other for other in like if other not in money and bool(_PART.search(names[other])) == part):
            if is_turnover(own, number(other), *prices):
                notes.append(f"{what} is {names[other]}: {names[at]} is that times the price, turnover")
                found[place] = other
                break
        else:
            same = next((other for other in money if is_same(own, number(other))), -1)
            if same >= 0 and not is_same(prices[0], np.ones(len(own)), _ROUGHLY):
                raise VolumeError(
                    f"expected {what} in base currency, found that {names[at]} is the same as {names[same]}: turnover"
                )
    volumes = Volumes(*found)
    if volumes.volume >= 0 and len(prices[0]):
        _check(names, volumes, like, number, (prices[0] + prices[1]) / 2)
    return volumes, notes


def _check(
    names: Sequence[str], found: Volumes, others: Sequence[int], number: Callable[[int], Numbers], price: Numbers
) -> None:
    """Refuse a volume that has nothing to do with its parts, or with one that is in coins by its name."""
    volume = number(found.volume)
    if min(found.bought, found.sold) >= 0:
        bought, sold = names[found.bought], names[found.sold]
        if not is_same(volume, number(found.bought) + number(found.sold)):
            raise VolumeError(
                f"expected what was bought and sold to make the volume, found that {bought} and {sold} do not add up "
                f"to {names[found.volume]}: are they of one unit?"
            )
    if _COIN.fullmatch(names[found.volume]):
        return
    for other in (other for other in others if _COIN.fullmatch(names[other])):
        coins = number(other)
        ok = (volume > 0) & (coins > 0) & (price > 0)
        # Contracts are coins times a size, or coins times a price and a size.
        ratios = [(volume[ok] / coins[ok]), volume[ok] / (coins[ok] * price[ok])]
        if ok.any() and not any(is_same(one, np.full(len(one), np.median(one)), _ROUGHLY) for one in ratios):
            raise VolumeError(
                f"expected one volume, found {names[found.volume]} and {names[other]}, which have nothing to do with "
                "each other: leave only the one in base currency"
            )
