"""Pages of earlier columns: what they hold is what the heatmap of the same trades has there, however far back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")

import liqcore as lq
from liqcore.feeds.events import Liquidation, Market
from liqcore.feeds.frames import of_events
from liqcore.live.board import Board
from liqcore.live.market import LIQUIDATIONS
from liqcore.server.forms import PageAsked
from liqcore.server.paging import COLUMNS, Pages
from liqcore.server.refused import RefusedError
from liqcore.tables.packed import decode, unpack
from markets import BTC, frames, trades
from serving import BYBIT, Served

MINUTE = 60_000_000_000
WINDOW = 5 * MINUTE
TRADES = {BTC: trades(9_000, seed=31, hours=200.0), BYBIT: trades(8_000, seed=32, hours=200.0)}
STEP = 50.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("journals"), given=dict(TRADES))


def page(served: Served, level: int, number: int, market: str = str(BTC), **more: Any) -> Any:
    """Ask for a page; return its header and arrays, cells as amounts."""
    asked = {"market": market, "step": STEP, "level": level, "page": number, **more}
    answer = served.ask("/pages", params=asked)
    assert answer.status_code == 200, answer.text
    header, arrays = decode(answer.content)
    for n, side in enumerate(("long", "short")):
        codes = np.cumsum(arrays[side], axis=0, dtype=np.uint16)
        arrays[side] = unpack(arrays["tops"][:, n], codes)
    return header, arrays


def numbers(hm: lq.Heatmap, level: int) -> range:
    """The pages that there are of a level."""
    length = WINDOW * 4**level * COLUMNS
    return range(int(hm.times[0]) // length, int(hm.times[-1]) // length + 1)


def greatest(hm: lq.Heatmap, side: str, level: int, time: int, row: int) -> float:
    """The greatest cell of those that one of a level joins, by brute force."""
    length, many = WINDOW * 4**level, 2 ** (level // 2)
    columns = (hm.times >= time) & (hm.times < time + length)
    below = np.rint(hm.prices / STEP).astype(int) // many == row
    cells = getattr(hm, side)[np.ix_(columns, below)]
    return float(cells.max()) if cells.size else 0.0


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_each_cell_is_the_greatest_of_those_that_it_joins(served: Served, level: int) -> None:
    hm = lq.heatmap(trades=TRADES[BTC], symbol="BTCUSDT", venue="binance-usdm", step=STEP)
    rng = np.random.default_rng(level)
    seen: list[int] = []
    for number in numbers(hm, level):
        header, arrays = page(served, level, number)
        times = arrays["times"]
        seen += times.tolist()
        length = WINDOW * 4**level
        assert (header["window_ns"], header["step"]) == (length, STEP * 2 ** (level // 2))
        assert (np.diff(times) == length).all()
        assert times[0] // (length * COLUMNS) == times[-1] // (length * COLUMNS) == number
        for _ in range(60):
            column, row = int(rng.integers(len(times))), int(rng.integers(header["rows"]))
            for side in ("long", "short"):
                truth = greatest(hm, side, level, int(times[column]), header["row"] + row)
                assert np.isclose(arrays[side][column, row], truth, rtol=3e-4), (number, column, row)
        whole = hm.rebin(window=f"{length // MINUTE}m") if level else hm
        part = np.isin(whole.times, times)
        candles = whole.candles[part].view(np.float64).reshape(-1, 6)
        np.testing.assert_allclose(arrays["candles"], candles, rtol=1e-12)
    assert seen == sorted(set(seen))
    assert seen[0] <= hm.times[0] < seen[0] + WINDOW * 4**level


def test_a_level_has_no_amount_that_another_lacks(served: Served) -> None:
    hm = lq.heatmap(trades=TRADES[BTC], symbol="BTCUSDT", venue="binance-usdm", step=STEP)
    for level in (0, 1, 2, 3, 4):
        most = max(page(served, level, number)[1]["long"].max() for number in numbers(hm, level))
        assert np.isclose(most, hm.long.max(), rtol=3e-4)


def test_several_markets_are_summed(served: Served) -> None:
    both = f"{BTC},{BYBIT}"
    one = lq.heatmap(trades=TRADES[BTC], symbol="BTCUSDT", venue="binance-usdm", step=STEP)
    number = numbers(one, 0)[2]
    parts = [page(served, 0, number, market) for market in (str(BTC), str(BYBIT), both)]
    totals = []
    for header, arrays in parts:
        del header
        totals.append(arrays["long"].sum(axis=1, dtype=np.float64))
    assert (parts[2][1]["times"] == parts[0][1]["times"]).all()
    np.testing.assert_allclose(totals[2], totals[0] + totals[1], rtol=1e-3)


def test_side_tiers_and_age_are_those_of_a_selection(served: Served) -> None:
    hm = lq.heatmap(trades=TRADES[BTC], symbol="BTCUSDT", venue="binance-usdm", step=STEP)
    number = numbers(hm, 0)[3]
    asked = {"side": "short", "leverage": "25,50", "opened_within": "1d"}
    header, arrays = page(served, 0, number, **asked)
    part = hm.select(side="short", leverage=[25, 50], opened_within="1d")
    assert not arrays["long"].any()
    columns = np.isin(part.times, arrays["times"])
    low = header["row"] - round(float(part.prices[0]) / STEP)
    np.testing.assert_allclose(arrays["short"], part.short[columns][:, low : low + header["rows"]], rtol=2e-4)


def test_a_page_is_made_once_and_tagged(served: Served) -> None:
    asked = {"market": str(BTC), "step": STEP, "page": numbers(lq.heatmap(trades=TRADES[BTC]), 0)[1]}
    first = served.ask("/pages", params=asked)
    again = served.ask("/pages", params=asked, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"  # a server may follow something else next time
    assert served.ask("/pages", params=asked).content == first.content


def test_what_is_over_does_not_change_and_what_goes_on_does(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: None})
    given = frames(TRADES[BTC])
    half = len(given) // 2
    served.feed(BTC, given[:half])
    of = lq.heatmap(trades=TRADES[BTC])
    bodies = {}
    for count in (half, half + 200, len(given)):
        served.feed(BTC, given[max(half, count - 200) : count] if count < len(given) else given[half + 200 :])
        for number in numbers(of, 0):
            answer = served.ask("/pages", params={"market": str(BTC), "step": STEP, "page": number})
            if answer.status_code == 404:
                continue
            complete = decode(answer.content)[0]["complete"]
            before = bodies.get(number)
            if before is not None and before[0]:
                assert (complete, answer.content) == before
            bodies[number] = complete, answer.content
    assert sum(complete for complete, _ in bodies.values()) == len(bodies) - 1


def test_a_far_page_costs_what_a_near_one_does(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: trades(12_000, seed=5, hours=24.0 * 60)})
    board = Board(served.engines[BTC])
    moment = board.moment()
    assert moment is not None
    hm = moment.heatmap()

    for level in (0, 1):
        costs = []
        for number in numbers(hm, level)[1:-1]:
            pages = Pages(served.config.server)
            body = pages.page(PageAsked(market=(str(BTC),), step=STEP, level=level, page=number), [moment], [board])
            costs.append((pages.folded, len(decode(body)[1]["times"])))
        assert len(costs) > 10
        assert set(costs) == {(COLUMNS * 4**level, COLUMNS)}
    pages = Pages(served.config.server)
    for number in numbers(hm, 2):
        pages.page(PageAsked(market=(str(BTC),), step=STEP, level=2, page=number), [moment], [board])
    folded = pages.folded
    for number in numbers(hm, 3):
        pages.page(PageAsked(market=(str(BTC),), step=STEP, level=3, page=number), [moment], [board])
    assert folded <= len(hm.times)
    assert pages.folded - folded < 3 * COLUMNS * 16  # joined of what was joined: only what is not over is made anew


def test_kept_cells_stay_within_their_bytes(served: Served) -> None:
    moments = [Board(served.engines[BTC]).moment()]

    pages = Pages(served.config.server, most=8_000_000)
    hm = moments[0].heatmap()  # type: ignore[union-attr]
    for step in (50.0, 100.0, 200.0, 400.0):
        for number in numbers(hm, 1):
            asked = PageAsked(market=(str(BTC),), step=step, level=1, page=number)
            pages.page(asked, moments, [Board(served.engines[BTC])])  # type: ignore[arg-type]
            kept = sum(part.bytes for part in pages._kept.values())
            assert kept == pages._size <= 8_000_000


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"page": 3}, 404, "page must be one that has columns which are kept"),
        ({"page": -1}, 400, "page must be"),
        ({"page": 5, "level": 9}, 400, "level must be"),
        ({"page": 5, "step": 0.05}, 409, "step must be"),
        ({"page": 5, "market": "okx-swap:X"}, 404, "market must be one that is followed"),
        ({"page": 5, "opened_within": "1y", "leverage": "3"}, 409, "leverage must be among the tiers"),
    ],
)
def test_what_cannot_be_is_refused(served: Served, asked: dict[str, Any], status: int, said: str) -> None:
    given = {"market": str(BTC), "step": STEP, **asked}
    if given["page"] == 5:
        given["page"] = numbers(lq.heatmap(trades=TRADES[BTC]), 0)[1]
    answer = served.ask("/pages", params=given)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_rows_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: TRADES[BTC]})
    limits = served.config.replace(server={"rows": 10}).server
    board = Board(served.engines[BTC])
    moment = board.moment()
    assert moment is not None

    number = numbers(moment.heatmap(), 0)[1]
    for level in (0, 1):
        asked = PageAsked(market=(str(BTC),), step=STEP, level=level, page=number // 4**level)
        with pytest.raises(RefusedError, match="step must leave at most 10 rows"):
            Pages(limits).page(asked, [moment], [board])


# --- liquidations one by one ---


def liquidations(market: Market, count: int, seed: int) -> list[Liquidation]:
    rng = np.random.default_rng(seed)
    ts = TRADES[BTC].ts[0] + np.sort(rng.integers(0, 150 * 60 * MINUTE, count))
    return [
        Liquidation(market, int(at), float(rng.integers(60_000, 66_000)), float(rng.integers(1, 99)) / 10, side, True)
        for at, side in zip(ts, rng.choice(["long", "short"], count).tolist(), strict=True)
    ]


def test_liquidations_are_told_one_by_one_with_their_market(tmp_path: Path) -> None:
    served = Served(tmp_path, given=dict(TRADES))
    told = {market: liquidations(market, 40, seed) for seed, market in enumerate((BTC, BYBIT))}
    for market, events in told.items():
        served.feed(market, [of_events(market, events[-1].ts + 1, events)])
    header, arrays = decode(served.ask("/liquidations").content)
    assert header["markets"] == [str(BTC), str(BYBIT)]
    assert (np.diff(arrays["times"]) >= 0).all()
    found = sorted(
        (header["markets"][market], time, price, round(usd, 6), bool(long))
        for market, time, price, usd, long in zip(
            *(arrays[name].tolist() for name in ("market", "times", "prices", "usd", "longs")), strict=True
        )
    )
    assert found == sorted(
        (str(market), one.ts, one.price, round(one.qty * one.price, 6), one.side == "long")
        for market, events in told.items()
        for one in events
    )
    header, arrays = decode(served.ask("/liquidations", params={"market": str(BYBIT), "least": 200_000}).content)
    assert header["markets"] == [str(BYBIT)]
    assert len(arrays["usd"]) == sum(one.qty * one.price >= 200_000 for one in told[BYBIT])
    assert (arrays["usd"] >= 200_000).all()
    since = told[BTC][20].ts
    _, arrays = decode(served.ask("/liquidations", params={"market": str(BTC), "since": since}).content)
    assert arrays["times"].tolist() == [one.ts for one in told[BTC][20:]]


def test_the_latest_liquidations_are_kept_and_go_with_a_checkpoint(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: TRADES[BTC]})
    events = liquidations(BTC, LIQUIDATIONS + 50, 3)
    engine = served.engines[BTC]
    served.feed(BTC, [of_events(BTC, events[-1].ts + 1, events)])
    kept = Board(engine).liquidations()
    assert kept["ts"].tolist() == [one.ts for one in events[-LIQUIDATIONS:]]
    saved = engine.save()
    assert saved is not None
    other = type(engine)(BTC)
    assert other.load(saved)
    np.testing.assert_array_equal(Board(other).liquidations(), kept)
