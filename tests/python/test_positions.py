"""Real positions: every row is used or counted; the map is what snapshots and prices make of them."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from liqcore.cli import main
from liqcore.errors import DataError, InvalidConfigError
from liqcore.sources import Candles, Positions, read_positions
from recorded import data_dir

MINUTE, HOUR = 60 * 10**9, 3600 * 10**9
START = 1_769_421_600 * 10**9  # a full hour
HEAD = "time,coin,side,size,liquidation_price,leverage,mode,account,mark_price\n"


def written(folder: Path, text: str, name: str = "positions.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def row(
    minute: float = 0, coin: str = "X", side: str = "long", size: object = 2, level: object = 80, **more: object
) -> str:
    said = {"leverage": 10, "mode": "cross", "account": "a", "mark": 100} | more
    ms = START // 10**6 + round(minute * 60_000)
    return f"{ms},{coin},{side},{size},{level},{said['leverage']},{said['mode']},{said['account']},{said['mark']}\n"


# ---------------------------------------------------------------------------------------------------------- the reader


def test_a_table_of_accounts_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path, HEAD + row() + row(0.5, side="short", size=3, level=130, account="b", mode="isolated", leverage=25)
    )
    found = read_positions(path)
    assert found.symbol == "X"
    assert found.accounts == 2
    assert found.times.tolist() == [START + 30 * 10**9]  # known when the last account was asked
    assert found.is_long.tolist() == [True, False]
    assert found.level.tolist() == [80, 130]
    assert found.usd.tolist() == [200, 300]
    assert found.leverage.tolist() == [10, 25]
    assert found.isolated.tolist() == [0, 1]
    assert len(read_positions(path, gather=0).times) == 2


@pytest.mark.parametrize(
    ("bad", "reason", "said"),
    [
        (row(side="flat", account="z"), "unknown_side", True),
        (row(level="-5", account="z"), "not_positive", True),
        (row(level="abc", account="z"), "not_finite", True),
        (row(size="inf", account="z"), "not_finite", True),
        (row(size=0, account="z"), "not_positive", False),
        (row(level="", account="z"), "no_price", False),
        (row(level="null", account="z"), "no_price", False),
        (row(level=100, account="z"), "beyond_price", True),
        (row(side="short", level=90, account="z"), "beyond_price", True),
        (row(size=-2, account="z"), "contradictory", True),
        (row(coin="Y", account="z"), "other_symbol", False),
        ("when,X,long,2,80,10,cross,z,100\n", "unreadable", True),
        (row(), "duplicate", False),
    ],
)
def test_a_bad_row_is_left_out_and_counted_by_reason(tmp_path: Path, bad: str, reason: str, said: bool) -> None:
    good = "".join(row(account=f"n{i}") for i in range(40)) + row()
    found = read_positions(written(tmp_path, HEAD + good + bad), symbol="X")
    (file,) = found.report.files
    assert file.rejected == {reason: 1}
    assert file.rows_read == 42 == file.rows_used + 1
    assert len(found) == 41
    assert bool(file.lost) == said, "what was meant and is lost is said, what says nothing or is of others is not"


def test_a_file_of_bad_rows_is_refused(tmp_path: Path) -> None:
    bad = "".join(row(account=str(i), side="flat" if i % 5 == 0 else "long") for i in range(50))
    with pytest.raises(DataError, match="expected at most 5% lost rows, found 10 of 50"):
        read_positions(written(tmp_path, HEAD + bad))


def test_what_is_no_table_of_positions_is_refused_by_name(tmp_path: Path) -> None:
    for text, said in (
        ("time,coin,price\n1769421600000,X,5\n", "found no level, side, size or usd"),
        (HEAD, "only a header|no usable row|no rows"),
        (HEAD + row(coin="X") + row(coin="Y"), "expected positions of one symbol, found X, Y: choose one with symbol="),
        ("1769421600000,80,5\n1769421600000,80,5\n", "expected a header"),
    ):
        with pytest.raises(DataError, match=said):
            read_positions(written(tmp_path, text))
    with pytest.raises(DataError, match="expected positions of Z, found X"):
        read_positions(written(tmp_path, HEAD + row()), symbol="Z")


def test_sums_by_level_are_split_by_leverage_and_know_their_bins(tmp_path: Path) -> None:
    head = "ts_ms,coin,price,side,level,usd,usd_to_10x,usd_to_25x\n"
    at = START // 10**6
    text = head + "".join(
        f"{at},X,100,{'long' if k < 0 else 'short'},{100 + 2 * k + 1},{usd},{ten},{usd - ten}\n"
        for k, usd, ten in ((-5, 50, 50), (-3, 40, 10), (2, 70, 0), (6, 90, 45))
    )
    found = read_positions(written(tmp_path, text))
    assert found.width == pytest.approx(0.02)
    assert found.accounts is None
    assert found.usd.tolist() == [50, 10, 30, 70, 45, 45]
    assert found.leverage.tolist() == [10, 10, 25, 25, 10, 25]
    assert found.report.files[0].rows_used == 4
    odd = read_positions(written(tmp_path, text + "".join([f"{at},X,100,long,81,9,9,0\n"] * 1)))
    assert odd.report.files[0].rejected == {}
    wrong = text.replace("70,0,70", "70,60,70")
    with pytest.raises(DataError, match="contradictory"):
        read_positions(written(tmp_path, wrong))


STATE = {
    "marginSummary": {"accountValue": "1"},
    "assetPositions": [
        {
            "type": "oneWay",
            "position": {
                "coin": "BTC",
                "szi": "-4.5",
                "leverage": {"type": "isolated", "value": 10},
                "entryPx": "81285.0",
                "positionValue": "377667.0",
                "liquidationPx": "94501.802790436",
            },
        },
        {"position": {"coin": "ETH", "szi": "1", "leverage": {"type": "cross", "value": 5}, "positionValue": "2000"}},
    ],
    "time": 1790360864964,
}


@pytest.mark.parametrize(
    "around",
    [
        STATE,
        [STATE],
        {"0xfeed": STATE},
        {"user": "0xfeed", "clearinghouseState": STATE},
        {"channel": "webData2", "data": {"user": "0xfeed", "clearinghouseState": STATE}},
        [["0xfeed", STATE]],
    ],
)
def test_hyperliquid_answers_are_read_whatever_is_around_them(tmp_path: Path, around: Any) -> None:
    found = read_positions(written(tmp_path, json.dumps(around), "states.json"), symbol="BTC")
    assert (found.level.tolist(), found.quantity.tolist()) == ([94501.802790436], [4.5])
    assert (found.is_long.tolist(), found.leverage.tolist(), found.isolated.tolist()) == ([False], [10.0], [1])
    assert found.price.tolist() == [83926.0]
    assert found.entry.tolist() == [81285.0]
    assert found.report.files[0].rejected == {"other_symbol": 1}
    assert found.accounts == (1 if "0xfeed" in json.dumps(around) else None)


def test_lines_of_answers_are_accounts_of_one_snapshot(tmp_path: Path) -> None:
    later = STATE | {"time": STATE["time"] + 20_000}  # type: ignore[operator]
    lines = "\n".join(json.dumps({"user": user, "state": of}) for user, of in (("0xa", STATE), ("0xb", later)))
    found = read_positions(written(tmp_path, lines, "states.jsonl"), symbol="BTC")
    assert found.accounts == 2
    assert found.times.tolist() == [later["time"] * 10**6]  # type: ignore[operator]
    nobody = written(tmp_path, json.dumps({"assetPositions": [], "time": 1}), "nobody.json")
    with pytest.raises(DataError, match="1 accounts without any"):
        read_positions(nobody)


@given(st.data())
def test_no_answer_makes_the_reader_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    words = st.sampled_from(["1", "-2", "nan", "1e999", "", "0x", "long", None, 5, 1e400, [], {}])
    position = data.draw(st.dictionaries(st.sampled_from(list(STATE["assetPositions"][0]["position"])), words))  # type: ignore[index]
    state = {"assetPositions": [{"position": position}, data.draw(words)], "time": data.draw(words)}
    path = tmp_path_factory.mktemp("states") / "state.json"
    path.write_text(json.dumps(state))
    with pytest.raises(DataError):
        read_positions(path)


def test_parquet_and_gzip_say_the_same(tmp_path: Path) -> None:
    text = HEAD + row() + row(side="short", size=3, level=130, account="b")
    plain = read_positions(written(tmp_path, text))
    packed = tmp_path / "p.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    fp = pytest.importorskip("fastparquet")
    pd = pytest.importorskip("pandas")
    table = pd.read_csv(tmp_path / "positions.csv")
    fp.write(str(tmp_path / "p.parquet"), table)
    for path in (packed, tmp_path / "p.parquet"):
        again = read_positions(path)
        for name in ("ts", "is_long", "level", "usd", "quantity", "leverage", "isolated", "price", "account"):
            np.testing.assert_array_equal(getattr(again, name), getattr(plain, name), err_msg=name)


def test_positions_that_cannot_be_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(InvalidConfigError, match="usd must be finite and above 0"):
        made([(0, True, 80.0, 2.0, 10.0)], usd=-one)
    with pytest.raises(InvalidConfigError, match="ts must not fall"):
        made([(5, True, 80.0, 2.0, 10.0), (0, True, 80.0, 2.0, 10.0)])


# ------------------------------------------------------------------------------------------------------------- the map


def made(rows: list[tuple[float, bool, float, float, float]], price: float = 100.0, **more: Any) -> Positions:
    """Positions of (minute, long?, level, quantity, leverage)."""
    minute, is_long, level, quantity, leverage = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    columns: dict[str, Any] = {
        "ts": (START + minute * MINUTE).astype(np.int64),
        "is_long": is_long,
        "level": level,
        "usd": quantity * price,
        "quantity": quantity,
        "leverage": leverage,
        "entry": np.full(n, np.nan),
        "isolated": np.full(n, -1, np.int8),
        "price": np.full(n, price),
        "account": np.arange(n),
        "symbol": "X",
    }
    return Positions(**(columns | more))


def candles(rows: list[tuple[int, float, float]], minutes: int = 1) -> Candles:
    """Candles of (start in minutes, low, high)."""
    start, low, high = (np.array(column, float) for column in zip(*rows, strict=True))
    ts = START + (start * MINUTE).astype(np.int64)
    return Candles(ts, low, high, low, high, None, None, minutes * MINUTE)


SETTINGS = lq.Config.from_dict(
    {"instrument": {"tick_size": 1.0, "lot_size": 1.0}, "axis": {"book_step": 1.0, "step": 1.0}}
)


def run(found: Positions, of: Candles | None = None, **options: Any) -> lq.Heatmap:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lq.heatmap(positions=found, candles=of, config=SETTINGS, step=1.0, window="5m", **options)


def test_a_snapshot_is_the_map() -> None:
    hm = run(made([(0, True, 80.0, 2.0, 10.0), (0, False, 130.0, 3.0, 25.0), (0, True, 80.4, 1.0, 25.0)]))
    now = hm.map()
    assert now.tiers.tolist() == [10, 25]
    assert now.price == 100
    at = {float(price): i for i, price in enumerate(now.prices)}
    np.testing.assert_allclose(now.long[:, at[80.0]], [2 * 80.5, 80.5])
    np.testing.assert_allclose(now.short[:, at[130.0]], [0, 3 * 130.5])
    assert now.long.sum() + now.short.sum() == pytest.approx(3 * 80.5 + 3 * 130.5)
    assert hm.meta["meaning"] == "positions of 3 accounts"
    assert "liquidates" in now.sentence()
    assert hm.select(leverage=25).map().long.sum() == pytest.approx(80.5)


def test_prices_consume_levels_until_the_next_snapshot() -> None:
    first = [(0, True, 80.0, 2.0, 10.0), (0, True, 90.0, 5.0, 10.0), (0, False, 130.0, 3.0, 10.0)]
    hm = run(made([*first, (20, True, 90.0, 7.0, 10.0)]), candles([(6, 88, 101), (12, 99, 131), (18, 95, 99)]))
    live = [(float(a.sum()), float(b.sum())) for a, b in zip(hm.long, hm.short, strict=True)]
    whole = 2 * 80.5 + 5 * 90.5
    assert live[0] == (whole, 3 * 130.5)
    assert live[1] == (2 * 80.5, 3 * 130.5)  # a fall to 88
    assert live[2] == (2 * 80.5, 0)  # a rise to 131
    assert live[4] == (7 * 90.5, 0)  # the next snapshot
    assert hm.liquidated.sum(axis=1).tolist() == [0, 5 * 90.5, 3 * 130.5, 0, 0]


def test_a_candle_that_began_before_a_snapshot_does_not_touch_it() -> None:
    hm = run(made([(2.5, True, 90.0, 5.0, 10.0)]), candles([(2, 85, 101), (4, 99, 100)]))
    assert float(hm.long[-1].sum()) == 5 * 90.5
    touched = run(made([(2.5, True, 90.0, 5.0, 10.0)]), candles([(2, 85, 101), (4, 89, 100)]))
    assert float(touched.long[-1].sum()) == 0
    assert float(touched.liquidated.sum()) == 5 * 90.5


def reference(found: Positions, rows: list[tuple[int, float, float]], windows: int) -> list[dict[Any, float]]:
    """The live levels after each window, one event after the other: {(long?, leverage, bin): quantity}."""
    events: list[tuple[int, int, Any]] = [(int(ts), 1, found.snapshot(int(ts))) for ts in found.times]
    events += [(START + (m + 1) * MINUTE - 1, 0, (START + m * MINUTE, low, high)) for m, low, high in rows]
    live: dict[Any, float] = {}
    known = None
    out = []
    events.sort(key=lambda one: (one[0], one[1]))
    for i in range(windows):
        end = START + (i + 1) * 5 * MINUTE
        while events and events[0][0] < end:
            ts, _, what = events.pop(0)
            if isinstance(what, Positions):
                live, known = {}, ts
                for is_long, level, quantity, lever in zip(
                    what.is_long, what.level, what.quantity, what.leverage, strict=True
                ):
                    at = math.floor(level)
                    if at < 100 if is_long else at > 100:
                        live[bool(is_long), float(lever), at] = (
                            live.get((bool(is_long), float(lever), at), 0) + quantity
                        )
            elif known is not None and what[0] >= known:
                low, high = math.floor(what[1]), math.floor(what[2])
                live = {k: v for k, v in live.items() if (k[2] < low if k[0] else k[2] > high)}
        out.append(dict(live))
    return out


positions_ = st.tuples(
    st.sampled_from([0.0, 0.5, 3.0, 4.5, 7.0, 11.0, 12.5, 23.0]),
    st.booleans(),
    st.integers(700, 1300).map(lambda x: x / 10),
    st.integers(1, 9).map(float),
    st.sampled_from([3.0, 10.0, 25.0]),
)
moves = st.tuples(st.integers(0, 24), st.integers(80, 100), st.integers(100, 120)).map(
    lambda x: (x[0], float(x[1]), float(x[2]))
)


@given(st.lists(positions_, min_size=1, max_size=25), st.lists(moves, max_size=12, unique_by=lambda x: x[0]))
def test_the_map_is_that_of_the_reference(rows: list[Any], moved: list[Any]) -> None:
    rows, moved = sorted(rows), sorted(moved)
    found = made([(rows[0][0], True, 75.0, 1.0, 3.0), (rows[0][0], False, 125.0, 1.0, 10.0), *rows])
    hm = run(found, candles(moved) if moved else None)
    first = int(hm.times[0] - START) // (5 * MINUTE)
    expected = reference(found, moved, first + len(hm.times))[first:]
    tiers = hm.map().tiers.tolist()
    for i, wanted in enumerate(expected):
        got = {}
        for is_long, side in ((True, "long"), (False, "short")):
            at, levels = hm._shown.histories.history.levels(i, side)  # type: ignore[attr-defined]
            for tier, bin_ in np.argwhere(levels > 0):
                got[is_long, tiers[tier], int(at + bin_)] = float(levels[tier, bin_])
        assert got == wanted, i


def test_sums_are_spread_over_their_bins_and_keep_their_quantity() -> None:
    found = made([(0, True, 81.0, 7.0, 10.0), (0, False, 121.0, 9.0, 10.0)], width=0.02, account=np.array([-1, -1]))
    hm = run(found)
    now = hm.select(unit="quantity").map()
    assert {float(p): float(v) for p, v in zip(now.prices, now.long.sum(0), strict=True) if v} == {80.0: 4.0, 81.0: 3.0}
    assert float(now.short.sum()) == 9.0
    assert "spread evenly" in " ".join(hm.meta["notes"])
    assert hm.meta["meaning"] == "positions of a sample of accounts"


def test_nothing_later_is_seen() -> None:
    rows = [(0, True, 80.0, 2.0, 10.0), (12, True, 85.0, 4.0, 10.0), (22, True, 70.0, 4.0, 10.0)]
    moved = [(6, 88.0, 101.0), (13, 82.0, 99.0), (23, 60.0, 99.0)]
    whole = run(made(rows), candles(moved))
    cut = run(made(rows[:2]), candles(moved[:2]))
    n = len(cut.times)
    same = whole.prices.searchsorted(cut.prices)
    np.testing.assert_array_equal(whole.long[: n - 1][:, same], cut.long[: n - 1])


def test_coverage_of_open_interest_is_said_where_it_is_known() -> None:
    class Samples:
        ts = np.array([START - MINUTE, START + HOUR])
        quantity = np.array([40.0, 1.0])

    found = made([(0, True, 80.0, 2.0, 10.0), (0, False, 130.0, 10.0, 25.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hm = lq.heatmap(positions=found, open_interest=Samples(), config=SETTINGS, step=1.0)
    assert hm.meta["coverage"] == {"long": 0.05, "short": 0.25}
    assert hm.meta["meaning"] == "positions of 2 accounts, 5% of open interest long and 25% short"


def test_time_frames_and_ages_are_refused_because_openings_are_not_known() -> None:
    hm = run(made([(0, True, 80.0, 2.0, 10.0), (60, True, 80.0, 2.0, 10.0)]))
    with pytest.raises(InvalidConfigError, match="sequential"):
        hm.select(opened_within="5m")
    with pytest.raises(InvalidConfigError, match="sequential"):
        hm.age()


def test_the_model_needs_positions_and_is_no_engines() -> None:
    with pytest.raises(InvalidConfigError, match="needs snapshots of positions: give positions"):
        lq.heatmap(candles=candles([(0, 90, 100)]), model="positions")
    with pytest.raises(InvalidConfigError, match="model"):
        lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), model="positions")


def test_trades_consume_levels_too() -> None:
    found = made([(0, True, 90.0, 5.0, 10.0), (0, True, 80.0, 5.0, 10.0)])
    ts = START + np.array([6, 7, 8]) * MINUTE
    trades = (ts, np.array([100.0, 89.0, 95.0]), np.ones(3), np.array([True, True, False]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hm = lq.heatmap(trades=trades, positions=found, config=SETTINGS, step=1.0, window="5m")
    assert float(hm.long[-1].sum()) == 5 * 80.5
    assert hm.meta["model"] == "positions"


# ----------------------------------------------------------------------------------------------------------- the prior


def test_a_model_begins_with_a_snapshot_and_goes_on() -> None:
    found = made([(0, True, 80.0, 4.0, 10.0), (0, False, 130.0, 6.0, 30.0), (0, True, 120.0, 5.0, 10.0)])
    ts = START + np.array([6, 7, 16, 17]) * MINUTE
    trades = (ts, np.array([100.0, 101.0, 90.0, 79.0]), np.full(4, 2.0), np.array([True, False, True, True]))
    options: dict[str, Any] = {
        "config": SETTINGS, "step": 1.0, "window": "5m", "model": "flow", "leverage": {10: 0.5, 25: 0.5},
        "outlier": 0,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = lq.heatmap(trades=trades, half_life=None, **options)
        begun = lq.heatmap(trades=trades, half_life=None, positions=found, **options)
        decayed = lq.heatmap(trades=trades, half_life="5m", positions=found, **options)
        nothing = lq.heatmap(trades=trades, half_life="5m", **options)
    same = begun.prices.searchsorted(alone.prices)
    more = begun.values.copy()
    more[:, same] -= alone.values
    # 4 longs at 80 until the fall to 79, 6 shorts at 130; the "long" at 120 lies above the price.
    np.testing.assert_allclose(more.sum(axis=1), [4 * 80.5 + 6 * 130.5, 4 * 80.5 + 6 * 130.5, 6 * 130.5])
    gone = begun.liquidated.sum() - alone.liquidated.sum()
    assert gone == pytest.approx(4 * 80.5)
    left = [float(decayed.short[i].sum() - nothing.short[i].sum()) for i in range(3)]
    assert left == pytest.approx([6 * 130.5 / 2, 6 * 130.5 / 4, 6 * 130.5 / 4])  # the last window has not ended
    assert "begins with positions of 3 accounts" in begun.meta["notes"][-1]


def test_a_prior_decays_also_where_the_model_has_opened_nothing() -> None:
    found = made([(0, False, 130.0, 4000.0, 10.0)])
    ts = START + np.array([6, 27]) * MINUTE
    trades = (ts, np.array([100.0, 101.0]), np.ones(2), np.array([False, False]))  # longs alone
    hm = lq.heatmap(
        trades=trades, positions=found, config=SETTINGS, step=1.0, window="5m", model="flow", half_life="5m",
        leverage={10: 1.0},
    )  # fmt: skip
    assert [float(column.sum()) / 130.5 for column in hm.short] == [2000, 1000, 500, 250, 250]


def test_a_prior_from_later_is_refused() -> None:
    trades = (np.array([START]), np.array([100.0]), np.ones(1), np.array([True]))
    with pytest.raises(DataError, match="expected a snapshot of positions before the first window"):
        lq.heatmap(trades=trades, positions=made([(6, True, 80.0, 4.0, 10.0)]), model="flow", config=SETTINGS)


# --------------------------------------------------------------------------------------------------------- the surface


def test_the_command_line_draws_maps_and_lists_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = HEAD + row() + row(side="short", size=3, level=130, account="b")
    path = str(written(tmp_path, text))
    assert main(["heatmap", "--positions", path, "-o", str(tmp_path / "x.svg"), "-o", str(tmp_path / "x.parquet")]) == 0
    assert "real positions at snapshots" in (tmp_path / "x.svg").read_text()
    assert "estimate" not in (tmp_path / "x.svg").read_text()
    capsys.readouterr()
    assert main(["map", str(tmp_path / "x.parquet"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["model"], said["meaning"]) == ("positions", "positions of 2 accounts")
    assert main(["map", "--positions", path]) == 0
    assert "The levels are a record: positions of 2 accounts" in capsys.readouterr().out
    assert main(["zones", "--positions", path]) == 0
    assert main(["heatmap", "--model", "positions", "-o", str(tmp_path / "y.png")]) == 2


# ------------------------------------------------------------------------------------------------------- recorded data


@pytest.mark.recorded
@pytest.mark.parametrize(("coin", "rows"), [("BTC", 1240), ("ETH", 699), ("SOL", 227)])
def test_recorded_levels_are_read_whole_and_shown(coin: str, rows: int) -> None:
    path = data_dir() / "positions" / "hyperliquid-levels-top200-2026-01-26-to-02-10.csv.gz"
    found = read_positions(path, symbol=coin)
    (file,) = found.report.files
    assert file.rejected == {"other_symbol": 2166 - rows}
    assert file.rows_used == rows
    assert found.width == 0.012  # of the price: fifty bins up to 30 % away
    last = found.snapshot(int(found.times[-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        now = lq.heatmap(positions=found).map()
    own = last.quantity * last.level  # at its level's price
    assert now.long.sum() == pytest.approx(own[last.is_long].sum(), rel=0.002)
    assert now.short.sum() == pytest.approx(own[~last.is_long].sum(), rel=0.02)  # a bin holds the price


@pytest.mark.recorded
def test_a_recorded_answer_of_an_account_is_read(tmp_path: Path) -> None:
    samples = json.loads((data_dir() / "websocket" / "samples" / "hyperliquid.json").read_text())
    path = written(tmp_path, json.dumps(samples["clearinghouse_state"]["sample"]), "state.json")
    found = read_positions(path)
    assert (found.symbol, found.quantity[0], found.leverage[0], found.isolated[0]) == ("BTC", 4.5, 10, 0)
    assert found.level[0] == 74501.802790436
