"""What has become of zones since an earlier time: new, grown, shrunk, reached by the price, or faded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from .zones import Zone

GROWN = 1.25
"""How many times of what it was a zone must hold to have grown, or its inverse to have shrunk."""


class Change(NamedTuple):
    """
    What has become of a zone.

    ``kind`` is "new", "grown", "shrunk", "reached" (the price has been there) or "faded" (it is no zone any more,
    without the price); ``before`` and ``now`` are amounts in `zone.unit`, 0 where there was or is no such zone;
    ``zone`` is the one of now, or, where there is none, of before.
    """

    kind: Literal["new", "grown", "shrunk", "reached", "faded"]
    zone: Zone
    before: float
    now: float


def changes(before: Sequence[Zone], now: Sequence[Zone], swept: Iterable[Zone] = ()) -> list[Change]:
    """
    Return what has changed between the zones of two instants of one market; the largest change first.

    Zones of a side that have a price in common are taken for the same.

    Parameters
    ----------
    before, now : sequence of Zone
        Such as `Heatmap.zones` returns, at one threshold.
    swept : iterable of Zone, optional
        Those of before that the price has reached since: `Heatmap.swept`.

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=0.2, trades_per_day=40_000).trades)
    >>> zones = hm.zones()
    >>> changes(zones, zones), {change.kind for change in changes([], zones)}
    ([], {'new'})
    """
    reached = {(zone.side, zone.low): zone for zone in swept}
    found: list[Change] = []
    for zone in now:
        amount = sum(other.value for other in _common(zone, before))
        if not amount:
            found.append(Change("new", zone, 0.0, zone.value))
        elif zone.value >= GROWN * amount:
            found.append(Change("grown", zone, amount, zone.value))
        elif zone.value <= amount / GROWN and not any((o.side, o.low) in reached for o in _common(zone, before)):
            found.append(Change("shrunk", zone, amount, zone.value))
    for zone in before:
        left = sum(other.value for other in _common(zone, now))
        if (zone.side, zone.low) in reached:
            found.append(Change("reached", reached[zone.side, zone.low], zone.value, left))
        elif not left:
            found.append(Change("faded", zone, zone.value, 0.0))
    return sorted(found, key=lambda change: -abs(change.now - change.before))


def _common(zone: Zone, others: Iterable[Zone]) -> list[Zone]:
    return [other for other in others if other.side == zone.side and other.low < zone.high and zone.low < other.high]
