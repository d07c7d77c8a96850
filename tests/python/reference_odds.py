"""Slow and plain: how often zones were reached, and other prices at the same distance."""

import itertools
import math
from typing import Any


def odds(heatmap: Any, instants: list[int], span: int, *, threshold: Any, columns: int, reach: float) -> list[dict]:
    """
    Return a row for each zone that is seen at some columns: whether it was reached, and the share of the instants
    without a zone of its side at its distance at which the price went as far.
    """
    looked = [_look(heatmap, column, span, threshold, columns) for column in instants]
    out = []
    for column, (_, _, unit, zones) in zip(instants, looked, strict=True):
        for zone in zones:
            if zone["near"] > reach * unit:
                continue
            away = zone["near"] / unit
            free = went = 0
            for fell, rose, other_unit, others in looked:
                mine = [o for o in others if o["side"] == zone["side"] and o["near"] <= reach * other_unit]
                if any(o["near"] / other_unit <= away <= o["end"] / other_unit for o in mine):
                    continue
                free += 1
                went += (fell if zone["side"] == "long" else rose) / other_unit >= away
            mine = next(of for at, of in zip(instants, looked, strict=True) if at == column)
            reached = (mine[0] if zone["side"] == "long" else mine[1]) >= zone["near"]
            out.append(
                {
                    "column": column,
                    **zone,
                    "reached": reached,
                    "free": free,
                    "without": went / free if free else math.nan,
                }
            )
    return out


def _look(heatmap: Any, column: int, span: int, threshold: Any, columns: int) -> tuple[float, float, float, list[dict]]:
    candles = heatmap.candles
    closes = [float(close) for close in candles["close"][: column + 1]]
    for i in range(1, len(closes)):
        if math.isnan(closes[i]):
            closes[i] = closes[i - 1]
    price = closes[-1]
    day = max(min(1440, 86_400_000_000_000 // heatmap.window_ns), 30)
    returns = [math.log(b / a) for a, b in itertools.pairwise(closes)][-day:]
    returns = [each for each in returns if not math.isnan(each)]
    unit = 100 * math.sqrt(sum(each * each for each in returns) / len(returns) * span)
    fell = rose = 0.0
    for candle in candles[column + 1 : column + 1 + span]:
        if not math.isnan(candle["low"]):
            fell = max(fell, 100 * (1 - float(candle["low"]) / price))
            rose = max(rose, 100 * (float(candle["high"]) / price - 1))
    end = int(heatmap.times[column]) + heatmap.window_ns
    found = heatmap.zones(end, threshold=threshold, columns=columns)
    zones = []
    for zone in found:
        most = max(other.value for other in found if other.side == zone.side)
        edges = (zone.high, zone.low) if zone.side == "long" else (zone.low, zone.high)
        near, far = (100 * (1 - edge / price) if zone.side == "long" else 100 * (edge / price - 1) for edge in edges)
        if near > 0:
            zones.append({"side": zone.side, "near": near, "end": far, "size": zone.value / most})
    return fell, rose, unit, zones
