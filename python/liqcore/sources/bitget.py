"""Trade archives of Bitget: quantity and turnover in one file, told apart by their names."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="bitget", units=("ms",),
        columns=("trade_id", "timestamp", "price", "side", "volume(quote)", "size(base)"),
        time="timestamp", price="price", quantity="size(base)", quote="volume(quote)", side="side", id="trade_id",
        file_name=r"(?P<symbol>[A-Z0-9]*[A-Z]{3,})(?:[-_.])",
        unit="base; volume(quote) is turnover",
        defects="none known",
    ),
)  # fmt: skip
