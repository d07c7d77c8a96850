"""The screener: the largest zone near the price of each of many markets, as a table, JSON and small pictures."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.runs.screen import groups_of

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from liqcore.cli.app import app


def run(*args: str) -> Any:
    return CliRunner().invoke(app, list(args), prog_name="liqcore")


@pytest.fixture(scope="module")
def markets() -> dict[str, lq.Heatmap]:
    sims = {f"S{n}": lq.simulate(seed=n, days=0.1, trades_per_day=40_000).trades for n in range(3)}
    return {name: lq.heatmap(trades=trades, symbol=name) for name, trades in sims.items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, markets: dict[str, lq.Heatmap]) -> None:
    monkeypatch.chdir(tmp_path)
    for name, hm in markets.items():
        hm.save(f"{name}.parquet")


def test_a_market_is_as_its_heatmap_says(markets: dict[str, lq.Heatmap]) -> None:
    found = lq.screen(markets, within=8)
    assert sorted(one.symbol for one in found) == ["S0", "S1", "S2"]
    for one in found:
        hm = markets[one.name]
        near = hm.map().within(8)
        zone = max(hm.zones(within=8), key=lambda zone: zone.value)
        assert (one.side, one.low, one.high, one.value) == (zone.side, zone.low, zone.high, zone.value)
        assert one.age_ns == hm.map().time_ns - zone.since_ns
        assert (one.long, one.short) == (near.long, near.short)
        assert one.imbalance == (near.short - near.long) / (near.short + near.long)
        assert (one.price, one.unit, one.meaning) == (hm.map().price, "usd", hm.meta["meaning"])


def test_the_order_is_the_one_asked_for(markets: dict[str, lq.Heatmap]) -> None:
    found = lq.screen(markets, within=10)
    keys: dict[str, list[Any]] = {
        "value": [-one.value for one in found.sorted_by("value")],
        "distance": [abs(one.distance_percent) for one in found.sorted_by("distance")],
        "age": [-one.age_ns for one in found.sorted_by("age")],
        "imbalance": [-abs(one.imbalance) for one in found.sorted_by("imbalance")],
        "symbol": [one.symbol for one in found.sorted_by("symbol")],
    }
    for order, values in keys.items():
        assert values == sorted(values), order
    assert [one.name for one in found] == [one.name for one in found.sorted_by("value")]
    with pytest.raises(lq.InvalidConfigError, match="order must be one of"):
        lq.screen(markets, order="size")


def test_a_market_without_a_zone_so_near_is_kept_last(markets: dict[str, lq.Heatmap]) -> None:
    eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={2: 1.0}, half_life=None)
    eng.trade(0, 1_000.0, 5.0, False)
    found = lq.screen({"far": eng.heatmap(), **markets}, within=8)
    assert found[-1].name == "far"
    assert found[-1].side == ""
    assert math.isnan(found[-1].value)
    assert math.isnan(found[-1].imbalance)
    assert json.loads(found.to_json())["markets"][-1]["value"] is None


def test_settings_and_times_reach_every_market(markets: dict[str, lq.Heatmap]) -> None:
    settings = lq.Config().replace(render={"side": "long"})
    found = lq.screen(markets, config=settings, within=10, at="2026-01-05T01:00")
    assert {one.side for one in found} == {"long"}
    assert {one.short for one in found} == {0.0}
    assert {one.time_ns for one in found} == {markets["S0"].map("2026-01-05T01:00").time_ns}


@pytest.mark.usefixtures("folder")
def test_one_fault_does_not_stop_the_others() -> None:
    Path("bad.parquet").write_bytes(b"nothing")
    seen: list[tuple[int, int, str]] = []
    found = lq.screen(["S*.parquet", "bad.parquet"], progress=lambda *said: seen.append(said))
    assert len(found) == 3
    assert list(found.errors) == ["bad.parquet"]
    assert seen == [(0, 4, "S0"), (1, 4, "S1"), (2, 4, "S2"), (3, 4, "bad.parquet"), (4, 4, "")]
    assert repr(found) == "<Screen: 3 markets within 5 %, 1 could not be used>"
    with pytest.raises(lq.DataError, match="no file matches 'none"):
        lq.screen("none*.parquet")
    with pytest.raises(lq.InvalidConfigError, match="within must be above 0 and below 100 percent, was 100"):
        lq.screen("S*.parquet", within=100)
    with pytest.raises(lq.InvalidConfigError, match="markets must name at least one, were none"):
        lq.screen([])


def test_trade_files_are_put_together_by_symbol(tmp_path: Path) -> None:
    def write(name: str, start: int) -> Path:
        rows = "".join(f"{i},{1000 + i % 3},0.5,1,1,{start + 1000 * i},{i % 2 == 0}\n" for i in range(300))
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n{rows}"
        )
        return path

    day = 1_781_222_400_000
    for symbol in ("BTCUSDT", "ETHUSDT"):
        for n in (1, 2):
            write(f"{symbol}-aggTrades-2026-06-{11 + n}.csv", day + n * 300_000)
    write("mine/a.csv", day)
    groups = groups_of([str(tmp_path / "*.csv"), str(tmp_path / "mine")])
    assert {name: len(files) for name, files in groups.items()} == {"BTCUSDT": 2, "ETHUSDT": 2, "mine": 1}
    found = lq.screen([str(tmp_path / "*.csv"), str(tmp_path / "mine")], within=20)
    assert not found.errors
    assert {one.name for one in found} == {"BTCUSDT", "ETHUSDT", "mine"}


@pytest.mark.usefixtures("folder")
def test_the_table_the_json_and_the_picture() -> None:
    image = pytest.importorskip("PIL.Image")
    outcome = run("screen", "S*.parquet", "--within", "8", "-o", "s.csv", "-o", "s.json", "-o", "s.png", "--top", "2")
    assert outcome.exit_code == 0, outcome.output
    with open("s.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == [one.name for one in lq.screen("S*.parquet", within=8)[:2]]
    said = json.loads(Path("s.json").read_text())
    assert [market["symbol"] for market in said["markets"]] == [row["symbol"] for row in rows]
    with image.open("s.png") as picture:
        width, height = picture.size
        assert (width, height) == (480, 270 + 6 + 270)  # of two, one below the other
        halves = [np.asarray(picture.crop((0, top, 480, top + 270))) for top in (0, 276)]
    assert all(len(np.unique(half)) > 10 for half in halves)
    assert rows[0]["symbol"] in outcome.stdout
    assert "The largest zone within 8 % of each price" in outcome.stdout


def test_pictures_stand_in_the_order_of_the_markets(markets: dict[str, lq.Heatmap]) -> None:
    image = pytest.importorskip("PIL.Image")
    found = lq.screen(markets, pictures=True)
    with image.open(io.BytesIO(found.render())) as sheet:
        assert sheet.size == (2 * 480 + 6, 2 * 270 + 6)
        for i, one in enumerate(found):
            with image.open(io.BytesIO(one.picture)) as tile:
                box = (i % 2 * 486, i // 2 * 276, i % 2 * 486 + 480, i // 2 * 276 + 270)
                assert np.array_equal(np.asarray(sheet.crop(box)), np.asarray(tile.convert("RGB")))
    with pytest.raises(lq.InvalidConfigError, match="screen must be made with pictures=True to be drawn, was not"):
        lq.screen(markets).render()
    with pytest.raises(lq.InvalidConfigError, match=r'path must end in \.png, was "x\.gif"'):
        found.render("x.gif")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["S*.parquet", "bad.parquet"], 3, "error: bad.parquet: expected a Parquet file"),
        (["bad.parquet"], 2, "error: FILES must hold a market that can be used, held none"),
        (["none.parquet"], 2, "error: none.parquet: no such file"),
        (["S0.parquet", "-o", "x.parquet"], 2, "error: -o must end in .csv (table), .json (json) or .png (picture)"),
        (["S0.parquet", "--sort", "size"], 2, "error: order must be one of"),
        (["S0.parquet", "--within", "0"], 2, "error: within must be above 0 and below 100 percent, was 0"),
        (["S0.parquet", "--leverage", "3"], 2, "error: FILES must hold a market that can be used, held none"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_exit_codes(args: list[str], code: int, message: str) -> None:
    Path("bad.parquet").write_bytes(b"nothing")
    outcome = run("screen", *args)
    assert outcome.exit_code == code, outcome.output
    assert any(line.startswith(message) for line in outcome.stderr.splitlines()), outcome.stderr
    assert (outcome.stdout != "") == (code == 3)


@pytest.mark.usefixtures("folder")
def test_json_on_the_command_line() -> None:
    said = json.loads(run("screen", "S*.parquet", "--json", "--side", "short", "--sort", "symbol").stdout)
    assert [market["symbol"] for market in said["markets"]] == ["S0", "S1", "S2"]
    assert {market["long"] for market in said["markets"]} == {0}
    assert said["errors"] == {}
