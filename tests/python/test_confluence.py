"""Readings beside zones: numbers worked by hand, rules as stated, and nothing of what comes later."""

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
from liqcore.analysis.confluence import _rsi, _swings
from liqcore.sources.funding import FundingRates
from recorded import data_dir

pytest.importorskip("talib", reason="TA-Lib is not installed")

HOUR = 3_600_000_000_000
T0 = 1_750_032_000_000_000_000  # midnight, UTC


def market(prices: list[float], *, sells: list[bool] | None = None) -> Any:
    """A heatmap of one trade an hour."""
    n = len(prices)
    ts = T0 + np.arange(n, dtype=np.int64) * HOUR + HOUR // 2
    taker_sell = np.array(sells if sells is not None else [i % 2 == 1 for i in range(n)])
    engine = lq.Engine(lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.1), window="1h", leverage={10: 1.0})
    engine.trades(ts, np.array(prices), np.ones(n), taker_sell)
    engine.advance(T0 + n * HOUR)
    return engine.heatmap(step=1.0)


def rates(values: list[float], until: int) -> FundingRates:
    n = len(values)
    ts = T0 + until - np.arange(n, dtype=np.int64)[::-1] * 8 * HOUR
    return FundingRates(ts, np.array(values), np.full(n, 8.0), True)


def reading(found: Any, name: str) -> Any:
    return next(one for one in found.readings if one.name == name)


def wilder(close: NDArray[np.float64], bars: int) -> list[float]:
    """Wilder's RSI, as his book has it: means of the first moves, then smoothed."""
    moves = [b - a for a, b in itertools.pairwise(close)]
    out = [math.nan] * bars
    up = sum(max(move, 0) for move in moves[:bars]) / bars
    down = sum(max(-move, 0) for move in moves[:bars]) / bars
    for i in range(bars, len(close)):
        if i > bars:
            up = (up * (bars - 1) + max(moves[i - 1], 0)) / bars
            down = (down * (bars - 1) + max(-moves[i - 1], 0)) / bars
        out.append(100 * up / (up + down) if up + down else 0.0)
    return out


def test_rsi_is_wilders() -> None:
    close = 100 + np.random.default_rng(1).normal(0, 1, 200).cumsum()
    assert _rsi(close, 14) == pytest.approx(wilder(close, 14), nan_ok=True)
    assert np.isnan(_rsi(np.full(5, np.nan), 14)).all()


def test_a_steady_rise_leans_down_by_rsi_and_up_by_takers() -> None:
    prices = [100.0 + i for i in range(40)]
    found = lq.confluence(market(prices, sells=[False] * 40), threshold="p0")
    assert reading(found, "rsi").value == pytest.approx(100.0)
    assert reading(found, "rsi").leans == "down"
    assert reading(found, "takers").value == 1.0
    assert reading(found, "takers").leans == "up"
    below = [zone for zone in found.zones if zone.distance_percent < 0]
    assert below
    for zone in below:
        said = found.towards(zone)
        assert said["rsi"] == "to"
        assert said["takers"] == "away"
        assert said["funding"] == "unknown"
        assert found.agreeing(zone) == 1


def test_takers_over_four_hours_by_hand() -> None:
    # The last four: one buy, three sells of 1 each: (1 - 3) / 4.
    found = lq.confluence(market([100.0] * 24, sells=[False] * 21 + [True] * 3), bar="1h", over="4h")
    assert reading(found, "takers").value == pytest.approx(-0.5)
    assert reading(found, "takers").leans == "down"


def test_funding_is_compared_with_the_rates_before_it() -> None:
    hm = market([100.0 + i % 3 for i in range(200)])
    before = [0.0001, 0.0002] * 6
    found = lq.confluence(hm, funding=rates([*before, 0.0005], 200 * HOUR))
    mean, spread = np.mean(before), np.std(before, ddof=1)
    assert reading(found, "funding").value == pytest.approx((0.0005 - mean) / spread)
    assert reading(found, "funding").leans == "down"
    late = lq.confluence(hm, funding=rates([*before, 0.0005], 208 * HOUR))  # the last is paid after the instant
    assert reading(late, "funding").value == pytest.approx(
        (0.0002 - np.mean(before[:-1])) / np.std(before[:-1], ddof=1)
    )
    few = lq.confluence(hm, funding=rates([0.0001] * 5, 200 * HOUR))
    assert reading(few, "funding").leans == "unknown"
    old = lq.confluence(hm, funding=rates([*before, 0.0005], 100 * HOUR), lookback="2d")
    assert reading(old, "funding").leans == "unknown"


@pytest.mark.parametrize(
    ("rises", "interest", "leans"),
    [(True, 1.05, "up"), (True, 0.95, "down"), (False, 1.05, "down"), (False, 0.95, "up"), (True, 1.01, "neither")],
)
def test_open_interest_backs_a_move_or_not(rises: bool, interest: float, leans: str) -> None:
    n, way = 24, 1 if rises else -1
    ts = T0 + np.arange(n, dtype=np.int64) * HOUR + HOUR // 2
    engine = lq.Engine(
        lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.1), window="1h", leverage={10: 1.0}, model="oi"
    )
    held = np.array([1000.0] * 19 + [1000 * interest] * 5)
    trades = lq.TradeBatch(ts, 100.0 + way * np.arange(n), np.ones(n), np.zeros(n, np.bool_))
    engine.feed(trades=trades, open_interest=(ts + 1, held))
    engine.advance(T0 + n * HOUR)
    found = lq.confluence(engine.heatmap(), bar="1h", over="5h")
    assert reading(found, "open_interest").value == pytest.approx(interest - 1)
    assert reading(found, "open_interest").leans == leans


def test_a_divergence_is_two_swings_that_rsi_does_not_follow() -> None:
    # A steep rise to 130, a fall, then a slow rise with setbacks to 131: a higher high on less strength.
    steep = [100 + 2 * i for i in range(16)]
    fall = [128, 126, 124, 122, 120]
    slow = [*[x for i in range(11) for x in (121 + i, 120.5 + i)][:21], 131.5]
    end = [130.0, 129.0, 128.0, 127.0]
    prices = [float(x) for x in [*([100, 101] * 4), *steep, *fall, *slow, *end]]
    hm = market(prices)
    found = lq.confluence(hm, rsi=5)
    (one,) = [each for each in found.divergences if each.of == "rsi" and each.second_price == 131.5]
    assert one.kind == "bearish"
    assert one.first_price == 130.0
    second = prices.index(131.5)
    assert one.second_ns == T0 + second * HOUR
    assert one.known_ns == T0 + (second + 4) * HOUR
    too_early = lq.confluence(hm, one.known_ns - HOUR, rsi=5)
    assert not [each for each in too_early.divergences if each.second_price == 131.5]


def test_swings() -> None:
    values = np.array([1.0, 2, 5, 5, 2, 1, 3, 4, 3, 2, np.nan, 9, 1])
    assert _swings(values, 2) == [2, 7]


def test_what_comes_later_changes_nothing() -> None:
    random = np.random.default_rng(5)
    prices = [round(float(p), 1) for p in 100 * np.exp(random.normal(0, 0.01, 300).cumsum())]
    whole = market(prices)
    funding = rates([float(r) for r in random.normal(0.0001, 0.0001, 40)], 300 * HOUR)
    for at in (100, 177, 250):
        early = market(prices[:at])
        options = {"funding": funding, "threshold": "p50"}
        assert (
            lq.confluence(whole, T0 + at * HOUR, **options).to_dict()
            == lq.confluence(early, T0 + at * HOUR, **options).to_dict()
        )


def test_it_is_a_table_and_json(tmp_path: Any) -> None:
    found = lq.confluence(market([100.0 + i % 7 for i in range(60)]), threshold="p50")
    answer = json.loads(json.dumps(found.to_dict()))
    assert answer["zones"][0].keys() >= {"side", "agree", "rsi", "funding", "open_interest", "takers"}
    assert "no advice" in answer["says"]
    lines = found.save(tmp_path / "x.csv").read_text().splitlines()
    assert lines[0].startswith("side,low,high,value,distance_percent,agree,rsi,funding")
    assert len(lines) == len(found.zones) + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"rsi": 1}, "rsi must be a whole number of bars from 2 to 1000, was 1"),
        ({"swing": 0}, "swing must be a whole number of bars from 1 to 100, was 0"),
        ({"bar": "90m"}, r"bar must be a multiple of the heatmap's columns \(1h\), was '90m'"),
        ({"over": "5m"}, "over must be a multiple"),
        ({"limits": {"rsi": 3}}, "limits must be of rsi_low, rsi_high"),
        ({"limits": {"takers": 0}}, "limits must be above 0, takers was 0"),
        ({"limits": {"rsi_low": 80}}, "limits must have rsi_low below rsi_high"),
    ],
)
def test_bad_arguments_name_the_rule(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=said):
        lq.confluence(market([100.0] * 30), **arguments)


def test_a_recorded_day_is_read_as_its_own_rows_say() -> None:
    folder = data_dir()
    context = folder / "context" / "hyperliquid-BTC-context.parquet"
    hm = lq.heatmap(folder / "trades" / "hyperliquid-BTC-20260613.parquet", open_interest=context, window="5m")
    at = int(hm.times[200])  # the end of column 199
    rates, samples = lq.read_funding(context), lq.read_open_interest(context)
    found = lq.confluence(hm, at, funding=rates, lookback="1d", over="2h", bar="15m")
    held = [samples.quantity[np.searchsorted(samples.ts, t, side="left") - 1] for t in (at - 2 * HOUR, at)]
    assert reading(found, "open_interest").value == pytest.approx(held[1] / held[0] - 1)
    last = hm.candles[176:200]
    bought, sold = last["buy_qty"].sum(), last["sell_qty"].sum()
    assert reading(found, "takers").value == pytest.approx((bought - sold) / (bought + sold))
    known = rates.rate[(rates.ts > at - 24 * HOUR) & (rates.ts <= at)]
    deviation = (known[-1] - known[:-1].mean()) / known[:-1].std(ddof=1)
    assert reading(found, "funding").value == pytest.approx(deviation)
    closes = hm.rebin(window="15m").select(end=at).candles["close"]
    assert reading(found, "rsi").value == pytest.approx(wilder(closes[-len(closes) :], 14)[-1], abs=0.5)
