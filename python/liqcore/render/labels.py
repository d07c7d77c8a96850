"""Numbers, prices, spans and instants as short text, and round positions for the ticks of an axis."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Positions of the time ticks; months are counted by the calendar.
_STEPS_NS = [
    *(s * SECOND for s in (1, 5, 15, 30)),
    *(m * MINUTE for m in (1, 2, 5, 10, 15, 30)),
    *(h * HOUR for h in (1, 2, 3, 4, 6, 12)),
    *(d * DAY for d in (1, 2, 7, 14)),
]
_STEPS_MONTHS = [1, 2, 3, 6, 12, 24, 60, 120]
_MONTH_NS = 30 * DAY
_MONDAY = 4 * DAY  # 1970-01-05
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Tick:
    """One labelled position of an axis; ``major`` ones (a new day among hours) stand out."""

    at: float
    label: str
    major: bool = False


def compact(value: float) -> str:
    """
    Write a number with three significant digits and a unit prefix.

    Examples
    --------
    >>> [compact(v) for v in (0, 950, 1_234_567, 99_960, 0.01234, 2.5e9)]
    ['0', '950', '1.23M', '100K', '0.0123', '2.5B']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    value = float(f"{value:.3g}")  # round first: 999,960 is 1M, not 1000K
    for limit, prefix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{prefix}"
    return f"{value:.3g}" if abs(value) >= 1e-4 else f"{value:.2g}"


def amount(value: float, unit: str, base: str = "") -> str:
    """
    Write a value of a heatmap with its unit.

    Examples
    --------
    >>> amount(1_234_567, "usd"), amount(1_234.5, "quantity", "BTC")
    ('$1.23M', '1.23K BTC')
    """
    if unit == "usd":
        return f"${compact(value)}"
    return f"{compact(value)} {base}".rstrip()


def interval_text(ends: tuple[float | None, float | None] | None) -> str:
    """
    Write the interval behind an amount, its ends in short; empty where there is none.

    Examples
    --------
    >>> interval_text((8.04e6, 19e6)), interval_text(None), interval_text((None, None))
    (' [8.04M, 19M]', '', '')
    """
    if ends is None or ends[0] is None or ends[1] is None:
        return ""
    return f" [{compact(ends[0])}, {compact(ends[1])}]"


def scale_text(meta: Mapping[str, Any]) -> str:
    """
    Say in few words what the amounts of a result stand for: only those of a fitted profile are dollars.

    Examples
    --------
    >>> scale_text({"meaning": "opened turnover, decayed"}), scale_text({"meaning": "open-interest scale"})
    ('relative level: opened turnover, decayed', 'relative level: open-interest scale')
    >>> scale_text({"meaning": "fitted"}), scale_text({})
    ('fitted', 'relative level')
    """
    meaning = str(meta.get("meaning") or "")
    if is_fitted(meta) or is_record(meta):
        return meaning
    return f"relative level: {meaning}" if meaning else "relative level"


def short_scale_text(meta: Mapping[str, Any]) -> str:
    """
    Say the same, and that it is an estimate, in a few words less.

    Examples
    --------
    >>> short_scale_text({"meaning": "opened turnover, decayed"}), short_scale_text({"meaning": "fitted"})
    ('estimate, relative level: opened turnover', 'estimate, fitted')
    >>> short_scale_text({"meaning": "fitted, BTCUSDT to 2026-03-23; without a live scale: USD of 2026-03-23"})
    'estimate, fitted; without a live scale: USD of 2026-03-23'
    """
    if is_record(meta):
        return scale_text(meta)
    what, dated, when = scale_text(meta).partition("; ")  # of when dollars are is never left out
    return f"estimate, {what.partition(', ')[0]}{dated}{when}"


def is_fitted(meta: Mapping[str, Any]) -> bool:
    """Return whether the amounts are what would be liquidated, because a profile was fitted to that."""
    return "fitted" in str(meta.get("meaning") or "")


def is_record(meta: Mapping[str, Any]) -> bool:
    """Return whether the levels are those of real positions, as snapshots have them."""
    return meta.get("model") == "positions"


def caution(meta: Mapping[str, Any]) -> str:
    """
    Return the sentence that stands below amounts.

    Examples
    --------
    >>> caution({"meaning": "fitted"})
    'The levels are an estimate (fitted), not a record of positions.'
    >>> caution({"model": "positions", "meaning": "positions of 200 accounts"})
    'The levels are a record: positions of 200 accounts at snapshots, a part of the market.'
    """
    synthetic = "SYNTHETIC data: a simulated market. " if meta.get("synthetic") else ""
    if is_record(meta):
        return f"{synthetic}The levels are a record: {meta['meaning']} at snapshots, a part of the market."
    if is_fitted(meta):
        return f"{synthetic}The levels are an estimate ({meta['meaning']}), not a record of positions."
    meaning = f" ({meta['meaning']})" if meta.get("meaning") else ""
    return (
        f"{synthetic}The levels are an estimate on a relative scale{meaning}: no record of positions, and not the "
        "dollars that would be liquidated."
    )


def price_text(price: float, decimals: int | None = None) -> str:
    """
    Write a price with thousands separators, by default with up to eight significant digits.

    Examples
    --------
    >>> price_text(103456.7), price_text(0.00001234), price_text(62000, 1)
    ('103,456.7', '0.00001234', '62,000.0')
    """
    if decimals is None:
        digits = np.format_float_positional(price, precision=8, unique=False, fractional=False, trim="-")
        decimals = len(digits.partition(".")[2])
    return f"{price:,.{decimals}f}"


def decimals(step: float) -> int:
    """
    Return how many decimals multiples of a step have, as far as eight significant digits show.

    Examples
    --------
    >>> decimals(12.5), decimals(20.0), decimals(0.1 + 0.2)
    (1, 0, 1)
    """
    digits = np.format_float_positional(step, precision=8, unique=False, fractional=False, trim="-")
    return len(digits.partition(".")[2])


def duration(ns: int) -> str:
    """
    Write a length of time with its two largest units.

    Examples
    --------
    >>> [duration(n * SECOND) for n in (0, 300, 5_400, 93_600)]
    ['0s', '5m', '1h 30m', '1d 2h']
    """
    parts = []
    for unit_ns, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        count, ns = divmod(ns, unit_ns)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def instant(ns: int) -> str:
    """
    Write an instant, UTC, to the minute, or to the second where it is not a whole minute.

    Examples
    --------
    >>> instant(0), instant(1_000_000_000)
    ('1970-01-01 00:00', '1970-01-01 00:00:01')
    """
    text = str(np.datetime64(ns // SECOND, "s")).replace("T", " ")
    return text[:-3] if text.endswith(":00") else text


def round_step(span: float, count: int) -> float:
    """
    Return the smallest of 1, 2, 2.5 or 5 times a power of ten that needs at most ``count`` steps for ``span``.

    Examples
    --------
    >>> round_step(970, 5), round_step(0.00000123, 4)
    (200.0, 5e-07)
    """
    raw = span / max(count, 1)
    power = math.floor(math.log10(raw))
    for factor in (1, 2, 2.5, 5, 10):
        step = float(f"{factor}e{power}")
        if step >= raw * (1 - 1e-12):
            return step
    raise AssertionError("10 times the power of ten is above the raw step")


def price_ticks(low: float, high: float, count: int) -> list[Tick]:
    """
    Return up to ``count`` or so round prices from ``low`` to ``high``.

    Examples
    --------
    >>> [tick.label for tick in price_ticks(99_900, 101_100, 4)]
    ['100,000', '100,500', '101,000']
    """
    step = round_step(high - low, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [Tick(i * step, price_text(i * step, decimals(step))) for i in range(first, last + 1)]


def value_ticks(maximum: float) -> list[float]:
    """
    Return 1, 2 and 5 times the powers of ten below ``maximum``, largest first; four decades of them.

    Examples
    --------
    >>> value_ticks(30)[:5]
    [20.0, 10.0, 5.0, 2.0, 1.0]
    """
    power = math.floor(math.log10(maximum))
    values = [float(f"{factor}e{p}") for p in range(power, power - 4, -1) for factor in (5, 2, 1)]
    return [value for value in values if value < maximum]


def time_ticks(low_ns: int, high_ns: int, count: int) -> list[Tick]:
    """
    Return up to ``count`` or so round instants from ``low_ns`` to ``high_ns``, UTC.

    Examples
    --------
    >>> [tick.label for tick in time_ticks(0, 2 * DAY, 4)]
    ['Jan 1', '12:00', 'Jan 2', '12:00', 'Jan 3']
    """
    least = (high_ns - low_ns) / max(count, 1)
    for step in _STEPS_NS:
        if step >= least:
            return _clock_ticks(low_ns, high_ns, step)
    for months in _STEPS_MONTHS:
        if months * _MONTH_NS >= least:
            break
    return _calendar_ticks(low_ns, high_ns, months)


def _clock_ticks(low_ns: int, high_ns: int, step: int) -> list[Tick]:
    origin = _MONDAY if step % (7 * DAY) == 0 else 0
    ticks = []
    for at in range(origin - (origin - low_ns) // step * step, high_ns + 1, step):
        when = str(np.datetime64(at // SECOND, "s"))
        if at % DAY == 0:
            ticks.append(Tick(at, _day(when), major=step < DAY))
        else:
            ticks.append(Tick(at, when[11:19] if step < MINUTE else when[11:16]))
    return ticks


def _calendar_ticks(low_ns: int, high_ns: int, months: int) -> list[Tick]:
    first = int(np.datetime64(low_ns, "ns").astype("datetime64[M]").astype(np.int64))
    last = int(np.datetime64(high_ns, "ns").astype("datetime64[M]").astype(np.int64))
    ticks = []
    for month in range(-(-first // months) * months, last + 1, months):
        at = int(np.datetime64(month, "M").astype("datetime64[ns]").astype(np.int64))
        if low_ns <= at <= high_ns:
            january = month % 12 == 0
            ticks.append(Tick(at, str(1970 + month // 12) if january else _MONTHS[month % 12], january and months < 12))
    return ticks


def _day(when: str) -> str:
    return f"{_MONTHS[int(when[5:7]) - 1]} {int(when[8:10])}"
