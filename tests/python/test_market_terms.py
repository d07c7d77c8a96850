"""Venue, symbol and leverage of a run, and what is said where they, or other arguments, cannot be what was meant."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.cli import main

START = int(np.datetime64("2026-03-01", "ns").astype(np.int64))


def trades(at: int = START, price: float = 4000.0) -> tuple[Any, ...]:
    count = np.arange(200)
    return at + count * 10**9, price + count % 5, 1.5 + count % 3, count % 2 == 0


def bitmex(path: Path, day: str) -> Path:
    head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
    rows = [
        f"{day}D00:00:{i:02d}.0,XBTUSD,Buy,{100 + i},{4000 + i},PlusTick,{i:08x}-0,1,{(100 + i) / (4000 + i)},{100 + i}"
        for i in range(60)
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


# --- venue and symbol ---


@pytest.mark.parametrize(
    ("venue", "symbol", "name"),
    [
        ("binance", "BTCUSDT", "binance-usdm:BTCUSDT"),
        ("Binance", "BTCUSD_PERP", "binance-coinm:BTCUSD_PERP"),
        ("Hyperliquid", "btc", "hyperliquid:BTC"),
        ("OKX", "BTC/USDT:SWAP", "okx:BTC-USDT-SWAP"),
        ("bybit", "BTCUSDT", "bybit-linear:BTCUSDT"),
        ("binance futures", "BTC-USDT", "binance-usdm:BTCUSDT"),
    ],
)
@pytest.mark.filterwarnings("ignore:the data has")
def test_the_nearest_venue_and_symbol_are_taken(venue: str, symbol: str, name: str) -> None:
    hm = lq.heatmap(trades=trades(), venue=venue, symbol=symbol)
    assert hm.meta["catalogue"]["name"] == name
    assert f"{hm.meta['venue']}:{hm.meta['symbol']}" == name


@pytest.mark.parametrize(
    ("venue", "symbol", "message"),
    [
        ("hyperliquit", "BTC", 'venue must be one of .*, was "hyperliquit"; did you mean "hyperliquid"'),
        ("nyse", "BTC", 'venue must be one of binance-coinm, .* was "nyse"$'),
        (
            "binance",
            "BTCUSDX",
            'symbol must be one of .* on binance-coinm or binance-usdm, was "BTCUSDX"; did you mean "BTC',
        ),
        ("okx", None, "symbol must be given with the venue okx"),
    ],
)
def test_an_unknown_venue_or_symbol_is_an_error_with_the_list(venue: str, symbol: str | None, message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.heatmap(trades=trades(), venue=venue, symbol=symbol)
    own = lq.Config().replace(instrument={"mmr": 0.005})
    assert lq.heatmap(trades=trades(), venue=venue, symbol=symbol, config=own).meta["venue"] == venue


def test_terms_of_another_time_are_said_and_the_nearest_used(tmp_path: Path) -> None:
    path = bitmex(tmp_path / "20220501.csv", "2022-05-01")
    for given in ({}, {"venue": "bitmex"}):
        with pytest.warns(
            UserWarning, match="margin terms of bitmex:XBTUSD at 2022-05-01 .* those of 2021-07-22 to"
        ) as seen:
            hm = lq.heatmap(path, **given)
        assert len(seen) == 1
        assert (hm.meta["instrument"]["mmr"], hm.meta["instrument"]["basis"]) == (0.0035, "entry")
        assert hm.meta["contract"]["text"] == "inverse contracts of 1 USD"
    with pytest.warns(UserWarning, match="the nearest are used"):
        assert "margin" in lq.Instrument.infer(path).assumed


def test_unknown_terms_of_a_known_contract_are_said() -> None:
    with pytest.warns(
        UserWarning, match="terms of deribit:ETH-PERPETUAL are not in the catalogue: .* 0.004 is assumed"
    ):
        hm = lq.heatmap(trades=trades(), venue="deribit", symbol="ETH-PERPETUAL")
    assert "margin" in hm.meta["assumed"]
    assert hm.meta["instrument"]["contract"] == "inverse"


def test_terms_of_ones_own_are_not_called_unknown() -> None:
    for own in ({"fee": 0.001}, {"max_leverage": 20.0}, {"basis": "entry"}):
        config = lq.Config().replace(instrument=own)
        with pytest.warns(
            UserWarning, match=f"{next(iter(own))} given: the other margin terms are those of the settings"
        ):
            lq.heatmap(trades=trades(), venue="binance-usdm", symbol="BTCUSDT", config=config, leverage={5: 1.0})


def test_a_written_configuration_leaves_terms_to_the_catalogue(tmp_path: Path) -> None:
    lq.Config().dump(tmp_path / "liqcore.toml")
    config = lq.Config.load(tmp_path / "liqcore.toml")
    hm = lq.heatmap(trades=trades(), venue="hyperliquid", symbol="ETH", config=config)
    assert hm.meta["catalogue"]["name"] == "hyperliquid:ETH"
    assert hm.leverage.tiers.tolist() == [5, 10, 25]
    given = lq.Config().replace(instrument={"mmr": 0.004, "contract": "linear"})
    assert re.search("^mmr = 0.004$", given.dump(), re.MULTILINE)
    assert lq.Config.loads(given.dump(), "f").origin("instrument.contract").startswith("f:")


# --- leverage ---


@pytest.mark.filterwarnings("ignore:the data has")
@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("hyperliquid:BTC", {5: 0.3, 10: 0.3, 25: 0.2, 40: 0.2}),
        ("hyperliquid:ETH", {5: 0.3, 10: 0.3, 25: 0.4}),
        ("dydx:SOL-USD", {5: 0.3, 10: 0.3, 20: 0.4}),
        ("bitmex:XBTUSD", {5: 0.3, 10: 0.3, 25: 0.2, 50: 0.12, 100: 0.08}),
        ("binance-usdm:BTCUSDT", {5: 0.3, 10: 0.3, 25: 0.2, 50: 0.12, 100: 0.08}),
    ],
)
def test_auto_leverage_goes_as_far_as_the_market(name: str, shares: dict[float, float]) -> None:
    venue, symbol = name.split(":")
    for given in ({}, {"leverage": "auto"}):
        hm = lq.heatmap(trades=trades(), venue=venue, symbol=symbol, **given)
        assert hm.leverage.to_dict() == pytest.approx(shares)
        assert hm.meta["dropped_leverage"] == []
    inst = lq.Instrument(
        symbol=symbol,
        venue=venue,
        tick_size=0.1,
        lot_size=0.1,
        margin=lq.venues()[venue].instruments[symbol].schedule().margin,
    )
    assert lq.Engine(inst).leverage.to_dict() == lq.Engine(inst, leverage="auto").leverage.to_dict()
    assert lq.Engine(inst).leverage.to_dict() == pytest.approx(shares)
    other = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.1, margin=inst.margin)
    assert lq.Engine(other).leverage.tiers.tolist() == [tier for tier in (5, 10, 25, 50, 100) if tier <= max(shares)]


def test_half_lives_are_one_for_all_or_by_tier(tmp_path: Path, capsys: Any) -> None:
    for by, length in ((None, "none"), ("7d", "7d")):
        assert lq.Config.resolve(flags={"model.half_life": length}).model.half_life == length
        one, other = (lq.heatmap(trades=trades(), half_life=h) for h in (by, length))
        assert one.meta["half_life"] == other.meta["half_life"]
    path = bitmex(tmp_path / "a.csv", "2019-03-01")
    assert main(["heatmap", str(path), "-o", str(tmp_path / "x.parquet"), "-q", "--half-life", "25:7d"]) == 0
    said = "half-lives are given for some tiers only: 5x, 10x, 50x, 100x never decay"
    assert said in capsys.readouterr().err
    written = "5:none,10:none,25:7d,50:none,100:none"  # that a tier never decays may be said
    assert main(["heatmap", str(path), "-o", str(tmp_path / "y.parquet"), "-q", "--half-life", written]) == 0
    assert "never decay" not in capsys.readouterr().err
    first, second = (lq.load_heatmap(tmp_path / f"{name}.parquet") for name in "xy")
    assert np.array_equal(first.values, second.values)
    inst = lq.Instrument(tick_size=0.1, lot_size=0.001)
    engine = lq.Engine(inst, leverage={5: 0.5, 10: 0.5}, half_life={5: None, 10: "1d"})
    assert list(engine.half_life_ns) == [np.inf, 86_400e9]


def test_a_symbol_that_was_given_is_looked_up_whatever_the_files_say(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "hyperliquid-ETH-20260613.csv"
    path.write_text("ts_ms,price,qty,side\n" + "".join(f"{1_781_222_400_000 + n},100.5,1,buy\n" for n in range(20)))
    given = ["--venue", "hyperliquid", "--symbol", "FOO"]
    assert main(["heatmap", str(path), "-o", str(tmp_path / "x.parquet"), *given]) == 2
    assert 'symbol must be one of BTC, ETH, SOL, XRP on hyperliquid, was "FOO"' in capsys.readouterr().err
    assert lq.heatmap(path, venue="hyperliquid").meta["instrument"]["symbol"] == "ETH"


# --- arguments of another type ---


def test_what_is_of_another_type_is_refused_by_name() -> None:
    inst = lq.Instrument(tick_size=0.1, lot_size=0.001)
    for call, message in (
        (lambda: lq.Engine(inst, leverage=[5, 10]), "leverage must be a LeverageProfile, shares"),
        (lambda: lq.heatmap(trades=trades(), leverage=[5, 10]), "leverage must be a LeverageProfile, shares"),
        (lambda: lq.heatmap(trades=trades(), axis=(1, 2)), "axis must be of type PriceAxis"),
        (lambda: lq.Engine(inst, axis=(1, 2)), "axis must be of type PriceAxis"),
        (
            lambda: lq.heatmap(trades=trades(), instrument="okx:X"),
            r"instrument must be of type Instrument.*lq\.instrument",
        ),
        (lambda: lq.Engine("okx:X"), "instrument must be of type Instrument"),
        (lambda: lq.heatmap({"price": []}), "paths must be a path.*trades in memory go to trades="),
        (lambda: lq.footprints(trades()), "paths must be a path.*trades in memory go to trades="),
    ):
        with pytest.raises(TypeError, match=message):
            call()
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="was DataFrame: trades in memory go to trades="):
        lq.heatmap(pandas.DataFrame({"price": [1.0]}))
    hm = lq.heatmap(trades=trades())
    with pytest.raises(lq.InvalidConfigError, match=r"threshold must be a share .* was 'p80': select\(threshold=\)"):
        hm.render("x.png", threshold="p80")


def test_that_no_trade_could_be_used_is_said_with_the_counts(tmp_path: Path) -> None:
    ts, price, qty, sold = trades()
    why = r"found none that could be used: 200 not_positive \(prices and quantities must be above 0\)"
    for call in (lambda t: lq.heatmap(trades=t), lambda t: lq.features(t, "1m"), lambda t: lq.footprints(trades=t)):
        with pytest.raises(lq.DataError, match=why):
            call((ts, price, -qty, sold))
    path = tmp_path / "a.csv"
    path.write_text("time,price,qty,side\n" + "".join(f"{1780000000000 + i},100,-1,buy\n" for i in range(20)))
    for read in (lq.heatmap, lq.Instrument.infer):
        with pytest.raises(lq.DataError, match=r"found 20 of 20 \(20 not_positive\); .*must be above 0"):
            read(path)


# --- the command line ---


def run(capsys: Any, *args: str) -> tuple[int, str]:
    code = main(list(args))
    return code, capsys.readouterr().err


def test_messages_name_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    lq.heatmap(trades=trades()).save("a.parquet")
    bitmex(Path("b.csv"), "2019-03-01")
    for args, message in (
        (["zones", "a.parquet", "--reach", "-1"], r"reach_percent must be above 0, was -1.0 \(--reach\)"),
        (["zones", "a.parquet", "--at", "soon"], r"--at must be ISO text such as \"2026-06-12T10:00\", was 'soon'"),
        (["zones", "a.parquet", "--swept", "900d"], r"ts must not be before .* was 900d \(--swept\)"),
        (["heatmap", "b.csv", "-o", "x.png", "--bin", "0.37"], r"step must be a multiple of tick_size .* \(--bin\)"),
        (
            ["features", "b.csv", "--bars", "1m", "-o", "x.csv", "-o", "y.csv"],
            "-o must be given once, was 2 times",
        ),
        (["merge", "a.parquet", "-o", "x.png"], "FILES must be at least two saved heatmaps, was a.parquet alone"),
    ):
        code, err = run(capsys, *args)
        assert code == 2
        assert re.match(f"error: {message}\n$", err), err


def test_a_wrong_cpu_target_is_one_line_on_the_command_line() -> None:
    env = {**os.environ, "LIQCORE_ISA": "foo"}
    done = subprocess.run(
        [sys.executable, "-m", "liqcore", "info"], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 2
    assert re.match(r"error: environment variable LIQCORE_ISA: cpu_target must be .*, was foo\n$", done.stderr)


def test_what_the_engine_left_out_stands_in_the_summary(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{1780000000000 + i},{1e12 if i == 7 else 100 + i % 5},1.5,buy" for i in range(50)]
    path.write_text("\n".join(["time,price,qty,side", *rows]) + "\n")
    main(["heatmap", str(path), "-o", str(tmp_path / "x.parquet")])
    assert re.search(r"of these, the engine +50 +49 +1 +1 too large", capsys.readouterr().out)
