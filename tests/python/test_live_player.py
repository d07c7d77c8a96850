"""A recording that is moved: whatever the way, markets stand where those of a run stand that was never moved."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from liqcore.config import Config
from liqcore.errors import InvalidConfigError
from liqcore.feeds.events import Frame, Market
from liqcore.live import Replay, Service, running
from liqcore.live.happened import Hooks
from liqcore.live.market import MarketEngine
from liqcore.live.replay import Recording, recording
from liqcore.server.app import app
from liqcore.server.run import serve
from liqcore.server.socket import stream
from liqcore.server.wire import Mirror, decode
from markets import BTC, archive, frames, trades

ETH = Market(BTC.venue, "ETHUSDT")
TRADES = trades(3000, seed=31)
FRAMES = {BTC: frames(TRADES), ETH: frames(TRADES, together=7, market=ETH)}
CONFIG = Config().replace(journal={"write": "1ms", "sync": "5ms"}, live={"checkpoint": "1h"})
BEGIN, END = FRAMES[BTC][0].received, FRAMES[BTC][-1].received


def played() -> Recording:
    return Recording(list(FRAMES), BEGIN, None, lambda market: iter(FRAMES[market]), end=END)


def at(share: float) -> int:
    return BEGIN + round(share * 100) * ((END - BEGIN) // 100)


def never_moved(market: Market, until: int) -> bytes | None:
    """Return the state of an engine that has taken what had come by a time, in another division into calls."""
    engine = MarketEngine(market, CONFIG, keep=2016)
    given: list[Frame] = [frame for frame in FRAMES[market] if frame.received <= until]
    engine.take(given[:100])
    engine.take(given[100:])
    return engine.save()


def moved(folder: Path, act: Callable[[Service], Any], *, speed: float = 1.0, **options: Any) -> Service:
    """Run a service, do something on the way, end it."""
    source = Replay(played(), speed)

    async def main() -> None:
        with Service(source, folder, config=CONFIG, **options) as service:
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stays=True, stop=stop))
            try:
                async with asyncio.timeout(60):
                    while not source.player._has_begun:
                        await asyncio.sleep(0.001)
                    await act(service)
            finally:
                stop.set()
                await running
        results.append(service)

    results: list[Service] = []
    asyncio.run(main())
    return results[0]


async def go(service: Service, to: int) -> None:
    player = service.following.player
    assert player is not None
    player.change(service.following.clock.elapsed(), at=to)
    while player.told.moving:
        await asyncio.sleep(0.001)
    for market in FRAMES:  # what was put is fed a moment later
        due = sum(frame.received <= to for frame in FRAMES[market])
        while service.engines[market].frames < due:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("way", [(0.5,), (0.7, 0.3), (0.9, 0.2, 0.6), (0.4, 0.1, 0.05, 0.5), (1.0, 0.5), (0.3, 0.0)])
def test_moved_markets_stand_where_those_stand_that_never_were(tmp_path: Path, way: tuple[float, ...]) -> None:
    async def act(service: Service) -> None:
        player = service.following.player
        assert player is not None
        player.change(service.following.clock.elapsed(), paused=True)
        for place in way:
            await go(service, at(place))
        for market in FRAMES:
            assert service.engines[market].save() == never_moved(market, at(way[-1]))
            moment = service.following.boards[market].moment()
            assert (moment is None) == (service.engines[market].book is None)

    moved(tmp_path, act)
    journals = recording([str(tmp_path / "*.mcap")])
    for market, given in FRAMES.items():  # and the journal has every frame once, in order
        kept = list(journals.frames(market))
        assert kept == given[: len(kept)]
        assert len(kept) == sum(frame.received <= at(max(way)) for frame in given)


def test_played_on_from_where_it_was_moved_back_to_it_ends_as_ever(tmp_path: Path) -> None:
    async def act(service: Service) -> None:
        player = service.following.player
        assert player is not None
        await go(service, at(0.6))
        await go(service, at(0.2))
        player.change(service.following.clock.elapsed(), speed=0.0)
        while not all(status.has_ended for status in service.following.statuses.values()):
            await asyncio.sleep(0.001)
        await go(service, at(0.4))  # from the end, too
        assert service.engines[BTC].save() == never_moved(BTC, at(0.4))
        player.change(service.following.clock.elapsed(), speed=0.0)
        while not all(status.has_ended for status in service.following.statuses.values()):
            await asyncio.sleep(0.001)

    service = moved(tmp_path, act)
    for market in FRAMES:
        whole = MarketEngine(market, CONFIG, keep=2016)
        whole.take(FRAMES[market])
        whole.finish()
        assert service.engines[market].save() == whole.save()


def test_sinks_are_told_what_comes_after_a_move_back_once_more_and_nothing_from_before(tmp_path: Path) -> None:
    told: list[int] = []

    async def act(service: Service) -> None:
        await go(service, at(0.6))
        told.clear()
        await go(service, at(0.3))
        assert told == []
        await go(service, at(0.5))
        assert told
        assert all(at(0.3) - 600e9 < end <= at(0.5) for end in told)

    moved(tmp_path, act, sinks=[Hooks(on_column=lambda column: told.append(column.end))])


def test_a_source_is_played_once_more_by_another_service(tmp_path: Path) -> None:
    source = Replay(played(), 0)
    for name in ("a", "b"):
        with Service(source, tmp_path / name, config=CONFIG) as service:
            asyncio.run(service.run())
        moment = service.following.boards[BTC].moment()
        assert moment is not None
        assert service.engines[BTC].frames == len(FRAMES[BTC])


def test_a_pause_holds_and_speed_is_how_fast_it_goes(tmp_path: Path) -> None:
    async def act(service: Service) -> None:
        player, clock = service.following.player, service.following.clock
        assert player is not None
        player.change(clock.elapsed(), paused=True)
        await asyncio.sleep(0.05)
        stands = service.engines[BTC].frames
        await asyncio.sleep(0.1)
        assert service.engines[BTC].frames == stands
        player.change(clock.elapsed(), paused=False, speed=20_000.0)
        begun = clock.elapsed()
        while (clock.elapsed() - begun) / 1e9 < 0.1:
            await asyncio.sleep(0.01)
        took = clock.elapsed() - begun
        assert player.lanes[BTC].received <= BEGIN + (took + 2e9) * 20_000

    moved(tmp_path, act)


def test_what_cannot_be_is_refused_with_the_rule(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="at must wait until the replay has begun"):
        Replay(played(), 1.0).player.change(0, at=at(0.5))

    async def act(service: Service) -> None:
        player = service.following.player
        assert player is not None
        for wrong in (BEGIN - 1, END + 1):
            with pytest.raises(InvalidConfigError, match=r"at must be from 2026-06-12T00:.* to 2026-06-12T02:5"):
                player.change(0, at=wrong)
        with pytest.raises(InvalidConfigError, match="speed must be at least 0, was -1"):
            player.change(0, speed=-1.0)
        player.change(0, at=at(0.5))
        with pytest.raises(InvalidConfigError, match="at must wait until the replay has come to 2026-06-12T01:"):
            player.change(0, at=at(0.1))

    moved(tmp_path, act)


def test_a_recording_knows_when_it_ends(tmp_path: Path) -> None:
    path = archive(tmp_path, TRADES)
    assert recording([str(path)]).end == TRADES.ts[-1]

    async def act(service: Service) -> None:
        await go(service, END)

    moved(tmp_path / "journal", act)
    journals = recording([str(tmp_path / "journal" / "*.mcap")])
    assert journals.end == END
    assert np.array_equal(sorted(map(str, journals.markets)), sorted(map(str, FRAMES)))


async def _answer(connection: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (header := decode(await connection.recv())[0])["kind"] != kind:  # type: ignore[arg-type]
            pass
    return header


def test_a_client_plays_it_otherwise_for_all_and_is_told_why_it_cannot(tmp_path: Path) -> None:
    async def say(connection: ClientConnection, **message: Any) -> None:
        await connection.send(json.dumps({"op": "replay", **message}))

    async def test(url: str) -> None:
        async with connect(url, proxy=None, max_size=None) as one, connect(url, proxy=None, max_size=None) as two:
            await two.send(json.dumps({"op": "subscribe", "selection": {"market": [str(BTC)]}, "cells": "float32"}))
            await say(one, paused=True)
            assert (await _answer(one, "replay"))["paused"]
            mirror = Mirror()
            for place in (0.6, 0.2):
                await say(one, at=str(at(place)))
                told = await _answer(one, "replay")
                assert (told["moving"], told["moved_to"], told["begin"], told["end"]) == (True, at(place), BEGIN, END)
                async with asyncio.timeout(60):
                    while True:
                        frame = await two.recv()
                        header = decode(frame)[0]  # type: ignore[arg-type]
                        if header["kind"] in ("full", "columns", "state"):
                            assert mirror.take(frame)  # type: ignore[arg-type]
                            replay = mirror.said.get("replay", {})
                            last = mirror.times[-1] if len(mirror.times) else 0
                            if replay.get("moved_to") == at(place) and abs(last - at(place)) < 600e9:
                                break
            for wrong, why in (
                ({"at": "2026-06-13"}, "at must be from 2026-06-12T00:"),
                ({"at": "yesterday"}, "the message cannot be read"),
                ({"speed": -1}, "the message cannot be read"),
                ({"speed": 1e9}, "the message cannot be read"),
                ({"pause": 1}, "the message cannot be read"),
            ):
                await say(one, **wrong)
                assert why in (await _answer(one, "error"))["error"]

    with Service(Replay(played(), 1.0), tmp_path, config=CONFIG) as service:
        served = app(service.following, CONFIG, further=[stream(service.following, CONFIG)])
        with running(service, stays=True), serve(served, "127.0.0.1", 0) as server:
            asyncio.run(test(server.url.replace("http", "ws") + "/stream"))


def test_what_is_no_replay_is_not_played_otherwise() -> None:
    from test_server_socket import Served, say, served

    async def test(of: Served) -> None:
        async with of.client() as connection:
            await say(connection, op="replay", paused=True)
            assert "a replay alone can be played otherwise" in (await _answer(connection, "error"))["error"]

    served(test)
