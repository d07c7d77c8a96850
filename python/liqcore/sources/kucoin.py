"""Trade archives of KuCoin: futures, whose symbols end in M, in contracts; ids without order inside a millisecond."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="kucoin", units=("ms",),
        columns=("trade_id", "trade_time", "price", "size", "side"),
        time="trade_time", price="price", quantity="size", side="side", id="trade_id",
        venues=("kucoin",), contracts=r"[A-Z0-9]+M",
        file_name=r"(?P<symbol>[A-Z0-9]*[A-Z][A-Z0-9]*(?:-[A-Z]+)?)-trades?-",
        unit="futures (`XBTUSDTM`): contracts; spot: base",
        defects="futures' ids have no order inside a millisecond",
    ),
)  # fmt: skip
