"""Trades written into several files as people have them, and a slow, obvious way to what the files hold together."""

import gzip
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import fastparquet
import numpy as np
import pandas as pd

T0 = 1_781_222_399_211  # ms
MS = 1_000_000


class Trade(NamedTuple):
    ts: int  # ns
    price: float
    qty: float
    sell: bool
    id: str  # "": none

    @property
    def contents(self) -> tuple[int, float, float, bool]:
        return self[:4]


@dataclass
class Kept:
    """One file: its rows from first to last."""

    name: str
    rows: list[Trade]
    ids: bool
    options: dict[str, object] = field(default_factory=dict)


def market(rng: random.Random, ids: str, most: int = 120) -> list[Trade]:
    """Trades in order of time, many at one time and many alike; ids "", rising, restarting, random or text."""
    rows = []
    ts, price, number = T0 + rng.randrange(1000), 60_000, rng.randrange(1, 1000)
    for _ in range(rng.randint(1, most)):
        step = rng.choice([0, 0, 0, 1, 1, 7, 400])
        if ids == "restarting" and step == 400:
            number = 0
        ts, price, number = ts + step, price + rng.choice([0, 0, 1, -1]), number + 1
        known = {
            "": "",
            "rising": str(number),
            "restarting": str(number),
            # Falling with time, so that they never rise by accident, in a stretch that is read alone.
            "random": str((10**13 - ts) * 10**6 + rng.randrange(1000) * 1000 + len(rows)),
            "text": f"{rng.getrandbits(64):016x}-{len(rows)}",
        }[ids]
        rows.append(Trade(ts * MS, price / 2, rng.choice([1.0, 1.0, 2.5, 0.125]), rng.random() < 0.5, known))
    return rows


def shards(rng: random.Random, rows: list[Trade]) -> list[list[Trade]]:
    """Every trade in one of several files."""
    parts: list[list[Trade]] = [[] for _ in range(rng.randint(2, 5))]
    for row in rows:
        rng.choice(parts).append(row)
    return parts


def collectors(rng: random.Random, rows: list[Trade]) -> list[list[Trade]]:
    """Files that begin and end anywhere, each without some of the trades."""
    parts = []
    for _ in range(rng.randint(2, 4)):
        begin, end = sorted(rng.randrange(len(rows) + 1) for _ in range(2))
        missed = rng.choice([0.0, 0.0, 0.2])
        parts.append([row for row in rows[begin:end] if rng.random() >= missed])
    return parts


def month_and_days(rng: random.Random, rows: list[Trade]) -> list[list[Trade]]:
    """All trades in one file, and the same in parts one after the other, one of which may be missing."""
    cuts = sorted(rng.randrange(len(rows) + 1) for _ in range(rng.randint(1, 4)))
    days = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    if rng.random() < 0.3:
        days.pop(rng.randrange(len(days)))
    return [rows, *days]


def repeating(rng: random.Random, rows: list[Trade]) -> list[list[Trade]]:
    """Files in which rows stand twice; without ids that cannot be told from another trade."""
    parts = []
    for part in collectors(rng, rows):
        twice = [row for row in part for _ in range(1 if not row.id or rng.random() < 0.8 else 2)]
        parts.append(twice)
    return parts


def turn(rng: random.Random, rows: list[Trade], how: str) -> list[Trade]:
    """Put the rows of a file in another order: newest first, two stretches exchanged, or neighbours in time."""
    if how == "newest first":
        return rows[::-1]
    if how == "exchanged" and rows:
        cut = rng.randrange(len(rows))
        while 0 < cut < len(rows) and rows[cut - 1].ts == rows[cut].ts:  # what has one time stays in its order
            cut += 1
        return rows[cut:] + rows[:cut]
    return rows


def write(rng: random.Random, folder: Path, kept: Kept) -> Path:
    """Write a file as a table or in Binance's layout, text or Parquet of a few rows a group."""
    path = folder / kept.name
    rows = kept.rows
    if "aggTrades" in kept.name:
        lines = [f"{r.id},{r.price},{r.qty},{r.id},{r.id},{r.ts // MS},{str(r.sell).lower()}" for r in rows]
        path.write_text("\n".join(lines) + "\n")
    elif path.suffix == ".parquet":
        columns = {"ts": [r.ts for r in rows], "price": [r.price for r in rows], "qty": [r.qty for r in rows],
                   "taker_sell": [r.sell for r in rows]}  # fmt: skip
        if kept.ids:
            ids = [r.id for r in rows]
            columns["trade_id"] = [int(one) for one in ids] if all(one.isdecimal() for one in ids) else ids
        options = {"row_group_offsets": rng.randint(1, 20), "has_nulls": False, "stats": rng.choice([["ts"], False])}
        fastparquet.write(str(path), pd.DataFrame(columns), write_index=False, **options)
    else:
        head = "ts_ms,price,qty,side" + (",trade_id" if kept.ids else "")
        lines = [
            f"{r.ts // MS},{r.price},{r.qty},{'sell' if r.sell else 'buy'}" + (f",{r.id}" if kept.ids else "")
            for r in rows
        ]
        content = "\n".join([head, *lines]).encode() + b"\n"
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def in_order(rows: Sequence[Trade], ids: bool) -> list[Trade]:
    """One file's trades by the rules: of time, then of ids if those rise with time, else of the file."""
    steps = [b.ts - a.ts for a, b in itertools.pairwise(rows)]
    if sum(step < 0 for step in steps) > sum(step > 0 for step in steps):
        rows = rows[::-1]
    rows = sorted(rows, key=lambda row: row.ts)
    if ids and all(row.id.isdecimal() for row in rows):
        by_id = sorted(rows, key=lambda row: (row.ts, int(row.id)))
        if all(int(a.id) <= int(b.id) for a, b in itertools.pairwise(by_id)) and rows[0].ts != rows[-1].ts:
            rows = by_id
    found, seen = [], set()
    for row in rows:
        if not ids or row not in seen:
            found.append(row)
        seen.add(row)
    return found


def together(files: Sequence[Kept]) -> Counter[tuple[int, float, float, bool]]:
    """How often each trade counts: by its ids, and as often as the file without ids that has it most often."""
    known = {row for kept in files if kept.ids for row in kept.rows}
    counts = Counter(row.contents for row in known)
    for kept in files:
        if not kept.ids:
            counts |= Counter(row.contents for row in kept.rows)
    return counts


def read_rows(batches: Sequence[object]) -> list[tuple[int, float, float, bool]]:
    columns = [
        np.concatenate([getattr(batch, name) for batch in batches]).tolist() if batches else []
        for name in ("ts", "price", "qty", "taker_sell")
    ]
    return list(zip(*columns, strict=True))
