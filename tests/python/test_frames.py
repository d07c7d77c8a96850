"""Frames of pandas where there is no pyarrow: read column by column, and the same as arrays."""

from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore import _core, arrow

pd = pytest.importorskip("pandas")

NS = 1_000_000_000
START = 1_781_222_400 * NS


@pytest.fixture(autouse=True)
def no_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> object:
        raise ImportError("Missing optional dependency 'pyarrow'.")

    monkeypatch.setattr(pd.DataFrame, "__arrow_c_stream__", refuse, raising=False)


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    return lq.simulate(seed=4, days=0.05, trades_per_day=100_000).trades


def frame_of(trades: lq.TradeBatch) -> Any:
    return pd.DataFrame({name: getattr(trades, name) for name in ("ts", "price", "qty", "taker_sell")})


def same(found: Any, wanted: lq.TradeBatch) -> None:
    for name in ("ts", "price", "qty", "taker_sell"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name


def test_times_sides_and_numbers_in_every_form(trades: lq.TradeBatch) -> None:
    frame = frame_of(trades)
    same(arrow.read_trades(frame), trades)
    dated = pd.to_datetime(frame["ts"], utc=True)
    words = np.where(trades.taker_sell, "sell", "buy")
    forms: dict[str, Any] = {
        "ts": [dated, dated.dt.tz_convert("Asia/Tokyo"), dated.dt.tz_localize(None), frame["ts"].astype("Int64")],
        "price": [frame["price"].astype("Float64")],
        "taker_sell": [frame["taker_sell"].astype("boolean"), frame["taker_sell"].astype(np.int8)],
        "side": [words, words.astype(object), pd.Categorical(words), pd.array(words, "string")],
    }
    for name, values in forms.items():
        for value in values:
            given = frame.drop(columns="taker_sell") if name == "side" else frame
            same(arrow.read_trades(given.assign(**{name: value})), trades)


def test_a_named_index_is_a_column(trades: lq.TradeBatch) -> None:
    frame = frame_of(trades)
    same(arrow.read_trades(frame.set_index("ts")), trades)
    dated = frame.assign(ts=pd.to_datetime(frame["ts"], utc=True)).set_index("ts")
    same(arrow.read_trades(dated), trades)
    same(arrow.read_trades(frame.iloc[::-1].iloc[::-1]), trades)  # a count that is not read


def test_a_heatmap_and_its_streams(trades: lq.TradeBatch) -> None:
    marks = pd.DataFrame({"time": trades.ts[::10], "mark_price": trades.price[::10]})
    quantity = 100.0 + np.arange(len(trades.ts[::20]))
    interest = pd.DataFrame({"time": trades.ts[::20], "open_interest": quantity})
    options: dict[str, Any] = {"symbol": "SIM", "leverage": {10: 0.5, 50: 0.5}}
    found = lq.heatmap(trades=frame_of(trades), marks=marks, open_interest=interest, **options)
    wanted = lq.heatmap(
        trades=trades,
        marks=(trades.ts[::10].copy(), trades.price[::10].copy()),
        open_interest=(trades.ts[::20].copy(), quantity),
        **options,
    )
    assert np.array_equal(found.values, wanted.values)
    eng = lq.Engine(lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001))
    assert eng.trades(frame_of(trades)).used == len(trades)


def test_candles_with_and_without_takers() -> None:
    ts = START + np.arange(5) * 60 * NS
    frame = pd.DataFrame({"open_time": pd.to_datetime(ts), "open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5})
    found = arrow.read_candles(frame.assign(volume=[1.5, 2, 3, 4, 5]))
    assert (found.buy_qty, found.interval_ns) == (None, 60 * NS)
    assert found.volume is not None
    assert found.volume.tolist() == [1.5, 2, 3, 4, 5]
    found = arrow.read_candles(frame.assign(volume=[1.5, 2, 3, 4, 5], taker_buy_volume=1.0))
    assert found.sell_qty is not None
    assert found.sell_qty.tolist() == [0.5, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("price", [1.0, np.nan, 3.0], "trades: expected no null in price, found 1 in 3 rows"),
        ("price", ["a", "b", "c"], "trades: expected numbers in price, found text: cast it"),
        ("side", ["buy", None, "sell"], "trades: expected no null in side, found 1 in 3 rows"),
        ("side", ["buy", "up", "sell"], "trades: expected buy or sell in side, found 1 other rows, such as 'up'"),
        ("ts", [1, 2, 3], "trades: expected times in ts since 1973 of one unit"),
        (
            "ts",
            np.array(["2026-01-01", "3000-01-01", "3000-01-02"], "M8[us]"),
            "ts must lie between the years 1678",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_as_of_arrow_tables(column: str, values: Any, message: str) -> None:
    frame = pd.DataFrame({"ts": START + np.arange(3), "price": 1.0, "qty": 1.0, "side": "buy"})
    with pytest.raises(lq.DataError) as error:
        arrow.read_trades(frame.assign(**{column: values}))
    assert message in str(error.value)
    with pytest.raises(lq.DataError, match="expected a column for price"):
        arrow.read_trades(frame.drop(columns="price"))


def test_text_goes_out_as_it_is() -> None:
    words = ["buy", "sell", "", "größer", "buy"]

    class Table:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return arrow.export_table({"n": np.arange(5.0), "words": words})

    reader = _core.ArrowReader.of_stream(Table().__arrow_c_stream__())
    assert [(name, form) for name, form, _ in reader.fields] == [("n", "g"), ("words", "U")]
    batch = reader.next()
    assert batch is not None
    assert batch.words(1, ["größer", "buy", "sell", ""]).tolist() == [1, 2, 3, 0, 1]
    assert arrow.export_table({"words": []}) is not None
    with pytest.raises(ValueError, match="columns must have one length, had"):
        arrow.export_table({"n": np.arange(4.0), "words": words})
