"""The live scale of a fitted profile in a market that is followed: what its book predicted, what the venue told of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from msgspec import field as of

from .._core import Instrument
from ..evaluate.live_scale import LiveScale, Running
from ..feeds.events import Change, Liquidation, Market
from ..history.scales import Scales
from ..market.fitted import FittedProfile
from ..words.times import format_duration, iso
from .realised import NONE, Row, added, realised_usd

DAY_NS = 86_400_000_000_000
YOUNG_NS = DAY_NS
"""A book that is younger holds too little: what it predicts is not counted. Fits leave out as much."""
LEAST_NS = DAY_NS // 4
"""Windows that must have been counted for a scale: what `LiveScale` is drawn to 1 by."""
LEAST = 10
"""Liquidations that must have been told of in them."""
OLD_NS = 2 * 3_600_000_000_000
"""A scale that is older is said to be old."""
ROWS = 100_000
STRETCHES = 1000


class Scaling(Struct):
    """
    What a live scale has seen, plain values; all of it is in a checkpoint.

    A window counts if liquidations were told of during all of it and no trades are missing. Which liquidations are a
    window's is settled by the order of what comes alone: one that comes when its window is over counts where events
    stand then, as trades do.

    Attributes
    ----------
    running : Running
    told : list of (int, int)
        Stretches in which liquidations were told of, ns; an end of 0: it goes on.
    waiting : dict
        By start of window, what was told of in windows that have not ended.
    counted_ns, counted : int
        How much time has been counted, and how many liquidations in it.
    rows : list of (int, float, float)
        From when on a factor on longs and on shorts holds, ns. Rows are added and never changed: other threads read.
    """

    running: Running = of(default_factory=Running)
    told: list[tuple[int, int]] = of(default_factory=list)
    waiting: dict[int, tuple[Row, int]] = of(default_factory=dict)
    counted_ns: int = 0
    counted: int = 0
    rows: list[tuple[int, float, float]] = of(default_factory=list)

    @property
    def factors(self) -> tuple[float, float]:
        """Those on longs and shorts that hold now."""
        return self.rows[-1][1:] if self.rows else (1.0, 1.0)

    def change(self, change: Change, watermark: int) -> None:
        """Take a change of a stream; before the watermark nothing changes any more."""
        if change.kind != "liquidations":
            return
        goes_on = bool(self.told) and self.told[-1][1] == 0
        if change.state == "live" and not goes_on:
            self.told = [*self.told[1 - STRETCHES :], (max(change.ts, watermark), 0)]
        elif change.state not in ("live", "gap filled") and goes_on:
            self.told[-1] = self.told[-1][0], max(watermark, 1)

    def liquidation(self, told: Liquidation, watermark: int, window_ns: int, *, has_states: bool) -> None:
        """Take a liquidation. Where a source has no states of streams, the first begins the stretch."""
        if not has_states and not self.told:
            self.told = [(max(told.ts, watermark), 0)]
        start = max(told.ts, watermark) // window_ns * window_ns
        if start - watermark <= DAY_NS:  # believed, one of the far future would wait for ever
            row, count = self.waiting.get(start, (NONE, 0))
            self.waiting[start] = added(row, told), count + 1

    def ended(
        self, how: LiveScale, start: int, end: int, predicted: Sequence[float], instrument: Instrument, *, counts: bool
    ) -> None:
        """Take a window that has ended; where `counts` is false it is not counted, whatever was told."""
        row, count = self.waiting.pop(start, (NONE, 0))
        for earlier in [other for other in self.waiting if other < start]:
            del self.waiting[earlier]
        is_told = any(begin <= start and (until == 0 or until >= end) for begin, until in self.told)
        if not (counts and is_told) or (self.counted_ns and start <= self.running.start):
            return
        self.running.add(how, start, predicted, realised_usd(instrument, row))
        self.counted_ns += end - start
        self.counted += count
        if self.counted_ns >= LEAST_NS and self.counted >= LEAST:
            if len(self.rows) >= 2 * ROWS:
                self.rows = self.rows[-ROWS:]
            self.rows.append((end, *self.running.scale(how, end - start)))

    def begin_anew(self) -> None:
        """Forget all but what is told of now: the book begins anew."""
        self.running, self.counted_ns, self.counted, self.rows = Running(), 0, 0, []


@dataclass(slots=True)
class Dollars:
    """
    What a fitted profile's USD are worth in a market: scaled to what the venue tells of, or of the date of the fit.

    Attributes
    ----------
    name : str
        Of the profile.
    profile : FittedProfile or None
        None: its file is not there any more.
    market : Market
    how : LiveScale
    """

    name: str
    profile: FittedProfile | None
    market: Market
    how: LiveScale = field(default_factory=LiveScale)
    _made: tuple[list[tuple[int, float, float]], Scales] = field(default_factory=lambda: ([], Scales.of([])))

    def unlike(self, complete: bool | None) -> str:
        """
        Return why there can be no live scale; empty: there can be one.

        A scale says what the profile's USD must be multiplied by to be what the venue tells of. That must be what the
        profile was fitted to: the same market's liquidations, and as many of them. Whether the venue tells of all is
        not known (None) before it has told of one.
        """
        if self.profile is None:
            return "the file of the profile is not there any more"
        if why := self.profile.unlike(self.market.venue, self.market.symbol):
            return why
        if complete is not None and bool(self.profile.data.get("complete")) != complete:
            all_of_them = "all liquidations", "a part of the liquidations (a floor)"
            told, fitted = all_of_them if complete else all_of_them[::-1]
            return f"it was fitted to {fitted}, and {self.market} tells of {told}"
        return ""

    def scales(self, state: Scaling, until: int, *, complete: bool | None) -> Scales:
        """Return the scales that were known by a time, on any thread."""
        if self.unlike(complete):
            return Scales.of([])
        rows, count = state.rows, len(state.rows)
        kept, made = self._made
        if kept is not rows or len(made) > count:
            made = Scales.of(rows[:count])
        elif len(made) < count:
            made = made.and_then(Scales.of(rows[len(made) : count]))
        self._made = rows, made
        return made.until(until)

    def said(self, state: Scaling, scales: Scales, clock: int, *, complete: bool | None, begun: int) -> dict[str, Any]:
        """
        Return what a result's metadata say: `meaning` behind the name, ``live_scale``, and notes.

        ``live_scale`` has the factors on ``long`` and ``short``, ``as_of`` when they were known, ``since`` when there
        have been any, ns, and ``why`` there are none.
        """
        if len(scales):
            long, short = scales.factors[:, -1].tolist()
            as_of = int(scales.since[-1])
            notes = []
            if (age := clock - as_of) >= OLD_NS:
                hours = age // 3_600_000_000_000
                notes.append(
                    f"the live scale is {format_duration(hours * 3_600_000_000_000)} old: liquidations have not been "
                    "told of without a break since"
                )
            return {
                "meaning": f"live scale {long:.3g} long, {short:.3g} short as of {iso(as_of)[:16].replace('T', ' ')}",
                "live_scale": {
                    "long": long,
                    "short": short,
                    "as_of": as_of,
                    "since": int(scales.since[0]),
                    "why": "",
                },
                "notes": notes,
            }
        why = self.unlike(complete) or _too_few(state, clock - begun)
        dated = "" if self.profile is None else f": USD of {self.profile.until}"
        return {
            "meaning": f"without a live scale{dated}",
            "live_scale": {"long": 1.0, "short": 1.0, "as_of": None, "since": None, "why": why},
            "notes": [f"without a live scale: {why}"],
        }


def _too_few(state: Scaling, age: int) -> str:
    """Say what is missing yet."""
    if not state.told:
        return "liquidations are not told of"
    if age < YOUNG_NS and not state.counted_ns:
        return f"the book is younger than {format_duration(YOUNG_NS)}"
    hours = state.counted_ns / 3_600_000_000_000
    least = f"{LEAST} in {format_duration(LEAST_NS)}"
    return f"{state.counted:,} liquidations in {hours:.1f}h so far, must be at least {least}"
