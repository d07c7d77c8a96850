"""What has come and what is missing, against sets of numbers; plans of connections; paces."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("msgspec")
import msgspec

from liqcore.errors import InvalidConfigError
from liqcore.feeds.events import KINDS, Candle, Market, OpenInterest, Told, Trade
from liqcore.feeds.readers import READERS
from liqcore.live.asking import Asking
from liqcore.live.feed import Feed
from liqcore.live.pace import SECOND, Allowance, BackOff, Steady
from liqcore.live.past import past
from liqcore.live.seen import REMEMBERED, Seen
from liqcore.live.terms import terms
from loopback import EPOCH, STYLES, VirtualClock, play

BTC = Market("okx", "BTC-USDT-SWAP")
BEGIN = 10**18


def trade(last: int, count: int = 1, ts: int | None = None) -> Trade:
    return Trade(BTC, BEGIN + last * 1_000_000 if ts is None else ts, 1.0, 1.0, False, last, count)


@given(st.lists(st.tuples(st.integers(50, 120), st.integers(1, 6)), min_size=1, max_size=60))
def test_numbers_are_new_once_and_holes_are_what_lies_between(given: list[tuple[int, int]]) -> None:
    seen = Seen()
    come: set[int] = set()
    begun = given[0][0]
    for last, count in given:
        numbers = set(range(last - count + 1, last + 1))
        known = seen.knows(trade(last, count))
        is_new = last >= begun and not numbers <= come
        assert known != is_new
        assert seen.take(trade(last, count)) == is_new
        if is_new:
            come |= numbers
    missing = {number for number in range(min(come), max(come)) if number not in come}
    assert {n for hole in seen.holes() for n in range(hole.first, hole.last + 1)} == missing
    for hole in seen.holes():
        assert {hole.first - 1, hole.last + 1} <= come
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(seen), type=Seen)
    assert saved == seen
    seen.give_up(max(come))
    assert seen.holes() == []
    assert len(seen.spans) == 1


def test_holes_given_up_leave_those_behind_them() -> None:
    seen = Seen()
    for last in (10, 20, 30):
        seen.take(trade(last))
    seen.give_up(19)
    assert [(hole.first, hole.last) for hole in seen.holes()] == [(21, 29)]
    assert not seen.take(trade(15))


def test_numbers_that_fall_back_while_time_goes_on_have_begun_anew() -> None:
    seen = Seen()
    seen.take(trade(1000))
    assert not seen.take(trade(1000, ts=BEGIN + 1_001_000_000))  # a repeat, told a moment later
    late = BEGIN + 1000 * 1_000_000 + 61 * SECOND
    assert not seen.knows(trade(1, ts=late))
    assert seen.take(trade(1, ts=late))
    assert seen.take(trade(2, ts=late))
    assert (seen.restarts, seen.holes()) == (1, [])


def test_ids_that_are_not_counted_are_remembered_for_a_while() -> None:
    seen = Seen()
    for number in range(2 * REMEMBERED + 1):
        assert seen.take(Trade(BTC, BEGIN + number, 1.0, 1.0, False, f"u{number}", 0))
    last = 2 * REMEMBERED
    for number in (last, last - REMEMBERED + 1):
        assert seen.knows(Trade(BTC, BEGIN + number, 1.0, 1.0, False, f"u{number}", 0))
        assert not seen.take(Trade(BTC, BEGIN + number, 1.0, 1.0, False, f"u{number}", 0))
    other = Trade(BTC, BEGIN + 1, 1.0, 1.0, False, f"u{last}", 0)
    assert seen.take(other)  # hashes: the same one at another time is another
    assert len(seen.recent) + len(seen.earlier) <= 2 * REMEMBERED


@pytest.mark.parametrize("venue", READERS)
def test_a_feed_plans_within_the_limits_of_the_venue(venue: str) -> None:
    feed = Feed(venue)
    markets = [Market(venue, f"S{n}") for n in range(450)]
    connections = feed.connections(markets, KINDS)
    limits = feed.terms.limits
    streams = [stream for connection in connections for stream in connection.streams]
    pushed = [kind for kind in KINDS if kind in feed.terms.topics]
    assert sorted(map(str, streams)) == sorted(str((m, kind)) for m in markets for kind in pushed)
    assert limits.connections is None or len(connections) <= limits.connections
    assert len({connection.source for connection in connections}) == len(connections)
    for connection in connections:
        said = [msgspec.json.decode(subscription.message) for subscription in connection.subscriptions]
        topics = [topic for one in said for topic in topics_of(one)]
        assert len(topics) == len({str(topic) for topic in topics}) <= limits.topics_a_connection
        assert max(len(topics_of(one)) for one in said) <= limits.topics_a_message
        assert all(len({kind for _, kind in one.streams}) <= 3 for one in connection.subscriptions)


def topics_of(said: dict[str, object]) -> Sequence[object]:
    for name in ("params", "args"):
        if name in said:
            topics = said[name]
            assert isinstance(topics, list)
            return topics
    return [said["subscription"]]


def test_more_markets_than_a_venue_allows_are_refused() -> None:
    markets = [Market("hyperliquid", f"S{n}") for n in range(501)]
    with pytest.raises(InvalidConfigError, match="must need at most 1000 topics, needed 1002"):
        Feed("hyperliquid").connections(markets, KINDS)


@pytest.mark.parametrize("venue", READERS)
def test_every_request_of_a_venue_can_be_made_and_names_its_market(venue: str) -> None:
    feed = Feed(venue)
    market = Market(venue, STYLES[venue]().symbol)
    for what in feed.terms.requests:
        request = feed.request(what, market, first=1, after=2, since_ms=3, until_ms=4)
        assert request.url.startswith(feed.terms.rest)
        assert "$" not in request.url
        assert b"$" not in (request.body or b"")
        assert request.source.split(":")[2] == market.symbol


def test_terms_can_be_overridden_and_are_checked() -> None:
    own = terms("okx", {"sockets": {"public": "wss://proxy.example/okx"}, "limits": {"topics_a_connection": 5}})
    assert own.sockets == {"public": "wss://proxy.example/okx"}
    assert own.limits.topics_a_connection == 5
    assert own.limits.topics_a_message == terms("okx").limits.topics_a_message
    with pytest.raises(InvalidConfigError, match="okx: Expected `int`, got `str`"):
        terms("okx", {"limits": {"topics_a_connection": "many"}})
    with pytest.raises(InvalidConfigError, match="unknown field `limit`"):
        terms("okx", {"limit": 5})
    with pytest.raises(InvalidConfigError, match=r'okx: socket of marks must be one of public, was "business"'):
        terms("okx", {"topics": {"marks": {"socket": "business"}}})
    with pytest.raises(InvalidConfigError, match=r'venue of a feed must be one of .*, was "deribit"'):
        terms("deribit")


def test_an_allowance_lets_so_many_through_in_its_time() -> None:
    async def main() -> list[int]:
        clock = VirtualClock()
        allowance = Allowance(clock, 3, 10.0)
        times = []
        for _ in range(8):
            await allowance.take()
            times.append(clock.elapsed() // SECOND)
        return times

    assert play(main()) == [0, 0, 0, 10, 10, 10, 20, 20]


def test_waiting_times_double_up_to_a_minute_and_begin_anew() -> None:
    back_off = BackOff(random.Random(1))
    waits = [back_off.next() / SECOND for _ in range(12)]
    for n, wait in enumerate(waits):
        most = min(60.0, 2.0**n / 4)
        assert most / 2 <= wait <= most
    back_off.reset()
    assert back_off.next() <= SECOND
    assert len({BackOff(random.Random(seed)).next() for seed in range(5)}) == 5


def test_a_clock_that_steps_is_believed_after_a_minute_and_never_back() -> None:
    async def main() -> None:
        clock = VirtualClock()
        steady = Steady(clock)
        begin = steady.now()
        clock.step = 3600 * SECOND
        await asyncio.sleep(30)
        assert steady.now() == begin + 30 * SECOND
        clock.step = 0
        await asyncio.sleep(30)
        assert steady.now() == begin + 60 * SECOND
        clock.step = 5 * SECOND  # a correction that stays
        for _ in range(62):
            await asyncio.sleep(1)
            steady.now()
        assert steady.now() == clock.now()
        clock.step = -100 * SECOND
        last = steady.now()
        for _ in range(200):
            await asyncio.sleep(1)
            assert steady.now() >= last
            last = steady.now()
        assert last == clock.now()

    play(main())


class Charts:
    """A venue's answers for candles and open interest, each venue's bounds as it counts them."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.asked = 0

    async def connect(self, url: str) -> Any:
        raise ConnectionError(url)

    async def get(self, url: str) -> bytes:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        minutes = 5 if "interest" in url.lower() else 1
        if self.venue == "okx":
            return self.answer(int(asked["before"]) + 1, int(asked["after"]) - 1, int(asked["limit"]), minutes)
        first, last = (next(int(asked[name]) for name in names if name in asked)
                       for names in (("startTime", "start"), ("endTime", "end")))  # fmt: skip
        return self.answer(first, last, int(asked["limit"]), minutes)

    async def post(self, url: str, body: bytes) -> bytes:
        assert url.endswith("/info")
        asked = msgspec.json.decode(body)["req"]
        return self.answer(asked["startTime"], asked["endTime"], 5000, 1)

    def answer(self, first: int, last: int, most: int, minutes: int) -> bytes:
        """Rows from `first` to `last`, both counted in."""
        self.asked += 1
        step = minutes * 60_000
        times = list(range(-(-first // step) * step, last + 1, step))
        assert len(times) <= most
        return msgspec.json.encode(self.rows(times, minutes))

    def rows(self, times: list[int], minutes: int) -> object:
        if self.venue.startswith("binance"):
            if minutes == 5:
                return [{"sumOpenInterest": "5", "timestamp": t} for t in times]
            return [[t, "2", "3", "1", "2", "9", t + 59_999, "0", 1, "4", "0", "0"] for t in times]
        if self.venue == "okx":
            data = [[str(t), "2", "3", "1", "2", "9", "0", "0", "1"] for t in times[::-1]]
            return {"code": "0", "msg": "", "data": data}
        if self.venue == "hyperliquid":
            return [{"t": t, "T": t + 59_999, "o": "2", "h": "3", "l": "1", "c": "2", "v": "9"} for t in times]
        rows: list[object] = [[str(t), "2", "3", "1", "2", "9", "0"] for t in times[::-1]]
        if minutes == 5:
            rows = [{"openInterest": "10", "timestamp": str(t)} for t in times[::-1]]
        return {"retCode": 0, "retMsg": "OK", "result": {"list": rows}}


@pytest.mark.parametrize("what", ["candles", "past_open_interest"])
@pytest.mark.parametrize("venue", READERS)
def test_a_span_of_the_past_is_asked_for_in_pieces_and_whole(venue: str, what: Any) -> None:
    every = 60 * SECOND if what == "candles" else 300 * SECOND
    since = EPOCH // every * every
    until = since + 12_000 * every  # more than any venue gives at once

    async def main() -> tuple[int, list[Told]]:
        clock, feed, charts = VirtualClock(), Feed(venue), Charts(venue)
        clock.step = 100 * 86_400 * SECOND  # all of it is past
        asking = Asking(feed.terms, feed.reader, charts, clock, Steady(clock), random.Random(1))
        market = Market(venue, "X")
        told = [one async for _, read in past(feed, asking, market, what, since, until) for one in read]
        return charts.asked, told

    asked, told = play(main())
    if what not in Feed(venue).terms.requests:
        assert (asked, told) == (0, [])
        return
    assert [one.ts for one in told if isinstance(one, Candle | OpenInterest)] == list(range(since, until, every))
    assert len(told) == 12_000
    assert {one.quantity for one in told if isinstance(one, OpenInterest)} <= {5.0}
