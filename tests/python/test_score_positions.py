"""The score against real positions: measures are those of the reference, and it tells a right map from a wrong one."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
import reference_score as reference
from liqcore.cli import main
from liqcore.errors import DataError, InvalidConfigError
from liqcore.evaluate.ladder import Split
from liqcore.evaluate.placed import (
    EQUAL,
    Bins,
    Cases,
    by_distance,
    correlation,
    distance,
    nearness,
    overlap,
    placed,
    previous,
    shares,
    truths,
)
from liqcore.sources import Candles, Positions
from recorded import data_dir
from test_positions import made

MINUTE, HOUR, DAY = 60 * 10**9, 3600 * 10**9, 86_400 * 10**9
START = 1_769_385_600 * 10**9  # a midnight

amounts = st.lists(st.integers(0, 5).map(float), min_size=12, max_size=12)


@given(amounts, amounts)
def test_measures_are_those_of_the_reference(a: list[float], b: list[float]) -> None:
    places = np.cumsum([1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0, 0.25, 1.0])
    x, y = shares(np.array(a)), shares(np.array(b))
    assert x.sum() == pytest.approx(1)
    assert float(distance(x, y, places)) == pytest.approx(reference.earth_mover(x, y, places), abs=1e-12)
    assert float(overlap(x, y)) == pytest.approx(reference.overlap_of_tops(x.tolist(), y.tolist()))
    try:
        rank = reference.spearman(x.tolist(), y.tolist(), [1] * 12)
    except ZeroDivisionError:
        rank = 0.0  # all equal: no order
    assert float(correlation(x, y)) == pytest.approx(rank, abs=1e-12)


def test_blind_is_a_tenth_and_the_same_is_all() -> None:
    values = np.arange(20.0)
    assert float(overlap(np.ones(20), values)) == pytest.approx(0.1)
    assert float(overlap(values, values)) == pytest.approx(1)
    assert float(distance(shares(values), shares(values), values)) == 0


@given(
    st.lists(st.tuples(st.booleans(), st.integers(705, 1295), st.integers(1, 9)), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.02, 0.013]),
)
def test_positions_are_put_where_the_reference_puts_them(rows: list[Any], width: float) -> None:
    found = made([(0, side, level / 10 + 0.03, float(usd), 10.0) for side, level, usd in rows], width=width)
    got = placed(found, 100.0, Bins(0.012, 25))
    said = [(side, level / 10 + 0.03, usd * 100.0) for side, level, usd in rows]
    expected = np.array(reference.placed(said, 100.0, width / 2 * 100 + 1e-9, 0.012, 25))
    np.testing.assert_allclose(got, expected, atol=0.01 * sum(usd * 100 for *_, usd in rows))


def test_bins_are_those_of_the_sums() -> None:
    sums = made([(0, True, 99.4, 1.0, 10.0), (0, False, 129.4, 1.0, 10.0)], width=0.012)
    assert Bins.of(sums) == Bins(0.012, 25)
    assert Bins.of(replace(sums, width=0.0)) == Bins(0.01, 30)


def flat(minutes: list[tuple[int, float, float]]) -> Candles:
    start, low, high = (np.array(column) for column in zip(*minutes, strict=True))
    base = 1_769_421_600 * 10**9
    return Candles(base + start * MINUTE, low, high, low, high, None, None, MINUTE, np.ones(len(start)))


def test_the_snapshot_before_loses_what_the_price_has_reached() -> None:
    found = made(
        [
            (0, True, 90.5, 1.0, 10.0),
            (0, True, 95.5, 2.0, 10.0),
            (0, False, 104.5, 3.0, 10.0),
            (30, True, 80.5, 1.0, 10.0),
        ]
    )
    said = previous(found, Bins(0.01, 30), flat([(5, 95.0, 101.0), (40, 50.0, 200.0)]))
    assert said[:, 0].sum() == 0
    assert [int(k) for k in np.flatnonzero(said[0, 1])] == [9]
    assert [int(k) for k in np.flatnonzero(said[1, 1])] == [4]


def test_distance_alone_knows_earlier_blocks_alone() -> None:
    rng = np.random.default_rng(1)
    truth, block = rng.integers(0, 4, (2, 6, 5)).astype(float), np.array([0, 0, 1, 1, 2, 2])
    said = by_distance(truth, block)
    np.testing.assert_allclose(said[:, :2], 0.2)
    np.testing.assert_allclose(said[0, 4], shares(sum(shares(one) * (one.sum() > 0) for one in truth[0, :4])))
    changed = truth.copy()
    changed[:, 4:] = 9
    np.testing.assert_array_equal(by_distance(changed, block)[:, :4], said[:, :4])


def market(seed: int, days: int = 16, *, right: bool) -> Cases:
    """Snapshots around peaks of each day; the map knows them, or has peaks of its own."""
    rng = np.random.default_rng(seed)
    n, bins = 6 * days, 20

    def peaks() -> Any:
        at = np.repeat(rng.integers(0, bins, (2, days)), 6, axis=1) + rng.normal(0, 1, (2, n))
        return np.exp(-((np.arange(bins) - at[..., None]) ** 2) / 2)

    real = peaks()
    said = {
        "map": real * rng.lognormal(0, 0.3, real.shape) if right else peaks(),
        "stale": peaks(),
        EQUAL: np.ones(real.shape),
    }
    return Cases("x", np.repeat(np.arange(days), 6), real * rng.lognormal(0, 0.3, real.shape), said, {})


def test_a_right_map_beats_every_null_and_a_wrong_one_does_not() -> None:
    split, bins = Split.of(16), [Bins(0.012, 20)]
    right = nearness([market(1, right=True)], bins, split, 300, 0)["both"]
    for one in right[1:]:
        assert one.emd_gain.low > 0
        assert one.correlation_gain.low > 0
        assert one.overlap_gain.low > 0
        assert one.mixed_gain.low > 0
    wrong = [nearness([market(seed, right=False)], bins, split, 300, 0)["both"][2] for seed in range(20)]
    assert sum(one.mixed_gain.low > 0 for one in wrong) <= 2


def test_figures_are_those_of_the_reference() -> None:
    case, split, bins = market(3, 9, right=True), Split.of(9), Bins(0.012, 20)
    (own, stale, _) = nearness([case], [bins], split, 100, 0)["long"]
    for said, name in ((own, "map"), (stale, "stale")):
        top = below = 0.0
        for at, number in enumerate(case.block):
            if number < split.first_test:
                continue
            usd = float(case.truth[0, at].sum())
            a, b = case.said[name][0, at], case.truth[0, at]
            top += usd * reference.earth_mover((a / a.sum()).tolist(), (b / b.sum()).tolist(), bins.places(0).tolist())
            below += usd
        assert said.emd.value == pytest.approx(top / below)
    # The part of the map in the mixture: the best of the blocks before, tried one by one.
    gain = below = 0.0
    for number in range(split.first_test, 9):
        of = [
            (
                float(case.truth[0, at].sum()),
                *(shares(x[0, at]) for x in (case.said["stale"], case.said["map"], case.truth)),
            )
            for at in range(len(case.block))
        ]
        before = [one for one, block in zip(of, case.block, strict=True) if block < number]
        mine = [one for one, block in zip(of, case.block, strict=True) if block == number]

        def cost(part: float, some: list[Any]) -> float:
            return sum(
                usd * float(distance((1 - part) * null + part * own_, real, bins.places(0)))
                for usd, null, own_, real in some
            )

        best = min(np.linspace(0, 1, 21), key=lambda part: cost(part, before))
        gain += cost(0.0, mine) - cost(best, mine)
        below += sum(usd for usd, *_ in mine)
    assert stale.mixed_gain.value == pytest.approx(gain / below)


# ---------------------------------------------------------------------------------------------------- from end to end


def hours(seed: int, days: int) -> Candles:
    rng = np.random.default_rng(seed)
    n = 24 * days
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.005, n)))
    open_ = np.concatenate(([100.0], close[:-1]))
    low, high = np.minimum(open_, close) * 0.998, np.maximum(open_, close) * 1.002
    ts = START + np.arange(n) * HOUR
    rounded = (np.round(column, 2) for column in (open_, high, low, close))
    return Candles(ts, *rounded, None, None, HOUR, rng.integers(1, 50, n).astype(float))


def truth_of(candles: Candles, seed: int) -> Positions:
    rng = np.random.default_rng(seed)
    rows = []
    for at in range(30, len(candles) - 1, 6):
        price = float(candles.close[at])
        for side in (True, False):
            for away in rng.uniform(0.01, 0.28, 4):
                rows.append(
                    (at, side, price * (1 - away if side else 1 + away), float(rng.integers(1, 9)), 10.0, price)
                )
    of = [np.array(column) for column in zip(*rows, strict=True)]
    found = made([(0, bool(a), float(b), float(c), float(d)) for a, b, c, d in zip(*of[1:5], strict=True)])
    ts = candles.ts_open[of[0].astype(int)] + HOUR
    return replace(found, ts=ts, price=of[5], usd=found.quantity * of[5])


def run(candles: Candles, found: Positions, **options: Any) -> lq.PositionsScore:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = lq.score(candles, positions=found, draws=100, symbol="X", **options)
    assert isinstance(score, lq.PositionsScore)
    return score


def test_nothing_later_is_seen() -> None:
    candles = hours(1, 14)
    found = truth_of(candles, 2)
    whole = run(candles, found)
    cut = START + 12 * DAY
    names = ("ts_open", "open", "high", "low", "close", "volume")
    early = candles.ts_open + HOUR <= cut
    short = replace(candles, **{name: getattr(candles, name)[early] for name in names})
    again = run(short, found.among(found.ts <= cut))
    later = replace(candles, close=np.where(early, candles.close, candles.close * 1.001))
    changed = run(replace(later, high=np.maximum(later.high, later.close)), found.among(found.ts <= cut))
    same = pytest.approx([one.emd.value for one in changed.sides["both"]], rel=1e-12)
    assert [one.emd.value for one in again.sides["both"]] == same
    assert whole.statement["split"]["blocks"] > again.statement["split"]["blocks"]


def test_a_report_says_what_it_stands_on(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    candles = hours(1, 14)
    score = run(
        {"X": candles, "Y": hours(3, 14)}, {"X": truth_of(candles, 2), "Y": truth_of(hours(3, 14), 5)}, feed="me"
    )  # type: ignore[arg-type]
    text = score.to_text()
    for said in (
        "positions: me; a sample of accounts", "candles of 1h: what the price did within them is not seen",
        "previous snapshot", "distance alone", "equal weight", "constant volume", "volume permuted", "7 only train",
        "longs and shorts", "not told: half of the volume each",
    ):  # fmt: skip
        assert said in text, said
    told = json.loads(score.to_json())
    assert told["positions"]["both"][0]["name"] == "map"
    for size in ((640, 480), (1600, 900)):
        score.render(tmp_path / "x.png", width=size[0], height=size[1])
    assert (tmp_path / "x.png").stat().st_size > 10_000


def test_half_lives_by_tier_are_plain_values_in_json() -> None:
    candles = hours(1, 14)
    by_tier = {"25": "7d", "50": "3h", "100": "1h"}
    score = run(candles, truth_of(candles, 2), leverage={25: 0.5, 50: 0.3, 100: 0.2}, half_life=by_tier)
    assert json.loads(score.to_json())["statement"]["half_life"] == by_tier


def test_what_cannot_be_scored_is_refused() -> None:
    candles = hours(1, 14)
    found = truth_of(candles, 2)
    with pytest.raises(InvalidConfigError, match="liquidations or positions must be given, and not both"):
        lq.score(candles)
    with pytest.raises(InvalidConfigError, match="bar and complete must go with liquidations"):
        lq.score(candles, positions=found, bar="1h")
    with pytest.raises(DataError, match="at least 8 blocks of 1d"):
        run(candles, found.among(found.ts < START + 6 * DAY))
    with pytest.raises(DataError, match="expected snapshots within the candles"):
        run(candles, replace(found, ts=found.ts + 99 * DAY))


def test_the_command_line_scores_positions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candles = hours(1, 14)
    found = truth_of(candles, 2)
    lines = ["timestamp,open,high,low,close,volume"]
    columns = (candles.ts_open // 10**6, candles.open, candles.high, candles.low, candles.close, candles.volume)
    lines += [",".join(map(str, row)) for row in zip(*(column.tolist() for column in columns), strict=True)]
    (tmp_path / "c.csv").write_text("\n".join(lines) + "\n")
    rows = ["time,coin,side,size,liquidation_price,leverage,account,price"]
    for i, (ts, side, level, size, price) in enumerate(
        zip(found.ts, found.is_long, found.level, found.quantity, found.price, strict=True)
    ):
        rows.append(f"{ts // 10**6},X,{'long' if side else 'short'},{size},{level:.6f},10,a{i},{price}")
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    args = ["score", str(tmp_path / "c.csv"), "--positions", str(tmp_path / "p.csv"), "--draws", "100"]
    assert main([*args, "--json", "-o", str(tmp_path / "s.json")]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads((tmp_path / "s.json").read_text())
    assert said["statement"]["markets"][0]["snapshots"] == len(found.times)
    assert main([*args, "-l", "x.csv"]) == 2
    assert "--liquidations or --positions" in capsys.readouterr().err


@pytest.mark.recorded
def test_recorded_positions_are_farther_from_the_map_than_from_the_snapshot_before() -> None:
    import csv
    import gzip

    folder = data_dir()
    with gzip.open(folder / "klines" / "perp-1h-2026-01-to-02.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["venue"] == "binance" and row["coin"] == "BTC"]
    rows.sort(key=lambda row: row["timestamp"])
    ts = np.array([row["timestamp"][:19] for row in rows], "datetime64[ns]").astype(np.int64)
    columns = (np.array([float(row[name]) for row in rows]) for name in "ohlc")
    candles = Candles(ts, *columns, None, None, HOUR, np.array([float(row["v"]) for row in rows]))
    path = folder / "positions" / "hyperliquid-levels-top200-2026-01-26-to-02-10.csv.gz"
    score = run(candles, lq.read_positions(path, symbol="BTC"))
    own, constant, _, before, *_ = score.sides["both"]
    assert own.emd.value == pytest.approx(0.0749, abs=0.0005)  # docs/accuracy.md
    assert before.emd.value == pytest.approx(0.0395, abs=0.0005)
    assert before.emd_gain.high < 0
    assert constant.emd_gain.low > 0
    assert score.statement["markets"][0]["left_out"] == 0


def test_truths_keep_the_usd_within_reach() -> None:
    found = made([(0, True, 90.0, 2.0, 10.0), (0, True, 50.0, 9.0, 10.0), (0, False, 110.0, 3.0, 5.0)])
    said = truths(found, Bins(0.01, 30))
    assert said.sum(-1)[:, 0].tolist() == pytest.approx([200, 300])
