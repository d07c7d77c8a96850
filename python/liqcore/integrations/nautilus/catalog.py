"""Trades in nautilus_trader's catalogues, found without it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...errors import DataError


def trade_files(catalog: Any, instrument_id: Any) -> list[Path]:
    """
    Find an instrument's trades in a ParquetDataCatalog, for `liqcore.read_trades`, `heatmap` or `features`.

    They are read without nautilus_trader. Trades count at ``ts_init``; those without an aggressor are left out and
    counted as ``unknown_side``.

    Parameters
    ----------
    catalog : ParquetDataCatalog or path
        On a local disk.
    instrument_id : InstrumentId or str
        Such as "BTCUSDT-PERP.BINANCE".

    Raises
    ------
    DataError
        If there are none.
    """
    root = Path(catalog if isinstance(catalog, str | os.PathLike) else catalog.path)
    folder = root / "data" / "trade_tick" / str(instrument_id).replace("/", "")
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise DataError(f"{folder}: expected Parquet files with trades of {instrument_id}, found none")
    return files
