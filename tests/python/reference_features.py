"""The slow, obvious truth about features: loops over the reference's dictionaries, one definition after the other.

Cells are (side, leverage) -> bin -> lots, as the reference has them; a bin is `step` high in price.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

from reference import Cells, Layer, in_lots
from reference_models import ModelReference

Row = dict[str, float]


def live_cells(ref: ModelReference) -> dict[Layer, Cells]:
    """What is live now; dust that the window's end will flush is left out, as in a picture of now."""
    cells = {layer: in_lots(quantities) for layer, quantities in ref.live.items()}
    for layer in ref.scaled:
        cells[layer] = {where: lots for where, lots in cells[layer].items() if lots >= 0.5}
    return cells


def usd_by_bin(
    cells: Mapping[Layer, Cells], side: str, weights: Mapping[float, float], terms: Mapping[str, float | str]
) -> dict[int, float]:
    """USD of one side at the profile's weights: quantity times the bin's mid price, or contracts."""
    out: dict[int, float] = {}
    for (layer_side, leverage), mine in cells.items():
        if layer_side != side:
            continue
        for where, lots in mine.items():
            value = lots * float(terms["lot_size"]) * float(terms["multiplier"])
            if terms["contract"] == "linear":
                value *= (where + 0.5) * float(terms["step"])
            out[where] = out.get(where, 0.0) + weights[leverage] * value
    return {where: usd for where, usd in out.items() if usd}


def as_float(value: float) -> float:
    """One rounding to 32 bits, as the cells of a picture have it."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def zones(
    usd: Mapping[str, Mapping[int, float]], step: float, *, bins_per_row: int = 5, percentile: float = 90.0
) -> list[tuple[str, float, float, float]]:
    """Side, low, high and USD of every run of rows at or above the percentile of all rows that hold something."""
    rows: dict[str, dict[int, float]] = {}
    for side, bins in usd.items():
        rows[side] = {}
        for where, amount in bins.items():
            rows[side][where // bins_per_row] = rows[side].get(where // bins_per_row, 0.0) + amount
    ranked = sorted(as_float(amount) for mine in rows.values() for amount in mine.values())
    if not ranked:
        return []
    cutoff = ranked[max(math.ceil(percentile / 100 * len(ranked)) - 1, 0)]
    out = []
    for side, mine in rows.items():
        high = sorted(row for row, amount in mine.items() if as_float(amount) >= cutoff)
        while high:
            run = [high.pop(0)]
            while high and high[0] == run[-1] + 1:
                run.append(high.pop(0))
            low_edge, high_edge = run[0] * bins_per_row * step, (run[-1] + 1) * bins_per_row * step
            out.append((side, low_edge, high_edge, sum(mine[row] for row in run)))
    return out


def features(
    ref: ModelReference,
    *,
    weights: Mapping[float, float],
    multiplier: float = 1.0,
    contract: str = "linear",
    began: int | None,
    reaches: Sequence[float] = (0.5, 1, 2, 5),
    bins_per_row: int = 5,
    percentile: float = 90.0,
    density: float = 1.0,
) -> Row:
    """All features at the reference's clock, by name."""
    step = ref.step_ticks * ref.tick_size
    terms = {"lot_size": ref.lot_size, "multiplier": multiplier, "contract": contract, "step": step}
    out: Row = {"price": math.nan}
    for side in ("long", "short"):
        out |= {f"{side}_usd_{reach:g}pct": math.nan for reach in reaches}
    for side in ("long", "short"):
        out |= {f"{side}_zone_{what}": math.nan for what in ("low", "high", "usd", "percent")}
    last = ("imbalance", "liquidated_long_usd", "liquidated_short_usd", "density_usd_per_pct", "age_s")
    out |= dict.fromkeys(last, math.nan)
    if ref.last_price is None:
        return out

    price = ref.last_price * ref.tick_size
    cells = live_cells(ref)
    usd = {side: usd_by_bin(cells, side, weights, terms) for side in ("long", "short")}
    out["price"] = price
    for reach in reaches:
        low, high = price * (1 - reach / 100), price * (1 + reach / 100)
        reached_low, reached_high = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9)
        longs = [amount for where, amount in usd["long"].items() if where >= reached_low]
        shorts = [amount for where, amount in usd["short"].items() if where <= reached_high]
        out[f"long_usd_{reach:g}pct"], out[f"short_usd_{reach:g}pct"] = math.fsum(longs), math.fsum(shorts)
    longs_usd, shorts_usd = out[f"long_usd_{reaches[-1]:g}pct"], out[f"short_usd_{reaches[-1]:g}pct"]
    if longs_usd + shorts_usd > 0:
        out["imbalance"] = (shorts_usd - longs_usd) / (shorts_usd + longs_usd)

    for side, nearest in (("long", max), ("short", min)):
        mine = [zone for zone in zones(usd, step, bins_per_row=bins_per_row, percentile=percentile) if zone[0] == side]
        if not mine:
            continue
        _, low, high, amount = nearest(mine, key=lambda zone: zone[1])
        percent = 100 * (min(high / price - 1, 0.0) if side == "long" else max(low / price - 1, 0.0))
        for what, value in (("low", low), ("high", high), ("usd", amount), ("percent", percent)):
            out[f"{side}_zone_{what}"] = value

    if ref.columns:
        for side in ("long", "short"):
            gone = usd_by_bin(ref.columns[-1].liquidated, side, weights, terms)
            out[f"liquidated_{side}_usd"] = math.fsum(gone.values())
    total = []
    for side in ("long", "short"):
        for where, amount in usd[side].items():
            distance = abs(100 * ((where + 0.5) * step / price - 1))
            if distance < density:
                total.append(amount * (1 - distance / density) / density)
    out["density_usd_per_pct"] = math.fsum(total)
    assert ref.clock is not None
    assert began is not None
    out["age_s"] = (ref.clock - began) / 1e9
    return out
