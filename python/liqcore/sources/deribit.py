"""Trades of Deribit's interface: `amount` is USD for inverse contracts, coins for linear ones."""

from .layout import TradeLayout

LAYOUTS = (
    TradeLayout(
        name="deribit", units=("ms",),
        columns=("trade_seq", "trade_id", "timestamp", "price", "instrument_name", "direction", "amount"),
        time="timestamp", price="price", quantity="amount", side="direction", id="trade_id", symbol="instrument_name",
        venues=("deribit",),
        contracts=r"[A-Z]+-(?:PERPETUAL|\d{1,2}[A-Z]{3}\d{2})",
        unit="inverse: USD; linear (`BTC_USDC-PERPETUAL`): base",
        defects="newest first is put right; a user's trades have these columns too: told by `liquidity`",
    ),
)  # fmt: skip
