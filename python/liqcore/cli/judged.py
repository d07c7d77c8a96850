"""What ``score`` and ``calibrate`` read: candles and liquidations of one market or several."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidConfigError
from .common import options_named

if TYPE_CHECKING:
    from ..sources.candles import Candles


def check_markets(files: Sequence[str], liquidations: Sequence[str], named: str = "--liquidations") -> None:
    """Refuse liquidations, or what `named` gives, that are neither of one market nor of as many as candles."""
    if len(liquidations) not in (1, len(files)):
        raise InvalidConfigError(
            f"{named} must be given once, or once for each of the {len(files)} markets, was {len(liquidations)} times"
        )


def read_markets(
    files: list[str], liquidations: list[str], *, symbol: str | None, coin: str | None, side_is: str, scale: float
) -> tuple[Any, Any]:
    """Read candles and liquidations: one of each, or mappings by name where there are several markets."""
    from ..sources.candles import read_candles  # here, because they load NumPy: help and errors come without it
    from ..sources.liquidations import read_liquidations

    several = len(liquidations) > 1
    candles = [read_candles(one) for one in files] if several else [read_candles(files, symbol=symbol)]
    with options_named({"symbol": "--coin"}):
        truth = [read_liquidations(one, symbol=coin, side_is=side_is, scale=scale) for one in liquidations]
    return _named(files, candles, truth) if several else (candles[0], truth[0])


def read_placed(files: list[str], positions: list[str], *, symbol: str | None, coin: str | None) -> tuple[Any, Any]:
    """Read candles and positions, of one market or several, whose coins then are a list such as "BTC,ETH"."""
    from ..sources.candles import read_candles  # here, because they load NumPy: help and errors come without it
    from ..sources.positions import read_positions

    coins = [None] * len(positions) if coin is None else coin.split(",")
    if len(coins) != len(positions):
        raise InvalidConfigError(f'--coin must name one coin a market, separated by commas, was "{coin}"')
    several = len(positions) > 1
    candles = [read_candles(one) for one in files] if several else [read_candles(files, symbol=symbol)]
    with options_named({"symbol": "--coin"}):
        found = [read_positions(one, symbol=of) for one, of in zip(positions, coins, strict=True)]
    return _named(files, candles, found) if several else (candles[0], found[0])


def _named(files: list[str], candles: "list[Candles]", truth: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name markets by the symbols of their files, or, where those say nothing or the same, by the files."""
    symbols = [next((one.symbol for one in of.report.files if one.symbol), "") or "" for of in candles]
    names = [
        symbol if symbol and symbols.count(symbol) == 1 else file for symbol, file in zip(symbols, files, strict=True)
    ]
    if len(set(names)) < len(names):
        raise InvalidConfigError(f"CANDLES must be of different markets, were {', '.join(names)}")
    return dict(zip(names, candles, strict=True)), dict(zip(names, truth, strict=True))
