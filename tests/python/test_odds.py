"""How often zones were reached: against the slow reference, without look-ahead, and right where the truth is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
import reference_odds
from liqcore.evaluate.measures import drawn
from liqcore.evaluate.odds import REACH, Seen, _row, others
from recorded import data_dir


@pytest.fixture(scope="module")
def hm() -> lq.Heatmap:
    return lq.heatmap(trades=lq.simulate(seed=3, days=6, trades_per_day=8_000).trades, window="15m")


def test_it_counts_what_the_reference_counts(hm: lq.Heatmap) -> None:
    found = lq.magnet_odds(hm, within="2h", every="3h", threshold=0.3, draws=100)
    last = int(hm.complete.sum()) - 1
    instants = list(range(1, last - 8 + 1, 12))
    slow = reference_odds.odds(hm, instants, 8, threshold=0.3, columns=100, reach=REACH)
    slow = [row for row in slow if row["free"]]
    assert found.instants == len(instants)
    assert found.rows[0].zones == len(slow) > 50
    assert found.rows[0].reached.value == pytest.approx(np.mean([row["reached"] for row in slow]))
    assert found.rows[0].without.value == pytest.approx(np.mean([row["without"] for row in slow]))
    near = [row for row in slow if row["near"] < 0.5]
    assert found.rows[1].kind == "below 0.5 % away"
    assert found.rows[1].zones == len(near)
    assert found.rows[1].without.value == pytest.approx(np.mean([row["without"] for row in near]))


def test_each_kind_of_zone_is_counted_once_in_each_division(hm: lq.Heatmap) -> None:
    rows = lq.magnet_odds(hm, within="2h", every="3h", draws=100).rows
    for words in ("away", "size", "presence"):
        assert sum(row.zones for row in rows if words in row.kind) == rows[0].zones


def test_what_comes_later_changes_nothing(hm: lq.Heatmap) -> None:
    ts = int(hm.times[400])
    early = hm.select(end=ts)
    at = {"within": "1h", "every": "2h", "draws": 100}
    whole = lq.magnet_odds(hm, ts=ts, **at)
    cut = lq.magnet_odds(early, **at)
    assert whole.to_json() == cut.to_json()


def seen_of(random: np.random.Generator, days: int, pull: float) -> Seen:
    """Zones at random distances; the price goes as far as chance has it, and a share `pull` of the way on to them."""
    instants = 24 * days
    unit = np.exp(random.normal(0, 0.3, instants))
    calm = np.exp(np.repeat(random.normal(0, 0.2, days), 24))  # days differ
    far = np.abs(random.normal(0, 1, (2, instants))) * unit * calm
    near = random.uniform(0.1, 2.5, (2, instants)) * unit
    pulled = (random.random((2, instants)) < pull) & (far < near)
    far = np.where(pulled, near, far)
    instant = np.tile(np.arange(instants), 2)
    side = np.repeat([0, 1], instants)
    flat: NDArray[np.float64] = near.ravel()
    return Seen(
        far, unit, np.arange(instants) // 24, instant, side, flat, flat + 0.1, np.ones(len(flat)), np.ones(len(flat))
    )


def differences(pull: float, seeds: int) -> list[tuple[float, float]]:
    out = []
    for seed in range(seeds):
        seen = seen_of(np.random.default_rng(seed), 30, pull)
        free, reached = others(seen)
        hit = (seen.far[seen.side, seen.instant] >= seen.near).astype(float)
        row = _row("all", seen.block[seen.instant], hit, free, reached, drawn(30, 200, seed))
        out.append((row.difference.low, row.difference.high))
    return out


def test_where_zones_pull_nothing_a_difference_is_shown_at_the_nominal_rate() -> None:
    found = differences(0.0, 40)
    wrong = sum(low > 0 or high < 0 for low, high in found)
    assert wrong <= 6  # of 40 at 5 % more than six come once in 200


def test_where_zones_pull_it_is_shown() -> None:
    assert all(low > 0 for low, _ in differences(0.25, 10))


def test_a_magnet_has_the_row_of_its_kind(hm: lq.Heatmap) -> None:
    odds = lq.magnet_odds(hm, within="2h", every="1h", draws=100)
    ranked = lq.magnets(hm.zones())
    rows = odds.beside(ranked)
    assert len(rows) == len(ranked)
    for magnet, row in zip(ranked, rows, strict=True):
        if row.kind.endswith("away") and abs(magnet.zone.distance_percent) < 0.5:
            assert row.kind == "below 0.5 % away"
    assert "within 2h" in odds.verdict


def test_little_data_says_so() -> None:
    hm = lq.heatmap(trades=lq.simulate(seed=1, days=0.5, trades_per_day=20_000).trades)
    odds = lq.magnet_odds(hm, within="1h")
    assert odds.verdict.startswith("Too little data")
    assert math.isnan(odds.rows[0].difference.low)
    assert odds.to_dict()["rows"][0]["difference"]["low"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"within": "7m"}, r"within must be a multiple of the heatmap's columns \(15m\), was '7m'"),
        ({"within": "60d"}, "within must be shorter than the heatmap"),
        ({"distances": [1, 1]}, "distances must rise and be above 0"),
        ({"sizes": [-1]}, "sizes must rise and be above 0"),
        ({"draws": 1}, "draws must be a whole number from 100 to 100,000, was 1"),
        ({"every": "1m"}, "every must be a multiple"),
        ({"block": "x"}, "block"),
    ],
)
def test_bad_arguments_name_the_rule(hm: lq.Heatmap, arguments: dict, said: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=said):
        lq.magnet_odds(hm, **arguments)


def test_recorded_days_are_counted_as_the_reference_counts_them() -> None:
    trades, context = data_dir() / "trades", data_dir() / "context" / "hyperliquid-BTC-context.parquet"
    days = [trades / f"hyperliquid-BTC-202606{day}.parquet" for day in (13, 14)]
    hm = lq.heatmap(days, window="15m", open_interest=context)
    found = lq.magnet_odds(hm, within="4h", every="1h", threshold="p80", draws=100)
    instants = list(range(1, int(hm.complete.sum()) - 1 - 16 + 1, 4))
    slow = reference_odds.odds(hm, instants, 16, threshold="p80", columns=100, reach=REACH)
    slow = [row for row in slow if row["free"]]
    assert found.rows[0].zones == len(slow) > 10
    assert found.rows[0].reached.value == pytest.approx(np.mean([row["reached"] for row in slow]))
    assert found.rows[0].without.value == pytest.approx(np.mean([row["without"] for row in slow]))
    assert found.rows[0].says == "too little data"  # of two days
