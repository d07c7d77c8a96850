"""Fills of users: whose side a row has. Each trade counts once, on the taker's side, whoever's rows a file holds."""

import random
import tempfile
import warnings
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fill_files
import liqcore as lq
from liqcore import arrow
from liqcore.errors import DataError
from liqcore.integrations.ccxt import trades_from_ccxt
from recorded import data_dir

some = settings(max_examples=20, deadline=None)  # a tenth of what `make soak` makes of each kind
seeds = st.integers(0, 2**48)
Key = tuple[int, float, float, bool]
HEADER = "coin,px,sz,side,time,dir,crossed,tid\n"


def keys(batches: Any) -> list[Key]:
    return [
        row
        for batch in batches
        for row in zip(
            batch.ts.tolist(), batch.price.tolist(), batch.qty.tolist(), batch.taker_sell.tolist(), strict=True
        )
    ]


def written(found: fill_files.Fills) -> list[Key]:
    return sorted(trade.key for trade in found.trades)


def write(folder: Path | str, name: str, text: str) -> Path:
    path = Path(folder) / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("venue", fill_files.VENUES)
@some
@given(seed=seeds)
def test_files(venue: str, seed: int) -> None:
    made = fill_files.fills(random.Random(seed), venue)
    with tempfile.TemporaryDirectory() as folder:
        reader = lq.read_trades(write(folder, made.name, made.text))
        found = keys(reader)
    report = reader.report
    assert sorted(found) == written(made)
    assert report.rejected == {
        reason: count for reason, count in (("no_trade", made.lost), ("maker", made.twins)) if count
    }
    assert any("turned over" in warning for warning in report.warnings) == (made.turned > 0)
    assert report.rows_read == report.rows_used + sum(report.rejected.values())


@some
@given(seed=seeds)
def test_parquet(seed: int) -> None:
    rng = random.Random(seed)
    made = fill_files.fills(rng, rng.choice(["hyperliquid", "binance", "okx", "deribit"]), container="csv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fills.parquet"
        table = pd.read_csv(write(folder, "fills.csv", made.text))
        fastparquet.write(str(path), table, row_group_offsets=rng.choice([7, 1000]), write_index=False)
        assert sorted(keys(lq.read_trades(path))) == written(made)


@some
@given(seed=seeds)
def test_arrow_tables(seed: int) -> None:
    rng = random.Random(seed)
    whose = rng.choice(["both", "maker", "taker", "some"])
    ids = rng.random() < 0.5
    trades = fill_files.market(rng, whose, losses=False, alike=ids or whose != "some")
    rows = [(trade, maker) for trade in trades for maker in (False, True)
            if trade.known in ("both", "maker" if maker else "taker")]  # fmt: skip
    columns: dict[str, Any] = {
        "time": np.array([trade.ts for trade, _ in rows], np.int64),
        "px": np.array([float(trade.price) for trade, _ in rows]),
        "sz": np.array([float(trade.qty) for trade, _ in rows]),
        "side": np.array([trade.sold != maker for trade, maker in rows], np.int8),
        "crossed": np.array([not maker for _, maker in rows]),
    }
    if ids:
        columns["tid"] = np.array([trade.id for trade, _ in rows], np.int64)

    class Table:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return arrow.export_table(columns)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = arrow.read_trades(Table())
    assert sorted(keys([found])) == sorted(trade.key for trade in trades)
    assert any("turned over" in str(one.message) for one in said) == any(t.known == "maker" for t in trades)


@some
@given(seed=seeds)
def test_ccxt(seed: int) -> None:
    rng = random.Random(seed)
    trades = fill_files.market(rng, rng.choice(["both", "maker", "taker", "some"]), losses=False)
    rows = []
    in_info = rng.random() < 0.5
    for trade in trades:
        pair = [maker for maker in (False, True) if trade.known in ("both", "maker" if maker else "taker")]
        for maker in pair:
            row = fill_files.ccxt(trade, maker, rng) | {"info": fill_files.okx(trade, maker, rng)}
            rows.append(row | {"takerOrMaker": None} if in_info else row)
    rng.shuffle(rows)
    found = trades_from_ccxt(rows)
    assert sorted(keys([found])) == sorted(trade.key for trade in trades)
    assert found.report.rejected.get("maker", 0) == sum(trade.known == "both" for trade in trades)
    own = [row | {"takerOrMaker": None, "info": {}} for row in rows]
    with pytest.raises(DataError, match="unknown_side"):
        trades_from_ccxt(own)
    public = [row | {"order": None, "fee": None} for row in own]
    assert keys([trades_from_ccxt(public)])[0][3] == (min(public, key=lambda row: row["timestamp"])["side"] == "sell")


class TestWhatIsNotSaid:
    @pytest.mark.parametrize(
        ("column", "value"),
        [("fee", "0.01"), ("oid", "17"), ("closedPnl", "-3"), ("dir", "Open Long"), ("realizedPnl", "1e-3")],
    )
    def test_fills_without_a_role_are_refused(self, tmp_path: Path, column: str, value: str) -> None:
        path = write(tmp_path, "a.csv", f"time,price,qty,side,{column}\n1767225600,65000.5,0.25,sell,{value}\n")
        with pytest.raises(
            DataError, match=rf"a.csv: expected the market's trades, found fills of users \(column {column.lower()}"
        ):
            lq.read_trades(path)

    @pytest.mark.parametrize(("column", "value"), [("fee", "0"), ("order", "3"), ("maker", "0xabc"), ("role", "")])
    def test_what_may_stand_beside_trades_does_not_refuse_them(self, tmp_path: Path, column: str, value: str) -> None:
        path = write(tmp_path, "a.csv", f"time,price,qty,side,{column}\n1767225600,65000.5,0.25,sell,{value}\n")
        assert keys(lq.read_trades(path))[0][3]

    def test_ccxts_public_trades_are_as_they_say(self, tmp_path: Path) -> None:
        row = "1767225600000,2026-01-01T00:00:00.000Z,BTC/USDT,1,,,sell,{0},65000.5,0.25,16250.1,,\n"
        head = "timestamp,datetime,symbol,id,order,type,side,takerOrMaker,price,amount,cost,fee,fees\n"
        assert keys(lq.read_trades(write(tmp_path, "a.csv", head + row.format(""))))[0][3]
        assert not keys(lq.read_trades(write(tmp_path, "b.csv", head + row.format("maker"))))[0][3]

    def test_some_that_do_not_say_are_counted(self, tmp_path: Path) -> None:
        rows = "".join(f"BTC,100,1,A,{fill_files.T0 + i},,{'' if i == 39 else 'true'},{i}\n" for i in range(40))
        reader = lq.read_trades(write(tmp_path, "a.csv", HEADER + rows))
        assert len(next(reader)) == 39
        assert reader.report.rejected == {"unknown_side": 1}


class TestWhoseSide:
    def test_both_rows_on_one_side_are_refused(self, tmp_path: Path) -> None:
        rows = "".join(f"BTC,{100 + i},1,A,{fill_files.T0 + i},,{made},{i}\n" for i in range(9) for made in (0, 1))
        with pytest.raises(
            DataError, match=r"found makers and takers \(column crossed\) of one trade on the same side"
        ):
            list(lq.read_trades(write(tmp_path, "a.csv", HEADER + rows)))

    def test_the_makers_order_of_a_match_is_turned_over(self, tmp_path: Path) -> None:
        text = (
            '{"type":"match","trade_id":10,"maker_order_id":"a","taker_order_id":"b","side":"sell",'
            '"size":"5.2","price":"400.2","product_id":"BTC-USD","time":"2026-01-01T00:00:00.028459Z"}'
        )
        reader = lq.read_trades(write(tmp_path, "a.json", text))
        assert not keys(reader)[0][3]
        assert "turned over" in reader.report.warnings[0]
        table = "time,price,qty,maker_side\n1767225600,65000.5,0.25,sell\n"
        assert not keys(lq.read_trades(write(tmp_path, "b.csv", table)))[0][3]

    def test_a_block_of_hyperliquids_nodes(self, tmp_path: Path) -> None:
        fill = (
            '["0xfeed",{"coin":"SOL","px":"72.1","sz":"0.5","side":"%s","time":1782636233257,"dir":"%s","oid":1,'
            '"crossed":%s,"tid":%d}]'
        )
        block = '{"block_time":"2026-06-28T08:43:53.2","block_number":1,"events":[%s]}\n'
        rows = [fill % ("A", "Open Short", "false", 3), fill % ("B", "Close Short", "true", 3),
                fill % ("A", "Liquidated Cross Long", "true", 4)]  # fmt: skip
        reader = lq.read_trades(write(tmp_path, "a.json", block % "" + block % ",".join(rows)))
        assert keys(reader) == [(1782636233257000000, 72.1, 0.5, False)]
        assert reader.report.rejected == {"no_trade": 1, "maker": 1}


@pytest.mark.recorded
def test_recorded_fills_pair_up() -> None:
    reader = lq.read_trades(data_dir() / "positions" / "hyperliquid-fills-2025-10-27.csv.gz", symbol="ETH")
    assert sum(map(len, reader)) == 192
    assert reader.report.rejected["maker"] == 192


@pytest.mark.recorded
def test_case_04(tmp_path: Path) -> None:
    path = data_dir() / "cases" / "04-hyperliquid-BTC-fills.csv"
    head, *rows = path.read_text().splitlines()
    makers = [row for row in rows if row.split(",")[10] == "false"]
    alone = write(tmp_path, "makers.csv", "\n".join([head, *makers]))
    for given_path in (path, alone):
        reader = lq.read_trades(given_path)
        sold = np.concatenate([batch.taker_sell for batch in reader])
        assert (len(sold), int(sold.sum())) == (200, 50)
    hm = lq.heatmap(path, window="1m", half_life=None)
    assert (round(hm.long[-1].sum()), round(hm.short[-1].sum())) == (135_368, 54_843)
