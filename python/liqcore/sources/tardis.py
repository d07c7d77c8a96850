"""Trade files of Tardis: any venue in one layout; a side may be unknown."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="tardis", units=("us",),
        columns=("exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount"),
        time="timestamp", price="price", quantity="amount", side="side", id="id", symbol="symbol",
        exchange="exchange",
    ),
)  # fmt: skip
