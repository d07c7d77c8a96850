"""Confluence: what price, funding, open interest and takers said at an instant, beside each zone; and divergences."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..history.shown import Shown
from ..render.png import draw_png
from ..sources.funding import FundingRates
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of, package
from ..words.times import Length, Time, format_duration, iso, parse_duration
from .zones import Zone, Zones

__all__ = ["Confluence", "Divergence", "Reading", "confluence"]

Lean = Literal["up", "down", "neither", "unknown"]
Floats = NDArray[np.float64]

_DRAWN = 200  # bars of a picture

LEAST_RATES = 10
"""Of funding, before the last: fewer give no deviation worth the name."""

NO_ADVICE = (
    "A table of textbook readings at one instant: no forecast, no advice. Whether they are worth anything on a market "
    "is not tested here."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What one indicator said at an instant.

    Attributes
    ----------
    name : {"rsi", "funding", "open_interest", "takers"}
    value : float
        RSI 0 to 100; funding's deviations from its mean; change of open interest, fraction; taker imbalance -1 to 1.
        NaN where it is not known.
    leans : {"up", "down", "neither", "unknown"}
        Where its rule says the price is pushed.
    rule : str
        The rule, in words.
    """

    name: str
    value: float
    leans: Lean
    rule: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """
    Two swings of the price that an indicator does not follow.

    Attributes
    ----------
    kind : {"bearish", "bullish"}
        Higher highs of the price with lower ones of the indicator; lower lows with higher ones.
    of : {"rsi", "open_interest", "takers"}
        The indicator; of takers the running sum of what they bought less what they sold.
    first_ns, second_ns : int
        Starts of the bars of the two swings.
    known_ns : int
        End of the bar by which the second swing was known to be one.
    first_price, second_price, first_value, second_value : float
    """

    kind: str
    of: str
    first_ns: int
    second_ns: int
    known_ns: int
    first_price: float
    second_price: float
    first_value: float
    second_value: float


class Confluence(Tabular):
    """
    Readings beside the zones of one instant: which of them lean towards each.

    Made by `confluence`. It is a table (``to_pandas``, ``to_polars``, ``save("x.csv")``).

    Attributes
    ----------
    time_ns : int
        The instant, ns since the UNIX epoch.
    zones : Zones
    readings : tuple of Reading
    divergences : tuple of Divergence
        Earliest known first.
    bars : Bars
        The last bars, 200 at most, for the picture.
    strength : ndarray of float64
        RSI of each of them.
    rsi_limits : tuple of float
        From where on it leans.
    name : str
        Of the market.
    synthetic : bool
        Whether the data is made up.
    version : str
        Of liqcore.
    """

    def __init__(
        self,
        time_ns: int,
        zones: Zones,
        readings: Sequence[Reading],
        divergences: Sequence[Divergence],
        bars: Bars,
        strength: Floats,
        rsi_limits: tuple[float, float],
        meta: Mapping[str, Any],
    ) -> None:
        self.time_ns = time_ns
        self.zones = zones
        self.readings = tuple(readings)
        self.divergences = tuple(divergences)
        self.bars, self.strength = bars.last(_DRAWN), strength[-_DRAWN:]
        self.rsi_limits = rsi_limits
        self.name = " ".join(str(meta[key]) for key in ("venue", "symbol") if meta.get(key))
        self.synthetic = bool(meta.get("synthetic"))
        self.version = str(meta.get("version") or "")

    def towards(self, zone: Zone) -> dict[str, str]:
        """
        Return what each reading does about a zone: it leans "to" it, "away", "neither", or is "unknown".

        A zone below the price is reached by a fall, one above by a rise; in the price's own row nothing leans.
        """
        way = "down" if zone.distance_percent < 0 else "up" if zone.distance_percent > 0 else ""

        def said(leans: str) -> str:
            if leans in ("unknown", "neither") or not way:
                return "unknown" if leans == "unknown" else "neither"
            return "to" if leans == way else "away"

        return {reading.name: said(reading.leans) for reading in self.readings}

    def agreeing(self, zone: Zone) -> int:
        """Return how many readings lean to a zone."""
        return sum(said == "to" for said in self.towards(zone).values())

    @property
    def says(self) -> str:
        """What it is, and is not."""
        return NO_ADVICE

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "time": iso(self.time_ns),
            "time_ns": self.time_ns,
            "readings": [asdict(reading) for reading in self.readings],
            "zones": [
                {
                    "side": zone.side,
                    "low": zone.low,
                    "high": zone.high,
                    "value": zone.value,
                    "distance_percent": zone.distance_percent,
                    "agree": self.agreeing(zone),
                    **self.towards(zone),
                }
                for zone in self.zones
            ],
            "divergences": [asdict(one) | {"known": iso(one.known_ns)} for one in self.divergences],
            "says": NO_ADVICE,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as CSV, for spreadsheets: the columns of `to_pandas`."""
        csv_or(path, ".csv")
        return self._save_csv(path)

    def render(
        self,
        path: str | os.PathLike[str] | BinaryIO | None = None,
        *,
        width: int = 1600,
        height: int = 900,
        theme: str = "dark",
    ) -> Path | bytes | None:
        """
        Draw price, zones, RSI and divergences of the last bars as PNG; without a path the bytes are returned.

        Raises
        ------
        InvalidConfigError
            If the size (at least 360 x 480 pixels) or theme cannot be, the path does not end in ``.png``, or there is
            no bar with a price.
        LiqcoreError
            If Pillow is not installed.
        """
        from .confluence_picture import LEAST_HEIGHT, LEAST_WIDTH, layout

        if not np.isfinite(self.bars.close).any():
            raise InvalidConfigError("bar must be short enough for one with a price to be whole, none was")
        software = f"liqcore {self.version}"
        return draw_png(
            lambda measure: layout(self, width=width, height=height, theme=theme, software=software, measure=measure),
            path,
            (width, height),
            theme,
            least=(LEAST_WIDTH, LEAST_HEIGHT),
        )

    def _columns(self) -> Columns:
        zones, said = self.zones, [self.towards(zone) for zone in self.zones]
        plain = ("low", "high", "value", "distance_percent")
        columns: dict[str, Any] = {"side": [zone.side for zone in zones]}
        columns |= {name: np.array([getattr(zone, name) for zone in zones], np.float64) for name in plain}
        columns["agree"] = np.array([self.agreeing(zone) for zone in zones], np.int64)
        columns |= {reading.name: [each[reading.name] for each in said] for reading in self.readings}
        columns["unit"] = [zone.unit for zone in zones]
        decimals = dict.fromkeys(("low", "high"), decimals_of(zones.step))
        decimals |= {"value": amount_decimals(zones[0].unit) if zones else 0, "distance_percent": 4}
        return Columns(columns, decimals)

    def __repr__(self) -> str:
        return f"<Confluence: {len(self.readings)} readings beside {len(self.zones)} zones at {iso(self.time_ns)}>"


@dataclass(frozen=True, slots=True)
class _Limits:
    """From where on readings lean."""

    rsi: tuple[float, float]
    funding: float
    open_interest: float
    takers: float


def confluence(
    heatmap: Any,
    ts: Time | None = None,
    *,
    funding: FundingRates | None = None,
    bar: Length = "1h",
    rsi: int = 14,
    lookback: Length = "30d",
    over: Length = "4h",
    limits: Mapping[str, float] | None = None,
    swing: int = 3,
    threshold: float | str | None = None,
    within: float | None = None,
) -> Confluence:
    """
    Return what RSI, funding, open interest and takers said at an instant, beside each zone; and divergences.

    Everything in it was known at that instant. It says which readings lean to which zone by the rules of textbooks,
    and nothing of what will happen.

    Parameters
    ----------
    heatmap : Heatmap
        Its candles and open interest are what is read.
    ts : int, str, date, datetime or datetime64, optional
        After the column known at this time; after the last complete column if left out.
    funding : FundingRates, optional
        Such as `liqcore.read_funding` gives; without them funding is not known.
    bar : duration, optional
        Length of the bars of RSI and divergences: a multiple of the heatmap's columns.
    rsi : int, optional
        Bars of the RSI (Wilder's, by TA-Lib), 2 to 1,000.
    lookback : duration, optional
        Time of the rates that the last one is compared with: (rate - mean) / deviation of those before it, at least 10.
    over : duration, optional
        Time over which open interest changes and takers are summed: a multiple of the heatmap's columns.
    limits : mapping of str to float, optional
        From where on readings lean: ``rsi_low`` 30, ``rsi_high`` 70, ``funding`` 2 deviations, ``open_interest`` 0.02
        (a fraction), ``takers`` 0.1.
    swing : int, optional
        Bars on both sides that a swing's high or low exceeds, 1 to 100; it is known as many bars later.
    threshold, within
        As for `Heatmap.zones`.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or no column had ended by then.
    ImportError
        If TA-Lib is not installed.

    Notes
    -----
    RSI above ``rsi_high`` leans down, below ``rsi_low`` up. Funding far above its mean (longs pay, and are many) leans
    down, far below up. Open interest that rises with a move backs it, and leans its way; that falls with one says that
    the move was made of closing, and leans against it. Takers lean their own way.

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=1, trades_per_day=40_000).trades)
    >>> found = lq.confluence(hm, bar="30m")
    >>> [reading.name for reading in found.readings]
    ['rsi', 'funding', 'open_interest', 'takers']
    """
    shown: Shown = heatmap._shown
    last = int(np.flatnonzero(shown.complete)[-1]) if shown.complete.any() else -1
    if ts is None and last < 0:
        raise InvalidConfigError("ts must come after a complete column, of which the heatmap has none")
    column = shown.complete_column_at(ts) if ts is not None else last
    end = shown.end_of(column)
    rule = _limits(limits or {})
    if isinstance(rsi, bool) or not isinstance(rsi, int) or not 2 <= rsi <= 1000:
        raise InvalidConfigError(f"rsi must be a whole number of bars from 2 to 1000, was {rsi!r}")
    if isinstance(swing, bool) or not isinstance(swing, int) or not 1 <= swing <= 100:
        raise InvalidConfigError(f"swing must be a whole number of bars from 1 to 100, was {swing!r}")
    span = shown.columns_of(over, "over")
    bars = Bars.of(shown, column, shown.columns_of(bar, "bar"))
    strength = _rsi(bars.close, rsi)
    long = f"over {format_duration(span * shown.window_ns)}"
    lasted = strength[-1] if len(strength) else math.nan
    deviation = _deviation(funding, end, parse_duration(lookback, name="lookback"))
    change, moved = _changes(shown, column, span)
    takers = _imbalance(shown, column, span)
    readings = (
        Reading(
            "rsi",
            lasted,
            _lean(-1 if lasted >= rule.rsi[1] else 1 if lasted <= rule.rsi[0] else 0, lasted),
            f"RSI of {rsi} bars of {format_duration(bars.length_ns)}: from {rule.rsi[1]:g} down, to {rule.rsi[0]:g} up",
        ),
        Reading(
            "funding",
            deviation,
            _lean(-_sign(deviation, rule.funding), deviation),
            f"deviations of the last rate from those of {lookback} before: from +{rule.funding:g} down, "
            f"to -{rule.funding:g} up",
        ),
        Reading(
            "open_interest",
            change,
            _lean(_sign(change, rule.open_interest) * moved, change),
            f"change {long}: a rise by {100 * rule.open_interest:g} % with the move, a fall by as much against it",
        ),
        Reading(
            "takers",
            takers,
            _lean(_sign(takers, rule.takers), takers),
            f"(bought - sold) / both, {long}: from +{rule.takers:g} up, to -{rule.takers:g} down",
        ),
    )
    zones = heatmap.zones(end, threshold=threshold, within=within)
    found = _divergences(bars, strength, swing)
    return Confluence(end, zones, readings, found, bars, strength, rule.rsi, shown.meta)


def _limits(given: Mapping[str, float]) -> _Limits:
    usual = {"rsi_low": 30.0, "rsi_high": 70.0, "funding": 2.0, "open_interest": 0.02, "takers": 0.1}
    for name, value in given.items():
        if name not in usual:
            raise InvalidConfigError(f"limits must be of {', '.join(usual)}, named {name!r}")
        if not 0 < value < math.inf:
            raise InvalidConfigError(f"limits must be above 0, {name} was {value!r}")
    found = usual | {name: float(value) for name, value in given.items()}
    if not found["rsi_low"] < found["rsi_high"] <= 100:
        raise InvalidConfigError(
            f"limits must have rsi_low below rsi_high, and that at most 100, were {found['rsi_low']:g} and "
            f"{found['rsi_high']:g}"
        )
    return _Limits((found["rsi_low"], found["rsi_high"]), found["funding"], found["open_interest"], found["takers"])


def _sign(value: float, limit: float) -> int:
    return 1 if value >= limit else -1 if value <= -limit else 0


def _lean(way: int, value: float) -> Lean:
    if math.isnan(value):
        return "unknown"
    return "up" if way > 0 else "down" if way < 0 else "neither"


# --- bars ---


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Whole bars up to an instant; a bar without a trade repeats the price before."""

    start: NDArray[np.int64]
    length_ns: int
    high: Floats
    low: Floats
    close: Floats
    open_interest: Floats
    takers: Floats  # running sum of what takers bought less what they sold

    @classmethod
    def of(cls, shown: Shown, column: int, per_bar: int) -> Bars:
        length = per_bar * shown.window_ns
        times, end = shown.times[: column + 1], shown.end_of(column)
        number = times // length
        whole = (number * length >= times[0]) & ((number + 1) * length <= end)
        candles = shown.candles[: column + 1][whole]
        number, firsts = np.unique(number[whole], return_index=True)
        if not len(number):
            empty = np.empty(0)
            return cls(np.empty(0, np.int64), length, empty, empty, empty, empty, empty)
        close = _filled(candles["close"])
        high = np.fmax(candles["high"], np.where(np.isnan(candles["high"]), close, -np.inf))
        low = np.fmin(candles["low"], np.where(np.isnan(candles["low"]), close, np.inf))
        lasts = np.append(firsts[1:], len(candles)) - 1
        net = np.nancumsum(candles["buy_qty"] - candles["sell_qty"])
        has_sides = np.isfinite(candles["buy_qty"]).any()
        return cls(
            number * length,
            length,
            np.fmax.reduceat(high, firsts),
            np.fmin.reduceat(low, firsts),
            close[lasts],
            shown.open_interest[: column + 1][whole][lasts],
            net[lasts] if has_sides else np.full(len(lasts), np.nan),
        )

    def last(self, count: int) -> Bars:
        """Return the last of them."""
        names = ("start", "high", "low", "close", "open_interest", "takers")
        return replace(self, **{name: getattr(self, name)[-count:] for name in names})


def _filled(values: Floats) -> Floats:
    """Repeat what was there last where there is nothing."""
    at = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)


def _rsi(close: Floats, bars: int) -> Floats:
    """Wilder's RSI, by TA-Lib; NaN where there are too few bars before."""
    out = np.full(len(close), np.nan)
    known = np.flatnonzero(np.isfinite(close))
    if len(known):
        talib = package("talib", "confluence()", "TA-Lib")
        out[known[0] :] = talib.RSI(np.ascontiguousarray(close[known[0] :], np.float64), timeperiod=bars)
    return out


# --- readings ---


def _deviation(funding: FundingRates | None, end: int, lookback: int) -> float:
    """By how many deviations the last rate known lies above those before it."""
    if funding is None:
        return math.nan
    known = int(np.searchsorted(funding.ts, end, side="right"))
    if not known or funding.ts[known - 1] <= end - lookback:
        return math.nan
    before = funding.rate[np.searchsorted(funding.ts, end - lookback, side="right") : known - 1]
    if len(before) < LEAST_RATES or not (spread := float(before.std(ddof=1))) > 1e-12:
        return math.nan
    return float((funding.rate[known - 1] - before.mean()) / spread)


def _changes(shown: Shown, column: int, span: int) -> tuple[float, int]:
    """How much open interest has changed, and which way the price has gone."""
    if column < span:
        return math.nan, 0
    was, now = (float(shown.open_interest[i]) for i in (column - span, column))
    move = shown.price_after(column) - shown.price_after(column - span)
    return (now / was - 1.0 if was > 0 else math.nan), 1 if move > 0 else -1 if move < 0 else 0


def _imbalance(shown: Shown, column: int, span: int) -> float:
    if column + 1 < span:
        return math.nan
    candles = shown.candles[column + 1 - span : column + 1]
    bought, sold = float(np.nansum(candles["buy_qty"])), float(np.nansum(candles["sell_qty"]))
    return (bought - sold) / (bought + sold) if bought + sold > 0 else math.nan


# --- divergences ---


def _divergences(bars: Bars, strength: Floats, swing: int) -> list[Divergence]:
    """Compare each swing with the one before it."""
    found = []
    of = {"rsi": strength, "open_interest": bars.open_interest, "takers": bars.takers}
    for kind, prices, way in (("bearish", bars.high, 1.0), ("bullish", bars.low, -1.0)):
        swings = _swings(way * prices, swing)
        for first, second in itertools.pairwise(swings):
            if not way * prices[second] > way * prices[first]:
                continue
            for name, values in of.items():
                if way * values[second] < way * values[first]:  # false where one is not known
                    found.append(
                        Divergence(
                            kind,
                            name,
                            int(bars.start[first]),
                            int(bars.start[second]),
                            int(bars.start[second]) + (swing + 1) * bars.length_ns,
                            float(prices[first]),
                            float(prices[second]),
                            float(values[first]),
                            float(values[second]),
                        )
                    )
    return sorted(found, key=lambda one: one.known_ns)


def _swings(values: Floats, swing: int) -> list[int]:
    """Bars above as many on both sides; of equal ones the first, if it is above those before and none after exceeds."""
    out = []
    for i in range(swing, len(values) - swing):
        before, after = values[i - swing : i], values[i + 1 : i + 1 + swing]
        if (values[i] > before).all() and (values[i] >= after).all():
            out.append(i)
    return out
