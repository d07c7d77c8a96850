"""What tests of journals and of markets' engines share: frames of simulated trades, and files that fail."""

from pathlib import Path
from typing import BinaryIO

import numpy as np

import liqcore as lq
from liqcore.feeds.events import Frame, Market
from liqcore.feeds.frames import replayed
from liqcore.live.disk import Disk

BTC = Market("binance-usdm", "BTCUSDT")
HOUR = 3_600_000_000_000
_START = 1_781_222_400_000_000_000  # 2026-06-12T00:00


def trades(count: int, seed: int, hours: float = 3.0) -> lq.TradeBatch:
    """Make trades on a grid of 0.1 and 0.001, of rising time, some of them equal."""
    rng = np.random.default_rng(seed)
    ts = _START + np.sort(rng.integers(0, int(hours * HOUR) // 1_000_000, count)) * 1_000_000
    ticks = 630_000 + np.cumsum(rng.integers(-40, 41, count))
    return lq.TradeBatch(ts, np.round(ticks * 0.1, 1), np.round(rng.integers(1, 900, count) * 0.001, 3),
                         rng.random(count) < 0.5)  # fmt: skip


def archive(folder: Path, of: lq.TradeBatch, name: str = "BTCUSDT-aggTrades-2026-06-12.csv", decimals: int = 3) -> Path:
    """Write trades as Binance's archives have them."""
    path = folder / name
    columns = (of.ts // 1_000_000, of.price, of.qty, of.taker_sell)
    path.write_text("".join(
        f"{n},{price:.1f},{qty:.{decimals}f},{n},{n},{ms},{str(bool(sell)).lower()}\n"
        for n, (ms, price, qty, sell) in enumerate(zip(*columns, strict=True), 1)
    ))  # fmt: skip
    return path


def frames(of: lq.TradeBatch, together: int = 5, market: Market = BTC, first: int = 1) -> list[Frame]:
    """Put trades into frames, so many each."""
    columns = (of.ts.tolist(), of.price.tolist(), of.qty.tolist(), of.taker_sell.tolist())
    rows = [(*row, first + number) for number, row in enumerate(zip(*columns, strict=True))]
    parts = (rows[at : at + together] for at in range(0, len(rows), together))
    return [replayed(market, part[-1][0], part) for part in parts]


class StillClock:
    """A clock that stands still."""

    def now(self) -> int:
        return _START

    def elapsed(self) -> int:
        return 0

    async def sleep(self, ns: int) -> None:
        del ns


class Brittle(Disk):
    """Files on a disk that takes so many bytes more, and then is full."""

    left: int | None = None

    def append(self, path: Path) -> BinaryIO:
        return _Full(super().append(path), self)  # type: ignore[return-value]


class _Full:
    def __init__(self, file: BinaryIO, disk: Brittle) -> None:
        self._file, self._disk = file, disk

    def write(self, data: memoryview) -> int:
        left = self._disk.left
        if left is None:
            return self._file.write(data)
        if left == 0:
            raise OSError(28, "No space left on device")
        self._disk.left = left - min(left, len(data))
        return self._file.write(data[:left])

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()
