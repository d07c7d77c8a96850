"""Trade files of CoinAPI: semicolons; the quantity is what the venue prints, contracts where it trades those."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="coinapi", units=("text",), text_time=True,
        columns=("time_exchange", "time_coinapi", "guid", "price", "base_amount", "taker_side"),
        time="time_exchange", price="price", quantity="base_amount", side="taker_side", id="guid",
        contracts=r"(?:BITMEX|DERIBIT|OKEX|OKX|HUOBI.*|BINANCEFTSC|BYBIT|GATEIOFTS|KUCOINFTS)_(?:PERP|FTS)_.*",
        file_name=r"(?P<symbol>[A-Z0-9]+_(?:PERP|FTS|SPOT)_[A-Z0-9_]+)",
        unit="as the venue prints it: contracts for BitMEX, Deribit, OKX and others",
        defects="semicolons; `BUY_ESTIMATED` is CoinAPI's guess and read as a buy; of the two times the venue's counts",
    ),
)  # fmt: skip
