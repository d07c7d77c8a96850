"""
Damaged files of every kind that the package reads, read in a child process under limits.

Run with a number of files and a seed, it prints counts by kind and outcome; each file comes from its own seed, which a
failure names. A child that dies, hangs or raises something else than the package's errors is a failure, and so is one
that reads other numbers from a file that carries checksums.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gzip
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import foreign
import liqcore as lq
from damage import damaged, edit_header

SECONDS = 60  # for one file
ADDRESS_SPACE = 6 << 30
START = 1_780_272_000_000  # ms
GENTLE = ("refused", "same", "differs")
FAITHFUL = ("journal", "heatmap", "merged", "footprints", "features", "engine", "gz", "zip", "checked")
"""Kinds whose files carry checksums: what they give is what was written, or nothing."""

HEADERS = ("liqcore.heatmap", "liqcore.engine", "liqcore.footprints")

Read = Callable[[Path], Any]


def numbers_of(value: Any) -> Any:
    """What a reader gave, as something that compares."""
    if isinstance(value, lq.Heatmap):
        return (value.values.tobytes(), value.candles.tobytes(), json.dumps(value.meta, default=str, sort_keys=True))
    if isinstance(value, lq.FootprintStream):
        return [getattr(value, name).tobytes() for name in ("start", "last", "tick", "bought", "sold", "end")]
    if isinstance(value, lq.Features):
        return (value.times.tobytes(), value.values.tobytes(), value.names)
    if isinstance(value, lq.Engine):
        return value.to_bytes()
    if isinstance(value, lq.Config):
        return value.to_dict()
    return value


def trades_in(path: Path) -> Any:
    reader = lq.read_trades(path)
    batches = list(reader)
    counts = (reader.report.rows_read, reader.report.rows_used)
    columns = [[getattr(batch, name) for batch in batches] for name in _COLUMNS]
    return counts, [np.concatenate(column).tobytes() for column in columns if column]


def journal_in(path: Path) -> Any:
    """The trades of a journal that says nothing of what was lost, or was not finished."""
    reader = lq.read_trades(path)
    batches = list(reader)
    (report,) = reader.report.files
    if report.warnings or any("not finished" in note for note in report.notes):
        raise lq.DataError("told")
    return [np.concatenate([getattr(batch, name) for batch in batches]).tobytes() for name in _COLUMNS]


_COLUMNS = ("ts", "price", "qty", "taker_sell")


def samples(folder: Path) -> Iterator[tuple[str, Path, Read]]:
    """Write a whole file of every kind: its kind, the file and what reads it."""
    market = lq.simulate(days=0.03, trades_per_day=40_000, seed=5)
    hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", half_life="1h")
    other = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", leverage={5: 1.0})
    engine = lq.Engine(lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001), window="1m", half_life="1h")
    engine.trades(market.trades)
    yield "heatmap", hm.save(folder / "heatmap.parquet"), lq.load_heatmap
    yield "merged", lq.merge_venues({"one": hm, "two": other}).save(folder / "merged.parquet"), lq.load_heatmap
    stream = lq.footprints(trades=market.trades, symbol="SIM")
    yield "footprints", stream.save(folder / "footprints.parquet"), lq.load_footprints
    yield "features", lq.features(market.trades, "5m", symbol="SIM").save(folder / "features.parquet"), lq.load_features
    yield "engine", engine.save(folder / "engine.liq"), lq.Engine.load
    with contextlib.suppress(ModuleNotFoundError):  # of liqcore[app]
        yield "journal", journal(folder, market.trades), journal_in
    old = Path(__file__).parent / "saved_by_0_1_0"
    yield "0.1.0", old / "heatmap.parquet", lq.load_heatmap
    yield "0.1.0", old / "merged.parquet", lq.load_heatmap
    yield "0.1.0", old / "engine-oi.parquet", lq.Engine.load
    yield "0.1.0", old / "footprints.parquet", lq.load_footprints
    columns = {name: getattr(market.trades, name)[:600] for name in _COLUMNS}
    for name, path in foreign_parquet(folder, columns):
        yield name, path, trades_in
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    text = "timestamp,price,quantity,side\n" + "".join(
        f"{ts // 1_000_000},{price},{qty},{'sell' if sold else 'buy'}\n" for ts, price, qty, sold in rows
    )
    data = text.encode()
    for name, content in (("csv", data), ("csv.gz", gzip.compress(data)), ("json", as_json(columns))):
        path = folder / f"SIM.{name}"
        path.write_bytes(content)
        yield {"csv.gz": "gz"}.get(name, name), path, trades_in
    for name, method in (("stored", 0), ("deflated", 8), ("bzip2", 12), ("lzma", 14)):
        path = folder / f"SIM-{name}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("SIM.csv", data)
        yield "zip", path, trades_in
    path = folder / "liqcore.toml"
    path.write_text(lq.Config().replace(window={"length": "1m"}, leverage={"shares": {10: 0.5, 50: 0.5}}).dump())
    yield "toml", path, lq.Config.load


def journal(folder: Path, trades: lq.TradeBatch) -> Path:
    """Write the first trades into a journal of one segment."""
    from liqcore.live.disk import Disk
    from liqcore.live.journal import Journal
    from markets import BTC, frames

    some = lq.TradeBatch(*(getattr(trades, name)[:600] for name in _COLUMNS))
    with Journal(folder / "journal", BTC, files=Disk(), segment_ns=10**15) as written:
        for number, frame in enumerate(frames(some)):
            written.append(frame)
            if number % 20 == 0:
                written.write()
    (path,) = (folder / "journal").glob("*.mcap")
    return path


def foreign_parquet(folder: Path, columns: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """Trades as other programs write them."""
    import fastparquet
    import pandas as pd

    frame = pd.DataFrame(columns)
    sided = frame.drop(columns="taker_sell").assign(side=np.where(frame.taker_sell, "sell", "buy"))
    for name, table, options in (
        ("plain", frame, {"compression": "ZSTD", "has_nulls": False}),
        ("groups", frame, {"compression": "SNAPPY", "has_nulls": False, "row_group_offsets": 100}),
        ("nulls", sided, {"compression": "GZIP", "has_nulls": True}),
    ):
        path = folder / f"fastparquet-{name}.parquet"
        fastparquet.write(str(path), table, write_index=False, **options)
        yield "fastparquet", path
    for path in foreign.samples():
        yield "checked" if path.stem == "pyarrow-plain" else path.stem.partition("-")[0], path


def as_json(columns: dict[str, Any]) -> bytes:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return json.dumps(
        [
            {"id": i, "time": ts // 1_000_000, "price": str(price), "qty": str(qty), "isBuyerMaker": sold}
            for i, (ts, price, qty, sold) in enumerate(rows)
        ]
    ).encode()


def outcome(read: Read, path: Path) -> tuple[str, Any]:
    """What came of a file: "refused", "read" or the kind of an error that should not be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "read", numbers_of(read(path))
    except lq.LiqcoreError as error:
        return ("refused" if str(error) else "an error without words"), None
    except Exception as error:
        return f"{type(error).__name__}: {error}", None


def child(folder: Path) -> None:
    """Read damaged files as told, one a line of seeds; say what came of each."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    kinds = list(samples(folder))
    whole = [(kind, path, path.read_bytes(), read, outcome(read, path)) for kind, path, read in kinds]
    for kind, path, _, _, (came, _) in whole:
        assert came == "read", (kind, path, came)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        rng = random.Random(int(line))
        kind, path, content, read, (_, right) = rng.choice(whole)
        place = folder / f"damaged{''.join(path.suffixes[-2:] if kind == 'gz' else path.suffixes[-1:])}"
        place.write_bytes(content)
        if kind == "0.1.0" and rng.random() < 0.5:
            edit_header(place, next(key for key in HEADERS if key.encode() in content), rng)
        else:
            place.write_bytes(damaged(content, rng))
        before = len(list(folder.iterdir()))
        came, found = outcome(read, place)
        if len(list(folder.iterdir())) != before:
            came = "left a file behind"
        if came == "read":
            came = "same" if found == right or place.read_bytes() == content else "differs"
        answers.write(f"{kind}\t{came}\n")
        answers.flush()


def run(count: int, first_seed: int) -> tuple[collections.Counter[tuple[str, str]], list[str]]:
    """Have damaged files read; counts by kind and outcome, and the failures in words."""
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        process = started(folder)
        for seed in range(first_seed, first_seed + count):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], SECONDS)
            said = process.stdout.readline() if ready else ""
            kind, _, came = said.rstrip("\n").partition("\t")
            if not said:
                process.kill()
                kind, came = "?", "never ended" if not ready else f"died ({process.wait()})"
                process = started(folder)
            counts[kind, came if came in GENTLE else "failed"] += 1
            if came not in GENTLE or (came == "differs" and kind in FAITHFUL):
                failures.append(f"seed {seed}: {kind}: {came}")
        stop(process)
    return counts, failures


def started(folder: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait(SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child)
        return
    counts, failures = run(asked.count, asked.seed)
    for (kind, came), number in sorted(counts.items()):
        print(f"{kind:12} {came:8} {number:7,}")
    print(f"{asked.count:,} damaged files, {len(failures):,} failures")
    sys.exit("\n".join(failures[:50]) if failures else 0)


if __name__ == "__main__":
    main()
