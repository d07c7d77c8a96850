"""Write the trades of job J for the C++ benchmarks: ``python bench/write_trades.py out/bench/trades.bin``."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

from jobs import job_j

MAGIC = b"liqtrd01"


def write(path: Path) -> None:
    """Write magic, count, tick size, lot size, source, and the four columns; little-endian, no padding."""
    job = job_j()
    source = job.source.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<QddQ", len(job), job.tick_size, job.lot_size, len(source)) + source)
        for column in (job.ts, job.price, job.qty, job.taker_sell):
            column.tofile(file)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python bench/write_trades.py FILE")
    write(Path(sys.argv[1]))
