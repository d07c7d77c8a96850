"""Trade files of a nautilus_trader catalogue, written here as it writes them: whole numbers of 1e-9 or 1e-16."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from liqcore.sources.parquet import to_decimal
from liqcore.tables.column import Column

T0 = 1_781_222_400_000_000_000
BUYER, SELLER, NO_AGGRESSOR = 1, 2, 0


def fixed(value: str, width: int) -> bytes:
    """Return a decimal as nautilus_trader stores it."""
    return int(Decimal(value) * 10 ** {8: 9, 16: 16}[width]).to_bytes(width, "little", signed=True)


def write(path: Path, width: int = 16, *, metadata: dict[str, str] | None = None, **changed: Any) -> Path:
    columns = {
        "price": [fixed(price, width) for price in ("63605.5", "63605.0", "63606.5")],
        "size": [fixed(size, width) for size in ("0.001", "12.345", "2.000")],
        "aggressor_side": np.array([BUYER, SELLER, BUYER], np.uint8),
        "trade_id": ["a", "b", "c"],
        "ts_event": np.array([T0, T0 + 1, T0 + 2], np.uint64),
        "ts_init": np.array([T0 + 10, T0 + 12, T0 + 14], np.uint64),
    } | changed
    said = {"instrument_id": "BTCUSDT-PERP.BINANCE", "price_precision": "1", "size_precision": "3"}
    fastparquet.write(
        str(path),
        pd.DataFrame(columns),
        object_encoding={"price": "bytes", "size": "bytes", "trade_id": "utf8"},
        fixed_text={"price": width, "size": width},
        has_nulls=False,
        custom_metadata=said if metadata is None else metadata,
    )
    return path


@pytest.mark.parametrize("width", [8, 16])
def test_prices_sizes_sides_and_the_time_of_receipt_are_read(tmp_path: Path, width: int) -> None:
    reader = lq.read_trades(write(tmp_path / "2026.parquet", width))
    (batch,) = reader
    assert batch.ts.tolist() == [T0 + 10, T0 + 12, T0 + 14]
    assert batch.price.tolist() == [63605.5, 63605.0, 63606.5]
    assert batch.qty.tolist() == [0.001, 12.345, 2.0]
    assert batch.taker_sell.tolist() == [False, True, False]
    assert (reader.report.symbol, reader.report.tick_size, reader.report.lot_size) == (
        "BTCUSDT-PERP.BINANCE",
        0.1,
        0.001,
    )


def test_rows_without_an_aggressor_or_with_an_unknown_one_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "2026.parquet", aggressor_side=np.array([NO_AGGRESSOR, SELLER, BUYER], np.uint8))
    reader = lq.read_trades(path)
    with pytest.raises(lq.DataError, match=r"lost rows, found 1 of 3 \(1 unknown_side\); the first is row 1"):
        list(reader)
    assert reader.report.rejected == {"unknown_side": 1}
    with pytest.raises(lq.DataError, match=r"found 1 of 3 \(side 1\)"):
        list(lq.read_trades(write(tmp_path / "2026.parquet", aggressor_side=np.array([7, 2, 1], np.uint8))))


def test_numbers_of_another_writer_are_not_taken_for_such(tmp_path: Path) -> None:
    with pytest.raises(lq.DataError, match="column 'price': expected numbers, found"):
        list(lq.read_trades(write(tmp_path / "2026.parquet", metadata={})))


@pytest.mark.parametrize("precision", ["17", "-1", "many", ""])
def test_a_precision_that_the_numbers_cannot_have_is_refused(tmp_path: Path, precision: str) -> None:
    said = {"instrument_id": "X", "price_precision": precision, "size_precision": "3"}
    with pytest.raises(lq.DataError, match="column 'price': expected numbers, found a precision that is not 0 to 16"):
        list(lq.read_trades(write(tmp_path / "2026.parquet", metadata=said)))


@pytest.mark.parametrize("sides", [np.array([257, 2, 1]), ["BUYER", "SELLER", "BUYER"], [1.5, 2.0, 1.0]])
def test_sides_that_are_none_are_unreadable(tmp_path: Path, sides: Any) -> None:
    path = write(tmp_path / "2026.parquet", aggressor_side=sides)
    with pytest.raises(lq.DataError, match=r"unreadable rows, found [13] of 3 \(side [13]\)"):
        list(lq.read_trades(path))


def test_the_symbol_is_that_of_the_instrument(tmp_path: Path) -> None:
    path = write(tmp_path / "2026.parquet")
    assert lq.heatmap(path, leverage={10: 1.0}).meta["symbol"] == "BTCUSDT-PERP.BINANCE"
    with pytest.warns(UserWarning, match="the files say BTCUSDT-PERP.BINANCE, not ETHUSDT"):
        lq.heatmap(path, symbol="ETHUSDT", leverage={10: 1.0})


@given(st.integers(0, 16), st.lists(st.integers(0, 10**15), min_size=1, max_size=30))
def test_numbers_are_the_doubles_next_to_their_decimals(precision: int, units: list[int]) -> None:
    """As float() reads them."""
    raw = b"".join((unit * 10 ** (16 - precision)).to_bytes(16, "little", signed=True) for unit in units)
    found = to_decimal(Column(np.frombuffer(raw, "S16")), precision)
    assert found.tolist() == [float(Decimal(unit).scaleb(-precision)) for unit in units]
    if precision <= 9:
        small = [unit for unit in units if unit * 10 ** (9 - precision) < 2**63]
        stored = np.array([unit * 10 ** (9 - precision) for unit in small], np.int64)
        expected = [float(Decimal(unit).scaleb(-precision)) for unit in small]
        assert to_decimal(Column(stored), precision).tolist() == expected
        assert to_decimal(Column(stored.view("S8")), precision).tolist() == expected
