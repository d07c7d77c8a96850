"""The live scale of a fitted profile in a market that is followed: dollars stay dollars, nothing knows its future."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import liqcore as lq
from liqcore.config import Config
from liqcore.evaluate.live_scale import LiveScale, Running
from liqcore.feeds.events import SIMULATED, Change, Frame, Liquidation, Trade
from liqcore.feeds.frames import changed, of_events
from liqcore.history.one import OneHistory
from liqcore.history.scales import Scales
from liqcore.live import Replay, Service
from liqcore.live.board import Board
from liqcore.live.demo import Demonstration
from liqcore.live.market import MarketEngine
from liqcore.live.replay import Recording
from liqcore.live.scaling import LEAST, LEAST_NS, YOUNG_NS
from liqcore.market.fitted import FittedLayer, FittedProfile
from liqcore.render.captions import footer_items
from liqcore.render.contract import RenderOptions
from liqcore.render.labels import short_scale_text
from liqcore.views.heatmap import Heatmap
from markets import BTC, HOUR

DAY = 24 * HOUR
WINDOW = 300_000_000_000
INSTRUMENT = {"tick_size": 0.1, "lot_size": 0.001}
DAYS = 3.0
TIMES = 3.0


def fitted(feed: str = "binance-usdm", *, complete: bool = True, symbol: str = "BTCUSDT") -> FittedProfile:
    """A profile of three layers, fitted to the liquidations of a feed up to 30 May."""
    layers = tuple(
        FittedLayer(tier, np.inf, 0.5 * w, w, 2 * w) for tier, w in ((0.01, 0.02), (0.02, 0.04), (0.05, 0.1))
    )
    data = {"feed": feed, "complete": complete, "symbol": symbol, "liquidations": {"to": "2026-05-30T00:00:00Z"}}
    return FittedProfile(
        "BTCUSDT fit", "2026-06-01T00:00:00Z", "x", layers, model={"model": {"name": "flow"}}, data=data
    )


def config_of(folder: Path, profile: FittedProfile) -> Config:
    path = folder / "fit.json"
    profile.save(path)
    return Config().replace(leverage={"file": str(path)}, instrument=INSTRUMENT)


@cache
def traded() -> list[list[Any]]:
    """Trades of three days by frame: a price that swings by some percent."""
    rng = np.random.default_rng(5)
    count = 9000
    start = 1_781_222_400_000_000_000
    ts = start + np.sort(rng.integers(0, int(DAYS * DAY) // 1_000_000, count)) * 1_000_000
    price = np.round(63_000 * np.exp(np.cumsum(rng.normal(0, 0.0012, count))), 1)
    qty = np.round(rng.integers(1, 900, count) * 0.001, 3)
    rows = zip(ts.tolist(), price.tolist(), qty.tolist(), (rng.random(count) < 0.5).tolist(), strict=True)
    events = [Trade(BTC, *row, number, 1) for number, row in enumerate(rows, 1)]
    return [events[at : at + 5] for at in range(0, count, 5)]


@cache
def predicted() -> Heatmap:
    """What the profile says of these trades, in windows."""
    batch = [trade for part in traded() for trade in part]
    columns = ([t.ts for t in batch], [t.price for t in batch], [t.qty for t in batch], [t.taker_sell for t in batch])
    kinds = (np.int64, np.float64, np.float64, np.bool_)
    trades = lq.TradeBatch(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))
    profile = fitted()
    return lq.heatmap(
        trades=trades, leverage=profile.profile(), half_life=None, config=Config().replace(instrument=INSTRUMENT)
    )


def usd(hm: Heatmap) -> np.ndarray[Any, Any]:
    """What it says was liquidated in its columns, (2, columns)."""
    sides = (hm.select(side=side).liquidated.sum(axis=1, dtype=np.float64) for side in ("long", "short"))
    return np.stack(list(sides))


def market_frames(
    factor: tuple[float, float] = (TIMES, TIMES),
    *,
    late_ns: int = 0,
    complete: bool = True,
    live: bool = True,
    changes: Sequence[Change] = (),
    more: dict[int, float] | None = None,
) -> list[Frame]:
    """The trades, with liquidations in the middle of each window that are so many times what was predicted."""
    hm = predicted()
    events: list[Any] = [(part[-1].ts, list(part)) for part in traded()]
    for start, (long, short) in zip(hm.times.tolist(), usd(hm).T.tolist(), strict=True):
        weight = (more or {}).get(start, 1.0)
        for side, amount in (("long", factor[0] * long), ("short", factor[1] * short)):
            if amount > 0:
                ts = start + WINDOW // 2
                told = Liquidation(BTC, ts, 50_000.0, weight * amount / 50_000.0, side, complete=complete)  # type: ignore[arg-type]
                events.append((ts + late_ns, [told]))
    first = Change(BTC, "liquidations", "live", traded()[0][0].ts - WINDOW)
    frames = [(ts, of_events(BTC, ts, told)) for ts, told in events]
    frames += [(change.ts, changed(change, change.ts)) for change in ([first] if live else []) + list(changes)]
    frames.sort(key=lambda one: one[0])
    return [frame for _, frame in frames]


def engine_of(frames: list[Frame], config: Config) -> MarketEngine:
    market = MarketEngine(BTC, config)
    market.take(frames)
    market.finish()
    return market


def shown(market: MarketEngine) -> Heatmap:
    moment = Board(market).moment()
    assert moment is not None
    return moment.heatmap()


def test_going_on_bar_by_bar_is_the_scale_of_all_bars() -> None:
    rng = np.random.default_rng(1)
    bars = np.cumsum(rng.integers(1, 4, 200)) * WINDOW
    said, seen = rng.exponential(1.0, (2, 2, 200)) * (rng.random((2, 2, 200)) < 0.6)
    how, running = LiveScale(), Running()
    whole = how.of(bars, said, seen, WINDOW)
    for bar, start in enumerate(bars.tolist()):
        running = msgspec.msgpack.decode(msgspec.msgpack.encode(running), type=Running)  # as a checkpoint has it
        assert running.scale(how, WINDOW) == tuple(whole[:, bar])
        running.add(how, start, said[:, bar].tolist(), seen[:, bar].tolist())
    assert running.scale(how, WINDOW) == tuple(whole[:, -1])


def test_where_three_times_the_fit_is_liquidated_the_dollars_are_right_after_a_day(tmp_path: Path) -> None:
    market = engine_of(market_frames((TIMES, 1.5 * TIMES)), config_of(tmp_path, fitted()))
    hm = shown(market)
    last = hm.times >= hm.times[-1] - DAY
    realised = Board(market).realised_in(hm.times, hm.window_ns)[last].sum(axis=0)
    bare, scaled = usd(predicted())[:, last].sum(axis=1), usd(hm)[:, last].sum(axis=1)
    assert bare / realised == pytest.approx([1 / TIMES, 1 / (1.5 * TIMES)], rel=0.01)
    assert scaled / realised == pytest.approx([1, 1], rel=0.15)
    factors = hm.meta["live_scale"]
    assert factors["long"] == pytest.approx(TIMES, rel=0.25)
    assert factors["short"] == pytest.approx(1.5 * TIMES, rel=0.25)
    assert hm.meta["meaning"].startswith("fitted, BTCUSDT fit; live scale ")
    assert "as of 2026-06-14 23:5" in hm.meta["meaning"]
    assert "live scale since 2026-06-13 06:00" in footer_items(hm, RenderOptions())
    assert "; live scale 3." in short_scale_text(hm.meta)
    assert hm.meta["notes"] == ["columns that end before 2026-06-13T06:00:00Z are without a live scale"]


def test_in_a_simulated_market_that_liquidates_three_times_the_fit_the_dollars_are_right_within_a_half(
    tmp_path: Path,
) -> None:
    simulated = lq.simulate(days=4, trades_per_day=8_000, seed=2, volatility=0.03)
    demo = Demonstration(simulated, simulated.start)
    frames = list(demo.frames())

    def last_day(weight: float) -> tuple[Heatmap, float, float]:
        """What it says with weights so many times those of the profile, and USD told and shown of the last day."""
        profile = fitted("simulator", symbol=SIMULATED.symbol)
        layers = tuple(FittedLayer(one.tier, np.inf, 0.0, weight * one.mid, weight) for one in profile.layers)
        config = demo.terms(config_of(tmp_path, replace(profile, layers=layers)))
        market = MarketEngine(SIMULATED, config)
        market.take(frames)
        market.finish()
        hm = shown(market)
        last = hm.times >= hm.times[-1] - DAY
        told = Board(market).realised_in(hm.times, hm.window_ns)[last].sum()
        bare = Heatmap(replace(hm._shown.histories, scales=None), hm._shown.view, hm.meta)  # type: ignore[type-var]
        return hm, usd(hm)[:, last].sum() / told, usd(bare)[:, last].sum() / told

    _, _, bare = last_day(1.0)
    hm, scaled, bare = last_day(1 / (TIMES * bare))
    assert bare == pytest.approx(1 / TIMES, rel=0.02)
    assert 1 / 1.5 < scaled < 1.5
    assert hm.meta["live_scale"]["why"] == ""


def test_the_scale_is_that_of_the_windows_counted_and_knows_nothing_of_its_own(tmp_path: Path) -> None:
    config = config_of(tmp_path, fitted())
    hm = predicted()
    market = engine_of(market_frames(), config)
    rows = market.state.scaling.rows
    begun = market.state.begun
    counted = (hm.times - begun >= YOUNG_NS) & (hm.times + WINDOW <= rows[-1][0])
    realised = Board(market).realised(hm.times).T
    whole = LiveScale().of(hm.times[counted], usd(hm)[:, counted], realised[:, counted], WINDOW)
    found = Scales.of(rows)
    at = np.searchsorted(hm.times[counted] + WINDOW, found.since)
    np.testing.assert_allclose(found.factors, whole[:, at + 1], rtol=1e-4)  # cells are of 32 bits
    assert found.since[0] >= begun + YOUNG_NS + LEAST_NS

    changes = int(hm.times[counted][np.argmax(realised[:, counted].sum(axis=0)[100:]) + 100])  # a window with some
    other = engine_of(market_frames(more={changes: 50.0}), config)
    before = [row for row in rows if row[0] <= changes]
    assert other.state.scaling.rows[: len(before)] == before
    assert other.state.scaling.rows[len(before)] != rows[len(before)]
    mine, theirs = shown(market), shown(other)
    upto = int(np.searchsorted(mine.times, changes))
    np.testing.assert_array_equal(mine.liquidated[: upto + 1], theirs.liquidated[: upto + 1])  # of the window itself
    np.testing.assert_array_equal(mine.values[:upto], theirs.values[:upto])
    assert theirs.values[upto].sum() > mine.values[upto].sum()


def broken(at: int) -> list[Change]:
    """The stream of liquidations is lost at a time, and comes back two hours later."""
    return [Change(BTC, "liquidations", "connecting", at), Change(BTC, "liquidations", "live", at + 2 * HOUR)]


@pytest.mark.parametrize("seed", range(3))
def test_frames_give_the_same_scale_however_divided_and_after_a_restart(seed: int, tmp_path: Path) -> None:
    config = config_of(tmp_path, fitted())
    chance = random.Random(seed)
    begin = traded()[0][0].ts
    frames = market_frames(late_ns=chance.randrange(2 * WINDOW), changes=broken(begin + 40 * HOUR + seed))
    whole = MarketEngine(BTC, config)
    whole.take(frames)
    assert whole.state.scaling.rows
    divided = MarketEngine(BTC, config)
    at = 0
    while at < len(frames):
        size = chance.choice([1, 7, 400])
        divided.take(frames[at : at + size])
        at += size
        if chance.random() < 0.2 and (saved := divided.save()) is not None:
            divided = MarketEngine(BTC, config)
            assert divided.load(saved)
    assert divided.save() == whole.save()
    np.testing.assert_array_equal(shown(divided).long, shown(whole).long)


def test_windows_are_counted_only_while_liquidations_are_told_of_and_no_trades_are_missing(tmp_path: Path) -> None:
    config = config_of(tmp_path, fitted())
    begin = traded()[0][0].ts
    lost = begin + 40 * HOUR
    whole = engine_of(market_frames(), config).state.scaling
    less = engine_of(market_frames(changes=broken(lost)), config).state.scaling
    assert 2 * HOUR <= whole.counted_ns - less.counted_ns <= 2 * HOUR + 2 * WINDOW
    hole = Change(BTC, "trades", "gap open", lost, since=lost - HOUR, until=lost - HOUR // 2)
    holed = engine_of(market_frames(changes=[hole]), config).state.scaling
    assert 0 < whole.counted_ns - holed.counted_ns <= HOUR + 2 * WINDOW


def test_a_scale_that_is_no_longer_fed_is_said_to_be_old(tmp_path: Path) -> None:
    lost = Change(BTC, "liquidations", "connecting", traded()[0][0].ts + 60 * HOUR)
    meta = shown(engine_of(market_frames(changes=[lost]), config_of(tmp_path, fitted()))).meta
    assert any(note.startswith("the live scale is 1") and "old" in note for note in meta["notes"])


@pytest.mark.parametrize(
    ("profile", "given", "why"),
    [
        (fitted("Binance, Bybit and OKX, an aggregator"), {}, "fitted to liquidations of 'Binance, Bybit and OKX"),
        (fitted(""), {}, "a feed that is not named"),
        (fitted(symbol="ETHUSDT"), {}, "fitted to liquidations of ETHUSDT, not of BTCUSDT"),
        (fitted(), {"complete": False}, "fitted to all liquidations, and binance-usdm:BTCUSDT tells of a part"),
        (fitted(complete=False), {}, "fitted to a part of the liquidations (a floor), and"),
        (fitted(), {"factor": (0.0, 0.0), "live": False}, "liquidations are not told of"),
        (fitted(), {"factor": (0.0, 0.0)}, f"0 liquidations in 47.9h so far, must be at least {LEAST} in 6h"),
    ],
)  # fmt: skip
def test_where_there_can_be_no_scale_it_is_said_why_and_of_which_date_dollars_are(
    profile: FittedProfile, given: dict[str, Any], why: str, tmp_path: Path
) -> None:
    market = engine_of(market_frames(**given), config_of(tmp_path, profile))
    hm = shown(market)
    assert hm.meta["meaning"] == "fitted, BTCUSDT fit; without a live scale: USD of 2026-05-30"
    assert why in hm.meta["live_scale"]["why"]
    assert any(why in note for note in hm.meta["notes"])
    np.testing.assert_allclose(usd(hm), usd(predicted()), rtol=1e-5)


def test_one_a_second_is_a_truth_of_its_own(tmp_path: Path) -> None:
    market = engine_of(market_frames(complete=False), config_of(tmp_path, fitted(complete=False)))
    assert shown(market).meta["live_scale"]["long"] == pytest.approx(TIMES, rel=0.25)


def test_a_young_book_is_not_counted(tmp_path: Path) -> None:
    frames = market_frames()
    early = [frame for frame in frames if frame.received < traded()[0][0].ts + 20 * HOUR]
    meta = shown(engine_of(early, config_of(tmp_path, fitted()))).meta
    assert meta["live_scale"]["why"] == "the book is younger than 1d"


def test_a_profile_that_is_not_fitted_has_no_scale() -> None:
    meta = shown(engine_of(market_frames(), Config().replace(instrument=INSTRUMENT))).meta
    assert "live_scale" not in meta
    assert "scale" not in meta["meaning"]


# ------------------------------------------------------------------------------------------------ what is shown scaled


@cache
def both() -> tuple[Heatmap, Heatmap]:
    """A heatmap without scales, and the same with some."""
    hm = predicted()
    one = hm._shown.histories
    assert isinstance(one, OneHistory)
    rng = np.random.default_rng(3)
    at = hm.times[100:800:7] + WINDOW
    scales = Scales.of([(int(ts), *rng.uniform(0.2, 4, 2)) for ts in at])
    return hm, Heatmap(replace(one, scales=scales), hm._shown.view, hm.meta)


def factors(hm: Heatmap, times: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    one = hm._shown.histories
    assert isinstance(one, OneHistory)
    assert one.scales is not None
    return one.scales.at(times)


@pytest.mark.parametrize("window", ["5m", "1h"])
def test_columns_are_scaled_as_was_known_at_their_end(window: str) -> None:
    bare, scaled = (hm.rebin(window=window) for hm in both())
    known = factors(both()[1], bare.times + bare.window_ns)
    np.testing.assert_allclose(scaled.long, bare.long * known[0][:, None], rtol=1e-6)
    np.testing.assert_allclose(scaled.short, bare.short * known[1][:, None], rtol=1e-6)
    before = factors(both()[1], bare.times)
    for side, factor in zip(("long", "short"), before, strict=True):
        gone = (hm.select(side=side).liquidated for hm in (scaled, bare))
        np.testing.assert_allclose(next(gone), next(gone) * factor[:, None], rtol=1e-6)


def test_maps_ages_zones_and_their_times_go_by_the_scaled_columns() -> None:
    bare, scaled = both()
    ts = int(bare.times[700])
    known = factors(scaled, np.array([ts]))[:, 0]
    maps = bare.map(ts), scaled.map(ts)
    np.testing.assert_allclose(maps[1].long, maps[0].long * known[0], rtol=1e-6)
    np.testing.assert_allclose(maps[1].short, maps[0].short * known[1], rtol=1e-6)
    column = bare._shown.complete_column_at(ts)
    np.testing.assert_allclose(scaled.long[column].sum(), maps[1].long.sum(), rtol=1e-4)
    ages = bare.age(ts), scaled.age(ts)
    np.testing.assert_allclose(ages[1].opened, ages[0].opened * known[:, None], rtol=1e-6)
    np.testing.assert_allclose(ages[1].live, ages[0].live * known[:, None], rtol=1e-6)
    for zone in scaled.zones(ts):
        rows = (scaled.prices >= zone.low - 1e-6) & (scaled.prices < zone.high - 1e-6)
        side = scaled.long if zone.side == "long" else scaled.short
        assert zone.value == pytest.approx(float(side[column, rows].sum()), rel=1e-4)


def test_since_when_a_cell_has_held_so_much_is_looked_up_in_scaled_columns() -> None:
    bare, scaled = both()
    view, last = scaled._shown.view, 700
    threshold = float(np.quantile(scaled.long[last][scaled.long[last] > 0], 0.5))
    found = scaled._shown.histories.since(view, 0, last + 1, threshold)
    for side, values in enumerate((scaled.long, scaled.short)):
        for row in range(len(scaled.prices)):
            start = np.iinfo(np.int64).min
            for column in range(last, -1, -1):
                if not (values[column, row] > 0 and values[column, row] >= threshold):
                    break
                start = int(scaled.times[column])
            assert found[side, row] == start
    other = replace(scaled._shown.histories, scales=Scales.of([]))  # type: ignore[type-var]
    np.testing.assert_array_equal(
        other.since(view, 0, last + 1, threshold), bare._shown.histories.since(view, 0, last + 1, threshold)
    )


def test_scales_are_saved_and_summed_with_what_they_scale(tmp_path: Path) -> None:
    bare, scaled = both()
    scaled.save(tmp_path / "one.parquet")
    np.testing.assert_array_equal(lq.load_heatmap(tmp_path / "one.parquet").long, scaled.long)
    merged = lq.merge_venues({"one": scaled, "two": bare})
    np.testing.assert_allclose(merged.long, scaled.long + bare.long, rtol=1e-6)
    merged.save(tmp_path / "two.parquet")
    np.testing.assert_array_equal(lq.load_heatmap(tmp_path / "two.parquet").short, merged.short)


def test_of_a_sum_each_venue_has_its_own_scale_and_the_one_without_is_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one = shown(engine_of(market_frames(), config_of(tmp_path, fitted())))
    two = shown(engine_of(market_frames(), config_of(tmp_path / "other", fitted("an aggregator"))))
    with pytest.warns(UserWarning, match="two: without a live scale"):
        both = lq.merge_venues({"one": one, "two": two})
    assert [note.partition(",")[0] for note in both.meta["notes"]] == [
        "two: without a live scale: it was fitted to liquidations of 'an aggregator'"
    ]
    assert "; live scale 2.9" in both.meta["meaning"]
    np.testing.assert_allclose(both.long, one.long + two.long, rtol=1e-5)


# ------------------------------------------------------------------------------------------------------------- told of


def served(tmp_path: Path) -> Any:
    pytest.importorskip("starlette")
    from serving import Served

    config = config_of(tmp_path, fitted())
    found = Served(tmp_path, config.replace(server={"requests": 1e9}), {BTC: None})
    engine = MarketEngine(BTC, config, sinks=[found.news])
    found.engines[BTC] = engine
    found.following.boards[BTC] = Board(engine)
    found.feed(BTC, market_frames(), last=True)
    return found


def test_every_answer_of_a_picture_is_scaled_and_says_so(tmp_path: Path) -> None:
    server = served(tmp_path)
    hm = shown(server.engines[BTC])
    asked = {"market": str(BTC)}
    answers = {
        path: server.ask(path, params=asked | more).json()
        for path, more in {
            "/heatmap": {"columns": 50, "liquidated": "true"},
            "/map": {},
            "/zones": {},
            "/cascade": {"to": 0.95 * float(hm.candles["close"][-1])},
            "/stops": {"position": "long"},
        }.items()
    }
    for answer in answers.values():
        assert "live scale" in answer["meaning"]
        said = answer["live_scale"][str(BTC)]
        assert said["why"] == ""
        assert said["long"] == pytest.approx(TIMES, rel=0.25)
        assert 0 <= answer["ts"] - said["as_of"] < 2 * WINDOW
    np.testing.assert_allclose(np.array(answers["/heatmap"]["long"]).sum(axis=1), hm.long[-50:].sum(axis=1), rtol=1e-4)
    assert answers["/map"]["long"] == pytest.approx(float(hm.map().long.sum()))
    found = server.ask("/features", params=asked).json()["markets"][0]
    assert found["live_scale"] == answers["/map"]["live_scale"][str(BTC)]


def test_news_and_columns_are_in_the_same_dollars(tmp_path: Path) -> None:
    server = served(tmp_path)
    hm = shown(server.engines[BTC])
    told = {one["start"]: one for one in (entry for entry in _columns(server)) if one["end"] <= hm.times[-1]}
    gone = usd(hm)
    for at, start in enumerate(hm.times.tolist()):
        if start in told:
            found = told[start]["liquidated_long"], told[start]["liquidated_short"]
            assert found == pytest.approx(gone[:, at].tolist(), rel=1e-4, abs=1e-3)
            assert told[start]["scale"] == pytest.approx(factors(hm, np.array([start + WINDOW]))[:, 0].tolist())


def _columns(server: Any) -> list[dict[str, Any]]:
    from liqcore.live.happened import Column

    return [msgspec.structs.asdict(told) for _, told in server.news.since(0) if isinstance(told, Column)]


def test_a_batch_says_of_which_date_its_dollars_are_where_the_data_go_on() -> None:
    batch = [trade for part in traded()[:200] for trade in part]
    columns = (np.array([getattr(trade, name) for trade in batch]) for name in ("ts", "price", "qty", "taker_sell"))
    trades, terms = lq.TradeBatch(*columns), Config().replace(instrument=INSTRUMENT)
    hm = lq.heatmap(trades=trades, leverage=fitted(), config=terms)
    assert hm.meta["meaning"] == "fitted, BTCUSDT fit; USD of 2026-05-30, 12d before the end of the data"
    same = replace(fitted(), data={"liquidations": {"to": "2026-06-12T00:00:00Z"}})
    assert lq.heatmap(trades=trades, leverage=same, config=terms).meta["meaning"] == "fitted, BTCUSDT fit"


def test_a_recording_that_is_moved_back_has_the_scale_of_then(tmp_path: Path) -> None:
    config = config_of(tmp_path, fitted()).replace(journal={"write": "1ms", "sync": "5ms"}, live={"checkpoint": "1h"})
    given = market_frames()
    begin, end = given[0].received, given[-1].received
    then = end - 20 * HOUR
    source = Replay(Recording([BTC], begin, None, lambda _: iter(given), end=end), 1.0)
    found: list[Any] = []

    async def main() -> None:
        with Service(source, tmp_path / "journal", config=config) as service:
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stays=True, stop=stop))
            try:
                async with asyncio.timeout(60):
                    while not source.player._has_begun:
                        await asyncio.sleep(0.001)
                    for ts in (end - HOUR, then):
                        source.player.change(service.following.clock.elapsed(), at=ts, paused=True)
                        due = sum(frame.received <= ts for frame in given)
                        while source.player.told.moving or service.engines[BTC].frames != due:
                            await asyncio.sleep(0.001)
                        moment = service.following.boards[BTC].moment()
                        assert moment is not None
                        found.append((moment.heatmap().meta["live_scale"], service.engines[BTC].state.scaling))
            finally:
                stop.set()
                await running

    asyncio.run(main())
    market = MarketEngine(BTC, config)
    market.take([frame for frame in given if frame.received <= then])
    (later, _), (earlier, scaling) = found
    assert scaling == market.state.scaling
    assert later["as_of"] > then >= earlier["as_of"] > then - HOUR
    assert earlier["long"] == market.state.scaling.factors[0]
