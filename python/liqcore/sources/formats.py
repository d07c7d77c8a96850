"""All trade file layouts; a new one is a module beside this and a line below."""

from . import (
    binance,
    bitfinex,
    bitget,
    bitmex,
    bybit,
    coinapi,
    databento,
    deribit,
    freqtrade,
    gate,
    htx,
    kraken,
    kucoin,
    okx,
    tardis,
)
from .layout import TradeLayout

TRADE_LAYOUTS: tuple[TradeLayout, ...] = (
    *binance.LAYOUTS,
    *bybit.LAYOUTS,
    *bitmex.LAYOUTS,
    *okx.LAYOUTS,
    *tardis.LAYOUTS,
    *bitget.LAYOUTS,
    *gate.LAYOUTS,
    *coinapi.LAYOUTS,
    *kucoin.LAYOUTS,
    *htx.LAYOUTS,
    *databento.LAYOUTS,
    *deribit.LAYOUTS,
    *freqtrade.LAYOUTS,
    *kraken.LAYOUTS,
    *bitfinex.LAYOUTS,
)
