"""A market without a journal begins with what was before: recordings, then candles, then trades, nothing twice."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("websockets")

from liqcore.config import Config
from liqcore.errors import DataError
from liqcore.feeds.events import Candle, Change, Market, OpenInterest, Trade
from liqcore.feeds.frames import EVENTS, changed, of_events, replayed, told_by
from liqcore.live.board import Board
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from liqcore.live.replay import Recording, histories, recording
from liqcore.live.service import Service
from liqcore.live.source import Live
from liqcore.render import RenderOptions
from liqcore.render.captions import footer_items
from liqcore.views.merge import join_venues
from liqcore.words.times import iso
from loopback import (
    EPOCH,
    SECOND,
    Binance,
    Bybit,
    Match,
    Okx,
    Tape,
    Venue,
    VirtualClock,
    market,
    market_of,
    play,
    text_of,
)
from markets import BTC, frames, trades

MINUTE = 60 * SECOND
CONFIG = Config().replace(window={"length": "10s"})
BEFORE, FOR = 260, 150  # seconds that nobody follows, and that somebody does


def minutes(matches: list[Match], since: int, until: int) -> list[tuple[int, list[Match]]]:
    """Matches by minute, as far as a venue is asked for them, that which forms included."""
    found = itertools.groupby(matches, key=lambda match: match.ts // MINUTE * MINUTE)
    return [(begin, list(of)) for begin, of in found if since <= begin // 10**6 <= until]


def prices_of(of: list[Match]) -> list[str]:
    prices = [match.price for match in of]
    return [text_of(price) for price in (prices[0], max(prices), min(prices), prices[-1])]


class Klines(Binance):
    """Candles and open interest, too: with what aggressive buyers took."""

    def answer(self, venue: Venue, url: str) -> Any:
        parts = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "openInterestHist" in url:
            return []
        if "aggTrades" in url and "startTime" in asked:
            since = int(asked["startTime"]) * 10**6
            return [self._row(match) for match in venue.matched() if match.ts >= since][: self.rows]
        if "klines" not in url:
            return super().answer(venue, url)
        rows: list[list[Any]] = []
        for begin, of in minutes(venue.matched(), int(asked["startTime"]), int(asked["endTime"])):
            volume, bought = (text_of(sum(m.qty for m in of if which(m))) for which in (lambda _: True, _is_buy))
            ms = begin // 10**6
            rows.append([ms, *prices_of(of), volume, ms + 59_999, "0", len(of), bought, "0", "0"])
        return rows


class KlinesWithoutTakers(Bybit):
    """The newest first, and nothing of who was the aggressor."""

    def answer(self, venue: Venue, url: str) -> Any:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if "kline" not in url and "open-interest" not in url:
            return super().answer(venue, url)
        rows: list[list[str]] = []
        if "kline" in url:
            for begin, of in minutes(venue.matched(), int(asked["start"]), int(asked["end"])):
                rows.insert(0, [str(begin // 10**6), *prices_of(of), text_of(sum(m.qty for m in of)), "0"])
        result = {"category": "linear", "symbol": self.symbol, "list": rows}
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": venue.now() // 10**6}


def _is_buy(match: Match) -> bool:
    return not match.sell


class CandlesOfContracts(Okx):
    """The newest first, volumes in contracts."""

    def answer(self, venue: Venue, url: str) -> Any:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if "candles" not in url and "open-interest" not in url:
            return super().answer(venue, url)
        rows: list[list[str]] = []
        if "candles" in url:
            until, since = int(asked["after"]), int(asked["before"])
            for begin, of in minutes(venue.matched(), since + 1, until - 1):
                ms = begin // 10**6
                is_over = "1" if venue.now() >= begin + MINUTE else "0"
                rows.insert(0, [str(ms), *prices_of(of), text_of(sum(m.qty for m in of)), "0", "0", is_over])
        return {"code": "0", "msg": "", "data": rows}


STYLES: dict[str, Callable[[], Any]] = {
    "binance-usdm": lambda: Klines("BTCUSDT"),
    "binance-coinm": lambda: Klines("BTCUSD_PERP"),
    "okx": lambda: CandlesOfContracts("BTC-USDT-SWAP"),
    "bybit-linear": lambda: KlinesWithoutTakers("BTCUSDT"),
}


@pytest.fixture(autouse=True)
def _without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(call: Callable[[], Any]) -> Any:
        return call()

    monkeypatch.setattr(asyncio, "to_thread", at_once)  # virtual time does not wait for threads


def follow(
    name: str,
    folder: Path,
    *,
    history: dict[Market, Recording] | None = None,
    fails: bool = False,
    config: Config = CONFIG,
) -> tuple[Venue, Service]:
    """Follow a venue that has been there for some minutes."""

    async def main() -> tuple[Venue, Service]:
        clock = VirtualClock()
        venue = Venue(name, clock, STYLES[name]())
        tape = Tape()
        market_of(tape, venue, BEFORE + FOR + 10)
        playing = asyncio.create_task(tape.run(clock))
        await clock.sleep(BEFORE * SECOND)
        venue.requests_fail = fails
        source = Live([market(name)], venue, history_ns=200 * SECOND, history=history or {})
        stop = asyncio.Event()
        with Service(source, folder, config=config, clock=clock) as service:
            running = asyncio.create_task(service.run(stop=stop))
            await clock.sleep(FOR * SECOND)
            stop.set()
            await running
        playing.cancel()
        return venue, service

    return play(main())


def engine_of(folder: Path, name: str, config: Config = CONFIG) -> MarketEngine:
    """What an undisturbed engine makes of a journal."""
    made = MarketEngine(market(name), config, keep=60_480)
    for frame in recording(sorted(folder.glob("*.mcap"))).frames():
        made.take([frame])
    made.finish()
    return made


@pytest.mark.parametrize("name", STYLES)
def test_candles_then_trades_count_everything_once(name: str, tmp_path: Path) -> None:
    venue, _ = follow(name, tmp_path)
    made = engine_of(tmp_path, name)
    assert made.engine is not None
    ((since, until),) = made.state.estimated
    assert since == -(-(EPOCH + (BEFORE - 200) * SECOND) // MINUTE) * MINUTE
    assert until == (EPOCH + BEFORE * SECOND) // MINUTE * MINUTE
    live = [hole for hole in made.state.holes if hole.state == "gap open" and hole.kind == "trades"]
    counted = [match for match in venue.history if since <= match.ts <= made.state.latest]
    if name != "okx":  # which merges matches
        assert made.state.counts["trades"] == sum(match.ts >= until for match in counted)
    candles = made.engine.heatmap().candles
    shown = float(np.nansum(candles["buy_qty"]) + np.nansum(candles["sell_qty"]))
    if name != "binance-coinm":  # which trades whole contracts, and these matches are fractions
        assert shown == pytest.approx(sum(match.qty for match in counted), abs=0.001 * len(candles))
    assert not live  # what came between the last candle and the first message was asked for


@pytest.mark.parametrize("name", STYLES)
def test_a_restart_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    _, service = follow(name, tmp_path)
    live = service.following.boards[market(name)]
    again = Service(Live([market(name)], Venue(name, VirtualClock(), STYLES[name]())), tmp_path, config=CONFIG)
    with again:
        follower = again._followers[market(name), "flow"]
        follower.catch_up()
        follower.finish()
        assert again.notes == []
        assert follower.market.engine is not None
        whole = engine_of(tmp_path, name)
        assert whole.engine is not None
        assert follower.market.engine.to_bytes() == whole.engine.to_bytes()
        assert follower.market.state.estimated == whole.state.estimated == live._of.state.estimated


def test_pictures_say_what_is_estimated(tmp_path: Path) -> None:
    _, service = follow("bybit-linear", tmp_path / "journal")
    moment = service.following.boards[market("bybit-linear")].moment()
    assert moment is not None
    heatmap = moment.heatmap()
    ((_, until),) = heatmap.meta["estimated"]
    assert heatmap.meta["notes"] == [f"estimated from candles until {iso(until)}"]
    assert any(item.startswith("estimated from candles until ") for item in footer_items(heatmap, RenderOptions()))


def test_a_venue_that_gives_no_history_is_followed_without(tmp_path: Path) -> None:
    _, service = follow("bybit-linear", tmp_path, fails=True)
    ((_, status),) = service.following.statuses.items()
    assert status.trouble.startswith("no history: ")
    assert service.following.boards[market("bybit-linear")].moment() is not None


def test_recordings_come_first_then_candles_then_trades(tmp_path: Path) -> None:
    """A recording ends some minutes before it is followed: candles stand in between."""
    name = "bybit-linear"
    ids = itertools.count(1)
    rows = [
        (EPOCH + second * SECOND, 60_000.0 + second, 1.0, second % 2 == 0, f"#{next(ids)}") for second in range(100)
    ]
    given = [replayed(market(name), row[0], [row]) for row in rows]
    recorded = Recording([market(name)], rows[0][0], None, lambda _: iter(given))
    venue, _ = follow(name, tmp_path, history={market(name): recorded})
    made = engine_of(tmp_path, name)
    assert made.engine is not None
    last = rows[-1][0]
    ((since, _),) = made.state.estimated
    assert since == last // MINUTE * MINUTE + MINUTE
    heatmap = made.engine.heatmap()
    counted = len(rows) + sum(match.qty for match in venue.history if since <= match.ts <= made.state.latest)
    candles = heatmap.candles
    shown = float(np.nansum(candles["buy_qty"]) + np.nansum(candles["sell_qty"]))
    assert shown == pytest.approx(counted, abs=0.001 * len(candles))


@pytest.mark.parametrize("kept", [1, 30, 100, 101, 102])  # frames: of the recording, of all of it, of candles, too
def test_a_beginning_that_was_interrupted_goes_on(kept: int, tmp_path: Path) -> None:
    name = "bybit-linear"
    rows = [(EPOCH + second * SECOND, 60_000.0 + second, 1.0, second % 2 == 0, f"#{second}") for second in range(100)]
    given = [replayed(market(name), row[0], [row]) for row in rows]
    recorded = Recording([market(name)], rows[0][0], None, lambda _: iter(given))
    follow(name, tmp_path / "whole", history={market(name): recorded})
    played = list(recording(sorted((tmp_path / "whole").glob("*.mcap"))).frames())
    events = [frame for frame in played if frame.source == EVENTS]
    assert played[:100] == given
    assert len(events) == 1
    part = [*given, of_events(market(name), events[0].received, told_by(events[0])[:1]), events[0]][:kept]  # type: ignore[arg-type]
    with Journal(tmp_path / "part", market(name), files=Disk()) as journal:
        for frame in part[:kept]:
            journal.append(frame)
    follow(name, tmp_path / "part", history={market(name): recorded})
    one, other = (engine_of(tmp_path / folder, name) for folder in ("whole", "part"))
    assert one.engine is not None
    assert other.engine is not None
    assert one.engine.to_bytes() == other.engine.to_bytes()
    assert one.state.estimated == other.state.estimated


def test_a_venue_that_was_not_reached_before_is_asked_again(tmp_path: Path) -> None:
    of = market("bybit-linear")
    with Journal(tmp_path, of, files=Disk()) as journal:
        journal.append(changed(Change(of, "trades", "connecting", EPOCH), EPOCH))
    follow("bybit-linear", tmp_path)
    assert len(engine_of(tmp_path, "bybit-linear").state.estimated) == 1


def test_a_candle_with_trades_in_it_is_left_out() -> None:
    begin = 1_781_222_400 * SECOND

    def candle(minute: int) -> Candle:
        return Candle(BTC, begin + minute * MINUTE, 63_000.0, 63_010.0, 62_990.0, 63_000.0, 4.0, 1.0)

    def trade(ts: int, number: int) -> Trade:
        return Trade(BTC, ts, 63_000.0, 1.0, False, number, 1)

    made = MarketEngine(BTC, Config())
    made.take([of_events(BTC, begin + 2 * MINUTE, [candle(0), candle(1), candle(1)])])
    made.take([of_events(BTC, begin + 2 * MINUTE, [trade(begin + 2 * MINUTE - 1, 1), trade(begin + 2 * MINUTE, 2)])])
    made.take([of_events(BTC, begin + 3 * MINUTE, [candle(2), candle(3)])])
    made.take([of_events(BTC, begin + 5 * MINUTE, [trade(begin + 4 * MINUTE + 1, 3)])])
    made.finish()
    assert made.state.counts == {"candles": 3, "trades": 2}
    assert made.state.estimated == [(begin, begin + 2 * MINUTE), (begin + 3 * MINUTE, begin + 4 * MINUTE)]
    assert made.engine is not None
    opened = made.engine.heatmap().candles
    assert float(np.nansum(opened["buy_qty"]) + np.nansum(opened["sell_qty"])) == 3 * 4.0 + 2 * 1.0


@pytest.mark.parametrize("settings", [{}, {"trigger": "mark"}, {"name": "oi"}])
def test_any_division_of_history_gives_the_same_bits(settings: dict[str, str]) -> None:
    config = Config().replace(model=settings)
    begin = 1_781_222_400 * SECOND
    rng = np.random.default_rng(3)
    events: list[Any] = []
    for minute in range(-90, 0):
        low = 62_900.0 + float(rng.integers(0, 100))
        events.append(
            Candle(BTC, begin + minute * MINUTE, low + 5, low + 20, low, low + 10, 8.0, None if minute % 2 else 3.0)
        )
        if minute % 5 == 0:
            events.append(OpenInterest(BTC, begin + (minute + 1) * MINUTE, 1000.0 + float(rng.integers(0, 50))))
    whole, apart = MarketEngine(BTC, config), MarketEngine(BTC, config)
    given = [of_events(BTC, begin, events), *frames(trades(500, seed=3))]
    whole.take(given)
    for event in events:
        apart.take([of_events(BTC, begin, [event])])
    for frame in given[1:]:
        apart.take([frame])
    for made in (whole, apart):
        made.finish()
    assert whole.engine is not None
    assert apart.engine is not None
    assert whole.engine.to_bytes() == apart.engine.to_bytes()
    assert Board(whole).moment() is not None


def test_venues_together_say_which_is_estimated() -> None:
    begin = 1_781_222_400 * SECOND
    bybit = market("bybit-linear")
    candles = [
        Candle(bybit, begin + n * MINUTE, 63_000.0, 63_010.0, 62_990.0, 63_000.0, 4.0, 1.0) for n in range(-30, 0)
    ]
    made = {BTC: MarketEngine(BTC), bybit: MarketEngine(bybit)}
    made[bybit].take([of_events(bybit, begin, candles)])
    shown = []
    for of, engine in made.items():
        engine.take(frames(trades(500, seed=3), market=of))
        engine.finish()
        moment = Board(engine).moment()
        assert moment is not None
        shown.append(moment.heatmap())
    together = join_venues(shown)
    assert f"bybit-linear: estimated from candles until {iso(begin)}" in together.meta["notes"]
    assert together.meta["estimated"] == [[begin - 30 * MINUTE, begin]]


def test_recordings_of_another_market_are_refused(tmp_path: Path) -> None:
    of = trades(300, seed=1)
    path = tmp_path / "ETHUSDT-aggTrades-2026-06-12.csv"
    columns = (of.ts // 1_000_000, of.price, of.qty, of.taker_sell)
    path.write_text("".join(
        f"{n},{price:.1f},{qty:.3f},{n},{n},{ms},{str(bool(sell)).lower()}\n"
        for n, (ms, price, qty, sell) in enumerate(zip(*columns, strict=True), 1)
    ))  # fmt: skip
    with pytest.raises(DataError, match=r"expected trades of one of binance-usdm:BTCUSDT, found ETHUSDT of"):
        histories([path], [BTC])
    (opened,) = histories([path], [BTC, Market("binance-usdm", "ETHUSDT")])
    assert opened == Market("binance-usdm", "ETHUSDT")
    frame = next(histories([path], [opened])[opened].frames(opened))
    assert b'"#0"' in frame.body
