"""Trade archives of OKX: a file is a day of UTC+8; sizes in contracts."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="okx", units=("ms",),
        columns=("instrument_name", "trade_id", "side", "price", "size", "created_time"),
        time="created_time", price="price", quantity="size", side="side", id="trade_id", symbol="instrument_name",
        venues=("okx",), contracts=r".*-(?:SWAP|\d{6})",
        unit="swaps and futures: contracts; spot: base",
        defects="a file is a day of UTC+8; bilingual headers are understood",
    ),
)  # fmt: skip
