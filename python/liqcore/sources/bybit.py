"""Trade archives of Bybit: decimal seconds; the oldest ones run backwards in time."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="bybit", units=("s",),
        columns=("timestamp", "symbol", "side", "size", "price", "tickdirection", "trdmatchid",
                 "grossvalue", "homenotional", "foreignnotional"),
        time="timestamp", price="price", quantity="size", side="side", id="trdmatchid", symbol="symbol",
        venues=("bybit-linear", "bybit-inverse"),
        contracts=r"[A-Z0-9]+USD(?:[HMUZ]\d\d)?", base="homenotional", quote="foreignnotional",
    ),
)  # fmt: skip
