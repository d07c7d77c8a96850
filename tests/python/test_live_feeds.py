"""The driver of connections against a venue in memory: after everything that goes wrong, nothing is lost unsaid."""

import asyncio
import json
import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("msgspec")
pytest.importorskip("mcap")

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Change, Frame, Market, Notice, OpenInterest, Trade
from liqcore.feeds.frames import told_by
from liqcore.live.board import Board
from liqcore.live.disk import Disk
from liqcore.live.feed import Feed
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from liqcore.live.seen import Seen
from liqcore.live.source import Live, Put
from liqcore.live.stream import Driver
from loopback import (
    EPOCH,
    SECOND,
    STYLES,
    Binance,
    Bybit,
    Kept,
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
from recorded import data_dir

VENUES = list(STYLES)
COUNTED = {"binance-usdm", "binance-coinm", "okx"}
CONFIG = Config().replace(window={"length": "10s"}, instrument={"mmr": 0.005}, leverage={"preset": "default"})
KINDS = ("trades", "marks", "open_interest", "liquidations")


@dataclass
class Played:
    """What came of a script."""

    name: str
    venue: Venue
    kept: Kept
    driver: Driver

    @property
    def changes(self) -> list[Change]:
        return [told for told in self.kept.told if isinstance(told, Change)]

    def of_trades(self, *states: str) -> list[Change]:
        return [change for change in self.changes if change.kind == "trades" and change.state in states]

    def delivered(self) -> list[Trade]:
        """Each trade once, in the order of coming: what a reader of the frames keeps."""
        seen, left, kept = Seen(), [], []
        for told in self.kept.told:
            if isinstance(told, Change) and told.kind == "trades" and told.state == "gap open":
                left.append((told.since, told.until))
            elif isinstance(told, Trade):
                is_late = any(since < told.ts < until for since, until in left)  # of a hole that was left open
                if seen.take(told) and not (is_late and told.ts < seen.latest):
                    kept.append(told)
        return kept


Script = Callable[[Tape, Venue], None]


def run(name: str, script: Script, *, seconds: float = 80, kinds: tuple[str, ...] = KINDS, slowness: float = 0.0,
        rate: float = 4.0, silent: tuple[float, float] = (0, 0), seen: Seen | None = None,
        terms: Any = None) -> Played:  # fmt: skip
    async def main() -> Played:
        clock = VirtualClock()
        venue = Venue(name, clock, STYLES[name]())
        tape = Tape()
        market_of(tape, venue, seconds - 10, rate=rate, silent=silent)
        script(tape, venue)
        kept = Kept(slowness=slowness)
        earlier = None if seen is None else {market(name): seen}
        driver = Driver(Feed(name, terms), [market(name)], kinds, venue, clock, kept.put, seen=earlier)  # type: ignore[arg-type]
        running = asyncio.create_task(driver.run())
        await tape.run(clock)
        await clock.sleep(round(seconds * SECOND) - clock.elapsed())
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return Played(name, venue, kept, driver)

    return play(main())


def missing(played: Played) -> list[Match]:
    """The matches after the first delivered trade that are in none."""
    trades = played.delivered()
    if played.name == "okx":
        covered = {id for trade in trades for id in range(int(trade.id) - trade.count + 1, int(trade.id) + 1)}
        first = int(trades[0].id) - trades[0].count + 1
        return [match for match in played.venue.history if match.id >= first and match.id not in covered]
    keys = {(trade.ts, trade.price, trade.qty, trade.taker_sell) for trade in trades}
    begun = min(trade.ts for trade in trades)
    return [m for m in played.venue.history if m.ts >= begun and (m.ts, m.price, m.qty, m.sell) not in keys]


def is_told(holes: list[Change], match: Match) -> bool:
    return any(
        hole.since <= match.ts <= hole.until and (not hole.last or hole.first <= match.id <= hole.last)
        for hole in holes
    )


def stands_where_the_batch_stands(played: Played, trades: list[Trade]) -> None:
    """An engine that follows the frames equals one that is given the delivered trades at once, cell for cell."""
    live = MarketEngine(market(played.name), CONFIG, grid=(0.1, 0.001))
    live.take(played.kept.frames)
    live.finish()
    assert live.engine is not None
    assert live.held == 0
    assert not {"raised", "of the future"} & set(live.state.counts), live.state.counts
    rows = sorted(trades, key=lambda trade: (trade.ts, int(trade.id) if trade.count else 0))
    batch = lq.Engine.from_config(live._opening.settled(rows[0].ts, rows[0].price))
    batch.trades(
        np.array([row.ts for row in rows], np.int64),
        np.array([row.price for row in rows]),
        np.array([row.qty for row in rows]),
        np.array([row.taker_sell for row in rows]),
    )
    one, other = live.engine.heatmap(), batch.heatmap()
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.times, other.times)
    one_map, other_map = live.engine.map(), batch.map()
    for side in ("prices", "long", "short"):
        np.testing.assert_array_equal(getattr(one_map, side), getattr(other_map, side))
    assert live.engine.to_bytes() == batch.to_bytes()
    marks_every_hole(live, played)


def marks_every_hole(live: MarketEngine, played: Played) -> None:
    """What other threads are shown has each hole that stays open where it was, and no other."""
    assert [hole for hole in live.state.holes if hole.state == "gap open"] == [
        change for change in played.changes if change.state == "gap open"
    ]
    assert live.book is not None
    live.book.publisher.publish(live.book.engine)
    moment = Board(live).moment()
    assert moment is not None
    shown = moment.heatmap()
    first, end = int(shown.times[0]), int(shown.times[-1]) + shown.window_ns
    spans = [(max(hole.since, first), min(hole.until, end)) for hole in played.of_trades("gap open")]
    assert [tuple(gap) for gap in shown.gaps.tolist()] == [(since, until) for since, until in spans if since < until]


def check(played: Played, *, complete: bool) -> None:
    """
    Nothing twice, nothing missing that is not told.

    The engine fed live equals the one fed at once: state, heatmap, map. Holes are marked where they were.
    """
    lost = missing(played)
    holes = played.of_trades("gap open")
    assert [match for match in lost if not is_told(holes, match)] == []
    if complete:
        assert lost == []
        assert played.of_trades("gap open") == []
    trades = played.delivered()
    total = sum(trade.qty for trade in trades)
    begun = min(trade.ts for trade in trades)
    if played.name == "okx":  # the first push may have merged some that came before it
        first = min(int(trade.id) - trade.count + 1 for trade in trades)
        expected = sum(m.qty for m in played.venue.history if m.id >= first) - sum(m.qty for m in lost)
    else:
        expected = sum(m.qty for m in played.venue.history if m.ts >= begun) - sum(m.qty for m in lost)
    assert total == pytest.approx(expected, rel=1e-12)  # nothing counts twice
    assert [
        told for frame in played.kept.frames for told in told_by(frame)
    ] == played.kept.told  # a journal says the same
    stands_where_the_batch_stands(played, trades)
    limits = played.driver._feed.terms.limits
    assert all(
        b - a >= limits.new_connections_s * SECOND
        for a, b in zip(played.venue.connects, played.venue.connects[limits.new_connections :], strict=False)
    )


def calm(tape: Tape, venue: Venue) -> None:
    """Nothing goes wrong."""


def disconnect(tape: Tape, venue: Venue) -> None:
    tape.at(40, venue.drop)


def refused(tape: Tape, venue: Venue) -> None:
    def down() -> None:
        venue.is_down = True
        venue.drop()

    def up() -> None:
        venue.is_down = False

    tape.at(30, down)
    tape.at(37, up)


def disconnects(tape: Tape, venue: Venue) -> None:
    for second in (20, 21, 22.5, 40, 40.2, 60):
        tape.at(second, venue.drop)


def duplicates(_: Tape, venue: Venue) -> None:
    past: list[bytes] = []

    def mangle(chance: random.Random, body: bytes) -> list[bytes]:
        past.append(body)
        return [body, body] if chance.random() < 0.2 else [body, chance.choice(past[-50:])]

    venue.mangle = mangle


def reordering(_: Tape, venue: Venue) -> None:
    held: list[bytes] = []

    def mangle(chance: random.Random, body: bytes) -> list[bytes]:
        held.append(body)
        if len(held) < 3:
            return []
        chance.shuffle(held)
        out, held[:] = list(held), []
        return out

    venue.mangle = mangle


def garbage(_: Tape, venue: Venue) -> None:
    """Beside what is good."""

    def mangle(chance: random.Random, body: bytes) -> list[bytes]:
        if chance.random() > 0.1:
            return [body]
        worse = [b"", b"\x00\xff", b"[1,2", b"{}", b"null", b'"word"', chance.randbytes(20), body[:-3], b'{"data":[]}',
                 b"[" * 5000, body.replace(b"1", b"-"), body + body]  # fmt: skip
        return [chance.choice(worse), body]

    venue.mangle = mangle


def partial(_: Tape, venue: Venue) -> None:
    """In place of what is good."""

    def mangle(chance: random.Random, body: bytes) -> list[bytes]:
        return [body[: len(body) // 2]] if chance.random() < 0.03 else [body]

    venue.mangle = mangle


def clock_steps(tape: Tape, venue: Venue) -> None:
    def step(ns: int) -> None:
        venue.clock.step = ns

    tape.at(30, lambda: step(3600 * SECOND))
    tape.at(40, lambda: step(0))
    tape.at(60, lambda: step(-50 * SECOND))
    tape.at(63, venue.drop)


def silence(tape: Tape, venue: Venue) -> None:
    """The connection answers pings and tells nothing more."""

    tape.at(30, venue.deafen)


def maintenance(tape: Tape, venue: Venue) -> None:
    notice = {"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "c"}

    def tell() -> None:
        if isinstance(venue.style, Okx):
            venue.push([json.dumps(notice).encode()])

    def down() -> None:
        venue.is_down = True
        venue.drop("going away")

    def up() -> None:
        venue.is_down = False

    tape.at(25, tell)
    tape.at(30, down)
    tape.at(48, up)


def burst(tape: Tape, venue: Venue) -> None:
    def many() -> None:
        last = venue.history[-1]
        for n in range(1000):
            venue.trade([Match(0, last.ts, last.price, float(text_of(1 + n / 1000 + 10 * k)), False) for k in range(5)])

    tape.at(40, many)


def anew(tape: Tape, venue: Venue) -> None:
    """After a halt, at a thousandth of the price; where trades are counted, from one on."""
    if venue.name in COUNTED:
        tape.at(199, lambda: setattr(venue, "next_id", 1))
    market_of(tape, venue, 250, first_price=60.0, begin=200, seed=2)


EASY: dict[str, Script] = {
    f.__name__: f
    for f in (calm, disconnect, refused, disconnects, duplicates, reordering, garbage, clock_steps, silence)
}


@pytest.mark.parametrize("script", EASY.values(), ids=EASY.keys())
@pytest.mark.parametrize("name", VENUES)
def test_nothing_is_lost_where_the_venue_gives_it_again(name: str, script: Script) -> None:
    played = run(name, script, seconds=120 if script is silence else 80, rate=16.0 if script is reordering else 4.0)
    gives_all = name != "hyperliquid" or script in (calm, disconnect, duplicates, reordering, clock_steps)
    check(played, complete=gives_all)


HARD: dict[str, Script] = {f.__name__: f for f in (partial, maintenance, burst)}


@pytest.mark.parametrize("script", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("name", VENUES)
def test_what_is_lost_is_marked_where_it_was(name: str, script: Script) -> None:
    check(run(name, script), complete=name in COUNTED)


@pytest.mark.parametrize("name", VENUES)
def test_a_long_outage_leaves_a_hole_of_its_span_where_the_venue_does_not_give_it_again(name: str) -> None:
    def few_again(tape: Tape, venue: Venue) -> None:
        refused(tape, venue)
        if isinstance(venue.style, Bybit):
            venue.style.past = 100

    played = run(name, few_again, rate=20.0, seconds=52)
    check(played, complete=name in COUNTED)
    holes = played.of_trades("gap open")
    assert (holes == []) == (name in COUNTED)
    for hole in holes:
        assert EPOCH + 29 * SECOND < hole.since < EPOCH + 30 * SECOND
        assert hole.until > EPOCH + 35 * SECOND
        assert "do not reach back" in hole.why


@pytest.mark.parametrize("name", VENUES)
def test_without_answers_holes_are_left_open_and_told(name: str) -> None:
    def no_answers(tape: Tape, venue: Venue) -> None:
        refused(tape, venue)
        venue.requests_fail = True

    played = run(name, no_answers)
    check(played, complete=False)
    assert any("503" in hole.why for hole in played.of_trades("gap open"))


@pytest.mark.parametrize("name", VENUES)
def test_a_halt_of_the_venue_is_no_hole(name: str) -> None:
    played = run(name, calm, seconds=260, silent=(60, 200))
    check(played, complete=True)
    (halt,) = played.of_trades("venue halt")
    assert halt.since == max(m.ts for m in played.venue.history if m.ts < EPOCH + 60 * SECOND)
    states = [change.state for change in played.of_trades("stale", "venue halt", "live", "gap open", "gap filled")]
    assert states == ["live", "stale", "venue halt", "live"]
    assert len(played.venue.connects) == 1


@pytest.mark.parametrize("name", VENUES)
def test_a_connection_that_tells_nothing_any_more_is_found_by_asking(name: str) -> None:
    played = run(name, silence, seconds=150, kinds=("trades",))
    check(played, complete=name != "hyperliquid")
    assert [change.state for change in played.of_trades("stale")] == ["stale"]
    assert len(played.venue.connects) == 2


def test_an_address_that_delivers_trades_and_no_marks_is_told() -> None:
    """Binance's addresses without a route: the connection lives, one of its streams does not."""

    def unrouted(_: Tape, venue: Venue) -> None:
        venue.mangle = lambda _, body: [] if b"markPrice" in body else [body]

    played = run("binance-usdm", unrouted)
    check(played, complete=True)
    stale = [change for change in played.changes if change.state == "stale"]
    assert [(change.kind, change.why) for change in stale] == [
        ("marks", "nothing for 11 s, nor since it was asked for")
    ]
    assert len(played.venue.connects) == 1  # a new connection would be as deaf


def test_a_stream_that_dies_on_a_connection_is_asked_for_once_more() -> None:
    def dies(tape: Tape, venue: Venue) -> None:
        def die() -> None:
            venue.mangle = lambda _, body: [] if b"markPrice" in body else [body]

        tape.at(30, die)

    played = run("binance-usdm", dies)
    check(played, complete=True)
    assert len(played.venue.connects) == 2
    assert [change.kind for change in played.changes if change.state == "stale"] == ["marks", "marks"]


def test_a_refused_topic_is_retired_and_the_rest_goes_on() -> None:
    refusal = {"success": False, "ret_msg": "error:handler not found,topic:liquidation.BTCUSDT", "op": "subscribe"}

    class Old(type(STYLES["bybit-linear"]())):  # type: ignore[misc]
        def subscribed(self, message: dict[str, str]) -> list[bytes]:
            if "iquidation" in str(message):
                return [json.dumps({**refusal, "req_id": message["req_id"]}).encode()]
            return super().subscribed(message)  # type: ignore[no-any-return]

    def old(_: Tape, venue: Venue) -> None:
        venue.style = Old("BTCUSDT")

    played = run("bybit-linear", old)
    check(played, complete=True)
    (retired,) = [change for change in played.changes if change.state == "retired"]
    assert retired.kind == "liquidations"
    assert retired.why == refusal["ret_msg"]


@pytest.mark.parametrize("name", VENUES)
def test_holes_of_what_cannot_be_asked_for_are_told_by_their_span(name: str) -> None:
    played = run(name, refused)
    for kind in ("marks", "liquidations"):
        of = [change for change in played.changes if change.kind == kind]
        if name == "hyperliquid" and kind == "liquidations":
            assert [(change.state, change.why) for change in of] == [("retired", "the venue does not tell of it")]
            continue
        (hole,) = [change for change in of if change.state == "gap open"]
        assert EPOCH + 28 * SECOND < hole.since <= EPOCH + 30 * SECOND
        assert EPOCH + 37 * SECOND < hole.until < EPOCH + 60 * SECOND
        assert of[-1].state == "live"


@pytest.mark.parametrize("name", VENUES)
def test_a_market_that_is_denominated_anew_goes_on(name: str) -> None:
    """Its heatmap is compared in test_live_whole.py: `lq.heatmap` begins anew there, too."""
    played = run(name, anew, seconds=260, silent=(60, 300))
    trades = played.delivered()
    after = [m for m in played.venue.history if m.ts > EPOCH + 199 * SECOND]
    assert sum(t.qty for t in trades if t.price < 100) == pytest.approx(sum(m.qty for m in after), rel=1e-12)
    assert played.of_trades("gap open") == []
    assert played.driver.seen[market(name)].restarts == (name in COUNTED)


@pytest.mark.parametrize("name", VENUES)
def test_a_journal_that_is_continued_has_what_came_in_between(name: str) -> None:
    seen = Seen()
    first = run(name, calm, seconds=40)
    for trade in first.delivered():
        seen.take(trade)

    def later(tape: Tape, venue: Venue) -> None:
        """The same market goes on: it was told of to nobody for a while."""
        venue.is_down = True
        tape.at(32, lambda: setattr(venue, "is_down", False))

    second = run(name, later, seconds=80, seen=seen)
    both = Played(name, second.venue, Kept(first.kept.frames + second.kept.frames, first.kept.told + second.kept.told),
                  second.driver)  # fmt: skip
    check(both, complete=name != "hyperliquid" or not second.of_trades("gap open"))


@pytest.mark.parametrize("name", VENUES)
def test_a_slow_sink_makes_the_venue_wait_and_nothing_stale(name: str) -> None:
    played = run(name, calm, slowness=0.3, rate=5.0, seconds=60)
    assert not [change for change in played.changes if change.state in ("stale", "gap open")]
    assert len(played.venue.connects) == 1


def test_a_connection_is_renewed_before_the_venue_ends_it() -> None:
    async def main() -> Played:
        clock = VirtualClock()
        venue = Venue("binance-usdm", clock, STYLES["binance-usdm"]())
        tape = Tape()
        market_of(tape, venue, 200)
        kept = Kept()
        feed = Feed("binance-usdm", {"limits": {"connection_s": 60}})
        driver = Driver(feed, [market("binance-usdm")], KINDS, venue, clock, kept.put)  # type: ignore[arg-type]
        running = asyncio.create_task(driver.run())
        await tape.run(clock)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return Played("binance-usdm", venue, kept, driver)

    played = play(main())
    check(played, complete=True)
    gaps = [b - a for a, b in pairwise(played.venue.connects)]
    assert len(gaps) >= 2
    assert all(57 * SECOND < gap < 60 * SECOND for gap in gaps)


def test_connections_stay_within_the_limits_of_the_venue() -> None:
    def flaps(tape: Tape, venue: Venue) -> None:
        for n in range(200):
            tape.at(5 + n * 0.3, venue.drop)

    played = run("hyperliquid", flaps, seconds=300)
    check(played, complete=False)
    assert len(played.venue.connects) > 5


def test_several_markets_of_a_venue_share_its_connections_and_limits(tmp_path: Path) -> None:
    """Each journal has the frames of its market, and those of the connection."""
    names = [market("hyperliquid"), Market("hyperliquid", "ETH")]

    async def main() -> tuple[Venue, dict[Market, list[Frame]]]:
        clock = VirtualClock()
        venue = Venue("hyperliquid", clock, STYLES["hyperliquid"]())
        tape = Tape()
        market_of(tape, venue, 20)
        kept: dict[Market, list[Frame]] = {one: [] for one in names}

        def sink(one: Market) -> Put:
            async def put(frame: Frame) -> None:
                kept[one].append(frame)

            return put

        with ExitStack() as held:
            journals = {one: held.enter_context(Journal(tmp_path, one, files=Disk())) for one in names}
            running = asyncio.create_task(Live(names, venue).run(journals, sink, clock))
            await tape.run(clock)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return venue, kept

    venue, kept = play(main())
    assert len(venue.connects) == 1
    assert len([one for frame in kept[names[0]] for one in told_by(frame) if isinstance(one, Trade)]) > 50
    assert not [one for frame in kept[names[1]] for one in told_by(frame) if isinstance(one, Trade)]
    said = [[one for frame in kept[of] for one in told_by(frame) if isinstance(one, Notice)] for of in names]
    assert [[one.about for one in notices].count("subscribed") for notices in said] == [4, 4]
    changes = [{one.market for frame in kept[of] for one in told_by(frame) if isinstance(one, Change)} for of in names]
    assert changes == [{names[0]}, {names[1]}]


def test_what_a_journal_without_numbers_missed_is_left_open_and_told() -> None:
    """A replay of files, continued by the feed: where the numbers went on, nothing tells."""
    seen = Seen()
    seen.take(Trade(market("okx"), EPOCH - 60 * SECOND, 60_000.0, 1.0, False, "a", 0))
    played = run("okx", calm, seconds=30, seen=seen)
    (hole,) = played.of_trades("gap open")
    assert hole.since == EPOCH - 60 * SECOND
    assert "bear no numbers" in hole.why
    assert played.of_trades("live")


def test_a_filling_asks_for_some_minutes_and_no_longer() -> None:
    def outage(tape: Tape, venue: Venue) -> None:
        refused(tape, venue)
        if isinstance(venue.style, Binance):
            venue.style.rows = 1  # a venue that gives little at once

    feed = {"limits": {"requests_a_minute": 12}}
    played = run("binance-usdm", outage, seconds=400, terms=feed, kinds=("trades",))
    check(played, complete=False)
    assert any("more is missing than 3 minutes of asking give" in hole.why for hole in played.of_trades("gap open"))


def test_damage_while_a_silent_venue_is_asked_is_not_forgotten() -> None:
    def damage(tape: Tape, venue: Venue) -> None:
        def garbled() -> None:
            venue.mangle = lambda _, body: [body[:-4]]

        def clear() -> None:
            venue.mangle = None

        for second in range(130, 190, 5):  # beside the answers to what the silence asks
            tape.at(second + 0.97, garbled)
            tape.at(second + 1.17, clear)

    check(run("bybit-linear", damage, seconds=260, silent=(60, 128), rate=8.0), complete=True)


def test_open_interest_that_is_not_pushed_is_asked_for_again_and_again() -> None:
    def deaf(tape: Tape, venue: Venue) -> None:
        tape.at(40, lambda: setattr(venue, "requests_fail", True))
        tape.at(110, lambda: setattr(venue, "requests_fail", False))

    played = run("binance-usdm", deaf, seconds=180)
    samples = [told.ts for told in played.kept.told if isinstance(told, OpenInterest)]
    assert len([ts for ts in samples if ts < EPOCH + 40 * SECOND]) == 3
    of = [change for change in played.changes if change.kind == "open_interest"]
    assert [change.state for change in of] == ["connecting", "live", "stale", "gap open", "live"]
    assert of[2].why == "no answers"
    assert of[3].since < EPOCH + 40 * SECOND < EPOCH + 110 * SECOND < of[3].until


def wild(seed: int) -> Script:
    """Do some things at random moments, one after the other or at once."""
    chance = random.Random(seed)

    def cut(chance: random.Random, body: bytes) -> list[bytes]:
        return [body[: len(body) // 2]] if chance.random() < 0.3 else [body]

    def repeat(chance: random.Random, body: bytes) -> list[bytes]:
        return [body] * chance.choice((1, 1, 3))

    def lose(chance: random.Random, body: bytes) -> list[bytes]:
        return [] if chance.random() < 0.3 else [body]

    def script(tape: Tape, venue: Venue) -> None:
        def set_for(begin: float, lasts: float, of: object, name: str, value: object, after: object) -> None:
            tape.at(begin, lambda: setattr(of, name, value))
            tape.at(begin + lasts, lambda: setattr(of, name, after))

        for _ in range(chance.randint(1, 5)):
            begin, lasts = chance.uniform(5, 60), chance.choice((0.2, 1, 3, 8, 20))
            what = chance.choice(("drop", "down", "unanswered", "deaf", "mangle", "mangle", "step"))
            if what == "down":
                set_for(begin, lasts, venue, "is_down", True, False)
            if what in ("down", "drop"):
                tape.at(begin, venue.drop)
            elif what == "unanswered":
                set_for(begin, lasts, venue, "requests_fail", True, False)
            elif what == "deaf":
                tape.at(begin, venue.deafen)
            elif what == "mangle":  # what is lost without a trace is found where trades are counted
                ways = (cut, repeat, lose) if venue.name in COUNTED else (cut, repeat)
                set_for(begin, lasts, venue, "mangle", chance.choice(ways), None)
            elif what == "step":
                set_for(begin, lasts, venue.clock, "step", chance.choice((-3600, -2, 2, 3600)) * SECOND, 0)

    return script


@pytest.mark.parametrize("seed", range(int(os.environ.get("LIQCORE_WILD_FEEDS", "18"))))
def test_whatever_goes_wrong_at_once_nothing_is_lost_unsaid(seed: int) -> None:
    check(run(VENUES[seed % 6], wild(seed), seconds=120, rate=(1.0, 4.0, 12.0)[seed % 5 % 3]), complete=False)


def keys_of(said: object) -> set[str]:
    """All keys in a message, whatever they are inside of."""
    if isinstance(said, dict):
        return set(said) | {key for inner in said.values() for key in keys_of(inner)}
    return {key for inner in said for key in keys_of(inner)} if isinstance(said, list) else set()


@pytest.mark.recorded
@pytest.mark.parametrize("name", VENUES)
def test_the_venue_in_memory_speaks_as_recorded_ones_do(name: str) -> None:
    """What it sends has no key that messages of the venue lack."""
    file = {"bybit-linear": "bybit", "bybit-inverse": "bybit"}.get(name, name)
    samples = json.loads((data_dir() / "websocket" / "samples" / f"{file}.json").read_text())
    known = {
        key for entry in samples.values() if entry["direction"] != "ws request" for key in keys_of(entry["sample"])
    }
    if name == "binance-coinm":
        known |= {"nq"}  # which it has not, and no reader looks at

    async def main() -> Venue:
        return Venue(name, VirtualClock(), STYLES[name]())

    venue = play(main())
    venue.history = [Match(n, EPOCH, 1.5, 2.0, n % 2 == 0) for n in range(1, 4)]
    style = venue.style
    messages = [*style.trades(venue.history), *style.mark(EPOCH, 1.5)]
    answer = style.answer(venue, "https://x/trades?fromId=1")
    said = [*map(json.loads, messages), answer]
    assert keys_of(said) - {"method", "subscription"} <= known


def test_the_same_seed_gives_the_same_frames() -> None:
    a, b = (run("okx", disconnects).kept.frames for _ in range(2))
    assert a == b


def test_an_error_of_the_sink_ends_the_driver() -> None:
    async def main() -> None:
        clock = VirtualClock()
        venue = Venue("okx", clock, STYLES["okx"]())

        async def full(*_: object) -> None:
            raise OSError("no space left")

        await Driver(Feed("okx"), [market("okx")], KINDS, venue, clock, full).run()  # type: ignore[arg-type]

    with pytest.raises(ExceptionGroup, match="unhandled") as raised:
        play(main())
    assert raised.value.subgroup(OSError) is not None
