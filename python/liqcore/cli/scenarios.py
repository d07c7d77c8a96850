"""What commands that play scenarios share: options of the law, real stop orders, amounts, notes."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import DataError, InvalidConfigError
from ..words.numbers import SIZES
from .run import console

Sigma = Annotated[
    float | None,
    typer.Option(help="Volatility of a day, a fraction such as 0.03. [default: of the candles of the 7 days before]"),
]
Volume = Annotated[
    str | None,
    typer.Option(
        help="What is traded a day, in the heatmap's unit, such as 15B. [default: of the candles of the 7 days before]"
    ),
]
Y = Annotated[float, typer.Option("--y", help="Y of the square root: how far an amount moves the price.")]
DepthOfBook = Annotated[
    str | None,
    typer.Option(
        "--depth", help="Instead of the square root: amount in the order book up to 1 % away, such as 20M. "
        "[default: the square root]",
    ),
]  # fmt: skip
Scale = Annotated[
    float,
    typer.Option(help="Share of the map's amounts that is taken for real: they are relative levels until fitted."),
]
Orders = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE", help="Real stop orders beside the estimated levels: Hyperliquid's orders as JSON, or CSV with "
        "side, price and quantity. [default: none]",
    ),
]  # fmt: skip
Coin = Annotated[str | None, typer.Option(help="The orders to read where a file holds several markets, such as BTC.")]


def amount_of(flag: str, text: str | None) -> float | None:
    """
    Return an amount such as "250000", "20M" or "1.5B".

    Examples
    --------
    >>> amount_of("--depth", "1.5B"), amount_of("--depth", None)
    (1500000000.0, None)
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?)([kKMBT]?)", text.strip())
    if found is None:
        raise InvalidConfigError(f'{flag} must be an amount such as 250000 or 20M, was "{text}"')
    return float(found[1]) * SIZES[found[2].lower()]


def orders_of(files: list[str] | None, coin: str | None) -> Any:
    """Read real stop orders; None where none are given."""
    if not files:
        if coin is not None:
            raise InvalidConfigError("--coin goes with --orders")
        return None
    from ..sources.trigger_orders import read_trigger_orders

    return read_trigger_orders(files, symbol=coin)


def book_levels(path: Path | None) -> list[tuple[float, float]] | None:
    """Read an order book: CSV with a price and a quantity a line, or a header that names their columns."""
    if path is None:
        return None
    from ..sources.meaning import PRICE, column_names, find, find_quantity, listed

    levels = []
    price, quantity = 0, 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if number == 1 and row and not any(map(_is_number, row)):
                    names = column_names(row)
                    price, quantity = find(names, PRICE, money=True), find_quantity(names)
                    if price < 0 or quantity < 0:
                        raise DataError(f"{path}: expected columns price and quantity, found {listed(names)}")
                    continue
                try:
                    levels.append((float(row[price]), float(row[quantity])))
                except (ValueError, IndexError):
                    if row:
                        raise DataError(f"{path}: expected a price and a quantity in line {number}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: expected a CSV file of prices and quantities: {error}") from None
    return levels


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def say(notes: Iterable[str]) -> None:
    """Print what must be said beside numbers."""
    for note in dict.fromkeys(notes):
        console().print(note, soft_wrap=True, markup=False)
