"""Trade archives of Binance, futures and spot: headers only since mid-2022, and only for futures."""

from .layout import TradeLayout

_AGGREGATED = (
    "agg_trade_id",
    "price",
    "quantity",
    "first_trade_id",
    "last_trade_id",
    "transact_time",
    "is_buyer_maker",
)
_SPOT_TRADES = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match")


_COIN_MARGINED = r"[A-Z0-9]+USD_(?:PERP|\d{6})"
_FUTURES = ("binance-usdm", "binance-coinm")


_BY_SYMBOL = "base; COIN-M (`BTCUSD_PERP`): contracts of 100 USD for BTC, 10 USD else"
_HEADER = (
    "header since mid-2022; up to 38 % zero quantities in spring 2023 (`not_positive`); months "
    "repeat days (`duplicate_id`)"
)


def _layout(
    name: str,
    columns: tuple[str, ...],
    quantity: str,
    units: tuple[str, ...] = ("ms",),
    unit: str = "",
    defects: str = "",
) -> TradeLayout:
    return TradeLayout(
        name=f"binance-{name}",
        columns=columns,
        time="time" if "time" in columns else "transact_time",
        price="price",
        quantity=quantity,
        side="is_buyer_maker",
        id=columns[0],
        venues=() if "spot" in name else ("binance-coinm",) if "base_qty" in columns else _FUTURES,
        base="base_qty" if "base_qty" in columns else "",
        contract_sizes=(10.0, 100.0) if "base_qty" in columns else (),
        quote="quote_qty" if "quote_qty" in columns else "",
        contracts=".*" if "base_qty" in columns else "" if "spot" in name else _COIN_MARGINED,
        headerless=True,
        units=units,
        file_name=r"(?P<symbol>[A-Z0-9_]+)-(?:aggTrades|trades)-",
        unit=unit,
        defects=defects,
    )


LAYOUTS = (
    _layout("spot-aggtrades", (*_AGGREGATED, "is_best_match"), "quantity", ("ms", "us"), defects="never a header"),
    _layout("aggtrades", _AGGREGATED, "quantity", unit=_BY_SYMBOL, defects=_HEADER),
    _layout("spot-trades", _SPOT_TRADES, "qty", ("ms", "us"), defects="never a header"),
    _layout("trades", _SPOT_TRADES[:-1], "qty", unit=_BY_SYMBOL, defects=_HEADER),
    _layout("coinm-trades", ("id", "price", "qty", "base_qty", "time", "is_buyer_maker"), "qty",
            unit="contracts of 10 or 100 USD; base_qty in coins, which tells it from `binance-trades`"
                 " without a header",
            defects=_HEADER),
)  # fmt: skip
