"""`liqcore record`: what is played is in the journal, Ctrl-C ends it whole, what cannot work is said on one line."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("typer")
pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("websockets")

import liqcore as lq
from liqcore.cli.app import app
from liqcore.feeds.events import Market
from liqcore.feeds.segment import Segment
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.service import _stopped
from markets import BTC, archive, frames, trades

TRADES = trades(2000, seed=5)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return archive(tmp_path, TRADES)


def run(*args: object) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(app, ["record", *map(str, args)])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_a_replay_of_trade_files_becomes_a_journal(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    code, said, errors = run("--replay", recorded, "--speed", 0, "--segment", "30m", folder)
    assert (code, errors) == (0, "")
    assert said.splitlines()[-1] == f"6 new files in {folder}"
    assert said.startswith("binance-usdm:BTCUSDT: ")
    read = list(lq.read_trades(str(folder / "*.mcap")))
    np.testing.assert_array_equal(np.concatenate([batch.ts for batch in read]), TRADES.ts)
    once, again = lq.heatmap(recorded), lq.heatmap(sorted(folder.glob("*.mcap")))
    np.testing.assert_array_equal(again.values, once.values)
    assert again.meta["venue"] == once.meta["venue"]


def test_a_journal_is_played_into_another(recorded: Path, tmp_path: Path) -> None:
    run("--replay", recorded, "--speed", 0, tmp_path / "a")
    code, _, errors = run("--replay", tmp_path / "a" / "*.mcap", "--speed", 0, tmp_path / "b")
    assert (code, errors) == (0, "")
    for path in (tmp_path / "a").glob("*.mcap"):
        assert (tmp_path / "b" / path.name).exists()


def test_a_replay_goes_on_where_its_journal_ends_and_not_behind_another(recorded: Path, tmp_path: Path) -> None:
    run("--replay", recorded, "--speed", 0, tmp_path / "whole")
    lines = recorded.read_text().splitlines(keepends=True)
    part = recorded.with_name("part") / recorded.name
    part.parent.mkdir()
    part.write_text("".join(lines[:1000]))
    run("--replay", part, "--speed", 0, tmp_path / "a")
    code, _, errors = run("--replay", recorded, "--speed", 0, tmp_path / "a")
    assert (code, errors) == (0, "")
    first, again = (sum((len(batch.ts) for batch in lq.read_trades(str(tmp_path / name / "*.mcap"))), 0)
                    for name in ("whole", "a"))  # fmt: skip
    assert first == again == len(TRADES)
    part.write_text("".join(lines[500:600]))
    code, _, errors = run("--replay", part, "--speed", 0, tmp_path / "a")
    assert code == 2
    assert "or one of the same recording, found another: a replay goes into a new folder" in errors


def test_journals_of_several_markets_are_played_into_their_own(tmp_path: Path) -> None:
    eth = Market(BTC.venue, "ETHUSDT")
    shared = [*frames(TRADES)[:50], *frames(TRADES, market=eth)[50:80]]  # a connection that tells of both
    for market in (BTC, eth):
        with Journal(tmp_path / "a", market, files=Disk()) as journal:
            for frame in shared:
                journal.append(frame)
    code, said, errors = run("--replay", tmp_path / "a" / "*.mcap", "--speed", 0, tmp_path / "b")
    assert (code, errors) == (0, "")
    assert said.count("80 messages") == 2
    for path in (tmp_path / "a").glob("*.mcap"):
        with path.open("rb") as one, (tmp_path / "b" / path.name).open("rb") as other:
            assert [f for _, some in Segment(one, "").chunks() for f in some] == [
                f for _, some in Segment(other, "").chunks() for f in some
            ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "error: one of --live and --replay must be given, none was\n"),
        (("--live", "okx:BTC", "--replay", "x"), "error: one of --live and --replay must be given, both was\n"),
        (("--live", "binance-usdm"), "error: a market must be venue:symbol, such as binance-usdm:BTCUSDT, was"),
        (("--live", "okx:BTC-USDT-SWAP,okx:btc-usdt-swap"), "error: a market must be named once, okx:BTC-USDT-SWAP"),
        (("--replay", "missing.csv"), "error: missing.csv: "),
        (("--live", "okx:BTC-USDT-SWAP", "--sync", "soon"), "error: --sync: journal.sync must be a length of time"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_on_one_line(args: tuple[str, ...], message: str, tmp_path: Path) -> None:
    code, _, errors = run(*args, tmp_path / "journal")
    assert code == 2
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert not (tmp_path / "journal").exists()


def test_the_speed_must_not_be_negative(recorded: Path, tmp_path: Path) -> None:
    code, _, errors = run("--replay", recorded, "--speed", -1, tmp_path / "journal")
    assert (code, errors) == (2, "error: speed must be at least 0, was -1\n")
    assert not (tmp_path / "journal").exists()


def test_a_market_that_another_process_records_is_refused(recorded: Path, tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()):
        code, _, errors = run("--replay", recorded, tmp_path)
    assert code == 2
    assert "found another process writing binance-usdm:BTCUSDT" in errors


def recording(folder: Path, recorded: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "liqcore", "record", "--replay", str(recorded), "--speed", "30", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    until = time.monotonic() + 60
    while not list(folder.glob("*.mcap")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_whole(recorded: Path, tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "journal"
    process = recording(folder, recorded)
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "messages" in said
    (path,) = folder.glob("*.mcap")
    with path.open("rb") as file:
        segment = Segment(file, path.name)
        found = [frame for _, some in segment.chunks() for frame in some]
    assert segment.finished
    assert found
    assert not segment.lost


def test_a_second_interrupt_acts_at_once() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    async def main() -> None:
        with _stopped() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            await stop.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_torn_journal_is_said_when_it_is_continued(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        for frame in frames(TRADES)[:50]:
            journal.append(frame)
    (path,) = tmp_path.glob("*.mcap")
    path.write_bytes(path.read_bytes()[:-1000])
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        assert [lost.torn for lost in journal.lost] == [True]
        assert str(journal.lost[0]).startswith(f"{path.name}: frames lost")
