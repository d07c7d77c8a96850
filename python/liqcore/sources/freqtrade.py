"""Trades that freqtrade has downloaded: lists without names in JSON; the amount is what ccxt gives."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="freqtrade", units=("ms",),
        columns=("timestamp", "id", "type", "side", "price", "amount", "cost"),
        time="timestamp", price="price", quantity="amount", quote="cost", side="side", id="id",
        headerless=True, file_name=r"(?P<symbol>[A-Z0-9]+_[A-Z0-9]+(?:_[A-Z0-9]+)?)-trades",
        unit="as ccxt gives it",
        defects="lists in JSON, without names",
    ),
)  # fmt: skip
