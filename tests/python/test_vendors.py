"""Answers of commercial maps: what is written is read back the same, and captured ones are what they say."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.cli import main
from recorded import expected_dir

COINGLASS = sorted((expected_dir() / "coinglass").glob("heatmap-*.json.gz"))
V3 = {"y": [100.0, 110.0, 120.0, 130.0], "updateTime": 1_750_033_200_000}


def v3(liq: list[list[float]], closes: list[float]) -> dict[str, Any]:
    bars = [[1_750_032_000 + 300 * i, f"{c}", f"{c + 1}", f"{c - 1}", f"{c}", "1"] for i, c in enumerate(closes)]
    return {"code": "0", "data": {**V3, "liq": liq, "prices": bars}}


def read(tmp_path: Path, answer: Any, **options: Any) -> lq.Heatmap:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer))
    return lq.read_response(path, **options)


@pytest.fixture(scope="module")
def hm() -> lq.Heatmap:
    made = lq.heatmap(trades=lq.simulate(seed=2, days=0.4, trades_per_day=30_000).trades, window="30m", step=200)
    made.meta |= {"symbol": "SIMULATED", "synthetic": True}
    return made


def same(ours: lq.Heatmap, read_back: lq.Heatmap) -> None:
    rows = np.searchsorted(ours.prices, read_back.prices + ours.step / 2) - 1
    columns = np.searchsorted(ours.times, read_back.times)
    assert read_back.step == ours.step
    np.testing.assert_allclose(read_back.prices, ours.prices[rows])
    for side in ("long", "short"):
        want = getattr(ours, side)
        np.testing.assert_allclose(getattr(read_back, side), want[np.ix_(columns, rows)], rtol=1e-6)
        left = np.ones(want.shape, np.bool_)
        left[np.ix_(columns, rows)] = False
        assert not want[left].any()


@pytest.mark.parametrize("shape", ["coinglass-v4", "coinglass-v3", "hyblock"])
def test_a_heatmap_that_is_written_is_read_back(tmp_path: Path, hm: lq.Heatmap, shape: str) -> None:
    lq.export(hm, tmp_path / "x.json", shape=shape)
    found = lq.read_response(tmp_path / "x.json")
    same(hm, found)
    assert found.meta["synthetic"]
    assert found.meta["symbol"] == "SIMULATED"
    assert found.meta["meaning"] == hm.meta["meaning"]
    if shape != "hyblock":
        np.testing.assert_allclose(found.candles["close"], hm.candles["close"])
        assert found.complete.tolist() == hm.complete.tolist()


@pytest.mark.parametrize("shape", ["coinglass-v4", "hyblock"])
def test_a_map_that_is_written_is_read_back(tmp_path: Path, hm: lq.Heatmap, shape: str) -> None:
    ts = int(hm.times[-3])
    lq.export(hm, tmp_path / "x.json", shape=shape, what="map", ts=ts)
    found, want = lq.read_response(tmp_path / "x.json").map(), hm.map(ts)
    assert found.price == want.price
    rows = np.searchsorted(want.prices, found.prices + want.step / 2) - 1
    for mine, theirs in zip(found.layers, want.layers, strict=True):
        assert mine.name == theirs.name
        np.testing.assert_allclose(mine.long, theirs.long[rows], rtol=1e-9)
        np.testing.assert_allclose(mine.short, theirs.short[rows], rtol=1e-9)


def test_zones_are_max_pain_and_ranges(hm: lq.Heatmap) -> None:
    (pain,) = lq.export(hm, what="zones")["data"]
    longs, shorts = (hm.map().largest(side) for side in ("long", "short"))
    assert (pain["long_max_pain_liq_level"], pain["long_max_pain_liq_price"]) == (longs.value, longs.price)
    assert (pain["short_max_pain_liq_level"], pain["short_max_pain_liq_price"]) == (shorts.value, shorts.price)
    ranges = lq.export(hm, shape="hyblock", what="zones", threshold="p80")["data"]
    zones = hm.zones(threshold="p80")
    assert [(row["startingPrice"], row["endingPrice"], row["side"], row["size"]) for row in ranges] == [
        (zone.low, zone.high, zone.side, zone.value) for zone in zones
    ]


def test_hyblocks_levels_say_since_when(hm: lq.Heatmap) -> None:
    rows = lq.export(hm, shape="hyblock", what="map")["data"]
    end = int(hm.times[-1]) + hm.window_ns
    assert {row["timestamp"] for row in rows} == {end // 10**6}
    for row in rows:
        assert row["openDuration"] == row["timestamp"] - row["creationDate"] > 0
    first = min(row["creationDate"] for row in rows)
    assert first >= hm.times[0] // 10**6


def test_sides_of_v3_are_told_by_the_price(tmp_path: Path) -> None:
    # y is the upper edge of a row. At a close of 115, y 110 is at or below it: longs; y 120 is above: shorts.
    found = read(tmp_path, v3([[0, 1, 5], [0, 2, 7], [1, 0, 2], [1, 3, 4]], [115.0, 125.0]))
    assert found.prices.tolist() == [90, 100, 110, 120]
    assert found.long.tolist() == [[0, 5, 0, 0], [2, 0, 0, 0]]
    assert found.short.tolist() == [[0, 0, 7, 0], [0, 0, 0, 4]]
    assert found.candles["close"].tolist() == [115, 125]
    assert found.meta["vendor"] == "CoinGlass"
    assert "CoinGlass's own scale" in found.meta["meaning"]
    assert found.unit == "usd"


def test_a_last_column_that_is_not_over_is_marked(tmp_path: Path) -> None:
    answer = v3([[0, 1, 5], [1, 1, 5]], [115.0, 115.0])
    answer["data"]["updateTime"] = (1_750_032_000 + 300 + 60) * 1000
    assert read(tmp_path, answer).complete.tolist() == [True, False]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 10**9)), min_size=1, max_size=40))
def test_any_cells_are_held(tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, int, int]]) -> None:
    if not any(usd for _, _, usd in cells):
        return
    closes = [95.0, 105.0, 115.0, 125.0, 135.0, 115.0]
    found = read(tmp_path_factory.mktemp("v3"), v3([list(cell) for cell in cells], closes))
    want = np.zeros((6, 4))
    for column, row, usd in cells:
        want[column, row] += usd
    np.testing.assert_allclose(found.values, want, rtol=1e-6)
    assert not found.long[:, 3][np.array(closes) < 130].any()


@pytest.mark.skipif(not COINGLASS, reason="captured answers are not there (shared/data/coinglass)")
@pytest.mark.parametrize("path", COINGLASS, ids=lambda path: path.name)
def test_captured_answers_are_read_to_the_dollar(path: Path) -> None:
    data = json.loads(gzip.decompress(path.read_bytes()))["data"]
    found = lq.read_response(path, symbol="BTCUSDT")
    want = np.zeros((len(data["prices"]), len(data["y"])))
    for column, row, usd in data["liq"]:
        want[column, row] += usd
    np.testing.assert_allclose(found.values, want, rtol=1e-7)
    close = np.array([float(bar[4]) for bar in data["prices"]])
    np.testing.assert_allclose(found.candles["close"], close, rtol=1e-12)
    uppers = np.array(data["y"])[None, :]
    assert not found.long[np.broadcast_to(uppers > close[:, None], found.long.shape)].any()
    assert len(found.render()) > 10_000
    other = lq.read_response(COINGLASS[-1])
    if other.times[10] < found.times[-1] and found.times[10] < other.times[-1]:
        assert lq.compare(found, other).cells.column_mid > 0.8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": []}, "y: expected a list that is not empty"),
        ({"y": [100, 110, 90]}, "y: expected at least two prices that rise"),
        ({"y": [100, 110, 125, 130, 140, 150]}, r"y: expected prices 10 apart, found 110 and 125"),
        ({"liq": [[0, 9, 1]]}, r"liq\[0\]: expected a row from 0 to 3, found 9"),
        ({"liq": [[0.5, 1, 1]]}, r"liq\[0\]: expected a column from 0 to 1, found 0.5"),
        ({"liq": [[0, 1, "x"]]}, r"liq\[0\]: expected a number, at least 0, found 'x'"),
        ({"liq": [[0, 1, -1]]}, r"liq\[0\]: expected a number, at least 0, found -1"),
        ({"liq": [[0, 1]]}, r"liq\[0\]: expected a list of 3 values"),
        ({"liq": [[0, 1, 0]]}, "expected cells with amounts above 0"),
        ({"prices": [[at, "1", "1", "1", "NaN", "1"] for at in (300, 600)]}, r"prices\[0\]: expected a number"),
        ({"prices": 5}, "prices: expected a list"),
    ],
)
def test_a_damaged_answer_says_where(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    answer = v3([[0, 1, 5], [1, 1, 5]], [115.0, 115.0])
    answer["data"].update(change)
    with pytest.raises(lq.DataError, match=f"answer.json: .*{said}"):
        read(tmp_path, answer)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("{", "expected JSON, found it damaged"),
        ([], "expected a heatmap, map or levels"),
        ({"code": "400", "msg": "Upgrade plan"}, "expected an answer, found a refusal: 'Upgrade plan'"),
        (
            [{"timestamp": at, "size": 1, "startingPrice": at, "endingPrice": at + 1, "side": "up"} for at in (1, 2)],
            "side: expected long or",
        ),
        ({"data": {"data": {"100": [[100, 5, None, None]]}}}, "give ts="),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, answer: Any, said: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    with pytest.raises(lq.DataError, match=said):
        lq.read_response(path)


def test_a_truncated_archive_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(b'{"data": {}}' * 99)[:-20])
    with pytest.raises(lq.DataError) as error:
        lq.read_response(tmp_path / "x.json.gz")
    assert "expected a complete gzip" in str(error.value)
    assert str(error.value).count("expected") == 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.parquet", b"", "x.parquet: expected data, found an empty file"),
        ("x.json", b"", "x.json: expected data, found an empty file"),
        ("x.json", b"null", "x.json: expected a heatmap, map or levels of CoinGlass or Hyblock, found null"),
        ("x.json", b"[]", "x.json: expected a heatmap, map or levels of CoinGlass or Hyblock, found a list"),
        (
            "x.json",
            b'{"a": 1, "b": 2}',
            "x.json: expected a heatmap, map or levels of CoinGlass or Hyblock, found a, b",
        ),
        ("x.json", None, "x.json: no such file"),
        (".", None, "found a folder"),
    ],
)
def test_what_is_no_file_of_an_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if data is not None:
        Path(name).write_bytes(data)
    with pytest.raises(lq.DataError) as error:
        lq.read_response(name)
    assert said in str(error.value)
    assert main(["compare", name, name]) == 2
    Path("y.json").write_text("{}")
    Path("z.json").write_text("{}")
    with pytest.raises(lq.InvalidConfigError, match=r"path must name one file, was '\[yz\].json', which 2 match"):
        lq.read_response("[yz].json")


def test_a_v4_map_needs_its_time_and_price(tmp_path: Path) -> None:
    data = {f"{p}": [[p, 10.0 * p, 25, None], [p, 5.0, 50, None]] for p in (90, 100, 110, 120)}
    found = read(tmp_path, {"code": "0", "data": {"data": data}}, ts="2026-06-12", price=105.0).map()
    assert [layer.name for layer in found.layers] == ["25x", "50x"]
    assert found.long.sum() == 900 + 1000 + 10
    assert found.short.sum() == 1100 + 1200 + 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": "x"}, "shape must be one of"),
        ({"what": "x"}, "what must be one of"),
        ({"shape": "coinglass-v3", "what": "map"}, 'what must be "heatmap" in the shape coinglass-v3'),
    ],
)
def test_bad_arguments_name_the_rule(hm: lq.Heatmap, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=said):
        lq.export(hm, **arguments)
