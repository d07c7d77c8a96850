"""Answers of Kraken's spot interface, lists without names. Its archives hold no side, so they cannot be read."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="kraken-spot", units=("s",),
        columns=("price", "volume", "time", "side", "ordertype", "misc", "id"),
        time="time", price="price", quantity="volume", side="side", id="id", headerless=True,
        defects="lists in JSON, without names; archives of three columns hold no side: refused",
    ),
)  # fmt: skip
