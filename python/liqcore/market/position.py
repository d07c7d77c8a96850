"""A position of one's own, as people write it: ``long:60000:25x``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .._core import Instrument
from ..errors import InvalidConfigError
from .margin import liquidation_price

__all__ = ["Position"]

_RULE = 'position must be side:entry:leverage or side:entry:leverage:quantity, such as "long:60000:25x"'
_TEXT = re.compile(r"\s*(long|short)\s*:\s*([0-9._]+)\s*:\s*([0-9.]+)\s*x?\s*(?::\s*([0-9._]+)\s*)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Position:
    """
    An isolated position.

    Parameters
    ----------
    side : {"long", "short"}
    entry : float
        Average entry price, quote per base unit; above 0.
    leverage : float
        Notional at the entry / margin; at least 1.
    quantity : float, optional
        As the venue prints it (base units or contracts), above 0. It chooses the risk tier; without it the first one
        holds.
    """

    side: str
    entry: float
    leverage: float
    quantity: float | None = None

    @classmethod
    def of(cls, text: str) -> Position:
        """
        Read a position.

        Raises
        ------
        InvalidConfigError
            If the text is none.

        Examples
        --------
        >>> Position.of("long:60000:25x")
        Position(side='long', entry=60000.0, leverage=25.0, quantity=None)
        >>> str(Position.of("Short: 61_000.5 :10:0.5"))
        'short:61000.5:10x:0.5'
        """
        if not isinstance(text, str):
            raise TypeError(f"{_RULE}, was {text!r}")
        match = _TEXT.match(text)
        try:
            numbers = [float(part) for part in match.groups()[1:] if part is not None] if match else []
        except ValueError:  # two decimal points
            numbers = []
        if not match or not numbers or min(numbers) <= 0 or numbers[1] < 1 or not all(map(math.isfinite, numbers)):
            raise InvalidConfigError(f'{_RULE}, was "{text}"')
        return cls(match[1].lower(), *numbers)

    def liquidation_price(self, instrument: Instrument) -> float:
        """
        Return the price at which it is liquidated, by the margin terms of an instrument; NaN where there is none.

        Examples
        --------
        >>> import liqcore as lq
        >>> instrument = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
        >>> round(Position.of("long:60000:25x").liquidation_price(instrument), 2)
        57831.33
        """
        quantity = None if self.quantity is None else self.quantity * instrument.multiplier
        return float(liquidation_price(self.side, self.entry, self.leverage, qty=quantity, schedule=instrument))

    def __str__(self) -> str:
        numbers = [f"{self.entry:.12g}", f"{self.leverage:.12g}x"]
        numbers += [] if self.quantity is None else [f"{self.quantity:.12g}"]
        return ":".join([self.side, *numbers])
