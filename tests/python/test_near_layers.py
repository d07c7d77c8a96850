"""Tiers that are distances from the entry: "0.2%" beside 25x, through everything that names tiers."""

from pathlib import Path

import numpy as np
import pytest

import liqcore as lq
from liqcore.config import Config

SHARES = {"0.2%": 0.25, "0.7 %": 0.25, 25: 0.5}


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.1, trades_per_day=40_000, seed=4)


@pytest.fixture(scope="module")
def near(market: lq.Market) -> lq.Heatmap:
    return lq.heatmap(trades=market.trades, symbol="SIM", leverage=SHARES, half_life={"0.2%": "2h", 25: "7d"})


@pytest.mark.parametrize("contract", ["linear", "inverse"])
def test_a_distance_is_of_the_entry_whatever_the_terms(contract: str) -> None:
    margin = lq.MarginSchedule.tiers([{"rate": 0.02, "max_leverage": 20.0}], fee=0.001)
    inst = lq.Instrument(tick_size=1.0, lot_size=1.0, contract=contract, margin=margin)
    engine = lq.Engine(inst, leverage={"0.2%": 0.5, "5%": 0.5}, book_step=1.0, half_life=None)
    assert engine.dropped_leverage == ()
    engine.trade(0, 10_000.0, 3.0, False)
    engine.trade(1, 10_000.0, 4.0, True)
    for side, levels, lots in (("long", [9_980, 9_500], 3.0), ("short", [10_020, 10_500], 4.0)):
        for row, level in zip(engine.levels_lots(side), levels, strict=True):
            assert {engine.axis.low + i: row[i] for i in np.flatnonzero(row)} == {level: lots}
    engine.trade(2, 9_981.0, 1.0, True)
    assert engine.stats.liquidated[0].tolist() == [0.0, 0.0]
    engine.trade(3, 9_980.0, 1.0, True)
    assert engine.stats.liquidated[0].tolist() == [3.0, 0.0]


def test_profiles_take_text_and_numbers_and_say_names() -> None:
    profile = lq.LeverageProfile(SHARES)
    assert profile == lq.LeverageProfile({0.002: 0.25, 0.007: 0.25, 25.0: 0.5})
    assert profile.tiers.tolist() == [0.002, 0.007, 25.0]
    assert profile.names == ["0.2 %", "0.7 %", "25x"]
    assert profile.index("0.7%") == 1 == profile.index(0.007)
    assert profile.default_half_life_ns()[0] == 86_400e9
    for text in ("0.2", "0%", "100%", "0.5x", "", "two"):
        with pytest.raises(lq.InvalidConfigError, match="a leverage tier must be a leverage of at least 1 such as"):
            lq.LeverageProfile({text: 1.0})
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must list each tier once, had 0.2 % twice"):
        lq.LeverageProfile({"0.2%": 0.5, 0.002: 0.5})


def test_a_picture_names_them_and_selects_by_them(near: lq.Heatmap) -> None:
    assert [layer.name for layer in near.map().layers] == ["0.2 %", "0.7 %", "25x"]
    parts = [near.select(leverage=tier).values for tier in ("0.2%", 0.007, "25x")]
    assert all(part.any() for part in parts)
    np.testing.assert_allclose(sum(parts), near.values, rtol=1e-5)
    both = near.select(leverage=["0.2%", 25])
    np.testing.assert_allclose(both.values, parts[0] + parts[2], rtol=1e-5)
    assert near.meta["half_life"] == {"0.002": "2h", "0.007": "never", "25": "7d"}
    reweighed = near.reweigh({"0.2%": 1.0})
    np.testing.assert_allclose(reweighed.values, 4 * parts[0], rtol=1e-5)
    with pytest.raises(lq.InvalidConfigError, match=r"among the tiers \(0.2 %, 0.7 %, 25x\), was 0.3 %"):
        near.select(leverage="0.3%")
    with pytest.raises(lq.InvalidConfigError, match=r"the leverage profile \(0.2 %, 25x\), named 0.3 %"):
        lq.Engine(lq.Instrument(tick_size=1.0, lot_size=1.0), leverage={"0.2%": 0.5, 25: 0.5}, half_life={"0.3%": "1h"})


def test_saved_files_and_configurations_bring_them_back(near: lq.Heatmap, market: lq.Market, tmp_path: Path) -> None:
    saved = lq.load_heatmap(near.save(tmp_path / "near.parquet"))
    np.testing.assert_array_equal(saved.values, near.values)
    config = Config.load(tmp_path / "near.parquet")
    (tmp_path / "liqcore.toml").write_text(config.dump(), encoding="utf-8")
    assert '"0.2%" = 0.25' in config.dump()
    assert '"0.2%" = "2h"' in config.dump()
    assert Config.load(tmp_path / "liqcore.toml").hash == config.hash
    again = lq.heatmap(trades=market.trades, config=tmp_path / "liqcore.toml")
    np.testing.assert_array_equal(again.values, near.values)
    engine = lq.Engine.from_config(config)
    engine.trades(market.trades)
    loaded = lq.Engine.load(engine.save(tmp_path / "near.liq"))
    assert loaded.leverage == engine.leverage
    np.testing.assert_array_equal(loaded.levels("long"), engine.levels("long"))


def test_config_refuses_a_share_for_a_distance() -> None:
    with pytest.raises(
        lq.InvalidConfigError, match=r'or a distance from the entry such as "0.2%", was "0.5" as a tier'
    ):
        Config.loads('[leverage.shares]\n"0.5" = 1.0')
