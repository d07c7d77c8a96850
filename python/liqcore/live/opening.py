"""With what configuration the engine of a market begins, as a run of recorded trades would settle it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config.config import Config
from ..errors import InvalidConfigError
from ..feeds.events import Market
from ..market.catalogue import venues
from ..market.contracts import Quantities
from ..runs.run import first_grid, settle
from ..runs.terms import settle_terms


@dataclass(frozen=True, slots=True)
class _Head:
    """What is known of a market's trades before the first of them: `runs.terms.Known`."""

    first_ts: int
    tick_size: float
    lot_size: float
    symbol: str | None
    quantities: list[Quantities]


@dataclass(frozen=True, slots=True)
class _Beside:
    marks: Any
    open_interest: Any
    candles: Any = None


def check_trades_tell(config: Config) -> None:
    """
    Refuse what goes by open interest or mark prices, where there are trades alone: nothing would open, or liquidate.

    Raises
    ------
    InvalidConfigError
        If the model or the trigger does.
    """
    if uses_open_interest(config):
        raise InvalidConfigError(
            "the model must go by trades where trade files are replayed (play a journal for it), was "
            f'"{config.model.name}"'
        )
    if config.model.trigger == "mark":
        raise InvalidConfigError(
            'the trigger must be "last" where trade files are replayed (play a journal for it), was "mark"'
        )


def uses_open_interest(config: Config) -> bool:
    """Whether open interest is fed: where the model opens and closes by it."""
    return config.model.name in ("oi", "blend") or config.model.reconciled


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What is known of a market before its first trade.

    Attributes
    ----------
    market : Market
    config : Config
    grid : (float, float) or None
        Tick and lot size that recorded trades show; None: the catalogue's.
    quantities : Quantities or None
        What is known of the unit of quantities; None: that the market is of its venue.
    """

    market: Market
    config: Config
    grid: tuple[float, float] | None = None
    quantities: Quantities | None = None

    @property
    def uses_marks(self) -> bool:
        """Whether mark prices are fed: where they liquidate."""
        return self.config.model.trigger == "mark"

    @property
    def uses_open_interest(self) -> bool:
        """Whether open interest is fed."""
        return uses_open_interest(self.config)

    def check(self) -> None:
        """Refuse a model or a trigger that no feed can feed."""
        if self.config.model.trigger == "candle" or self.config.model.name == "vendor":
            raise InvalidConfigError('the model must not be "vendor" and the trigger not "candle": no feed tells those')

    def settled(self, ts: int, price: float) -> Config:
        """
        Return the configuration of an engine: terms of a time, bins about a price.

        Raises
        ------
        InvalidConfigError
            If neither configuration nor catalogue nor `grid` say the tick or lot size.
        """
        venue = venues().get(self.market.venue)
        quantities = self.quantities
        if quantities is None:
            quantities = Quantities(str(self.market), () if venue is None else (venue.name,))
        tick, lot = self.grid or (np.inf, np.inf)
        head = _Head(ts, tick, lot, self.market.symbol, [quantities])
        config = self.config
        if self.grid is None and config.instrument.venue is None and venue and venue.listed(self.market.symbol):
            config = config.replace(instrument={"venue": venue.name})
        config = settle_terms(config, head).config
        tick, lot = first_grid(head, self.config.instrument, config.instrument)
        for name, step in (("tick_size", tick), ("lot_size", lot)):
            if not np.isfinite(step):
                raise InvalidConfigError(
                    f"instrument.{name} must be given for {self.market}, which is not in the catalogue: give tick_size "
                    "and lot_size under [instrument] of a configuration (--config)"
                )
        if config.model.name is None:
            config = config.replace(model={"name": "flow"})
        beside = _Beside(() if self.uses_marks else None, () if self.uses_open_interest else None)
        return settle(config, head, tick, lot, beside, price)
