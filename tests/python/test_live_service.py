"""The service that runs markets whole: one market's fault is its own, trouble shows, and nothing is lost by it."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("typer")

import liqcore as lq
from liqcore.cli.going import Going
from liqcore.config import Config
from liqcore.errors import DataError
from liqcore.feeds.events import Frame, Market
from liqcore.live import Replay, Service, running
from liqcore.live.demo import demonstration
from liqcore.live.happened import Hooks
from liqcore.live.journal import Journal
from liqcore.live.replay import Recording, recording
from liqcore.live.source import Demo, Source
from liqcore.live.status import Status
from live_load import check_memory
from markets import BTC, Brittle, archive, frames, trades

ETH = Market(BTC.venue, "ETHUSDT")
TRADES = trades(3000, seed=21)
CONFIG = Config().replace(journal={"write": "1ms", "sync": "5ms"}, live={"checkpoint": "10ms"})


def recorded(**of: list[Frame]) -> Recording:
    given = {market: of[market.symbol] for market in (BTC, ETH) if market.symbol in of}
    return Recording(list(given), int(TRADES.ts[0]), None, lambda market: iter(given[market]))


def both() -> Recording:
    return recorded(BTCUSDT=frames(TRADES), ETHUSDT=frames(TRADES, market=ETH))


def values(service: Service, market: Market) -> Any:
    moment = service.following.boards[market].moment()
    assert moment is not None
    return moment.heatmap().values


def whole(folder: Path) -> Service:
    with Service(Replay(both(), 0), folder, config=CONFIG) as service:
        asyncio.run(service.run())
    return service


def test_a_hook_that_raises_stops_its_market_and_no_other(tmp_path: Path) -> None:
    expected = whole(tmp_path / "whole")
    seen: list[int] = []

    def fail(column: lq.live.Column) -> None:
        if column.market == ETH:
            seen.append(column.end)
            raise ZeroDivisionError("by the hook")

    with Service(Replay(both(), 0), tmp_path / "a", config=CONFIG, sinks=[Hooks(on_column=fail)]) as service:
        asyncio.run(service.run())
    statuses = service.following.statuses
    assert statuses[ETH].stopped == "ZeroDivisionError: by the hook"
    assert statuses[BTC].stopped == ""
    assert len(seen) == 1
    np.testing.assert_array_equal(values(service, BTC), values(expected, BTC))
    assert service.summary().notes == [f"{ETH}: ZeroDivisionError: by the hook"]
    for market in (BTC, ETH):  # it is recorded all the same
        ts = [batch.ts for batch in lq.read_trades(str(tmp_path / "a" / f"binance-usdm-{market.symbol}-*.mcap"))]
        np.testing.assert_array_equal(np.concatenate(ts), TRADES.ts)
    with Service(Replay(both(), 0), tmp_path / "a", config=CONFIG) as again:  # and goes on once that is mended
        asyncio.run(again.run())
    np.testing.assert_array_equal(values(again, ETH), values(expected, ETH))


def test_data_that_is_refused_stops_its_market_with_the_reason(tmp_path: Path) -> None:
    half = TRADES.ts.size // 2
    jumped = lq.TradeBatch(
        TRADES.ts, np.where(np.arange(TRADES.ts.size) < half, TRADES.price, TRADES.price * 10), TRADES.qty,
        TRADES.taker_sell,
    )  # fmt: skip
    config = CONFIG.replace(source={"redenomination": "refuse"})
    given = recorded(BTCUSDT=frames(TRADES), ETHUSDT=frames(jumped, market=ETH))
    with Service(Replay(given, 0), tmp_path, config=config) as service:
        asyncio.run(service.run())
    assert "expected prices of one denomination" in service.following.statuses[ETH].stopped
    assert service.following.statuses[BTC].stopped == ""


def test_a_full_disk_shows_and_loses_nothing(tmp_path: Path) -> None:
    disk = Brittle()
    disk.left = 30_000
    shown: list[str] = []

    def tell(statuses: Any) -> None:
        shown.extend(status.error for status in statuses)
        disk.left = None  # somebody tidies up

    with Service(Replay(recorded(BTCUSDT=frames(TRADES)), 0), tmp_path / "a", config=CONFIG, files=disk) as service:
        asyncio.run(service.run(tell))
    assert "No space left" in shown[0]
    expected = whole(tmp_path / "whole")
    np.testing.assert_array_equal(values(service, BTC), values(expected, BTC))


def test_a_checkpoint_that_cannot_be_saved_shows_and_stops_nothing(tmp_path: Path) -> None:
    class NoCheckpoints(Brittle):
        def replace(self, path: Path, data: bytes) -> None:
            del data
            raise OSError(28, "No space left on device", str(path))

    given = Replay(recorded(BTCUSDT=frames(TRADES)), 10_000)
    shown: list[str] = []
    with Service(given, tmp_path, config=CONFIG, files=NoCheckpoints()) as service:
        asyncio.run(service.run(lambda statuses: shown.extend(status.error for status in statuses)))
    assert any("No space left" in error for error in shown)
    assert service.following.statuses[BTC].stopped == ""


def test_recording_is_the_same_without_engines(tmp_path: Path) -> None:
    whole(tmp_path / "a")
    with Service(Replay(both(), 0), tmp_path / "b", config=CONFIG, follows=False) as service:
        asyncio.run(service.run())
    assert service.following.boards == {}
    one, other = (list(recording(sorted((tmp_path / name).glob("*BTC*.mcap"))).frames()) for name in "ab")
    assert one == other == frames(TRADES)


def test_a_thread_of_its_own_ends_with_the_block_and_says_what_failed(tmp_path: Path) -> None:
    told: list[str] = []
    with Service(Replay(both(), 1), tmp_path / "a", config=CONFIG) as service, running(service) as thread:

        @service.on_gap
        def gap(change: lq.live.Change) -> None:
            told.append(change.why)

        assert thread.is_alive()
    assert not thread.is_alive()
    source: Source = Replay(recorded(BTCUSDT=frames(TRADES)), 0)
    with Service(source, tmp_path / "b", config=CONFIG) as service, running(service) as thread:
        thread.join()
    other = Replay(recorded(BTCUSDT=frames(trades(50, seed=1))), 0)
    with (
        pytest.raises(DataError, match="a replay goes into a new folder"),
        Service(other, tmp_path / "b", config=CONFIG) as service,
        running(service) as thread,
    ):
        thread.join()


def test_windows_are_kept_for_so_long(tmp_path: Path) -> None:
    config = CONFIG.replace(live={"keep": "30m"})
    with Service(Replay(recorded(BTCUSDT=frames(TRADES)), 0), tmp_path, config=config) as service:
        asyncio.run(service.run())
    moment = service.following.boards[BTC].moment()
    assert moment is not None
    assert len(moment.heatmap().times) == 6 + 1  # and the unfinished one


def test_the_demo_is_followed_from_its_history_on(tmp_path: Path) -> None:
    shown = demonstration(seed=2, days=0.1, history_ns=3_600_000_000_000)
    with Service(Demo(shown, 0), tmp_path, config=Config()) as service:
        asyncio.run(service.run())
    board = service.following.boards[shown.market]
    moment = board.moment()
    assert moment is not None
    heatmap = moment.heatmap()
    assert heatmap.meta["synthetic"] is True
    terms = {key: shown.simulated.parameters[key] for key in ("tick_size", "lot_size", "mmr")}
    config = Config().replace(instrument={"symbol": "SIMULATED", "venue": "simulator", **terms})
    batch = lq.heatmap(trades=shown.simulated.trades, config=config)
    np.testing.assert_array_equal(moment.heatmap(step=batch.step).values, batch.values)
    gone = shown.simulated.liquidations
    starts = heatmap.times
    sides = [float((gone.quantity * gone.price)[gone.side == side].sum()) for side in (1, -1)]
    np.testing.assert_allclose(board.realised(starts).sum(axis=0), sides)


def test_what_is_served_stands_where_the_batch_stands(tmp_path: Path) -> None:
    figures = check_memory([str(archive(tmp_path, TRADES))], speed=5000.0)  # `make soak` takes 24 hours
    assert figures["trades"] == len(TRADES)
    assert figures["answers that failed"] == 0


@pytest.mark.parametrize("name", ["BTCUSDT-aggTrades-2026-06-12.csv", "ODDUSDT.csv"])  # the other: in no catalogue
def test_a_recording_its_journal_and_the_batch_have_one_grid(name: str, tmp_path: Path) -> None:
    """Prices are coarser than the catalogue's tick, quantities finer than its lot."""
    given = lq.TradeBatch(TRADES.ts, np.round(TRADES.price), np.round(TRADES.qty * 0.0123, 5), TRADES.taker_sell)
    path = archive(tmp_path, given, name, decimals=5)
    batch = lq.heatmap(path)
    grid = (1.0, 0.00001)
    settled = batch.meta["config"]
    assert (settled["instrument"]["tick_size"], settled["instrument"]["lot_size"]) == grid

    def served(of: Recording, folder: str) -> Service:
        with Service(Replay(of, 0), tmp_path / folder, config=CONFIG) as service:
            asyncio.run(service.run())
        return service

    played = recording([path])
    journal = recording(sorted(served(played, "a").summary().files))
    (market,) = played.markets
    assert journal.markets == [market]
    assert played.grid() == journal.grid() == grid
    for service in (served(played, "b"), served(journal, "c"), served(journal, "c")):  # and after a restart
        assert service.notes == []
        moment = service.following.boards[market].moment()
        assert moment is not None
        np.testing.assert_array_equal(moment.heatmap(step=settled["axis"]["step"]).values, batch.values)


def test_each_market_of_a_journal_has_its_own_grid(tmp_path: Path) -> None:
    odd = Market("recorded", "ODDUSDT")
    coarse = lq.TradeBatch(TRADES.ts, np.round(TRADES.price), np.ceil(TRADES.qty), TRADES.taker_sell)
    given = {BTC: frames(TRADES), odd: frames(coarse, market=odd), ETH: []}
    played = Recording(list(given), int(TRADES.ts[0]), None, lambda market: iter(given[market]))
    with Service(Replay(played, 0), tmp_path, config=CONFIG, follows=False) as service:
        asyncio.run(service.run())
    journals = recording(service.summary().files)
    assert {market: journals.grid(market) for market in journals.markets} == {BTC: (0.1, 0.001), odd: (1.0, 1.0)}


def test_names_of_live_come_on_first_use() -> None:
    code = (
        "import sys, liqcore as lq; lq.live; print('asyncio' in sys.modules, lq.live.Market.__name__, dir(lq.live)[0])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split()[:2] == ["False", "Market"]
    assert sorted(set(lq.live.__all__)) == sorted(lq.live.__all__)
    assert all(hasattr(lq.live, name) for name in lq.live.__all__)
    with pytest.raises(AttributeError, match=r"module 'liqcore.live' has no attribute 'nothing'"):
        _ = lq.live.nothing  # type: ignore[attr-defined]


def test_nothing_is_left_running(tmp_path: Path) -> None:
    before = threading.active_count()
    whole(tmp_path)
    assert threading.active_count() == before


def test_trouble_names_no_path_of_the_machine(tmp_path: Path) -> None:
    def fail(_: lq.live.Column) -> None:
        raise FileNotFoundError(2, "No such file or directory", str(tmp_path))

    with Service(Replay(both(), 0), tmp_path / "a", config=CONFIG, sinks=[Hooks(on_column=fail)]) as service:
        asyncio.run(service.run())
    assert service.following.statuses[BTC].stopped == "FileNotFoundError: No such file or directory"


def test_a_journal_that_cannot_be_closed_is_named_with_what_is_lost(tmp_path: Path) -> None:
    disk = Brittle()
    journal = Journal(tmp_path, BTC, files=disk)
    came = frames(TRADES)
    journal.append(came[0])
    journal.write()
    for frame in came[1:4]:
        journal.append(frame)
    disk.left = 0
    with pytest.raises(OSError, match=r"No space left on device; 3 messages are lost: .*binance-usdm-BTCUSDT-.*mcap"):
        journal.close()


def test_trouble_of_a_market_is_said_once_when_it_begins_and_once_it_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, going = Status(BTC), Going(False)

    def look(times: int = 1, *, error: str = "", stopped: str = "") -> list[str]:
        status.error, status.stopped = error, stopped
        for _ in range(times):
            going.tell([status])
        return capsys.readouterr().err.splitlines()

    assert look(3) == []
    full = "No space left on device"
    assert look(3, error=full) == [f"warning: {BTC}: its journal cannot be written: {full}; what comes waits"]
    assert look(2) == look(error=full) == look(4) == []  # a little is taken now and then
    assert look(3) == [f"warning: {BTC}: its journal is written again"]
    assert look(3, stopped="bad\n\x1b[2J") == [
        f"warning: {BTC}: its engine has stopped: bad \\x1b[2J; what comes is recorded all the same"
    ]
