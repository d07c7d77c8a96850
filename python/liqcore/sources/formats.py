"""All trade file layouts; a new one is a module beside this and a line below."""

from . import binance, bitmex, bybit, okx, tardis
from .layout import TradeLayout

TRADE_LAYOUTS: tuple[TradeLayout, ...] = (
    *binance.LAYOUTS,
    *bybit.LAYOUTS,
    *bitmex.LAYOUTS,
    *okx.LAYOUTS,
    *tardis.LAYOUTS,
)
