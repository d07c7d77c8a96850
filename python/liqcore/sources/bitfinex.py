"""Answers of Bitfinex's interface, lists without names: the sign of the amount is the taker's side."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="bitfinex", units=("ms",),
        columns=("id", "mts", "amount", "price"),
        time="mts", price="price", quantity="amount", side="", id="id", headerless=True,
        defects="lists in JSON, without names; newest first is put right",
    ),
)  # fmt: skip
