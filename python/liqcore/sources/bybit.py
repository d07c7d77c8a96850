"""Trade archives of Bybit: decimal seconds, the oldest run backwards in time; ids of spot files restart every day."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="bybit", units=("s",),
        columns=("timestamp", "symbol", "side", "size", "price", "tickdirection", "trdmatchid",
                 "grossvalue", "homenotional", "foreignnotional"),
        time="timestamp", price="price", quantity="size", side="side", id="trdmatchid", symbol="symbol",
        venues=("bybit-linear", "bybit-inverse"),
        contracts=r"[A-Z0-9]+USD(?:[HMUZ]\d\d)?", base="homenotional", quote="foreignnotional",
        unit="base; inverse (`BTCUSD`): contracts of 1 USD, with home and foreign notional the other way round",
        defects="the oldest files run backwards (`resorted`)",
    ),
    TradeLayout(
        name="bybit-spot", units=("ms",),
        columns=("id", "timestamp", "price", "volume", "side"),
        time="timestamp", price="price", quantity="volume", side="side", id="id",
        file_name=r"(?P<symbol>[A-Z0-9]+)_\d{4}-\d\d",
        defects="ids restart every day",
    ),
)  # fmt: skip
