"""The heatmaps of several venues, summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import LeverageProfile
from ..history.one import NEVER
from ..history.venues import UNLIMITED, Venues, said_of
from ..history.view import View
from ..market.leverage import Shares, as_profile
from ..render.labels import duration
from ..words.times import Time, format_duration
from .heatmap import Heatmap
from .map import LiquidationMap

__all__ = ["MergedHeatmap"]


class MergedHeatmap(Heatmap):
    """
    The heatmaps of several venues, summed: made by `merge_venues`.

    Everything of `Heatmap` works on the sum, and ``select(venues=...)`` shows a part. The rows are common: a bin of a
    venue's book belongs to the row that its mid price lies in. Each venue keeps its own tick, contract, margin terms,
    leverage profile and half-lives. ``long`` and ``short`` are the venues' float32 arrays added in their order,
    so those of selections add up to the bit, and their sums (``values``, ``liquidated``) to rounding; maps are sums of
    doubles.

    ``candles`` (and the price of a map) are those of one venue, ``meta["price_from"]``, quantities in its unit.
    ``open_interest`` is the sum of the venues' last samples, NaN until each has one; refused where they count different
    things, as is ``unit="quantity"``.
    """

    def __init__(self, venues: Venues, view: View, meta: Mapping[str, Any]) -> None:
        super().__init__(venues, view, meta)
        self._venues = venues
        if len(self.times):
            self.meta["stale"] = self._stale_notes()
            self.meta["missing"] = self._missing()

    def _seen(self, view: View) -> MergedHeatmap:
        return MergedHeatmap(self._venues, view, self.meta)

    def _of_venues(self, venues: list[str]) -> MergedHeatmap:
        return self._over(self._venues.only(self._named(venues)))

    def _over(self, venues: Venues) -> MergedHeatmap:
        """The same view of other venues, or of the same in other weights."""
        said = describe(self._venues)
        added = {key: value for key, value in self.meta.items() if key not in said or said[key] != value}
        return MergedHeatmap(venues, self._shown.view, describe(venues) | added)

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues it shows."""
        return tuple(part.name for part in self._venues.parts)

    @property
    def leverage(self) -> LeverageProfile:
        """
        Tiers of all venues and their shares.

        Where the profiles differ (`leverage_by_venue`), the mean of the venues' weights: each venue is weighed by its
        own.
        """
        return self._venues.leverage

    @property
    def leverage_by_venue(self) -> dict[str, LeverageProfile]:
        """Tiers and shares that weigh the layers of each venue."""
        return {part.name: part.leverage for part in self._venues.parts}

    @property
    def staleness(self) -> NDArray[np.int64]:
        """
        From each venue's last event to the end of each column (in an unfinished column to the last event of any venue),
        ns, shape (venues, columns); the largest int64 where it had none yet.
        """
        shown = self._shown
        return self._venues.staleness(shown.view.first + shown.starts[1:].astype(np.int64) - 1)

    @property
    def ended(self) -> dict[str, int]:
        """
        The last event of each venue whose data ends a window or more before that of the others, ns, by name.

        What it had open then is shown as last known, or, after ``merge_venues(ended="drop")``, no longer.
        """
        return dict(self._venues.ended)

    @property
    def stale(self) -> NDArray[np.bool_]:
        """Where a venue's last event was longer than a column ago, so that it shows what was last known, or, after
        `stale_after`, nothing: shape (venues, columns)."""
        return self.staleness > self.window_ns

    def reweigh(self, leverage: LeverageProfile | Shares | Mapping[str, LeverageProfile | Shares]) -> MergedHeatmap:
        """
        Return it at other shares of the same tiers, without another pass.

        Parameters
        ----------
        leverage : LeverageProfile, mapping of tier to share, or mapping of venue to one of these
            One profile goes for all venues; a venue that lacks a tier shares its part out over the rest, as
            `liqcore.heatmap` does with leverage that a venue does not offer. By venue, those not named stay as they
            are.

        Raises
        ------
        InvalidConfigError
            If a venue or a tier is not among those there are, or a venue is left without any tier.
        """
        if isinstance(leverage, Mapping) and any(
            isinstance(of, LeverageProfile | Mapping | str) for of in leverage.values()
        ):
            by_venue = {str(name): as_profile(cast(Any, profile)) for name, profile in leverage.items()}
            self._named(list(by_venue))
            return self._over(self._venues.reweighed(by_venue))
        return self._over(self._venues.reweighed(as_profile(cast(Any, leverage))))

    def map(self, ts: Time | None = None) -> LiquidationMap:
        """
        Return the liquidation map, as `Heatmap.map`; its ``venues`` are the maps of each venue by name, with the same
        tiers and bins, which sum to it.
        """
        total = super().map(ts)
        if len(self.venues) == 1:
            return total
        whole = self._seen(replace(self._shown.view, threshold=None))
        shown = (total.long + total.short).any(axis=0)  # a threshold hides rows of the sum
        venues = {}
        for name in self.venues:
            part = whole._of_venues([name]).map(ts)
            venues[name] = replace(part, long=part.long * shown, short=part.short * shown)
        return replace(total, venues=venues)

    def _stale_notes(self) -> list[str]:
        """What a picture must say of venues that are stale in the last column."""
        out = []
        age = self.staleness[:, -1]
        for name, is_stale, ns in zip(self.venues, self.stale[:, -1], age.tolist(), strict=True):
            if is_stale:
                limit = self._venues.stale_after_ns
                dropped = self._venues.drop_ended and name in self.ended
                kept = "left out" if dropped or (limit is not None and ns > limit) else "as last known"
                out.append(f"{name} {kept}, " + ("no event yet" if ns == UNLIMITED else f"{_ago(ns)} old"))
        return out

    def _missing(self) -> list[dict[str, Any]]:
        """Stretches without the data of a venue, and of what a venue's model needs."""
        out = []
        times, end = self.times, self._shown.end_of(-1)
        for part in self._venues.parts:
            began, last = int(part.meta.get("began_ns", part.meta["first_ns"])), int(part.last_events[-1])
            if began >= times[0] + self.window_ns:
                out.append({"what": part.name, "begin": None, "end": began})
            if NEVER < last < end - self.window_ns:
                out.append({"what": part.name, "begin": last, "end": None})
            out += [{**one, "what": f"{part.name} {one['what']}"} for one in part.meta.get("missing", ())]
        return out


def _ago(ns: int) -> str:
    """A length of time as one reads it, at least a second."""
    return duration(max(ns, 1_000_000_000))


def describe(venues: Venues) -> dict[str, Any]:
    """What a merged heatmap says of itself: what its venues have in common, and each one's own metadata."""
    own = [part.meta for part in venues.parts]

    def joined(key: str) -> str:
        return " + ".join(dict.fromkeys(str(meta[key]) for meta in own if meta.get(key)))

    return {
        "symbol": joined("symbol"),
        "venue": " + ".join(part.name for part in venues.parts),
        "model": joined("model"),
        "meaning": joined("meaning"),
        "trigger": joined("trigger"),
        "window": format_duration(venues.window_ns),
        "leverage": said_of(venues.parts[0].leverage) if venues.leverage_in_common else {},
        "intensity": venues.leverage.intensity,
        "price_from": venues.price_from,
        "stale_after_ns": venues.stale_after_ns,
        "ended": venues.ended,
        "venues": {part.name: part.meta for part in venues.parts},
        "inexact": any(meta.get("inexact") for meta in own),
        "began_ns": min(int(meta.get("began_ns", meta["first_ns"])) for meta in own),
        "sequential": any(meta.get("sequential") for meta in own),
        "synthetic": any(meta.get("synthetic") for meta in own),
        "version": _core.__version__,
    }
