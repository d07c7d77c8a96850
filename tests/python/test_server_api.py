"""The REST API: answers are of one moment, true to a batch run of the same trades, and made once for all who ask."""

import gzip
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("httpx")
pytest.importorskip("prometheus_client")
pytest.importorskip("nanoarrow")

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.feeds.events import Change, Frame
from liqcore.feeds.frames import changed
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.server.arrays import few_digits, numbers
from liqcore.words.numbers import price_number
from markets import BTC, frames, trades
from serving import BYBIT, EMPTY, ROOM, TRADES, Served

BOTH = f"{BTC},{BYBIT}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("journals"))


@pytest.fixture(scope="module")
def batch() -> lq.Heatmap:
    return lq.heatmap(trades=TRADES[BTC], symbol="BTCUSDT", venue="binance-usdm")


def told(served: Served, path: str, **asked: Any) -> Any:
    response = served.ask(path, params={name: str(value) for name, value in asked.items()})
    assert response.status_code == 200, response.text
    return response.json()


def floats(rows: list[list[float | None]]) -> Any:
    return np.array(rows, np.float32)


# --- true to a batch run ---


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    side=st.sampled_from(["both", "long", "short"]),
    leverage=st.sampled_from([None, "10", "10,100"]),
    last=st.sampled_from([None, "1h", "2h"]),
    window=st.sampled_from([None, "15m", "1h"]),
    step=st.sampled_from([25.0, 50.0, 75.0]),
    threshold=st.sampled_from([None, "5%", "p90", "100k"]),
    unit=st.sampled_from(["usd", "quantity"]),
    opened_within=st.sampled_from([None, "1h"]),
    within=st.sampled_from([None, 3.0]),
)
def test_heatmap_map_zones_and_features_agree_with_a_batch_run_and_are_of_one_number(
    served: Served,
    batch: lq.Heatmap,
    side: str,
    leverage: str | None,
    last: str | None,
    window: str | None,
    step: float,
    threshold: str | None,
    unit: str,
    opened_within: str | None,
    within: float | None,
) -> None:
    asked = {"market": BTC, "side": side, "leverage": leverage, "last": last, "window": window, "step": step,
             "unit": unit, "opened_within": opened_within, "rows": 2000}  # fmt: skip
    asked = {name: value for name, value in asked.items() if value is not None}
    shown = batch if window is None else batch.rebin(window=window)
    shown = shown.rebin(step=step).select(
        side=side,
        leverage=None if leverage is None else [float(tier) for tier in leverage.split(",")],
        last=last,
        opened_within=opened_within,
        unit=unit,
    )
    cut = {} if threshold is None else {"threshold": threshold}
    seen = shown if threshold is None else shown.select(threshold=threshold)
    heatmap = told(served, "/heatmap", **asked, **cut, liquidated="true")
    assert heatmap["times"] == seen.times.tolist()
    assert heatmap["prices"] == [price_number(price) for price in seen.prices.tolist()]
    np.testing.assert_array_equal(floats(heatmap["long"]), seen.long)
    np.testing.assert_array_equal(floats(heatmap["short"]), seen.short)
    np.testing.assert_array_equal(floats(heatmap["liquidated"]), seen.liquidated)
    np.testing.assert_array_equal(np.array(heatmap["candles"]["close"], float), seen.candles["close"])
    assert heatmap["cut"] == seen.cut
    assert heatmap["unit"] == unit
    assert heatmap["meaning"] == seen.meta["meaning"]
    assert heatmap["book_age_ns"] == seen.meta["book_age_ns"]

    made = seen.map()
    answer = told(served, "/map", **asked, **cut, percent=2)
    np.testing.assert_array_equal([tier["long"] for tier in answer["tiers"]], made.long)
    np.testing.assert_array_equal([tier["short"] for tier in answer["tiers"]], made.short)
    np.testing.assert_array_equal(answer["cumulative_long"], made.cumulative_long)
    assert answer["sentence"] == made.sentence(2)
    assert tuple(answer["within"].values()) == made.within(2)
    assert answer["factors"] is None

    near = {} if within is None else {"within": within}
    zones = told(served, "/zones", **asked, **cut, **near)
    found = shown.zones(threshold=threshold, within=within)
    assert [(zone["side"], zone["low"], zone["high"], zone["value"]) for zone in zones["zones"]] == [
        (zone.side, zone.low, zone.high, zone.value) for zone in found
    ]
    (features,) = told(served, "/features", market=BTC)["markets"]
    assert features["number"] == heatmap["number"] == answer["number"] == zones["number"]
    assert features["features"]["price"] == answer["price"]


@pytest.mark.parametrize("change", [-0.02, 0.03])
def test_a_cascade_and_stops_are_those_of_a_batch_run(served: Served, batch: lq.Heatmap, change: float) -> None:
    law = {"scale": 0.05, "sigma": 0.03, "volume": 2e9}
    shown = batch.rebin(step=25.0)
    price, side = shown.map().price, "long" if change < 0 else "short"
    to = price * (1 + change)
    answer = told(served, "/cascade", market=BTC, step=25, rows=2000, to=to, **law)
    found = lq.cascade(shown, 100 * abs(to / price - 1), side=side, **law)  # type: ignore[arg-type]
    assert answer["side"] == side
    assert answer["end_price"] == found.end_price[0]
    assert answer["liquidated"] == found.liquidated[0]
    assert [each["end_price"] for each in answer["quantiles"]] == found.end_price_quantiles[:, 0].tolist()
    assert answer["path"][0]["price"] == pytest.approx(to)
    assert "not a forecast" in answer["scenario"][0]
    told_stops = told(served, "/stops", market=BTC, step=25, rows=2000, position=side, risk=20, threshold="p50", **law)
    wanted = lq.stops(shown, side=side, risk=20, threshold="p50", **law)
    assert [(each["price"], each["fill_price"]) for each in told_stops["stops"]] == [
        (stop.price, stop.fill_price) for stop in wanted
    ]
    assert len(wanted) > 0
    assert "not a forecast" in told_stops["scenario"][0]


def test_what_a_scenario_lacks_is_named(served: Served, batch: lq.Heatmap) -> None:
    several = served.ask("/cascade", params={"market": BOTH, "to": "1000"})
    assert several.status_code == 409
    assert several.json()["argument"] == "volume"
    same = served.ask("/cascade", params={"market": str(BTC), "to": repr(batch.map().price)})
    assert (same.status_code, same.json()["argument"]) == (409, "to")


def test_several_markets_are_summed_by_the_rules_of_merge_venues(served: Served) -> None:
    alone = {
        str(market): lq.heatmap(trades=TRADES[market], symbol=market.symbol, venue=market.venue)
        for market in (BTC, BYBIT)
    }
    both = lq.merge_venues(alone, price_from=str(BTC))
    answer = told(served, "/heatmap", market=BOTH, step=both.step, rows=2000)
    np.testing.assert_array_equal(floats(answer["long"]), both.long)
    np.testing.assert_array_equal(floats(answer["short"]), both.short)
    assert answer["markets"] == [str(BTC), str(BYBIT)]
    assert len(answer["number"].split(",")) == 2
    assert answer["open_interest"] is None
    other = told(served, "/heatmap", market=BOTH, price_from=BYBIT)
    assert other["candles"]["close"] != answer["candles"]["close"]
    assert told(served, "/map", market=BOTH)["sentence"].startswith("a fall to")


def test_rows_and_prices_are_cut_as_asked(served: Served, batch: lq.Heatmap) -> None:
    for rows in (2, 3, 7, 100, 499):
        answer = told(served, "/heatmap", market=BTC, rows=rows)
        assert len(answer["prices"]) <= rows
        assert np.sum(answer["long"][-1]) == pytest.approx(batch.long[-1].sum(), rel=1e-5)
    part = told(served, "/heatmap", market=BTC, low=62_010, high=62_990, rows=2000, columns=3)
    assert part["prices"][0] <= 62_010 < part["prices"][1]
    assert part["prices"][-1] < 62_990 <= part["prices"][-1] + part["step"]
    rows = (batch.prices + batch.step > 62_010) & (batch.prices < 62_990)
    np.testing.assert_array_equal(floats(part["long"]), batch.rebin(step=25).long[-3:][:, rows])
    nothing = told(served, "/heatmap", market=BTC, low=1e6, columns=2)
    assert nothing["prices"] == []
    assert nothing["long"] == [[], []]


# --- what is new ---


def test_columns_since_a_number_make_the_whole_again(tmp_path: Path) -> None:
    given_frames = frames(TRADES[BTC])
    served = Served(tmp_path, given={BTC: None})
    served.feed(BTC, given_frames[:200])
    asked = {"market": BTC, "step": 50, "rows": 2000}
    whole = told(served, "/heatmap", **asked)
    cells: dict[int, dict[float, float]] = {}

    def put(answer: Any) -> None:
        if answer["resync"]:
            cells.clear()
        for time, column in zip(answer["times"], answer["long"], strict=True):
            cells[time] = {price: value for price, value in zip(answer["prices"], column, strict=True) if value}

    put(whole)
    after = whole["next"]
    sent = []
    for end in range(230, 830, 30):
        served.feed(BTC, given_frames[end - 30 : end])
        answer = told(served, "/columns", **asked, since=after)
        assert not answer["resync"]
        sent.append(len(answer["times"]))
        put(answer)
        after = answer["next"]
    final = told(served, "/heatmap", **asked)
    kept = dict(cells)
    put(final)
    assert kept == cells
    assert max(sent) < len(final["times"]) / 4
    nothing = told(served, "/columns", **asked, since=after)
    assert nothing["times"] == nothing["long"] == []


def test_what_does_not_hold_any_more_is_sent_whole_and_why(served: Served) -> None:
    now = told(served, "/heatmap", market=BTC)
    number, _, step = now["next"].partition("/")
    begun, sequence, clock = number.split(".")
    for since, why in (
        (f"{int(begun) - 1}.{sequence}.{clock}/{step}", "the book has begun anew"),
        (f"{begun}.{int(sequence) + 1}.{clock}/{step}", "the number is not one of this server"),
        (f"{number}/7.5", "the rows have another height"),
        (f"{begun}.1.{int(begun) - 1}/{step}", "what came since is not all asked for, or not kept"),
    ):
        answer = told(served, "/columns", market=BTC, since=since)
        assert answer["resync"]
        assert answer["why"] == why
        assert answer["times"] == now["times"]
    refused = served.ask("/columns", params={"market": str(BTC), "since": f"{number},{number}/{step}"})
    assert refused.status_code == 409
    assert refused.json()["argument"] == "since"


# --- while the market goes on ---


def test_answers_are_whole_while_the_market_is_fed(tmp_path: Path) -> None:
    given_frames = frames(TRADES[BTC])
    served = Served(tmp_path, given={BTC: None})
    served.feed(BTC, given_frames[:100])
    engine, turns = served.engines[BTC], threading.Semaphore(0)

    def feed() -> None:
        for turn in range(100, len(given_frames), 50):
            turns.acquire()  # a part of the trades while each round of requests is answered
            for at in range(turn, turn + 50, 2):
                engine.take(given_frames[at : at + 2])
                served.clock.at += 300_000_000  # so that every request asks for what is new

    feeder = threading.Thread(target=feed)
    feeder.start()
    seen: dict[str, set[float]] = {}
    numbers = []
    for _ in range(100, len(given_frames), 50):
        turns.release()
        paths = [f"/heatmap?market={BTC}&columns=1", f"/map?market={BTC}&columns=1", f"/features?market={BTC}"]
        heatmap, now, _ = (
            answer.json() for answer in served.together([lambda client, path=path: client.get(path) for path in paths])
        )
        numbers.append(int(heatmap["number"].split(".")[1]))
        seen.setdefault(heatmap["number"], set()).add(np.float32(np.sum(floats(heatmap["long"]), dtype=float)))
        seen.setdefault(now["number"], set()).add(np.float32(now["long"]))
    feeder.join()
    assert len(seen) > 1
    assert numbers == sorted(numbers)
    for sums in seen.values():
        assert max(sums) == pytest.approx(min(sums), rel=1e-6)


# --- once for all ---


def test_an_answer_is_made_once_for_all_who_ask(tmp_path: Path) -> None:
    served = Served(tmp_path)
    path = f"/heatmap?market={BTC}&rows=100"
    answers = served.together([lambda client: client.get(path) for _ in range(8)])
    assert len({answer.content for answer in answers}) == 1
    served.ask(path)
    metrics = served.ask("/metrics").text
    assert "liqcore_answers_made_total 3.0" in metrics  # the picture, the answer, and its packed form
    assert served.ask(path, headers={"accept-encoding": "gzip;q=0"}).headers.get("content-encoding") is None


def test_packed_answers_hold_the_same(served: Served) -> None:
    path = f"/map?market={BTC}"
    plain = served.ask(path, headers={"accept-encoding": "identity"})
    packed = served.ask(path, headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) == len(packed.content)
    assert packed.content == plain.content
    assert "Accept-Encoding" in packed.headers["vary"]
    assert gzip.decompress(gzip.compress(plain.content)) == packed.content


# --- markets, news, holes, health, metrics ---


def test_markets_news_and_holes_are_told(tmp_path: Path) -> None:
    middle = int(TRADES[BTC].ts[2000])
    hole = Change(BTC, "trades", "gap open", middle, since=middle - 60_000_000_000, until=middle, why="not given")
    given_frames: list[Frame] = frames(TRADES[BTC])
    served = Served(tmp_path, given={BTC: None, EMPTY: None})
    served.feed(BTC, [*given_frames[:400], changed(hole, middle), *given_frames[400:]], last=True)
    answer = told(served, "/markets")
    first, second = answer["markets"]
    assert (first["market"], first["holes"], first["streams"]["trades"]["state"]) == (str(BTC), 1, "gap open")
    assert (second["market"], second["number"], second["price"]) == (str(EMPTY), None, None)
    assert first["tick_size"] == 0.1
    assert told(served, "/holes")["holes"] == [
        {"market": str(BTC), "stream": "trades", "state": "gap open", "ts": middle, "since": hole.since,
         "until": middle, "first": 0, "last": 0, "why": "not given"}
    ]  # fmt: skip
    assert told(served, "/holes", market=EMPTY)["holes"] == []
    assert told(served, "/heatmap", market=BTC)["gaps"] == [[hole.since, hole.until]]

    seen: list[Any] = []
    since, rounds = 0, 0
    while True:
        page = told(served, "/news", since=since, most=7)
        seen += page["news"]
        rounds += 1
        assert not page["missed"]
        if page["next"] == since:
            break
        since = page["next"]
    assert [entry["number"] for entry in seen] == list(range(1, answer["news"] + 1))
    assert {"column", "gap"} <= {entry["kind"] for entry in seen}
    assert told(served, "/news", market=EMPTY)["news"] == []
    assert told(served, "/news", market=EMPTY)["next"] == answer["news"]


def test_news_that_is_not_kept_is_told_as_missed(tmp_path: Path) -> None:
    served = Served(tmp_path)
    kept = served.news._kept
    while len(kept) > 5:
        kept.popleft()
    assert told(served, "/news", since=0)["missed"]
    assert not told(served, "/news", since=served.news.last - 2)["missed"]


def test_health_gives_reasons(tmp_path: Path) -> None:
    well = Served(tmp_path, given=dict(TRADES))
    assert told(well, "/health")["ok"]
    late = Change(BTC, "trades", "stale", int(TRADES[BTC].ts[-1]), why="silent")
    well.feed(BTC, [changed(late, late.ts)])
    answer = well.ask("/health")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == [{"what": "stream", "market": str(BTC), "why": "trades is silent"}]
    stopped = Served(tmp_path, given=dict(TRADES))
    stopped.statuses[BTC].error = "No space left on device"
    stopped.statuses[BYBIT].stopped = "a sink failed"
    answer = stopped.ask("/health")
    assert [tuple(reason.values()) for reason in answer.json()["reasons"]] == [
        ("journal", str(BTC), "it cannot be written at present: No space left on device"),
        ("engine", str(BYBIT), "it goes on no more (a sink failed); what comes is recorded all the same"),
    ]
    full = Served(tmp_path, given={EMPTY: None}, free=lambda _: 5 << 20)
    reasons = full.ask("/health").json()["reasons"]
    assert reasons[0]["why"] == "nothing has traded yet"
    assert reasons[1] == {"what": "disk", "market": "", "why": "5 MiB are left, must be at least 1,024 MiB"}

    def gone(path: Path) -> int:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    said = Served(tmp_path, given={}, free=gone).ask("/health").text
    assert "No such file" in said
    assert str(tmp_path) not in said


def test_metrics_have_few_labels(served: Served) -> None:
    for path in ("/health", "/nothing-1", "/nothing-2", f"/heatmap?market={BTC}"):
        served.ask(path)
    text = served.ask("/metrics").text
    assert f'liqcore_frames_total{{market="{BTC}"}} 800.0' in text
    assert 'liqcore_requests_total{route="other",status="404"}' in text
    assert "nothing-1" not in text
    assert f"liqcore_disk_free_bytes {float(ROOM):.12e}".replace("e+12", "")[:30] in text


# --- trades ---


def write_journal(folder: Path, batch: lq.TradeBatch, segment_ns: int = 3_600_000_000_000) -> Journal:
    journal = Journal(folder, BTC, files=Disk(), segment_ns=segment_ns)
    for frame in frames(batch):
        journal.append(frame)
        journal.write()
    return journal


def rows_of(body: bytes) -> dict[str, Any]:
    import nanoarrow

    table = nanoarrow.ArrayStream.from_readable(body).read_all()
    fields = [field.name for field in table.schema.fields]
    rows = table.to_pylist()
    return {name: np.array([row[name] for row in rows]) for name in fields}


def test_trades_are_those_of_the_journal_while_it_is_written(tmp_path: Path) -> None:
    batch = TRADES[BTC]
    served = Served(tmp_path, given={BTC: batch, BYBIT: None})
    journal = write_journal(tmp_path, batch)
    try:
        answer = served.ask("/trades.arrow", params={"market": str(BTC)})
        assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
        rows = rows_of(answer.content)
        assert list(rows) == ["ts", "price", "qty", "side"]
        for name, values in zip(rows, (batch.ts, batch.price, batch.qty, batch.taker_sell), strict=True):
            np.testing.assert_array_equal(rows[name], values)
        part = rows_of(
            served.ask(
                "/trades.arrow", params={"market": str(BTC), "from": "2026-06-12T01:00", "to": str(int(batch.ts[3000]))}
            ).content
        )
        first = int(np.searchsorted(batch.ts, 1_781_226_000_000_000_000))
        stop = int(np.searchsorted(batch.ts, batch.ts[3000]))
        np.testing.assert_array_equal(part["price"], batch.price[first:stop])
        with next(iter(sorted(tmp_path.glob("*T020000Z.mcap")))).open("ab") as file:
            file.write(b"\x06\x00\x10")  # a chunk that is being written
        torn = rows_of(served.ask("/trades.arrow", params={"market": str(BTC)}).content)
        assert len(torn["ts"]) == len(batch)
        none = served.ask("/trades.arrow", params={"market": str(BYBIT)})
        assert len(rows_of(none.content).get("ts", ())) == 0
        early = served.ask("/trades.arrow", params={"market": str(BTC), "to": "2026-06-11"})
        assert len(rows_of(early.content).get("ts", ())) == 0
    finally:
        journal.close()


def test_a_journal_that_is_none_is_refused_without_a_path(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: TRADES[BTC]})
    (tmp_path / "binance-usdm-BTCUSDT-20260612T000000Z.mcap").write_bytes(b"something else" * 100)
    answer = served.ask("/trades.arrow", params={"market": str(BTC)})
    assert answer.status_code == 409
    assert str(tmp_path) not in answer.text
    assert answer.json()["error"] == "the journal of this market cannot be read"


# --- refusals ---


@pytest.mark.parametrize(
    ("path", "status", "argument"),
    [
        ("/heatmap", 400, "market"),
        (f"/heatmap?market={BTC}&market={BTC}", 400, "market"),
        (f"/heatmap?market={BTC},{BTC}", 400, "market"),
        ("/heatmap?market=nonsense", 400, "market"),
        ("/heatmap?market=venue:SYMBOL", 404, "market"),
        (f"/heatmap?market={EMPTY}", 409, "market"),
        (f"/heatmap?market={BTC}&side=up", 400, "side"),
        (f"/heatmap?market={BTC}&rows=1", 400, "rows"),
        (f"/heatmap?market={BTC}&rows=many", 400, "rows"),
        (f"/heatmap?market={BTC}&step=nan", 400, "step"),
        (f"/heatmap?market={BTC}&step=null", 400, "step"),
        (f"/heatmap?market={BTC}&step=7", 409, "step"),
        (f"/heatmap?market={BTC}&step=5", 409, "step"),
        (f"/heatmap?market={BTC}&leverage=11", 409, "leverage"),
        (f"/heatmap?market={BTC}&last=1M", 400, "last"),
        (f"/heatmap?market={BTC}&last=1s", 409, "last"),
        (f"/heatmap?market={BTC}&start=2026-06-31", 400, "start"),
        (f"/heatmap?market={BTC}&start=2027-01-01", 409, "start"),
        (f"/heatmap?market={BTC}&start=2026-06-12&end=2026-06-11", 409, "start"),
        (f"/heatmap?market={BTC}&low=5&high=4", 409, "low"),
        (f"/heatmap?market={BTC}&window=7m", 409, "window"),
        (f"/heatmap?market={BTC}&threshold=5 usd&unit=quantity", 409, "threshold"),
        (f"/heatmap?market={BTC}&nonsense=1", 400, "parameter"),
        (f"/heatmap?market={BTC}&token=x&more=1", 400, "parameter"),
        (f"/columns?market={BTC}&since=1", 400, "since"),
        (f"/map?market={BTC}&percent=100", 400, "percent"),
        ("/news?since=-1", 400, "since"),
        ("/features?market=venue:SYMBOL", 404, "market"),
        (f"/trades.arrow?market={BTC}&from=2026-06-12&to=2026-06-12", 409, "to"),
        ("/health?x=1", 400, "parameter"),
        ("/nothing", 404, "path"),
        ("/../etc/passwd", 404, "path"),
    ],
)
def test_a_refusal_names_the_argument_the_rule_and_the_value(
    served: Served, path: str, status: int, argument: str
) -> None:
    answer = served.ask(path)
    said = answer.json()
    assert (answer.status_code, said["argument"]) == (status, argument)
    assert said["error"] == f"{said['argument']} {said['rule']}, was {said['value'] or 'empty'}"
    assert said["rule"].startswith("must ")


def test_more_cells_than_an_answer_may_have_are_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.server.pictures.MOST_CELLS", 36 * 100)
    assert len(told(served, "/heatmap", market=BTC, rows=100)["times"]) == 36
    answer = served.ask("/heatmap", params={"market": str(BTC), "rows": "120"})
    assert (answer.status_code, answer.json()["argument"]) == (409, "columns")


def test_what_the_library_cannot_sum_is_refused(tmp_path: Path) -> None:
    far = trades(500, seed=3)
    batch = lq.TradeBatch(far.ts, np.round(far.price / 20, 1), far.qty, far.taker_sell)
    served = Served(tmp_path, given={BTC: TRADES[BTC], BYBIT: batch})
    answer = served.ask("/heatmap", params={"market": BOTH})
    assert answer.status_code == 409
    said = answer.json()
    assert (said["argument"], said["rule"]) == ("market", "must be of one underlying")
    assert "traded at" in said["value"]


def test_a_fault_of_the_server_says_nothing_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(tmp_path)

    def failing(*_: object) -> None:
        raise RuntimeError(f"broken in {tmp_path}")

    monkeypatch.setattr("liqcore.server.pictures.heatmap", failing)
    answer = served.ask(f"/heatmap?market={BTC}")
    assert answer.status_code == 500
    assert "broken" not in answer.text
    assert answer.json()["error"].startswith("the server failed to answer")


@given(st.lists(st.floats(width=32), max_size=50))
def test_floats_are_written_in_the_fewest_digits_that_give_them_back(values: list[float]) -> None:
    array = np.array(values, np.float32)
    short = few_digits(array)
    np.testing.assert_array_equal(short.astype(np.float32), array)
    for value, kept in zip(array, short.tolist(), strict=True):
        if 1e-12 <= abs(value) < 1e20:
            assert kept == float(str(value))
    said = bytes(numbers(np.stack([array, array])))
    assert msgspec.json.decode(said) == [[value if math.isfinite(value) else None for value in short.tolist()]] * 2


def test_numbers_in_json_are_finite_or_null(served: Served) -> None:
    candles = told(served, "/heatmap", market=BTC)["candles"]
    assert all(value is None or math.isfinite(value) for row in candles.values() for value in row)
