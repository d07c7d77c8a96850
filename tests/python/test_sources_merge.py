"""Files that overlap: trades merged by time, repeats by what they are, order inside one time, the account of rows."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
import sharing
from liqcore.errors import DataError
from liqcore.sources import parquet_trades, text, trade_merge
from recorded import data_dir
from sharing import MS, T0, Kept, Trade

# A tenth of what `make soak` makes of each kind: it runs ten rounds and more.
files = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**48)
KINDS = [sharing.shards, sharing.collectors, sharing.month_and_days, sharing.repeating]
IDS = ["", "rising", "restarting", "random", "text", "mixed"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which small files are long ones."""
    monkeypatch.setattr(parquet_trades, "_STRETCH", 8)
    monkeypatch.setattr(trade_merge, "_ROWS", 16)
    monkeypatch.setattr(text, "_HEAD", 512)
    monkeypatch.setattr(text, "_SAMPLE", 128)


def read(paths: Any, **options: Any) -> tuple[list[tuple[int, float, float, bool]], Any]:
    with lq.read_trades(paths, **options) as reader:
        rows = sharing.read_rows(list(reader))
    for file in [*reader.report.files, reader.report]:
        assert file.rows_read == file.rows_used + sum(file.rejected.values())
    assert len(rows) == reader.report.rows_used
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    return rows, reader.report


def make(rng: random.Random, deal: Callable[..., list[list[Trade]]], ids: str) -> list[Kept]:
    rows = sharing.market(rng, "rising" if ids == "mixed" else ids)
    parts = [part for part in deal(rng, rows) if part]
    turns = [rng.choice(["", "", "newest first", "exchanged"]) for _ in parts]
    suffix = rng.choice([".csv", ".parquet", "either"])
    found = []
    for number, (part, how) in enumerate(zip(parts, turns, strict=True)):
        has_ids = rng.random() < 0.5 if ids == "mixed" else ids != ""
        end = rng.choice([".csv", ".parquet"]) if suffix == "either" and not ids else suffix.replace("either", ".csv")
        if end == ".csv" and how != "exchanged" and rng.random() < 0.3:
            end += ".gz"
        found.append(Kept(f"{rng.randrange(1000):03}-{number}{end}", sharing.turn(rng, part, how), has_ids))
    return found


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("deal", KINDS)
@files
@given(seed=seeds)
def test_trades_in_several_files(deal: Callable[..., list[list[Trade]]], ids: str, seed: int) -> None:
    rng = random.Random(seed)
    kept = make(rng, deal, ids)
    if not kept:
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = [sharing.write(rng, Path(folder), one) for one in kept]
        found, report = read(paths)
        expected = sharing.together(kept)
        assert Counter(found) == expected
        assert sum(row[2] for row in found) == sum(row[2] * count for row, count in expected.items())
        assert not report.rejected.get("late")
        for other in (paths[::-1], rng.sample(paths, len(paths))):
            again, said = read(other, batch_rows=rng.randint(1, 50), prefetch=rng.random() < 0.5)
            assert again == found
            assert [(f.name, f.rejected, f.notes) for f in said.files] == [
                (f.name, f.rejected, f.notes) for f in report.files
            ]
        ordered = [sharing.in_order(one.rows, one.ids) for one in kept]
        alone = [read(path)[0] for path in paths]
        assert alone == [[row.contents for row in rows] for rows in ordered]
        if ids == "rising" and all(len({row.ts for row in rows}) > 1 for rows in ordered):
            whole = sorted({row for rows in ordered for row in rows}, key=lambda row: int(row.id))
            assert found == [row.contents for row in whole]


@pytest.mark.parametrize("deal", [sharing.collectors, sharing.month_and_days])
@files
@given(seed=seeds)
def test_what_two_files_agree_on_is_the_order_of_both(deal: Callable[..., list[list[Trade]]], seed: int) -> None:
    """Trades without ids, no two of one time alike: each file's are found in its order."""
    rng = random.Random(seed)
    rows = [row._replace(qty=1 + number / 8) for number, row in enumerate(sharing.market(rng, ""))]
    kept = [Kept(f"{n}.csv", part, False) for n, part in enumerate(p for p in deal(rng, rows)[:2] if p)]
    if not kept:
        return
    with tempfile.TemporaryDirectory() as folder:
        found, _ = read([sharing.write(rng, Path(folder), one) for one in kept])
    for one in kept:
        own = {row.contents for row in one.rows}
        assert [row for row in found if row in own] == [row.contents for row in one.rows]


@files
@given(seed=seeds)
def test_many_trades_of_one_time(seed: int) -> None:
    """So many that they are not compared one by one."""
    rng = random.Random(seed)
    alike = [Trade(T0 * MS, 100.0, rng.choice([1.0, 2.0, 3.0]), False, "") for _ in range(rng.randint(40, 200))]
    kept = [Kept(f"{n}.csv", [row for row in alike if rng.random() < 0.7], False) for n in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [sharing.write(rng, Path(folder), one) for one in kept]
        assert Counter(read(paths)[0]) == sharing.together(kept)


def csv(path: Path, rows: list[tuple[Any, ...]], head: str = "ts_ms,price,qty,side") -> Path:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def agg(number: int, ts: int, price: float, qty: float, first: int, last: int) -> tuple[Any, ...]:
    return number, price, qty, first, last, ts, "true"


def test_the_same_id_with_other_contents_is_another_trade(tmp_path: Path) -> None:
    days = [[(T0 + day * 1000 + n, 100 + n, 1, "buy", n) for n in range(50)] for day in range(3)]
    found, report = read(csv(tmp_path / "a.csv", [row for day in days for row in day], "ts_ms,price,qty,side,id"))
    assert (len(found), report.rejected) == (150, {})


def test_ids_without_order_say_nothing_about_it(tmp_path: Path) -> None:
    rows = [(T0 + n // 5, 100 + n % 5, 1, "buy", (n * 7919) % 1000) for n in range(50)]
    found, report = read(csv(tmp_path / "a.csv", rows, "ts_ms,price,qty,side,id"))
    assert [row[1] for row in found] == [100 + n % 5 for n in range(50)]
    assert report.resorted == 0


def test_an_aggregate_under_two_ids_counts_once(tmp_path: Path) -> None:
    rows = [agg(n, T0 + n, 100.5, 2.0, 10 * n + 1, 10 * n + 3) for n in range(30)]
    again = [agg(n + 500, T0 + n, 100.5, 2.0, 10 * n + 1, 10 * n + 3) for n in range(0, 30, 2)]
    paths = [tmp_path / name for name in ("BTCUSDT-aggTrades-2026-06-11.csv", "BTCUSDT-aggTrades-2026-06.csv")]
    for path, part in zip(paths, (rows + again, again), strict=True):
        path.write_text("\n".join(",".join(map(str, row)) for row in part) + "\n")
    assert (len(read(paths[0])[0]), read(paths[0])[1].rejected) == (30, {"duplicate_id": 15})
    assert len(read(paths)[0]) == 30
    constant = [(*row[:3], 0, 0, *row[5:]) for row in [agg(n, T0, 100.5, 2.0, 0, 0) for n in range(30)]]
    paths[0].write_text("\n".join(",".join(map(str, row)) for row in constant) + "\n")
    assert len(read(paths[0])[0]) == 30  # whoever wrote that had no such ids


def test_aggregates_and_single_trades_are_not_added(tmp_path: Path) -> None:
    trades = [(n, 100.5, 0.5, 50.25, T0 + n // 3, "true") for n in range(90)]
    sums = [agg(n, T0 + n, 100.5, 1.5, 3 * n, 3 * n + 2) for n in range(30)]
    paths = [tmp_path / name for name in ("BTCUSDT-trades-2026-06-11.csv", "BTCUSDT-aggTrades-2026-06-11.csv")]
    for path, part in zip(paths, (trades, sums), strict=True):
        path.write_text("\n".join(",".join(map(str, row)) for row in part) + "\n")
    with pytest.raises(
        DataError, match=r"aggTrades-2026-06-11.csv and .*trades-2026-06-11.csv: expected trades of one"
    ):
        read(paths)
    later = [(*row[:4], row[4] + 29, row[5]) for row in trades]  # from the last aggregate's time on
    paths[0].write_text("\n".join(",".join(map(str, row)) for row in later) + "\n")
    assert len(read(paths)[0]) == 120
    names = "ts_ms,price,qty,side"
    mine = csv(tmp_path / "sums.csv", [(T0 + n, 100.5, 1.5, "sell") for n in range(30)], names)
    other = csv(tmp_path / "single.csv", [(T0 + n // 3, 100.5, 0.5, "sell") for n in range(90)], names)
    with pytest.raises(DataError, match=r"expected trades of one kind, found sums of the other's in one of them"):
        read([mine, other])


def test_the_same_trades_under_other_ids_are_refused(tmp_path: Path) -> None:
    head = "ts_ms,price,qty,side,id"
    rows = [(T0 + n, 100 + n, 1, "buy", n) for n in range(60)]
    mine = csv(tmp_path / "a.csv", rows, head)
    other = csv(tmp_path / "b.csv", [(*row[:4], row[4] + 7) for row in rows], head)
    with pytest.raises(DataError, match=r"a.csv and b.csv: expected the same trades to have the same ids"):
        read([mine, other])


@pytest.mark.parametrize("ids", [False, True])
def test_times_in_two_units_are_not_merged(tmp_path: Path, ids: bool) -> None:
    """The same trades, whose times one of two collectors cut to seconds."""
    head = "ts_ms,price,qty,side" + (",id" if ids else "")
    rows = [(T0 + 130 * n, 100 + n % 7, 1 + n, "buy", *([n] if ids else [])) for n in range(60)]
    mine = csv(tmp_path / "ms.csv", rows, head)
    cut = [(row[0] // 1000, *row[1:]) for row in rows]
    other = csv(tmp_path / "s.csv", cut, head.replace("ts_ms", "time"))
    with pytest.raises(
        DataError, match=r"expected times as fine in one as in the other, .*, found (s and ms|ms and s)"
    ):
        read([mine, other])
    assert len(read([mine, csv(tmp_path / "later.csv", [(row[0] + 9, *row[1:]) for row in cut], head)])[0]) == 120
    few = csv(tmp_path / "few.csv", [((T0 // 1000 + 1 + n) * 1000, 50, 1 + n, "buy", *row[4:]) for n, row in
                                     enumerate(rows[:5])], head)  # fmt: skip
    assert len(read([mine, few])[0]) == 65


def many(rng: random.Random) -> list[Trade]:
    return [row._replace(qty=rng.randrange(1, 60) / 8) for row in sharing.market(rng, "", 300)]


@files
@given(seed=seeds)
def test_a_part_that_is_appended_again_counts_once(seed: int) -> None:
    """A collector that began anew, and was sent again what it had; or a file that was appended to itself."""
    rng = random.Random(seed)
    rows = many(rng)
    begin, end = sorted(rng.randrange(len(rows) + 1) for _ in range(2))
    while 0 < end < len(rows) and rows[end].ts == rows[end - 1].ts:
        end += 1
    again = [row for row in rows[begin:end] if rng.random() < rng.choice([1.0, 0.95])]
    if len(again) < 20 or len({row.ts for row in again}) < 5:
        return
    kept = Kept(rng.choice(["a.csv", "a.csv.gz", "a.parquet"]), rows[:end] + again + rows[end:], False)
    kept.rows = sharing.turn(rng, kept.rows, rng.choice(["", "newest first"]))
    with tempfile.TemporaryDirectory() as folder:
        found, report = read(sharing.write(rng, Path(folder), kept))
    assert Counter(found) == Counter(row.contents for row in rows)
    assert report.rejected == {"duplicate": len(again)}
    assert f"{len(again)} rows go back in time, to 2026-06-1" in report.warnings[0]


@files
@given(seed=seeds)
def test_rows_out_of_order_are_no_part_appended_again(seed: int) -> None:
    """Rows that come late, and shards one after the other in one file, though some trades are alike."""
    rng = random.Random(seed)
    rows = many(rng)
    if rng.random() < 0.5:
        written = [row for _, row in sorted((n + rng.choice([0, 0, 2.5, 5.5]), row) for n, row in enumerate(rows))]
    else:
        written = [row for part in sharing.shards(rng, rows) for row in part]
    with tempfile.TemporaryDirectory() as folder:
        found, report = read(sharing.write(rng, Path(folder), Kept("a.csv", written, False)))
    assert Counter(found) == Counter(row.contents for row in rows)
    assert not report.rejected


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_rows_that_go_back_and_equal_earlier_ones_count(tmp_path: Path, count: int) -> None:
    """Sent again, or equal fills that were told late: the file is the same."""
    rows = [(T0 + 10 * n, 100 + n, 1 + n, "sell" if n % 3 else "buy") for n in range(400)]
    found, report = read(csv(tmp_path / "a.csv", rows[:300] + rows[290 : 290 + count] + rows[300:]))
    assert (len(found), report.rejected, report.warnings) == (400 + count, {}, [])


def test_a_part_that_may_be_appended_again_is_refused(tmp_path: Path) -> None:
    """Of rows that go back some stand there again one by one, which trades may do, and some one after the other."""
    rows = [(T0 + 10 * n, 100 + n, 1 + n, "buy") for n in range(400)]
    others = [(T0 + 10 * n + 5, 100 + n, 1 + n, "sell") for n in range(130, 400)]
    alone = rows[130:400:3]

    def of(pieces: int) -> Path:  # of three rows each
        again = [row for n in range(pieces) for row in rows[3 * n : 3 * n + 3]]
        return csv(tmp_path / f"{pieces}.csv", rows + sorted({*alone, *again, *others}))

    assert len(read(of(0))[0]) == 760
    with pytest.raises(DataError, match=r"5.csv: expected .*, found 105 rows after steps back in time .*, 15 of them"):
        read(of(5))
    assert len(read(of(33))[0]) == 670
    assert read(csv(tmp_path / "third.csv", rows + alone))[1].rejected == {"duplicate": 90}  # all that goes back
    long = [(T0 + 10 * n, 100 + n, 1 + n, "buy") for n in range(4000)]
    more = [(T0 + 10 * n + 5, 100 + n, 1 + n, "sell") for n in range(4000)]
    found, report = read(csv(tmp_path / "long.csv", long + sorted([*more, *long[1000::3]]) + long[50:75]))
    assert (len(found), report.rejected) == (9000, {"duplicate": 25})


def test_a_file_whose_every_row_stands_twice_is_said(tmp_path: Path) -> None:
    rows = [(T0 + n // 3, 100 + n, 1, "buy") for n in range(300)]
    doubled = sorted(rows * 2)
    report = read(csv(tmp_path / "twice.csv", doubled))[1]
    assert report.warnings[0].startswith("twice.csv: every row stands there 2 times or a multiple of that: ")
    assert "every row" not in str(read(csv(tmp_path / "once.csv", [*doubled, (T0 + 999, 1, 1, "buy")]))[1].warnings)
    named = [(*row, number // 2) for number, row in enumerate(doubled)]
    report = read(csv(tmp_path / "ids.csv", named, "ts_ms,price,qty,side,id"))[1]
    assert report.rejected == {"duplicate_id": 300}


def test_a_file_of_another_layout_without_a_trade_in_common_is_named(tmp_path: Path) -> None:
    mine = csv(tmp_path / "mine.csv", [(T0 + 2 * n, 100 + n, 1, "buy") for n in range(60)])
    path = tmp_path / "BTCUSDT-aggTrades-2026-06-11.csv"
    path.write_text("".join(f"{n},{100 + n},1,{n},{n},{T0 + 2 * n},true\n" for n in range(60)))
    found, report = read([mine, path])
    assert len(found) == 120
    assert "no trade in common with" in report.warnings[0]


def test_reports_say_what_was_merged(tmp_path: Path) -> None:
    rows = [(T0 + n, 100 + n, 1, "buy") for n in range(10)]
    paths = [
        csv(tmp_path / "a.csv", rows),
        csv(tmp_path / "b.csv", rows[5:]),
        csv(tmp_path / "c.csv", [(T0 + 99, 1, 1, "buy")]),
    ]
    report = read(paths)[1]
    assert report.notes == [
        "a.csv: merged by time with b.csv",
        "b.csv: merged by time with a.csv, 5 repeated rows left out",
    ]
    assert [file.rejected for file in report.files] == [{}, {"duplicate": 5}, {}]
    assert [(file.first_ts, file.last_ts) for file in report.files][1] == (None, None)


def test_files_that_do_not_overlap_are_handed_on_without_a_copy(tmp_path: Path) -> None:
    paths = [csv(tmp_path / f"{n}.csv", [(T0 + 100 * n + i, 100, 1, "buy") for i in range(50)]) for n in range(3)]
    with lq.read_trades(paths) as reader:
        assert [len(batch) for batch in reader] == [50, 50, 50]
    assert reader.report.notes == []


def windows(rows: list[tuple[int, float, float, bool]]) -> dict[int, list[float]]:
    found: dict[int, list[float]] = {}
    for row in rows:
        found.setdefault(row[0] // 10**9, []).append(row[1])
    return found


def test_recorded_cases() -> None:
    folder = data_dir() / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases in {folder}")
    found, report = read(folder / "03c-bybit-spot-concatenated.csv")
    assert (len(found), report.rejected) == (1500, {})
    by_second = windows(read(folder / "05-XBTUSDTM-trades-2024-05-14.csv")[0])
    assert {(prices[0], prices[-1]) for prices in by_second.values()} == {(62932.6, 62933.0)}
    found, report = read(sorted(folder.glob("27-shards-part-*.parquet")))
    assert (len(found), report.rejected) == (4000, {})
    assert np.isclose(sum(row[2] for row in found), 200.0, rtol=1e-12)
