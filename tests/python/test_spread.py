"""How uncertain amounts of a fitted profile are: intervals are those of maps at each drawing's weights, one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from liqcore.cli import main
from liqcore.errors import InvalidConfigError
from liqcore.history.spread import Spread, spread_of
from liqcore.market.fitted import FittedLayer, FittedProfile

TIERS = (0.004, 0.01, 0.03, 0.08)
MODEL = {"model": {"name": "flow"}}
MID = (0.02, 0.05, 0.03, 0.01)


def fitted(draws: int = 60, seed: int = 0, **more: Any) -> FittedProfile:
    """A profile whose drawings trade one layer for the next, so that sums are surer than layers."""
    rng = np.random.default_rng(seed)
    anew = np.array(MID) * rng.lognormal(0, 0.5, (draws, 4))
    anew[:, 1] = np.maximum(0.07 - anew[:, 0], 0.001)
    low, high = np.quantile(anew, [0.025, 0.975], axis=0)
    layers = (
        FittedLayer(tier, 3.6e12 * 24, float(min(a, mid)), mid, float(max(b, mid)))
        for tier, mid, a, b in zip(TIERS, MID, low, high, strict=True)
    )
    rows = tuple(tuple(float(f"{x:.4g}") for x in row) for row in anew)
    return FittedProfile("X", "2026-04-01", "1", tuple(layers), MODEL, draws=rows, **more)


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=1, trades_per_day=20_000, seed=4)


@pytest.fixture(scope="module")
def hm(market: lq.Market) -> lq.Heatmap:
    return lq.heatmap(trades=market.trades, symbol="SIM", window="30m", leverage=fitted())


def drawn(hm: lq.Heatmap) -> list[lq.Heatmap]:
    """The heatmap at the weights of each drawing."""
    out = []
    for row in fitted().draws:
        total = sum(row)
        shares = [one / total for one in row]
        shares[0] += 1 - sum(shares)
        out.append(hm.reweigh(lq.LeverageProfile(dict(zip(TIERS, shares, strict=True)), intensity=total)))
    return out


def test_zones_have_the_interval_of_the_maps_drawn_one_by_one(hm: lq.Heatmap) -> None:
    zones = hm.zones(threshold=0.2)
    assert len(zones) > 2
    maps = [one.map() for one in drawn(hm)]
    at = {float(price): i for i, price in enumerate(maps[0].prices)}
    for zone in zones:
        rows = slice(at[zone.low], at[zone.low] + round((zone.high - zone.low) / hm.step))
        sums = [float(getattr(one, zone.side)[:, rows].sum()) for one in maps]
        low, high = np.quantile(sums, [0.025, 0.975])
        assert zone.value_low == pytest.approx(min(low, zone.value), rel=2e-4)  # factors have four digits
        assert zone.value_high == pytest.approx(max(high, zone.value), rel=2e-4)
        assert zone.value_low <= zone.value <= zone.value_high


def test_what_a_move_reaches_has_the_interval_of_its_sum_not_of_its_layers(hm: lq.Heatmap) -> None:
    now, maps = hm.map(), [one.map() for one in drawn(hm)]
    reached = now.within(5)
    sums = [one.within(5).long for one in maps]
    low, high = np.quantile(sums, [0.025, 0.975])
    assert reached.long_ends == pytest.approx((min(low, reached.long), max(high, reached.long)), rel=2e-4)
    by_layer = [float(np.quantile([one.long[k].sum() for one in maps], 0.975)) for k in range(4)]
    assert reached.long_ends is not None
    assert reached.long_ends[1] < sum(by_layer), "layers trade for each other: their ends do not add up"
    assert "[" in now.sentence(5)
    assert now.sentence(5).count("[") == 2


def test_a_filter_keeps_the_interval_of_what_is_shown(hm: lq.Heatmap) -> None:
    some = hm.select(leverage=[0.01, 0.03])
    maps = [one.select(leverage=[0.01, 0.03]).map() for one in drawn(hm)]
    reached = some.map().within(5)
    low, high = np.quantile([one.within(5).short for one in maps], [0.025, 0.975])
    assert reached.short_ends == pytest.approx((min(low, reached.short), max(high, reached.short)), rel=2e-4)


def test_other_shares_have_no_interval(hm: lq.Heatmap) -> None:
    other = hm.reweigh({0.01: 1.0})
    assert other.zones()[0].value_low is None
    assert other.map().within(5).long_ends is None


def test_intervals_are_saved_and_loaded(hm: lq.Heatmap, tmp_path: Path) -> None:
    hm.save(tmp_path / "x.parquet")
    again = lq.load_heatmap(tmp_path / "x.parquet")
    assert again.zones() == hm.zones()
    hm.zones().save(tmp_path / "z.csv")
    head = (tmp_path / "z.csv").read_text().splitlines()[0].split(",")
    assert "value_low" in head
    assert "value_high" in head


def test_a_profile_without_drawings_has_no_interval(market: lq.Market) -> None:
    plain = FittedProfile("X", "2026-04-01", "1", fitted().layers, MODEL)
    hm = lq.heatmap(trades=market.trades, symbol="SIM", window="30m", leverage=plain)
    assert "spread" not in hm.meta
    assert hm.zones()[0].value_low is None
    assert spread_of(None) == {}


def test_files_hold_the_drawings_and_refuse_bad_ones(tmp_path: Path) -> None:
    one = fitted()
    one.save(tmp_path / "p.json")
    again = FittedProfile.load(tmp_path / "p.json")
    assert again.draws == one.draws
    assert again.hash == one.hash
    said = json.loads(one.to_json())
    for bad, message in (
        ([[1.0]], "weight of at least 0 for every layer"),
        ([[-1.0, 1, 1, 1]], "weight of at least 0 for every layer"),
        ([[1, 1, 1, 1]] * 1001, "draws must be at most 1,000"),
        ([["a", 1, 1, 1]], "must be a fitted profile"),
        (5, "must be a fitted profile"),
    ):
        with pytest.raises(InvalidConfigError, match=message):
            FittedProfile.loads(json.dumps(said | {"draws": bad}))


@given(
    st.lists(st.lists(st.integers(0, 9).map(float), min_size=3, max_size=3), min_size=1, max_size=20),
    st.lists(st.integers(0, 9).map(float), min_size=3, max_size=3),
)
def test_ends_hold_the_sum_and_scale_with_it(factors: list[list[float]], amounts: list[float]) -> None:
    spread = Spread(np.array([0.1, 0.2, 0.3]), np.array(factors))
    tiers, of = np.array([0.1, 0.2, 0.3]), np.array(amounts)
    low, high = spread.ends(tiers, of)
    assert low <= of.sum() <= high
    twice = spread.ends(tiers, 2 * of)
    assert (float(twice[0]), float(twice[1])) == pytest.approx((2 * float(low), 2 * float(high)))


def test_the_command_line_says_them(market: lq.Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fitted().save(tmp_path / "p.json")
    rows = ["timestamp,price,qty,taker_sell"]
    trades = market.trades
    for ts, price, qty, sell in zip(trades.ts, trades.price, trades.qty, trades.taker_sell, strict=True):
        rows.append(f"{ts},{price},{qty},{str(bool(sell)).lower()}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    files = [str(tmp_path / name) for name in ("t.csv", "p.json", "x.parquet")]
    assert main(["heatmap", files[0], "--leverage", files[1], "-o", files[2]]) == 0
    capsys.readouterr()
    assert main(["zones", str(tmp_path / "x.parquet"), "--json"]) == 0
    zone = json.loads(capsys.readouterr().out)["zones"][0]
    assert zone["value_low"] <= zone["value"] <= zone["value_high"]
    assert main(["zones", str(tmp_path / "x.parquet")]) == 0
    assert " [" in capsys.readouterr().out
    assert main(["map", str(tmp_path / "x.parquet")]) == 0
    assert capsys.readouterr().out.count("[") >= 4


def test_a_server_says_the_intervals_of_a_batch_run(tmp_path: Path) -> None:
    pytest.importorskip("starlette")
    from liqcore.live.board import Board
    from liqcore.live.market import MarketEngine
    from markets import BTC, frames, trades
    from serving import Served

    fitted().save(tmp_path / "p.json")
    config = lq.Config.resolve(flags={"leverage.file": str(tmp_path / "p.json")})
    batch = trades(3000, seed=11)
    served = Served(tmp_path, config.replace(server={"requests": 1e9}), {BTC: None})
    served.engines[BTC] = MarketEngine(BTC, config)
    served.following.boards[BTC] = Board(served.engines[BTC])
    served.feed(BTC, frames(batch, market=BTC), last=True)
    answer = served.ask("/zones", params={"market": str(BTC)}).json()
    assert answer["zones"]
    for zone in answer["zones"]:
        assert zone["value_low"] <= zone["value"] <= zone["value_high"]
    told = served.ask("/map", params={"market": str(BTC), "percent": 5}).json()["within"]
    assert told["long_ends"][0] <= told["long"] <= told["long_ends"][1]
