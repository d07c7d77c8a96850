"""What a quantity is: every contract of the catalogue, in its venue's archive layout, from every way in."""

import datetime as dt
import gzip
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.cli import main
from liqcore.market.contracts import Quantities, settle_contract
from liqcore.sources.quantity import NEITHER, contract_of
from liqcore.sources.trade_files import format_names
from recorded import data_dir

# What one unit is, said once more: by hand, from the venues' contract lists. Symbols that are not here are linear, 1.
CONTRACTS = {
    "binance-coinm:BTCUSD_PERP": ("inverse", 100), "binance-coinm:ETHUSD_PERP": ("inverse", 10),
    "bitmex:XBTUSD": ("inverse", 1),
    "bybit-inverse:BTCUSD": ("inverse", 1), "bybit-inverse:ETHUSD": ("inverse", 1),
    "bybit-inverse:XRPUSD": ("inverse", 1), "bybit-inverse:EOSUSD": ("inverse", 1),
    "bybit-inverse:SOLUSD": ("inverse", 1),
    "deribit:BTC-PERPETUAL": ("inverse", 1), "deribit:ETH-PERPETUAL": ("inverse", 1),
    "gate:BTC_USDT": ("linear", 0.0001), "gate:ETH_USDT": ("linear", 0.01), "gate:BTC_USD": ("inverse", 1),
    "htx:BTC-USDT": ("linear", 0.001), "htx:ETH-USDT": ("linear", 0.01),
    "htx:BTC-USD": ("inverse", 100), "htx:ETH-USD": ("inverse", 10),
    "kraken:PI_XBTUSD": ("inverse", 1), "kraken:PI_ETHUSD": ("inverse", 1),
    "kucoin:XBTUSDTM": ("linear", 0.001), "kucoin:ETHUSDTM": ("linear", 0.01),
    "kucoin:XRPUSDTM": ("linear", 10), "kucoin:DOGEUSDTM": ("linear", 100), "kucoin:XBTUSDM": ("inverse", 1),
    "kucoin:ETHUSDM": ("inverse", 1),
    "okx:BTC-USDT-SWAP": ("linear", 0.01), "okx:ETH-USDT-SWAP": ("linear", 0.1),
    "okx:BTC-USD-SWAP": ("inverse", 100), "okx:ETH-USD-SWAP": ("inverse", 10),
}  # fmt: skip
NAMES = [listing.name for venue in lq.venues().values() for listing in venue.instruments.values()]
DATES = ["2017-03-04", "2022-02-22", "2026-06-12"]  # before, between and in the dated terms


class Opened(NamedTuple):
    """Positions as trades: rising times (ms), price, quantity as printed, whether the taker sold."""

    ms: list[int]
    price: list[float]
    qty: list[float]
    sold: list[bool]


def opened(date: str, unit: float, seed: int = 1) -> Opened:
    """Forty positions near 4,000, of whole units where one unit is a contract."""
    rng = np.random.default_rng(seed)
    start = int(np.datetime64(date, "ms").astype(np.int64)) + 3_600_000
    whole = rng.integers(1, 5000, 40)
    qty = [float(q) if unit != 1 else float(f"{q / 1000:.3f}") for q in whole.tolist()]
    return Opened(
        [start + 1000 * i for i in range(40)],
        [4000 + int(k) / 2 for k in rng.integers(-20, 20, 40)],
        qty,
        [bool(s) for s in rng.integers(0, 2, 40)],
    )


def text(value: float) -> str:
    return np.format_float_positional(value, trim="-")


def archive(folder: Path, name: str, of: Opened) -> Path:
    """Write positions as the venue's archives have them; as Tardis has them where there are none."""
    venue, symbol = name.split(":")
    kind, size = CONTRACTS.get(name, ("linear", 1))
    rows = list(zip(*of, strict=True))
    day = str(np.datetime64(of.ms[0], "ms"))[:10]
    if venue.startswith("binance"):
        path = folder / f"{symbol}-aggTrades-{day}.csv"
        head = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
        lines = [f"{i},{text(p)},{text(q)},{i},{i},{t},{str(s).lower()}" for i, (t, p, q, s) in enumerate(rows)]
    elif venue.startswith("bybit") or venue == "bitmex":
        path = folder / f"{symbol}{day}.csv.gz"
        head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
        lines = []
        for i, (t, p, q, s) in enumerate(rows):
            coin, usd = (size * q / p, size * q) if kind == "inverse" else (size * q, size * q * p)
            home, foreign = (usd, coin) if venue == "bybit-inverse" else (coin, usd)
            when = f"{np.datetime64(t, 'ms')}".replace("T", "D") + "000" if venue == "bitmex" else f"{t / 1000:.4f}"
            side = "Sell" if s else "Buy"
            lines.append(f"{when},{symbol},{side},{text(q)},{text(p)},PlusTick,{i:08x}-0,{coin * 1e8},{home},{foreign}")
    elif venue == "okx":
        path = folder / f"{symbol}-trades-{day}.csv.gz"
        head = "instrument_name,trade_id,side,price,size,created_time"
        lines = [
            f"{symbol},{i},{'sell' if s else 'buy'},{text(p)},{text(q)},{t}" for i, (t, p, q, s) in enumerate(rows)
        ]
    elif venue == "kucoin":
        path = folder / f"{symbol}-trades-{day}.csv"
        head = "trade_id,trade_time,price,size,side"
        lines = [f"{i},{t},{text(p)},{text(q)},{'sell' if s else 'buy'}" for i, (t, p, q, s) in enumerate(rows)]
    elif venue == "gate" and "gate-futures" in format_names():
        path, head = folder / f"{symbol}-{day[:7].replace('-', '')}.csv", ""
        lines = [f"{t / 1000:.6f},{i},{text(p)},{text(-q if s else q)}" for i, (t, p, q, s) in enumerate(rows)]
    elif venue == "htx" and "htx-contracts" in format_names():
        path, head = folder / f"{symbol}-trades-{day}.csv", ""
        coins = [size * q / p if kind == "inverse" else size * q for _, p, q, _ in rows]
        lines = [
            f"{i},{text(p)},{text(q)},{coins[i]},{'sell' if s else 'buy'},{t}" for i, (t, p, q, s) in enumerate(rows)
        ]
    else:
        path = folder / f"{venue}_trades_{day}_{symbol}.csv.gz"
        head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
        lines = [
            f"{venue},{symbol},{1000 * t},{1000 * t},{i},{'sell' if s else 'buy'},{text(p)},{text(q)}"
            for i, (t, p, q, s) in enumerate(rows)
        ]
    data = ("\n".join([*([head] if head else []), *lines]) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def expected(name: str, of: Opened, at: str, grid: Any) -> tuple[lq.Instrument, lq.Heatmap]:
    """The instrument by hand, on a grid, and the heatmap of the positions in arrays with it."""
    venue, symbol = name.split(":")
    kind, size = CONTRACTS.get(name, ("linear", 1))
    schedule, _ = lq.venues()[venue].instruments[symbol].nearest_schedule(at)
    margin = lq.MarginSchedule.flat(0.004) if schedule is None else schedule.margin
    ticks = {"tick_size": grid["tick_size"], "lot_size": grid["lot_size"]}
    inst = lq.Instrument(symbol=symbol, venue=venue, contract=kind, multiplier=size, margin=margin, **ticks)
    columns = (np.array(of.ms) * 1_000_000, np.array(of.price), np.array(of.qty), np.array(of.sold))
    return inst, lq.heatmap(trades=columns, instrument=inst, **OPTIONS)


def in_whole_units(inst: lq.Instrument, of: Opened) -> tuple[Any, Any]:
    """Long and short levels of the same positions in base currency, or in USD where the contract is inverse."""
    size = inst.multiplier
    unit = lq.Instrument(
        symbol=inst.symbol, venue=inst.venue, contract=inst.contract, margin=inst.margin, tick_size=inst.tick_size,
        lot_size=inst.lot_size * size,
    )  # fmt: skip
    columns = (np.array(of.ms) * 1_000_000, np.array(of.price), np.array(of.qty) * size, np.array(of.sold))
    hm = lq.heatmap(trades=columns, instrument=unit, **OPTIONS)
    return hm.long, hm.short


OPTIONS: dict[str, Any] = {"leverage": {5: 0.5, 10: 0.5}, "half_life": None, "window": "1m", "step": 1.0}
FLAGS = ["--leverage", "5:0.5,10:0.5", "--half-life", "none", "--window", "1m", "--bin", "1"]


@pytest.mark.filterwarnings("ignore:the (margin terms|data has)")
@pytest.mark.parametrize("date", DATES)
@pytest.mark.parametrize("name", NAMES)
def test_every_contract_gives_its_dollars_and_levels(name: str, date: str, tmp_path: Path, capsys: Any) -> None:
    venue, symbol = name.split(":")
    kind, size = CONTRACTS.get(name, ("linear", 1))
    of = opened(date, size if kind == "linear" else 0)
    path = archive(tmp_path, name, of)
    usd = sum(q * size * (1 if kind == "inverse" else p) for p, q in zip(of.price, of.qty, strict=True))
    end, reached = np.array([of.ms[-1] * 1_000_000 + 1]), {"reaches": (60,), **OPTIONS, "step": None}
    reach = lq.features(path, end, **reached)
    for told in ({}, {"venue": venue}, {"venue": venue.split("-")[0].title(), "symbol": symbol}):
        hm = lq.heatmap(path, **told, **OPTIONS)
        inst, right = expected(name, of, date, hm.meta["instrument"])
        assert hm.prices.tolist() == right.prices.tolist()
        assert np.array_equal(hm.long, right.long)
        assert np.array_equal(hm.short, right.short)
        assert (hm.meta["instrument"]["contract"], hm.meta["instrument"]["multiplier"]) == (kind, size)
        bought = sum(q for q, s in zip(of.qty, of.sold, strict=True) if not s)
        assert np.nansum(hm.candles["buy_qty"]) == pytest.approx(bought, rel=1e-12)
        found = lq.features(path, end, **told, **reached)
        rtol = 1e-9 if kind == "inverse" else 1e-3  # of linear ones the level counts, on the grid that is known
        np.testing.assert_allclose(found.values[-1][1:3], reach.values[-1][1:3], rtol=rtol)
    if size != 1:
        for mine, whole in zip((right.long, right.short), in_whole_units(inst, of), strict=True):
            np.testing.assert_allclose(mine, whole, rtol=1e-9)
    last = reach["long_usd_60pct"][-1] + reach["short_usd_60pct"][-1]
    if kind == "inverse":
        assert last == pytest.approx(usd, rel=1e-9)
    else:  # a linear position is worth its quantity times the price at which it is liquidated
        assert last == pytest.approx(usd, rel=0.1)
    stream = lq.footprints(path, venue=venue)
    assert (stream.contract, stream.multiplier) == (kind, size)
    seen = lq.Instrument.infer(path)
    assert (seen.contract, seen.multiplier, seen.symbol) == (kind, size, symbol)
    assert seen.margin == inst.margin
    for flags in ([], ["--venue", venue]):
        assert main(["heatmap", str(path), "-o", str(tmp_path / "out.parquet"), *FLAGS, *flags]) == 0
        assert f"{kind} contract" in capsys.readouterr().out
        again = lq.load_heatmap(tmp_path / "out.parquet")
        _, right = expected(name, of, date, again.meta["instrument"])
        assert np.array_equal(again.long, right.long)
        assert np.array_equal(again.short, right.short)


@settings(max_examples=10, deadline=None)  # make soak: 200
@given(
    name=st.sampled_from(NAMES),
    date=st.dates(dt.date(2018, 1, 1), dt.date(2026, 6, 30)),
    seed=st.integers(0, 2**32 - 1),
)
def test_units_of_any_contract(name: str, date: dt.date, seed: int) -> None:
    """Positions of any size at any date, in the venue's layout: the dollars are right, or the file is refused."""
    symbol = name.split(":")[1]
    kind, size = CONTRACTS.get(name, ("linear", 1))
    of = opened(str(date), size if kind == "linear" else 0, seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = archive(Path(folder), name, of)
        hm = lq.heatmap(path, **OPTIONS)
        inst, right = expected(name, of, str(date), hm.meta["instrument"])
        whole = in_whole_units(inst, of)
    assert (hm.meta["instrument"]["contract"], hm.meta["instrument"]["multiplier"]) == (kind, size)
    assert hm.meta["instrument"]["symbol"] == symbol
    for mine, own, unit in zip((hm.long, hm.short), (right.long, right.short), whole, strict=True):
        assert np.array_equal(mine, own)
        np.testing.assert_allclose(mine, unit, rtol=1e-9)
    if kind == "inverse":
        usd = float(hm.values[-1].sum(dtype=float) + hm.liquidated.sum(dtype=float))
        assert usd == pytest.approx(sum(of.qty) * size, rel=1e-6)  # cells are floats of 32 bits


# --- the rows themselves ---


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["linear", "inverse"]),
    size=st.sampled_from([1e-6, 0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0]),
    columns=st.sampled_from(["both", "swapped", "base", "quote"]),
    decimals=st.integers(8, 12),
)
def test_amounts_in_the_rows_tell_the_contract(seed: int, kind: str, size: float, columns: str, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    price = np.round(rng.uniform(0.9, 1.1, 50) * 10 ** rng.uniform(1, 5), 1)
    qty = rng.integers(1, 10_000, 50) * (1.0 if size != 1 else 0.001)
    coin = np.round(size * qty if kind == "linear" else size * qty / price, decimals)
    usd = np.round(size * qty * price if kind == "linear" else size * qty, decimals)
    if coin.max() < 1e-5 or np.ptp(price) == 0:
        return  # eight decimals say nothing of such amounts
    base, quote = {"both": (coin, usd), "swapped": (usd, coin), "base": (coin, None), "quote": (None, usd)}[columns]
    assert contract_of(price, qty, base, quote) == (kind, size)


def test_amounts_of_neither_kind_and_of_no_use() -> None:
    price, qty = np.array([100.0, 101.0, 103.0]), np.array([3.0, 5.0, 7.0])
    assert contract_of(price, qty, np.array([1.0, 4.0, 9.0]), np.array([2.0, 2.5, 2.1])) == NEITHER
    assert contract_of(price, qty, np.zeros(3), np.zeros(3)) is None
    assert contract_of(price, qty, None, None) is None
    assert contract_of(price[:1], qty[:1], qty[:1], None) is None


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def coin_margined(columns: str, header: bool) -> list[str]:
    """COIN-M trades of 100 USD a contract."""
    rows = [f"{i},{34000 + i / 10:.1f},{i % 7 + 1}," for i in range(200)]
    lines = [
        f"{row}{(i % 7 + 1) * 100 / (34000 + i / 10):.8f},{1698364800000 + i},{'true' if i % 2 else 'false'}"
        for i, row in enumerate(rows)
    ]
    return [columns, *lines] if header else lines


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["BTCUSD_PERP-trades-2023-10-27.csv", "trades.csv"])
def test_coin_margined_trades_are_known_by_their_rows(name: str, header: bool, tmp_path: Path) -> None:
    columns = "id,price,qty,base_qty,time,is_buyer_maker"
    hm = lq.heatmap(write(tmp_path / name, *coin_margined(columns, header)), half_life=None)
    total = sum(100 * (i % 7 + 1) for i in range(200))
    assert hm.meta["contract"] == {"text": "inverse contracts of 100 USD", "source": "the rows"}
    assert float(hm.values[-1].sum() + hm.liquidated.sum()) == pytest.approx(total, rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*its margin terms are not used")
def test_rows_go_before_the_catalogue_and_what_is_given_before_the_rows(tmp_path: Path) -> None:
    path = write(
        tmp_path / "BTCUSDT-trades-2023-10-27.csv", *coin_margined("id,price,qty,base_qty,time,is_buyer_maker", True)
    )
    with pytest.warns(UserWarning, match="the rows say inverse contracts of 100 USD; .*BTCUSDT is linear contract"):
        assert lq.heatmap(path, venue="binance-usdm").meta["instrument"]["contract"] == "inverse"
    with pytest.warns(UserWarning, match="rows say inverse contracts of 100 USD; linear contract.* is given, and used"):
        hm = lq.heatmap(path, contract="linear", multiplier=1.0)
    assert (hm.meta["instrument"]["contract"], hm.meta["contract"]["source"]) == ("linear", "given")


def test_a_symbol_that_only_one_venue_writes_tells_the_venue(tmp_path: Path) -> None:
    rows = [f"{i},{1749781187484 + i},{62932.6 + i % 3},{i % 5 + 1},{'buy' if i % 2 else 'SELL'}" for i in range(40)]
    path = write(tmp_path / "XBTUSDTM-trades-2024-05-14.csv", "trade_id,trade_time,price,size,side", *rows)
    hm = lq.heatmap(path)
    assert hm.meta["contract"] == {"text": "linear contracts of 0.001 base currency", "source": "kucoin:XBTUSDTM"}
    assert lq.Instrument.infer(path).multiplier == 0.001
    with pytest.warns(UserWarning, match="quantities are taken for contracts of kucoin:XBTUSDTM"):
        arrays = lq.heatmap(
            trades=(np.arange(3) + 10**18, np.full(3, 100.0), np.ones(3), np.ones(3, bool)), symbol="XBTUSDTM"
        )
    assert arrays.meta["instrument"]["multiplier"] == 0.001


def test_a_symbol_late_in_a_file_of_many_is_found(tmp_path: Path) -> None:
    """BitMEX's files are sorted by symbol."""
    head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
    row = "2018-12-05D00:00:{:02d}.948313000,{},Buy,{},{},PlusTick,{:08x}-0,1,{},{}"
    others = [row.format(i % 60, "ADAZ18", 10, 0.00001, i, 10, 0.0001) for i in range(210_000)]
    own = [
        row.format(i, "XBTUSD", 100 + i, 4000.5 + i, 900_000 + i, (100 + i) / (4000.5 + i), 100 + i) for i in range(9)
    ]
    path = write(tmp_path / "20181205.csv", head, *others, *own)
    hm = lq.heatmap(path, symbol="XBTUSD")
    assert hm.meta["contract"]["text"] == "inverse contracts of 1 USD"
    assert hm.meta["rows"]["used"] == 9


# --- what is refused ---


def quanto(tmp_path: Path) -> Path:
    head = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
    rows = [f"2020-03-12D00:00:{i:02d}.142291000,ETHUSD,Sell,{5 + i},{190.1 + i},MinusTick,{i:08x}-0,95050,{i + 1},5"
            for i in range(20)]  # fmt: skip
    return write(tmp_path / "20200312.csv", head, *rows)


def test_a_quanto_is_refused_by_name(tmp_path: Path) -> None:
    path = quanto(tmp_path)
    for call in (lq.heatmap, lq.footprints, lq.Instrument.infer, lambda p: lq.features(p, "1m")):
        with pytest.raises(lq.DataError, match="bitmex:ETHUSD is a quanto contract, priced in one currency"):
            call(path)
    assert lq.heatmap(path, contract="linear", multiplier=0.01).meta["contract"]["source"] == "given"
    inferred = lq.Instrument.infer(path, contract="linear", multiplier=0.01)
    assert (inferred.contract, inferred.multiplier) == ("linear", 0.01)
    assert not {"contract", "multiplier"} & set(inferred.assumed)
    with pytest.raises(lq.InvalidConfigError, match=r'contract must be "linear" or "inverse", was .quanto'):
        lq.Instrument.infer(path, contract="quanto")  # type: ignore[arg-type]
    with pytest.raises(lq.InvalidConfigError, match="multiplier must be finite and above 0, was 0"):
        lq.Instrument.infer(path, multiplier=0)


HELP = r"give --contract and --multiplier \(contract= and multiplier= in Python\)"


OKX = ["instrument_name,trade_id,side,price,size,created_time"]
OKX += [f"PEPE-USDT-SWAP,{i},buy,0.00{1234 + i},{i + 1},{1784822400188 + i}" for i in range(9)]
KUCOIN = ["trade_id,trade_time,price,size,side", *(f"{i},{1749781187484 + i},3.21,6,buy" for i in range(9))]
NAMELESS = [f"{i},{34161.5 + i},{i % 9 + 1},{i},{i},{1698364800000 + i},true" for i in range(200)]
IN_USD = ["time,price,qty,side", *(f"{1698364800000 + i},{34161.5},{i + 1},buy" for i in range(200))]
UNKNOWN = {
    "a.csv": OKX,
    "SUIUSDTM-trades-2024-05-14.csv": KUCOIN,
    "SOLUSDTM-trades-2024-05-14.csv": KUCOIN,
    "XRPUSDM-trades-2024-05-14.csv": KUCOIN,
    "XBTMU26-trades-2024-05-14.csv": KUCOIN,
    "b.csv": NAMELESS,
    "BTCUSD-trades.csv": IN_USD,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_contracts_of_an_unknown_size_ask_for_it(name: str, tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path / name, *UNKNOWN[name])
    with pytest.raises(lq.InvalidConfigError, match=HELP):
        lq.heatmap(path)
    assert main(["heatmap", str(path), "-o", str(tmp_path / "x.parquet")]) == 2
    assert "--contract and --multiplier" in capsys.readouterr().err
    given = ["--contract", "linear", "--multiplier", "10"]
    assert main(["heatmap", str(path), "-o", str(tmp_path / "x.parquet"), "-q", *given]) == 0
    assert lq.load_heatmap(tmp_path / "x.parquet").meta["instrument"]["multiplier"] == 10


def test_files_of_two_contracts_are_refused() -> None:
    files = [Quantities("a", rows=("inverse", 1.0)), Quantities("b", rows=("linear", 1.0))]
    with pytest.raises(
        lq.DataError, match=r"^b: expected contracts as in a \(inverse contracts of 1 USD\), found linear"
    ):
        settle_contract("X", [], files)


# --- files that people have ---

CASES = {
    "14-BTCUSD_PERP-aggTrades-2023-10-27.csv.gz": ("binance", 7_434_100, 1e-6, None),
    "14b-BTC-USDT-SWAP-trades-2026-07-23.csv.gz": ("okx", 7.76e6, 5e-3, None),
    "14d-bitmex-20181205.csv.gz": ("bitmex", 2_969_296, 1e-6, (-15.59, 10.97)),
}


@pytest.mark.recorded
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("named", [True, False])
def test_files_that_people_have(name: str, named: bool) -> None:
    venue, usd, rtol, away = CASES[name]
    folder = data_dir() / "cases"
    if not folder.is_dir():
        pytest.skip(f"no such files in {folder}")
    given = {"venue": venue} if named else {}
    whole = lq.heatmap(folder / name, half_life=None, **given)
    assert float(whole.values[-1].sum(dtype=float) + whole.liquidated.sum(dtype=float)) == pytest.approx(usd, rel=rtol)
    if away is not None:
        hm = lq.heatmap(folder / name, **given)
        price = hm.candles["close"][np.isfinite(hm.candles["close"])][-1]
        largest = [hm.prices[int(np.argmax(side[-1]))] + hm.step / 2 for side in (hm.long, hm.short)]
        assert [round(100 * (level / price - 1), 2) for level in largest] == list(away)
