"""Several models follow one market: each stands where it stands alone, and what ends one is no other's."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

import liqcore as lq
from liqcore.config import Config
from liqcore.errors import InvalidConfigError
from liqcore.feeds.events import Frame
from liqcore.live import Replay, Service
from liqcore.live.disk import Disk
from liqcore.live.following import Following
from liqcore.live.happened import Hooks
from liqcore.live.journal import Journal
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.live.models import models_of
from liqcore.live.replay import Recording, recording
from liqcore.server.app import app
from liqcore.server.told import health
from markets import BTC, archive, frames, trades
from serving import Served

TRADES = trades(3000, seed=71)
FRAMES = frames(TRADES)
BEGIN, END = FRAMES[0].received, FRAMES[-1].received
BOTH = Config().replace(journal={"write": "1ms", "sync": "5ms"}, live={"checkpoint": "10ms", "models": "flow,presence"})


def played(given: list[Frame] = FRAMES) -> Recording:
    return Recording([BTC], BEGIN, None, lambda _: iter(given), end=END)


def alone(model: str, given: list[Frame] = FRAMES, *, ended: bool = True) -> bytes | None:
    """Return the state of an engine of one model that has taken what was given, and nothing beside it."""
    engine = MarketEngine(BTC, models_of(BOTH)[model], keep=2016)
    engine.take(given)
    if ended:
        engine.finish()
    return engine.save()


def state(service: Service, model: str) -> bytes | None:
    return service._followers[BTC, model].market.save()


def run(folder: Path, given: list[Frame] = FRAMES, config: Config = BOTH, **options: Any) -> Service:
    with Service(Replay(played(given), 0), folder, config=config, **options) as service:
        asyncio.run(service.run())
    return service


@pytest.mark.parametrize("cut", [None, 1, 1000, 2500])
def test_each_model_stands_where_it_stands_alone_also_after_a_restart(tmp_path: Path, cut: int | None) -> None:
    if cut is not None:
        run(tmp_path, FRAMES[:cut])
        assert (tmp_path / "binance-usdm-BTCUSDT.presence.checkpoint").exists()
    service = run(tmp_path)
    assert list(service.following.models) == ["flow", "presence"]
    assert service.following.boards is service.following.models["flow"]
    for model in service.following.models:
        assert state(service, model) == alone(model)
        moment = service.following.of(model)[BTC].moment()
        assert moment is not None
        made = moment.heatmap()
        assert made.meta["model"] == model
        batch = lq.heatmap(trades=TRADES, model=model, symbol="BTCUSDT", venue="binance-usdm", window="5m")
        np.testing.assert_array_equal(made.rebin(step=batch.step).values, batch.values)


def test_a_model_that_is_added_later_reads_the_whole_journal(tmp_path: Path) -> None:
    run(tmp_path, FRAMES[:2000], BOTH.replace(live={"models": None}))
    service = run(tmp_path)
    assert service.notes == []
    for model in ("flow", "presence"):
        assert state(service, model) == alone(model)


def test_moved_back_every_model_stands_where_it_stood_then(tmp_path: Path) -> None:
    source = Replay(played(), 1.0)
    to = [BEGIN + round((END - BEGIN) * share) for share in (0.7, 0.3)]

    async def main() -> None:
        with Service(source, tmp_path, config=BOTH) as service:
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stays=True, stop=stop))
            async with asyncio.timeout(60):
                while not source.player._has_begun:
                    await asyncio.sleep(0.001)
                source.player.change(service.following.clock.elapsed(), paused=True)
                for ts in to:
                    source.player.change(service.following.clock.elapsed(), at=ts)
                    due = sum(frame.received <= ts for frame in FRAMES)
                    while source.player.told.moving or any(
                        service._followers[BTC, model].market.frames < due for model in service.following.models
                    ):
                        await asyncio.sleep(0.001)
            for model in service.following.models:
                assert state(service, model) == alone(
                    model, [frame for frame in FRAMES if frame.received <= to[-1]], ended=False
                )
                moment = service.following.of(model)[BTC].moment()
                assert moment is not None
                assert moment.turn == 1
            stop.set()
            await running

    asyncio.run(main())


def test_a_further_model_that_fails_stops_alone_and_it_is_said(tmp_path: Path) -> None:
    told: list[int] = []
    sink = Hooks(on_column=lambda column: told.append(column.end))
    with Service(Replay(played(), 0), tmp_path, config=BOTH, sinks=[sink]) as service:

        def fails(*_: object, **__: object) -> None:
            raise ValueError("no more")

        service._followers[BTC, "presence"].market.take = fails  # type: ignore[method-assign]
        asyncio.run(service.run())
    assert state(service, "flow") == alone("flow")
    assert len(told) == len({*told}) > 10  # the main model's, each once
    (status,) = service.summary().statuses
    assert (status.stopped, status.models) == ("", {"presence": "ValueError: no more"})
    assert f"{BTC}, model presence: ValueError: no more" in service.summary().notes
    reasons = health(service.following, lambda _: 1 << 40, 0).reasons
    assert [reason.why for reason in reasons] == ["its model presence goes on no more (ValueError: no more)"]


def test_readers_of_one_journal_have_each_their_place(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk(), segment_ns=3_600_000_000_000) as journal:
        for number, frame in enumerate(FRAMES):
            journal.append(frame)
            if number % 50 == 0:
                journal.write()
        journal.write()
        journal._tail.skip(journal.written)  # as if others had long been in memory's place
        readers = [journal.reader() for _ in range(3)]
        at, got = [0, 0, 0], [[], [], []]  # type: ignore[var-annotated]
        opened = []
        filed = journal.filed
        journal.filed = lambda number: opened.append(number) or filed(number)  # type: ignore[func-returns-value,method-assign,assignment]
        while min(at) < journal.written:
            for i in (0, 1, 1, 2):
                at[i], some = readers[i].read(at[i])
                got[i] += some
        assert got == [FRAMES, FRAMES, FRAMES]
        assert opened == [0, 0, 0]  # each goes through the files once


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"live": {"models": "flow,vendor"}}, r"live.models must be models \(flow, presence, oi, blend\)"),
        ({"live": {"models": "flow,flow"}}, "each once"),
        (
            {"live": {"models": "flow,presence"}, "model": {"name": "presence"}},
            'live.models must begin with model.name, which is "presence", was "flow,presence"',
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidConfigError, match=said):
        models_of(Config().replace(**changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"live": {"models": "flow,oi"}}, 'must go by trades where trade files are replayed .*, was "oi"'),
        ({"model": {"name": "blend"}}, 'must go by trades where trade files are replayed .*, was "blend"'),
        ({"model": {"trigger": "mark"}}, 'trigger must be "last" where trade files are replayed .*, was "mark"'),
    ],
)
def test_trade_files_feed_no_model_that_goes_by_something_else(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    source = Replay(recording([str(archive(tmp_path, TRADES))]), 0)
    with pytest.raises(InvalidConfigError, match=said):
        Service(source, tmp_path / "journal", config=Config().replace(**changed))
    assert not (tmp_path / "journal").exists()


def test_what_is_said_of_one_model_is_not_for_another() -> None:
    config = Config().replace(live={"models": "presence,flow"}, model={"name": "presence", "exponent": 0.5})
    of = models_of(config)
    assert of["presence"].model.exponent == 0.5
    assert (of["flow"].model.name, of["flow"].model.exponent) == ("flow", None)


def test_requests_choose_the_model(tmp_path: Path) -> None:
    served = Served(tmp_path, given={BTC: TRADES})
    service = run(tmp_path / "journal")
    following = service.following
    served.following = Following(
        following.boards, following.news, "replay", tmp_path, SystemClock(), following.statuses, None, following.models
    )
    served.app = app(served.following, served.config, free=lambda _: 1 << 40)
    assert served.ask("/markets").json()["models"] == ["flow", "presence"]
    for path in ("/heatmap", "/map", "/zones", "/stops?position=long", "/cascade?to=50000"):
        joint = "&" if "?" in path else "?"
        answers = {
            model: served.ask(f"{path}{joint}market={BTC}{f'&model={model}' if model else ''}").json()
            for model in ("", "flow", "presence")
        }
        assert answers[""] == answers["flow"], path
        assert answers["presence"]["model"] == "presence", path
        assert {**answers["presence"], "model": ""} != {**answers["flow"], "model": ""}, path
    heatmap = served.ask(f"/heatmap?market={BTC}&model=presence&rows=100000").json()
    moment = following.of("presence")[BTC].moment()
    assert moment is not None
    np.testing.assert_allclose(np.array(heatmap["long"]), moment.heatmap().select(side="long").values, rtol=1e-6)
    features = [served.ask(f"/features?model={model}").json() for model in ("flow", "presence")]
    assert features[0] != features[1]
    page = f"/pages?market={BTC}&step={moment.heatmap().step}&page={BEGIN // 300_000_000_000 // 256}"
    pages = [served.ask(f"{page}&model={model}") for model in ("flow", "presence")]
    assert {one.status_code for one in pages} == {200}
    assert pages[0].content != pages[1].content
    refused = served.ask(f"/heatmap?market={BTC}&model=oi")
    assert refused.status_code == 404
    assert refused.json()["error"] == "model must be one that is followed (flow, presence), was oi"
    assert served.ask(f"/heatmap?market={BTC}&model=A1").status_code == 400
