"""What streams send, put together by clients that miss, repeat and lag, is the heatmap of the same trades."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("msgspec")

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Change, Liquidation, Market
from liqcore.feeds.frames import changed
from liqcore.live.board import Board
from liqcore.live.following import Following, News
from liqcore.live.market import MarketEngine
from liqcore.server.refused import RefusedError
from liqcore.server.selection import Selection
from liqcore.server.still import Form, Stills
from liqcore.server.wire import Mirror
from markets import BTC, HOUR, StillClock, frames, trades

BYBIT = Market("bybit-linear", "BTCUSDT")
CONFIG = Config()
LIMITS = CONFIG.server
NAMES = str(BTC), str(BYBIT)


def followed(*markets: MarketEngine) -> Following:
    news = News()
    for market in markets:
        market.add(news)
    return Following({market.market: Board(market) for market in markets}, news, "replay", Path(), StillClock())


def stills_of(following: Following, selection: Selection, form: Form) -> Stills:
    boards = {str(market): board for market, board in following.boards.items()}
    return Stills(selection, form, boards=boards, news=following.news, limits=LIMITS, view=7)


def publish(*markets: MarketEngine) -> None:
    for market in markets:
        if market.book is not None:
            market.book.publisher.publish(market.book.engine)


def wandering(seed: int, *, pause: bool) -> lq.TradeBatch:
    """Make trades whose price leaves all rows there are, up and down, maybe with an hour without any."""
    batch = trades(600, seed=seed, hours=2.0)
    rng = np.random.default_rng(seed)
    price = np.round(batch.price + np.repeat(rng.integers(-900, 901, 6).cumsum(), 100), 1)
    ts = batch.ts + (np.arange(600) > 350) * (HOUR if pause else 0)
    return lq.TradeBatch(ts, price, batch.qty, batch.taker_sell)


class Watcher:
    """A client, and what the server knows of it: the number up to which it was sent."""

    def __init__(self, rng: np.random.Generator, *, patient: bool) -> None:
        self.mirror, self.rng, self.patient = Mirror(), rng, patient
        self.told: int | None = None
        self.resyncs = 0

    def look(self, stills: Stills) -> bool:
        """Be sent what is new, unless it is slow; tell whether it stands where the stream does."""
        still = stills.still
        if self.rng.random() < 0.4 and not self.patient:
            return False  # has not taken the last one yet
        if self.rng.random() < 0.05 and not self.patient:
            self.mirror, self.told = Mirror(), None  # connects anew
        if self.told == still.number:
            return self.mirror.number == still.number
        frame = still.frame(still.after(self.told))
        self.told = still.number
        if self.rng.random() < 0.15 and not self.patient:
            return False  # lost
        if not self.mirror.take(frame):
            self.told, self.resyncs = None, self.resyncs + 1
            return self.look(stills)
        if self.rng.random() < 0.1:
            assert self.mirror.take(frame), "once more does nothing"
        return self.mirror.number == still.number


def assert_same(mirror: Mirror, heatmap: lq.Heatmap, rows: slice, form: Form) -> None:
    np.testing.assert_array_equal(mirror.times, heatmap.times)
    np.testing.assert_array_equal(mirror.prices, heatmap.prices[rows])
    np.testing.assert_array_equal(mirror.candles, heatmap.candles.view(np.float64).reshape(-1, 6))
    np.testing.assert_array_equal(mirror.open_interest, heatmap.open_interest)
    assert mirror.window_ns == heatmap.window_ns
    assert mirror.complete == heatmap.complete[-1]
    assert mirror.said["gaps"] == heatmap.gaps.tolist()
    for shown, expected in ((mirror.long, heatmap.long[:, rows]), (mirror.short, heatmap.short[:, rows])):
        if form == "float32":
            np.testing.assert_array_equal(shown, expected)
        else:
            least = expected.max(axis=1, initial=0, keepdims=True) / 58_000_000
            assert (np.abs(shown - expected) <= np.maximum(1.4e-4 * expected, least)).all()
            np.testing.assert_array_equal(shown == 0, expected == 0)


SELECTIONS: list[dict[str, Any]] = [
    {},
    {"side": "long", "leverage": (10.0, 25.0)},
    {"rows": 40},
    {"last": "30m", "unit": "quantity"},
    {"window": "15m", "columns": 4},
    {"low": 62_000.0, "high": 63_500.0, "opened_within": "1h"},
    {"threshold": "100k"},
]


def watch(
    batches: Sequence[tuple[Market, lq.TradeBatch]], told: dict[str, Any], form: Form, seed: int,
    keep: int | None = None,
) -> tuple[Following, Mirror, Selection]:  # fmt: skip
    """Feed markets in steps, with a stream and its clients beside; return what the most patient one has at the end."""
    rng = np.random.default_rng(seed)
    markets = [MarketEngine(market, CONFIG, keep=keep) for market, _ in batches]
    following = followed(*markets)
    selection = Selection(market=tuple(str(market) for market, _ in batches), **told)
    stills = stills_of(following, selection, form)
    watchers = [Watcher(rng, patient=n == 0) for n in range(4)]
    queues = [frames(batch, 7, market) for market, batch in batches]
    while True:
        stills.look()
        for watcher in watchers:
            if watcher.look(stills) and stills.still.moments:
                picture = selection.picture(stills.still.moments, LIMITS)
                assert_same(watcher.mirror, picture.heatmap, slice(picture.low, picture.high), form)
        left = [(market, queue) for market, queue in zip(markets, queues, strict=True) if queue]
        if not left:
            break
        for market, queue in left:
            count = int(rng.integers(0, 9))
            market.take(queue[:count])
            del queue[:count]
            publish(market)
    for market in markets:
        market.finish()
        publish(market)
    stills.look()
    for watcher in watchers:
        while not watcher.look(stills):
            pass
        np.testing.assert_array_equal(watcher.mirror.long, watchers[0].mirror.long)
        np.testing.assert_array_equal(watcher.mirror.short, watchers[0].mirror.short)
        assert watcher.mirror.said == watchers[0].mirror.said
    return following, watchers[0].mirror, selection


@settings(max_examples=9, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000), st.booleans(), st.sampled_from(SELECTIONS), st.sampled_from(["uint16", "float32"]))
@pytest.mark.filterwarnings("ignore:no trade from")
def test_clients_stand_where_a_heatmap_of_the_same_trades_does(
    seed: int, pause: bool, told: dict[str, Any], form: Form
) -> None:
    batch = wandering(seed, pause=pause)
    _, mirror, selection = watch([(BTC, batch)], told, form, seed)
    whole = lq.heatmap(trades=batch, symbol="BTCUSDT", venue="binance-usdm")
    if "window" not in told and "last" not in told and "threshold" not in told and "rows" not in told:
        chosen = {name: told[name] for name in ("side", "leverage", "opened_within") if name in told}
        whole = whole.select(**chosen).rebin(step=mirror.prices[1] - mirror.prices[0])
        rows = slice(*np.searchsorted(whole.prices, [mirror.prices[0], mirror.prices[-1] + 0.05]))
        whole.meta["gaps"] = []  # a heatmap tells of silence, a stream of what was missed
        assert_same(mirror, whole, rows, form)
    assert selection.market == (str(BTC),)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000), st.sampled_from(SELECTIONS[:5]), st.integers(1, 12))
@pytest.mark.filterwarnings("ignore:no trade from")
def test_columns_that_an_engine_does_not_keep_go(seed: int, told: dict[str, Any], keep: int) -> None:
    _, mirror, _ = watch([(BTC, wandering(seed, pause=bool(seed % 2)))], told, "float32", seed, keep)
    assert len(mirror.times) <= keep + 1


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000), st.sampled_from([{}, {"side": "short"}, {"ended": "drop"}, {"stale_after": "10m"}]))
@pytest.mark.filterwarnings("ignore:no trade from", "ignore:.* begins at", "ignore:.* ends at")
def test_two_venues_are_shown_as_their_sum(seed: int, told: dict[str, Any]) -> None:
    one, two = trades(500, seed=seed, hours=1.0), trades(300, seed=seed + 1, hours=1.5)
    _, mirror, _ = watch([(BTC, one), (BYBIT, two)], told, "float32", seed)
    alone = {
        name: lq.heatmap(trades=batch, symbol="BTCUSDT", venue=market.venue, step=mirror.prices[1] - mirror.prices[0])
        for name, market, batch in zip(NAMES, (BTC, BYBIT), (one, two), strict=True)
    }
    joined = {name: value for name, value in told.items() if name != "side"}
    both = lq.merge_venues(alone, price_from=NAMES[0], **joined).select(side=told.get("side"))
    both.meta["gaps"] = []
    assert_same(mirror, both, slice(None), "float32")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.filterwarnings("ignore:re-denominated", "ignore:no trade from")
def test_a_book_that_begins_anew_is_sent_anew(seed: int) -> None:
    before, after = trades(900, seed=seed, hours=1.0), trades(900, seed=seed + 100, hours=1.0)
    batch = lq.TradeBatch(
        np.concatenate([before.ts, after.ts + HOUR * (2 - seed)]),
        np.concatenate([before.price, np.round(after.price / 10, 1)]),
        np.concatenate([before.qty, after.qty]),
        np.concatenate([before.taker_sell, after.taker_sell]),
    )
    _, mirror, _ = watch([(BTC, batch)], {}, "float32", seed)
    expected = lq.heatmap(trades=batch, symbol="BTCUSDT", venue="binance-usdm")
    expected.meta["gaps"] = []
    assert_same(mirror, expected.rebin(step=mirror.prices[1] - mirror.prices[0]), slice(None), "float32")
    assert mirror.said["labels"]["begins_anew"]["factor"] == "1:10"


def test_holes_news_and_what_the_venue_told_of_arrive() -> None:
    batch = trades(600, seed=3, hours=1.0)
    middle = int(batch.ts[300])
    hole = Change(BTC, "trades", "gap open", middle, since=middle - 60_000_000_000, until=middle, why="not given")
    market = MarketEngine(BTC, CONFIG)
    following = followed(market)
    stills = stills_of(following, Selection(market=(str(BTC),)), "uint16")
    mirror = Mirror()
    given = frames(batch)
    market.take(given[:60])
    publish(market)
    assert stills.look()
    assert mirror.take(stills.still.frame(None))
    assert mirror.said["gaps"] == []
    assert not stills.look(), "nothing is new"
    market.take([*given[60:80], changed(hole, middle)])
    liquidation = Liquidation(BTC, middle, 63_000.0, 2.0, "long", True)
    market._take([liquidation], middle)
    assert stills.look()
    assert mirror.take(stills.still.frame(stills.still.after(mirror.number)))
    assert mirror.said["streams"][str(BTC)]["trades"]["state"] == "gap open"
    assert {entry["kind"]: entry["market"] for entry in mirror.news} == {"gap": str(BTC), "liquidation": str(BTC)}
    market.take(given[80:])
    market.finish()
    publish(market)
    assert stills.look()
    assert mirror.take(stills.still.frame(stills.still.after(mirror.number)))
    assert mirror.said["gaps"] == [[hole.since, hole.until]]
    assert mirror.realised.sum(axis=0).tolist() == [126_000.0, 0.0]
    column = np.searchsorted(mirror.times, middle, side="right") - 1
    assert mirror.realised[column, 0] == 126_000.0
    assert {zone["side"] for zone in mirror.said["zones"]} <= {"long", "short"}
    assert mirror.said["zones"]


def test_only_columns_that_changed_are_sent() -> None:
    batch = trades(4000, seed=5, hours=8.0)
    market = MarketEngine(BTC, CONFIG)
    stills = stills_of(followed(market), Selection(market=(str(BTC),), rows=100), "uint16")
    given = frames(batch)
    market.take(given[:700])
    publish(market)
    stills.look()
    whole = len(stills.still.frame(None))
    market.take(given[700:701])
    publish(market)
    stills.look()
    still = stills.still
    assert np.count_nonzero(still.changed == still.number) in (1, 2)
    assert len(still.frame(still.after(still.number - 1))) < whole / 10


def test_clients_that_are_behind_share_frames_until_they_need_a_full_one() -> None:
    market = MarketEngine(BTC, CONFIG)
    stills = stills_of(followed(market), Selection(market=(str(BTC),)), "uint16")
    for part in frames(trades(3200, seed=5, hours=0.1)):
        market.take([part])
        publish(market)
        stills.look()
    still = stills.still
    assert still.number > 520
    afters = {still.after(number) for number in range(still.number)}
    assert None in afters
    assert len(afters) <= 12
    for number in range(still.base, still.number + 1):
        after = still.after(number)
        assert after is None or still.base <= after <= number


@pytest.mark.parametrize(
    ("told", "message"),
    [({"threshold": "p95"}, "threshold must be an amount"), ({"threshold": "5%"}, "threshold must be an amount"),
     ({"market": ("okx:BTC-USDT-SWAP",)}, "market must be one that is followed")],
)  # fmt: skip
def test_what_no_stream_can_show_is_refused(told: dict[str, Any], message: str) -> None:
    following = followed(MarketEngine(BTC, CONFIG))
    with pytest.raises(RefusedError, match=message):
        stills_of(following, Selection(**{"market": (str(BTC),), **told}), "uint16")


def test_before_the_first_trade_a_stream_is_empty_and_says_what_streams_do() -> None:
    market = MarketEngine(BTC, CONFIG)
    stills = stills_of(followed(market), Selection(market=(str(BTC),)), "uint16")
    assert stills.look()
    mirror = Mirror()
    assert mirror.take(stills.still.frame(None))
    assert mirror.long.shape == (0, 0)
    market.take([changed(Change(BTC, "trades", "connecting", 5), 5)])
    assert stills.look()
    assert mirror.take(stills.still.frame(stills.still.after(mirror.number)))
    assert mirror.said["streams"][str(BTC)]["trades"]["state"] == "connecting"
