"""The indicator of `liqcore.integrations.nautilus`, which loads it when asked for: it needs nautilus_trader."""

from __future__ import annotations

from typing import Any

import numpy as np
from nautilus_trader.indicators.base import Indicator
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.objects import FIXED_PRECISION
from numpy.typing import NDArray

from ..._core import Instrument
from ...engine.engine import Engine
from ...engine.feature_reader import FeatureReader
from ...words.times import Length, parse_duration
from .instruments import instrument_of

_SCALE = 10**FIXED_PRECISION
_NO_AGGRESSOR, _SELLER = AggressorSide.NO_AGGRESSOR, AggressorSide.SELLER  # looked up once: their class is slow


class LiquidationFeatures(Indicator):  # type: ignore[misc]
    """
    An indicator of trade ticks: what a book of estimated liquidations holds around the price.

    Register it with ``strategy.register_indicator_for_trade_ticks(instrument_id, indicator)``. Trades count at their
    ``ts_init``, when the strategy was handed them. Those without an aggressor cannot be used: they change nothing and
    are counted in `no_aggressor`.

    Every feature is an attribute of its name, such as ``indicator.long_usd_1pct`` or ``indicator.imbalance``
    (docs/how-to/features.md defines them), as of the last trade or `advance`. They are read when asked for, so a trade
    costs no more than feeding it.

    Parameters
    ----------
    instrument : Instrument or an instrument of nautilus_trader
        The latter is taken through `instrument_of`.
    warmup : duration, default 0
        Age of the book from which on the indicator says that it is initialized.
    reader : FeatureReader, optional
        Which features; the defaults if not given.
    **engine
        Options of `liqcore.Engine`. Of columns the last is kept, unless ``keep`` says otherwise.

    Attributes
    ----------
    engine : Engine
        A new one after `reset`.
    no_aggressor : int
        Trades without an aggressor.
    names : tuple of str
        Of the features, in order.

    Raises
    ------
    InvalidConfigError
        If an option breaks its rule.
    """

    def __init__(
        self, instrument: Any, *, warmup: Length = 0, reader: FeatureReader | None = None, **engine: Any
    ) -> None:
        self._instrument = instrument if isinstance(instrument, Instrument) else instrument_of(instrument)
        super().__init__([self._instrument.symbol])
        self._options = {"keep": 1} | engine
        self._reader = FeatureReader() if reader is None else reader
        self._warmup_ns = parse_duration(warmup, name="warmup") if warmup else 0
        self.names = self._reader.names
        self._reset()

    def _reset(self) -> None:
        self.engine = Engine(self._instrument, **self._options)
        self.no_aggressor = 0
        self._values = np.full(len(self.names), np.nan)
        self._fresh = True

    def handle_trade_tick(self, tick: Any) -> None:
        """Feed a trade."""
        side = tick.aggressor_side
        if side == _NO_AGGRESSOR:
            self.no_aggressor += 1
            return
        # Whole numbers divided, which rounds once: float(tick.price) may be a digit off.
        price, qty = tick.price.raw / _SCALE, tick.size.raw / _SCALE
        self.engine.trade(tick.ts_init, price, qty, side == _SELLER)
        self._moved()

    def handle_mark_price(self, update: Any) -> None:
        """Feed a MarkPriceUpdate, from the strategy's ``on_mark_price``: what liquidates with ``trigger="mark"``."""
        self.engine.mark(update.ts_init, update.value.raw / _SCALE)
        self._moved()

    def advance(self, ts_ns: int) -> None:
        """
        Move the book's clock, such as to ``strategy.clock.timestamp_ns()``: windows that ended by then are closed.

        Only what half-lives take away, what the last window liquidated and the age of the book depend on it.
        """
        self.engine.advance(ts_ns)
        self._moved()

    def _moved(self) -> None:
        self._fresh = False
        if self.initialized:
            return
        began, clock = self.engine.began, self.engine.clock
        if began is not None and clock is not None:
            self._set_has_inputs(True)
            self._set_initialized(clock - began >= self._warmup_ns)

    @property
    def values(self) -> NDArray[np.float64]:
        """All features, in the order of `names`; a row that the next read overwrites."""
        if not self._fresh:
            self._reader.read(self.engine, out=self._values)
            self._fresh = True
        return self._values

    def __getattr__(self, name: str) -> Any:
        """Return a feature."""
        names = self.__dict__.get("names", ())
        if name not in names:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; features are {', '.join(names)}")
        return float(self.values[names.index(name)])
