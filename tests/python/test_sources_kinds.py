"""Kinds of files told apart, columns by meaning, times of another unit: each rule on a file made for it."""

import io
import json
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest

import liqcore as lq
from liqcore.errors import DataError
from liqcore.sources import read_candles
from recorded import data_dir

MINUTE = 60_000
T0 = 1_767_225_600_000
TARDIS = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"


def write(folder: Path, name: str, text: str) -> Path:
    """Write rows with a header as text, or as Parquet by the name's end."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        fastparquet.write(str(path), pd.read_csv(io.StringIO(text)), write_index=False)
    else:
        path.write_text(text)
    return path


def tardis(ids: bool, rows: int = 30) -> str:
    row = "binance-futures,BTCUSDT,{0}000,{0}050,{1},sell,65000.5,0.25\n"
    return TARDIS + "".join(row.format(T0 + 900 * i, i if ids else "") for i in range(rows))


class TestLiquidations:
    @pytest.mark.parametrize(
        "name",
        [
            "binance-futures_liquidations_2026-01-01_BTCUSDT.csv",
            "BTCUSDT-liquidationSnapshot-2026-01-01.csv",
            "btc_force_orders.csv",
            "liquidations/BTCUSDT.csv",
        ],
    )
    @pytest.mark.parametrize("text", [tardis(True), "time,price,qty,side\n1767225600,65000.5,0.25,sell\n"])
    def test_by_name_are_no_trades(self, tmp_path: Path, name: str, text: str) -> None:
        with pytest.raises(DataError, match="expected trades, found liquidations by the file's name"):
            lq.read_trades(write(tmp_path, name, text))

    def test_without_ids_and_a_name_tardis_files_may_be_either(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="Tardis uses for trades and for liquidations"):
            lq.read_trades(write(tmp_path, "BTCUSDT.csv", tardis(False)))
        assert len(next(lq.read_trades(write(tmp_path, "okex_trades_BTC.csv", tardis(False))))) == 30
        assert len(next(lq.read_trades(write(tmp_path, "BTCUSDT.csv", tardis(True))))) == 30

    @pytest.mark.parametrize(
        "header",
        [
            "symbol,side,order_type,time_in_force,qty,price,average_price,order_status,time",
            "instId,side,posSide,bkPx,price,sz,ts",
            "timestamp,is_snapshot,side,price,amount",
        ],
    )
    def test_by_columns_are_no_trades(self, tmp_path: Path, header: str) -> None:
        row = ",".join({"time": str(T0), "ts": str(T0), "timestamp": str(T0), "side": "sell"}.get(name, "1")
                       for name in header.split(","))  # fmt: skip
        with pytest.raises(DataError, match=r"expected trades, found (forced or other orders|an order book)"):
            lq.read_trades(write(tmp_path, "a.csv", f"{header}\n{row}\n{row}\n"))

    @pytest.mark.parametrize(
        "text",
        [
            '{"topic":"allLiquidation.BTCUSDT","data":[{"T":%d,"s":"BTCUSDT","S":"Buy","v":"1","p":"65000"}]}',
            '{"e":"forceOrder","T":%d,"s":"BTCUSDT","S":"SELL","q":"1","p":"65000"}',
        ],
    )
    def test_messages_of_their_streams_are_no_trades(self, tmp_path: Path, text: str) -> None:
        path = write(tmp_path, "a.json", text % T0)
        with pytest.raises(DataError, match=r"expected trades, found messages of (allLiquidation|forceOrder)"):
            lq.read_trades(path)
        path.write_text(
            (text % T0)
            .replace("allLiquidation", "publicTrade")
            .replace("forceOrder", "trade")
            .replace('"p"', '"i":"7","p"')
        )
        assert len(next(lq.read_trades(path))) == 1

    def test_a_folder_of_a_project_is_no_kind(self, tmp_path: Path) -> None:
        path = write(tmp_path, "liquidation-heatmap/BTCUSDT.csv", "time,price,qty,side\n1767225600,65000.5,0.25,sell\n")
        assert len(next(lq.read_trades(path))) == 1


class TestPriceKlines:
    ROWS = "".join(f"{T0 + i * MINUTE},10,12,9,11,0,{T0 + (i + 1) * MINUTE - 1},0,60,0,0,0\n" for i in range(5))

    def test_mark_and_index_are_told_apart_by_folder(self, tmp_path: Path) -> None:
        mark = write(tmp_path, "markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2026-01-01.csv", self.ROWS)
        index = write(tmp_path, "indexPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2026-01-01.csv", self.ROWS)
        premium = write(tmp_path, "premiumIndexKlines/BTCUSDT/1m/BTCUSDT-1m-2026-01-01.csv", self.ROWS)
        assert lq.read_marks(mark).report.warnings == []
        with pytest.raises(DataError, match=r'of a mark price, found those of an index price .* price="index" reads'):
            lq.read_marks(index)
        assert len(lq.read_marks(index, price="index")) == 20
        with pytest.raises(DataError, match="found those of a premium"):
            lq.read_marks(premium, price="index")
        for path in (mark, index, premium):
            with pytest.raises(DataError, match="expected candles of trades, found those of a"):
                lq.read_candles(path)

    def test_what_nothing_tells_is_said(self, tmp_path: Path) -> None:
        path = write(tmp_path, "BTCUSDT-1m-2026-01-01.csv", self.ROWS)
        (warning,) = lq.read_marks(path).report.warnings
        assert "look alike: taken for the mark price" in warning
        with pytest.raises(DataError, match="counts without any volume"):
            lq.read_candles(path)
        with pytest.raises(lq.InvalidConfigError, match='price must be "mark" or "index"'):
            lq.read_marks(path, price="last")  # type: ignore[arg-type]


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('time,price,qty,side\n1767225600,"65,000.5",1,buy\n', "a point and nothing between thousands"),
            ("time;price;qty;side\n1767225600;65.000,5;1,5;buy\n", "a point and nothing between thousands"),
            ("time;price;qty;side\n1767225600;65,000;1;buy\n", "a comma of decimals or of thousands"),
            ("time;price;qty;side\n1767225600;65000.5;1,5;buy\n", "a comma in '1,5' and points in others"),
            ("time,price,qty,side\n1767225600,65000500000000,1,buy\n", "seem to count a small unit"),
            ("date,price,qty,side\n2026-01-01,65000.5,1,buy\n", "found dates alone"),
            ("time,price,qty\n1,1767225600,65000.5,1\n2,1767225601,65000.5,1\n", "a name for each of 4 fields"),
            ("time,price,price,qty,side\n1767225600,1,2,1,buy\n", "one price alone"),
            ("time,price,size_usd,side\n1767225600,65000.5,1,buy\n", "size_usd is turnover, not a quantity"),
            ("1767225600,643050119,35000,5\n", "no header"),
        ],
    )
    def test_what_can_be_read_in_two_ways_is_refused(self, tmp_path: Path, text: str, message: str) -> None:
        path = write(tmp_path, "a.csv", text)
        if message == "no header":  # Gate and Bitfinex have such rows
            path.write_text("1767225600,1767225600123,35000,5\n")
            with pytest.raises(DataError, match="fit gate-futures, bitfinex: say which with format="):
                lq.read_trades(path)
            assert len(next(lq.read_trades(path, format="bitfinex"))) == 1
            return
        with pytest.raises(DataError, match=message):
            list(lq.read_trades(path))

    def test_databento_files_of_orders_are_refused(self, tmp_path: Path) -> None:
        header = "ts_event,rtype,publisher_id,instrument_id,action,side,price,size\n"
        trade = f"{T0}000000,0,1,42,T,B,42500500000000,1\n"
        undefined = f"{T0}000001,0,1,42,T,B,9223372036854775807,1\n"
        path = write(tmp_path, "a.csv", header + trade * 30 + undefined)
        reader = lq.read_trades(path)
        (batch,) = reader
        assert batch.price.tolist() == [42500.5] * 30
        assert (reader.report.rejected, reader.report.tick_size) == ({"not_finite": 1}, 0.1)
        path.write_text(header + trade + trade.replace(",T,", ",A,"))
        with pytest.raises(DataError, match=r"expected trades alone \(action T\), found A too"):
            list(lq.read_trades(path))

    def test_a_number_in_a_side_column_is_said(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.csv", "time,price,qty,side\n1767225600,65000.5,1,1\n1767225601,65000.5,1,0\n")
        reader = lq.read_trades(path)
        assert next(reader).taker_sell.tolist() == [True, False]
        assert reader.report.warnings == ["a.csv: 1 in column side is taken for a sell of the taker, 0 for a buy"]


class TestTimes:
    def rows(self, odd: str) -> str:
        rows = [f"{T0 + i},65000.5,0.25,buy\n" for i in range(40)]
        rows[7] = rows[7].replace(str(T0 + 7), odd)
        return "time,price,qty,side\n" + "".join(rows)

    @pytest.mark.parametrize("odd", [T0 + 40 * 366 * 86_400_000, T0 + 5 * 366 * 86_400_000, 1_000_000_000_000])
    def test_one_row_far_away_is_named(self, tmp_path: Path, odd: int) -> None:
        with pytest.raises(DataError, match=rf"a.csv: .* in line 9 \('{odd},65000.5,0.25,buy'\)"):
            list(lq.read_trades(write(tmp_path, "a.csv", self.rows(str(odd)))))
        text = self.rows(str(odd)).replace("price,qty,side", "open_interest,x,y")
        with pytest.raises(DataError, match=r"a.csv: .* in line 9 "):
            lq.read_open_interest(write(tmp_path, "a.csv", text))

    def test_after_2100_is_never_right(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"expected times before 2100, found 2156-.* in line 9"):
            list(lq.read_trades(write(tmp_path, "a.csv", self.rows(str(T0 + 130 * 366 * 86_400_000)))))

    @pytest.mark.parametrize(
        ("ts", "seems"),
        [
            (1_767_225_600, "seconds: multiply by 1_000_000_000"),
            (1_767_225_600_000, "milliseconds: multiply by 1_000_000"),
            (1_767_225_600_000_000, "microseconds: multiply by 1_000"),
            (60, "no time since 1973"),
            (0, "no time since 1973"),
        ],
    )
    def test_arrays_in_another_unit_are_refused_everywhere(self, ts: int, seems: str) -> None:
        engine = lq.Engine(lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001), leverage={10: 1.0})
        t, one, sell = np.array([ts]), np.array([60_000.0]), np.array([True])
        rows = np.array(
            [(ts, 60_000.0, 1.0, True)], [("ts", "i8"), ("price", "f8"), ("qty", "f8"), ("taker_sell", "?")]
        )
        calls = [
            lambda: engine.trades(t, one, one, sell),
            lambda: engine.trades(t.view("M8[ns]"), one, one, sell),
            lambda: engine.marks(t, one),
            lambda: engine.open_interest(t, one),
            lambda: engine.candles(t, one, one, one, one),
            lambda: engine.feed(trades=(t, one, one, sell)),
            lambda: engine.feed(marks=(t, one)),
            lambda: engine.feed_events(rows),
            lambda: lq.TradeBatch(t, one, one, sell),
            lambda: lq.heatmap(trades=(t, one, one, sell), symbol="X"),
        ]
        for call in calls:
            with pytest.raises(DataError, match=rf"must be nanoseconds since the UNIX epoch, found {ts}, .*{seems}"):
                call()

    def test_datetimes_of_another_unit_are_named(self) -> None:
        engine = lq.Engine(lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001), leverage={10: 1.0})
        t = np.array(["2026-01-01"], "M8[ms]")
        with pytest.raises(TypeError, match=r'was datetime64\[ms\]: .astype\("datetime64\[ns\]"\) makes it so'):
            engine.trades(t, np.ones(1), np.ones(1), np.ones(1, np.bool_))


class TestCases:
    """Files of data/cases, each with its right answer."""

    def trades(self, name: str) -> lq.TradeBatch:
        (path,) = (data_dir() / "cases").glob(name)
        (batch,) = lq.read_trades(path)
        return batch

    def test_trades(self) -> None:
        bitget = self.trades("06-*")
        assert bitget.qty.tolist() == [0.0001] * 50
        assert self.trades("07-*").taker_sell.tolist() == [True, True]
        gate = self.trades("08-*")
        assert (len(gate), int(gate.taker_sell.sum()), set(gate.qty.tolist())) == (50, 25, {7601.0, 120.0})
        assert self.trades("11-*").price[0] == 42_500
        decimals = self.trades("18-*")
        assert (decimals.price[2], len(decimals)) == (63610.7, 1000)
        reader = lq.read_trades(next((data_dir() / "cases").glob("18-*")))
        list(reader)
        assert reader.report.tick_size == 0.1
        assert len(self.trades("19-*")) == 1000

    def test_candles_and_open_interest(self) -> None:
        (cdd,) = (data_dir() / "cases").glob("20b-*")
        (rest,) = (data_dir() / "cases").glob("20d-*")
        (klines,) = (data_dir() / "cases").glob("31-*")
        (daily,) = (data_dir() / "cases").glob("22a-*")
        assert len(lq.read_candles(cdd)) == 30
        candles = lq.read_candles(rest)
        assert [candles.open[0], candles.close[0], candles.high[0], candles.low[0]] == [61484.1, 61490, 61500, 61480]
        candles = lq.read_candles(klines)
        assert (len(candles), candles.interval_ns, candles.report.rejected) == (200, 60 * 10**9, {})
        interest = lq.read_open_interest(daily)
        assert interest.quantity.tolist() == [98000.1, 98666.163]
        assert (interest.ts % (86_400 * 10**9)).tolist() == [0, 0]


class TestWhatNamesTheMarketInEveryRow:
    """A column that names symbol or venue counts, also in a layout that is known without."""

    ROWS = "1781222399211,100.5,1,buy,{}\n1781222399212,100.6,2,sell,{}\n" * 20

    @pytest.mark.parametrize(
        "name", ["symbol", "ticker", "sym", "asset", "s", "code", "instrument_id", "contract_code"]
    )
    @pytest.mark.parametrize("end", [".csv", ".parquet"])
    def test_several_symbols_are_refused_or_one_is_chosen(self, tmp_path: Path, name: str, end: str) -> None:
        text = f"time,price,qty,side,{name}\n" + self.ROWS.format(*["BTCUSDT", "ETHUSDT"] * 20)
        path = write(tmp_path, f"x{end}", text)
        with pytest.raises(DataError, match="expected one symbol, found BTCUSDT, ETHUSDT"):
            list(lq.read_trades(path))
        (batch,) = lq.read_trades(path, symbol="ETHUSDT")
        assert batch.qty.tolist() == [2.0] * 20

    def test_in_lists_of_ccxt_too(self, tmp_path: Path) -> None:
        rows = [
            {"timestamp": 1781222399211 + i, "id": str(i), "type": None, "side": "buy", "price": 100.5, "amount": 1.0,
             "cost": 100.5, "symbol": ("BTC/USDT:USDT", "BTC/USDC:USDC")[i % 2]}
            for i in range(40)
        ]  # fmt: skip
        path = tmp_path / "trades.json"
        path.write_text(json.dumps(rows))
        with pytest.raises(DataError, match="expected one symbol, found BTC/USDT:USDT, BTC/USDC:USDC"):
            list(lq.read_trades(path))

    @pytest.mark.parametrize("name", ["s", "code", "asset"])
    def test_numbers_and_sides_are_no_names(self, tmp_path: Path, name: str) -> None:
        for values in (["1", "2"], ["buy", "sell"]):
            path = tmp_path / "x.csv"
            path.write_text(f"time,price,qty,is_buyer_maker,{name}\n" + "".join(
                f"{1781222399211 + i},100.5,1,true,{values[i % 2]}\n" for i in range(40)
            ))  # fmt: skip
            (batch,) = lq.read_trades(path)
            assert len(batch) == 40

    @pytest.mark.parametrize("name", ["exchange", "venue", "exch"])
    @pytest.mark.parametrize("end", [".csv", ".parquet"])
    def test_several_venues_are_refused(self, tmp_path: Path, name: str, end: str) -> None:
        text = f"time,price,qty,side,{name}\n" + self.ROWS.format(*["binance", "okx"] * 20)
        path = write(tmp_path, f"x{end}", text)
        with pytest.raises(DataError, match="expected trades of one venue, found binance, okx"):
            list(lq.read_trades(path))


def test_candles_of_several_markets_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "candles.csv"
    rows = [(1781222400000 + 60_000 * (i // 2), (100.0, 3000.0)[i % 2]) for i in range(80)]
    path.write_text("time,open,high,low,close,volume\n" + "".join(f"{t},{p},{p + 1},{p - 1},{p},5\n" for t, p in rows))
    with pytest.raises(DataError, match="expected one row a time, found 40 that contradict the one before"):
        read_candles(path)
    grown = [(1781222400000 + 60_000 * (i // 4), i % 4) for i in range(160)]  # each written four times while it grew
    path.write_text("time,open,high,low,close,volume\n" + "".join(f"{t},9,{9 + n},8,9,{n + 1}\n" for t, n in grown))
    assert read_candles(path).high.tolist() == [12.0] * 40


def test_coinbase_tells_the_makers_side(tmp_path: Path) -> None:
    rows = [
        {"trade_id": i, "side": ("buy", "sell", "sell")[i % 3], "size": "0.5", "price": "62969.1",
         "time": f"2026-06-12T00:00:{i:02}.5Z"}
        for i in range(30)
    ]  # fmt: skip
    path = tmp_path / "trades.json"
    path.write_text(json.dumps(rows))
    reader = lq.read_trades(path)
    (batch,) = reader
    assert batch.taker_sell.sum() == 10
    assert reader.report.notes == [
        "trades.json: trades as Coinbase has them: the side is the maker's, and is turned over"
    ]


def test_a_saved_result_is_no_trade_file(tmp_path: Path) -> None:
    hm = lq.heatmap(trades=lq.simulate(days=0.02, trades_per_day=40_000).trades)
    with pytest.raises(DataError, match="expected a trade file, found a saved heatmap"):
        lq.read_trades(hm.save(tmp_path / "hm.parquet"))


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (
            "time,side,price,qty,status",
            ["{t},sell,100.5,1,FILLED", "{t},buy,100.5,1,CANCELED"],
            "found orders .*CANCELED",
        ),
        (
            "time,price,qty,side,is_buyer_maker",
            ["{t},100.5,1,sell,False", "{t},100.5,1,buy,True"],
            "the opposite in every",
        ),
        (
            "trade_seq,trade_id,timestamp,price,instrument_name,direction,amount",
            ["0,1{t},{t},0.05,BTC-27JUN26-70000-C,sell,0.1"],
            "found an option",
        ),
    ],
)
def test_what_is_no_trade_of_the_market_is_refused(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    path = tmp_path / "x.csv"
    lines = [rows[i % len(rows)].format(t=1781222399211 + i) for i in range(20)]
    path.write_text("\n".join([header, *lines, ""]))
    with pytest.raises(DataError, match=message):
        list(lq.read_trades(path))


def test_the_column_that_names_the_taker_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,price,qty,side,aggressor\n1781222399211,100.5,1,buy,sell\n1781222399212,100.5,1,buy,buy\n")
    (batch,) = lq.read_trades(path)
    assert batch.taker_sell.tolist() == [True, False]
