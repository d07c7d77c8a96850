"""Trade files of Tardis: any venue in one layout; a side may be unknown."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="tardis", units=("us",),
        columns=("exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount"),
        time="timestamp", price="price", quantity="amount", side="side", id="id", symbol="symbol",
        exchange="exchange",
        contracts=r"(?:bitmex|okex-swap|okex-futures|okx|gate|gate-io-futures|kucoin|kucoin-futures|htx|huobi-dm|huobi-dm-swap|"
        r"huobi-dm-linear-swap|binance-delivery|binance-coinm):.*|deribit:[A-Z]+-.*|"
        r"(?:bybit|bybit-inverse):[A-Z0-9]+USD(?:[HMUZ]\d\d)?|(?:cryptofacilities|kraken|kraken-futures):(?:PI|FI)_.*",
        unit="as the exchange prints it: contracts for BitMEX, Deribit, OKX, Gate, KuCoin and HTX "
             "futures, Bybit inverse, Binance COIN-M",
        defects="liquidations have the same columns: the name tells, and where it does not, rows "
                "without ids are refused; a side may be unknown (`unknown_side`)",
    ),
)  # fmt: skip
