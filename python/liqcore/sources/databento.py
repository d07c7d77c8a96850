"""Trades of Databento: prices as whole numbers of 1e-9; order-book files have the same columns and more actions."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="databento", units=("ns",),
        columns=("ts_event", "rtype", "publisher_id", "instrument_id", "action", "side", "price", "size"),
        time="ts_event", price="price", quantity="size", side="side", symbol="instrument_id",
        contracts=".*", price_digits=9, only=("action", "T"),
        unit="contracts",
        defects="whole prices are divided by 1e9; prices that are none (the largest number) are "
                "`not_finite`; files with other actions than T are refused",
    ),
)  # fmt: skip
