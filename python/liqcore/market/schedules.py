"""Margin schedules from what others answer: Binance's leverage brackets, ccxt's unified leverage tiers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._core import MarginSchedule
from ..errors import DataError, InvalidConfigError

__all__ = ["schedule_from_binance", "schedule_from_ccxt"]


def schedule_from_binance(answer: Any, symbol: str | None = None, *, contract: str = "linear") -> MarginSchedule:
    """
    Read the answer of Binance's leverageBracket interface (``/fapi/v1`` or ``/dapi/v2``).

    Parameters
    ----------
    answer : path, list or dict
        The JSON, or a file of it: one symbol or all.
    symbol : str, optional
        Which; must be given if the answer holds several.
    contract : {"linear", "inverse"}
        Only for the message: brackets of inverse contracts count notional in coin.

    Returns
    -------
    MarginSchedule

    Raises
    ------
    DataError
        If it is no such answer.
    InvalidConfigError
        If the table breaks a rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> bracket = {"bracket": 1, "initialLeverage": 150, "notionalFloor": 0, "notionalCap": 300000,
    ...            "maintMarginRatio": 0.004, "cum": 0.0}
    >>> lq.schedule_from_binance([{"symbol": "BTCUSDT", "brackets": [bracket]}]).max_leverage
    150.0
    """
    venue = "binance-coinm" if contract == "inverse" else "binance-usdm"
    data, where = _parsed(answer)
    entries = data if isinstance(data, list) else [data]
    if not all(isinstance(e, dict) and isinstance(e.get("brackets"), list) for e in entries) or not entries:
        raise DataError(f"{where}: expected a leverageBracket answer (symbol and brackets), found something else")
    name, brackets = _choose({str(e.get("symbol", e.get("pair"))): e["brackets"] for e in entries}, symbol, where)
    rows = [
        {
            "floor": _first(bracket, "notionalFloor", "qtyFloor", "qtylFloor", where=where),
            "cap": _first(bracket, "notionalCap", "qtyCap", where=where),
            "rate": _first(bracket, "maintMarginRatio", where=where),
            "max_leverage": _first(bracket, "initialLeverage", where=where),
            "amount": _optional(bracket.get("cum")),
        }
        for bracket in sorted(brackets, key=lambda b: b.get("bracket", 0))
    ]
    return MarginSchedule.tiers(rows, amounts=_amounts(rows), venue=venue, symbol=name)


def schedule_from_ccxt(
    tiers: Any,
    symbol: str | None = None,
    *,
    amounts: str = "derived",
    fee: float = 0.0,
    basis: str = "mark",
    unit: str = "notional",
    venue: str = "",
) -> MarginSchedule:
    """
    Read ccxt's unified leverage tiers (``fetch_leverage_tiers`` or ``fetch_market_leverage_tiers``).

    Parameters
    ----------
    tiers : path, dict or list
        Tiers by symbol, or the list of one symbol, or a JSON file of either.
    symbol : str, optional
        Which; must be given if there are several.
    amounts : {"derived", "none"}
        What to do where the venue's own answer (``info``) has no maintenance amounts: work them out so that maintenance
        margin is continuous, or take the venue to have none (OKX, BitMEX).
    fee, basis, unit, venue
        As for `MarginSchedule.tiers`. ccxt gives tiers of OKX in contracts: give their caps in coin and
        ``unit="quantity"``.

    Returns
    -------
    MarginSchedule

    Raises
    ------
    DataError, InvalidConfigError
        As `schedule_from_binance`.

    Examples
    --------
    >>> import liqcore as lq
    >>> unified = [
    ...     {"minNotional": 0, "maxNotional": 5e4, "maintenanceMarginRate": 0.004, "maxLeverage": 125},
    ...     {"minNotional": 5e4, "maxNotional": 2.5e5, "maintenanceMarginRate": 0.005, "maxLeverage": 100},
    ... ]
    >>> [tier["amount"] for tier in lq.schedule_from_ccxt(unified).risk_tiers]
    [0.0, 50.0]
    """
    if amounts not in ("derived", "none"):
        raise InvalidConfigError(f'amounts must be "derived" or "none", was "{amounts}"')
    data, where = _parsed(tiers)
    name, chosen = _choose(data, symbol, where) if isinstance(data, dict) else (symbol or "", data)
    if not isinstance(chosen, list) or not chosen or not all(isinstance(row, dict) for row in chosen):
        raise DataError(f"{where}: expected unified leverage tiers, found something else")
    rows = [
        {
            "floor": _first(row, "minNotional", where=where),
            "cap": _optional(row.get("maxNotional")),
            "rate": _first(row, "maintenanceMarginRate", where=where),
            "max_leverage": _optional(row.get("maxLeverage")),
            "amount": _amount_of(row.get("info")),
        }
        for row in chosen
    ]
    known = "given" if amounts == "none" else _amounts(rows)
    return MarginSchedule.tiers(rows, amounts=known, fee=fee, basis=basis, unit=unit, venue=venue, symbol=name)


def _amounts(rows: Sequence[Mapping[str, float | None]]) -> str:
    """Say where maintenance amounts come from: given in the answer, else worked out."""
    return "given" if any(row["amount"] is not None for row in rows) else "derived"


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)


def _amount_of(info: Any) -> float | None:
    """Maintenance amount in a venue's own row: Binance ``cum``, Bybit ``mmDeduction``."""
    if not isinstance(info, dict):
        return None
    for key in ("cum", "mmDeduction"):
        value = info.get(key)
        if value is not None:
            return float(value) if value != "" else 0.0
    return None


def _parsed(source: Any) -> tuple[Any, str]:
    """Return JSON data and a name for messages."""
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            return json.loads(path.read_text(encoding="utf-8")), path.name
        except json.JSONDecodeError as error:
            raise DataError(f"{path.name}: expected JSON, found {error}") from None
    return source, "answer"


def _choose(by_symbol: Mapping[str, Any], symbol: str | None, where: str) -> tuple[str, Any]:
    if symbol is None:
        if len(by_symbol) != 1:
            raise InvalidConfigError(f"symbol must be given: {where} holds {len(by_symbol)} of them")
        return next(iter(by_symbol.items()))
    if symbol not in by_symbol:
        raise DataError(f"{where}: expected tiers of {symbol}, found {', '.join(list(by_symbol)[:5])}")
    return symbol, by_symbol[symbol]


def _first(row: Mapping[str, Any], *keys: str, where: str) -> float:
    for key in keys:
        if row.get(key) is not None:
            return float(row[key])
    raise DataError(f"{where}: expected {' or '.join(keys)} in each tier, found {', '.join(row)}")
