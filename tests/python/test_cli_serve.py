"""`liqcore serve`: what is followed is answered, Ctrl-C ends it whole, what cannot work is said on one line."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("websockets")

import typer.main
from typer.testing import CliRunner

import liqcore as lq
from liqcore.cli.app import app
from liqcore.feeds.segment import Segment
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from markets import BTC, archive, trades

TRADES = trades(3000, seed=8)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return archive(tmp_path, TRADES)


class Serving:
    """A process that serves, and what it has said so far."""

    def __init__(self, *args: object, **env: str) -> None:
        command = [sys.executable, "-u", "-m", "liqcore", "serve", "--port", "0", *map(str, args)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
        )
        self.said = ""
        self.url = ""

    def begun(self) -> "Serving":
        """Wait until it serves."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("serving at "):
                self.url = line.split()[2]
            if line.startswith("Ctrl-C"):
                return self
        raise AssertionError(self.process.communicate())

    def ask(self, path: str, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}{path}", headers=headers), timeout=30) as answer:
            return json.loads(answer.read())

    def wait(self, trades: int = 1) -> None:
        """Wait until all is well, and so many trades have come."""
        until = time.monotonic() + 60.0
        while time.monotonic() < until:
            try:
                if self.ask("health")["ok"]:
                    (market,) = self.ask("markets")["markets"]
                    if market["counts"].get("trades", 0) >= trades:
                        return
            except urllib.error.HTTPError as error:
                error.close()
            time.sleep(0.05)
        raise AssertionError(f"it is never well: {self.said}")

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        self.process.send_signal(number)
        said, errors = self.process.communicate(timeout=60)
        return self.process.returncode, self.said + said, errors


@contextmanager
def serving(*args: object, **env: str) -> Iterator[Serving]:
    made = Serving(*args, **env)
    try:
        yield made.begun()
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


def test_a_replay_is_served_and_an_interrupt_ends_it_whole(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    with serving("--replay", recorded, "--speed", 0, "--journal", folder) as served:
        served.wait()
        (market,) = served.ask("markets")["markets"]
        assert market["market"] == "binance-usdm:BTCUSDT"
        code, said, errors = served.end()
    assert (code, errors) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "binance-usdm:BTCUSDT (a recording, played as if it came in now)"
    assert lines[2] == f"journal: {folder}, which is kept"
    assert lines[-1].startswith("binance-usdm:BTCUSDT: ")
    for path in folder.glob("*.mcap"):
        with path.open("rb") as file:
            segment = Segment(file, path.name)
            assert not list(segment.lost)
            assert [frames for _, frames in segment.chunks()]
            assert segment.finished
    ts = np.concatenate([batch.ts for batch in lq.read_trades(str(folder / "*.mcap"))])
    np.testing.assert_array_equal(ts, TRADES.ts[: len(ts)])
    assert (folder / "binance-usdm-BTCUSDT.checkpoint").exists()


def test_alerts_are_told_once(recorded: Path, tmp_path: Path) -> None:
    """On stderr and to a command; the same process once more, killed before, tells them to nobody again."""
    script, out, folder = tmp_path / "told.py", tmp_path / "told", tmp_path / "journal"
    script.write_text(f"import sys; open({str(out)!r}, 'a').write(sys.argv[1] + sys.stdin.read() + chr(10))")
    command = shlex.join([sys.executable, str(script), "{side} {market} "])
    args = ("--replay", recorded, "--speed", 0, "--journal", folder, "--alert", "levels > 1k within 5%",
            "--alert", "BINANCE-USDM:BTCUSDT: gap", "--alert-again", "365d", "--alert-command", command)  # fmt: skip
    said: list[str] = []
    for _ in range(2):
        with serving(*args) as served:
            served.wait(len(TRADES))
            until = time.monotonic() + 60
            while not (folder / "alerts.jsonl").exists() and time.monotonic() < until:
                time.sleep(0.05)
            code, _, errors = served.end()
        assert code == 0
        said += errors.splitlines()
        (
            folder / "binance-usdm-BTCUSDT.checkpoint"
        ).unlink()  # as if it had been killed: all of the journal comes again
    assert said
    assert all(line.startswith("ALERT 2026-06-12T00:") and "binance-usdm:BTCUSDT: $" in line for line in said)
    assert len({line.partition(" of ")[2][:5] for line in said}) == len(said) <= 2  # a side each
    told = [line.partition("{")[0] for line in out.read_text().splitlines()]
    assert len(told) == len(said)
    assert set(told) <= {"long binance-usdm:BTCUSDT ", "short binance-usdm:BTCUSDT "}


def test_the_demo_says_that_it_is_synthetic_and_leaves_nothing(tmp_path: Path) -> None:
    with serving("--demo", "--speed", 0, TMPDIR=str(tmp_path)) as served:
        assert len(list(tmp_path.glob("liqcore-*"))) == 1
        served.wait()
        code, said, errors = served.end(signal.SIGTERM)
    assert (code, errors) == (0, "")
    assert said.startswith("simulator:SIMULATED (SYNTHETIC: a simulated market)\n")
    assert "journal: a temporary folder, removed at the end\n" in said
    assert list(tmp_path.iterdir()) == []


def test_beyond_this_machine_a_token_is_needed(recorded: Path) -> None:
    with serving("--replay", recorded, "--speed", 0, "--host", "0.0.0.0", LIQCORE_TOKEN="secret") as served:
        served.url = served.url.replace("0.0.0.0", "127.0.0.1")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            served.ask("markets")
        refused.value.close()
        assert served.ask("markets", token="secret")
        code, said, errors = served.end()
    assert code == 0
    assert errors == "warning: 0.0.0.0 may be reached by others, without encryption; they must show the token\n"
    assert "secret" not in said + errors


def test_a_token_is_made_up_where_none_is_given(recorded: Path) -> None:
    with serving("--replay", recorded, "--speed", 0, "--host", "0.0.0.0") as served:
        served.url = served.url.replace("0.0.0.0", "127.0.0.1")
        code, _, errors = served.end()
    assert code == 0
    name, _, token = errors.splitlines()[1].partition(": ")
    assert name == "token (set LIQCORE_TOKEN to choose it)"
    assert len(token) >= 32


def test_killed_it_goes_on_where_it_was(recorded: Path, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    args = ("--replay", recorded, "--journal", folder)
    with serving(*args, "--speed", 3000) as served:
        until = time.monotonic() + 60
        while not list(folder.glob("*.mcap")) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        served.process.kill()
        served.process.communicate()
    with serving(*args, "--speed", 0) as served:
        served.wait(len(TRADES))
        code, _, _ = served.end()
    assert code == 0
    read = list(lq.read_trades(str(folder / "*.mcap")))
    np.testing.assert_array_equal(np.concatenate([batch.ts for batch in read]), TRADES.ts)


def run(*args: object) -> tuple[int, str]:
    outcome = CliRunner().invoke(app, ["serve", *map(str, args)])
    return outcome.exit_code, outcome.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "error: one of --live, --replay and --demo must be given, was none\n"),
        (("--live", "okx:BTC", "--demo"), "error: one of --live, --replay and --demo must be given, was --live and"),
        (("--live", "binance-usdm"), "error: a market must be venue:symbol, such as binance-usdm:BTCUSDT, was"),
        (("--replay", "missing.csv"), "error: missing.csv: "),
        (("--demo", "--speed", "-1"), "error: speed must be at least 0, was -1\n"),
        (("--demo", "--history", "x.csv"), "error: --history must be given with --live alone: a replay and the demo"),
        (("--demo", "--port", "70000"), "error: --port: server.port must be a whole number from 0 to 65535, was 70000"),
        (("--demo", "--host", "nowhere.invalid"), 'error: server.host must be an address of this machine, was'),
        (("--demo", "--alert", "price > 5"), 'error: --alert: alerts.rules must be rules such as "zone swept > '),
        (("--demo", "--alert", "okx:X: gap"), "error: alerts.rules: a rule must be of a market that is followed (simu"),
        (("--demo", "--alert", "gap", "--alert-urls", "none"), "error: alerts.urls: none cannot be read: No such file"),
        (("--live", "okx:BTC-USDT-SWAP", "--venues", "none.toml"), "error: none.toml: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_on_one_line(
    args: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, errors = run(*args)
    assert code == 2
    assert errors.startswith(message)
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_named_with_its_option(recorded: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = run("--replay", recorded, "--port", port)
    assert code == 2
    assert errors.startswith(f"error: server.port must be free, {port} of 127.0.0.1 is in use")
    assert "--port" in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.glob("*.mcap"))


def test_a_market_that_another_process_follows_is_refused(recorded: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", BTC, files=Disk()):
        code, errors = run("--replay", recorded, "--journal", tmp_path / "journal")
    assert code == 2
    assert "found another process writing binance-usdm:BTCUSDT" in errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[okx", "venues.toml: expected TOML (or JSON, where the name ends so): "),
        ("okx = 1", "venues.toml: expected a table for each venue, found {'okx': 1}"),
        ("[kraken]\nrest = 'x'", 'venues.toml: venue of a feed must be one of binance-coinm, binance-usdm, '),
        ("[okx]\nrest = 1", "venues.toml: okx: Expected `str`, got `int` - at `$.rest`"),
        ("[okx.limits]\nrequests = 3", "venues.toml: okx: Object contains unknown field `requests` - at `$.limits`"),
        ("[okx]\nproxy = 'ftp://x'", 'venues.toml: okx: proxy must begin with http:// or https://, was "ftp://x"'),
        ("[okx.topics.trades]\nsocket = 'x'", 'venues.toml: okx: socket of trades must be one of public, was "x"'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["serve", "record"])
def test_overrides_of_venues_that_are_none_are_refused(
    command: str, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("venues.toml").write_text(text)
    Path("liqcore.toml").write_text('[live]\nvenues = "venues.toml"\n')
    folder = ["journal"] if command == "record" else []
    outcome = CliRunner().invoke(app, [command, "--live", "okx:BTC-USDT-SWAP", *folder])
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"error: {message}")
    assert not Path("journal").exists()


PAGES = ("how-to/live.md", "reference/cli.md", "reference/journal.md")
COMMANDS = [
    line.strip().removeprefix("$ ").strip("`")
    for page in PAGES
    for line in (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8").splitlines()
    if line.strip().removeprefix("$ ").strip("`").startswith(("liqcore record -", "liqcore serve -"))
    and "|" not in line
]


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
def test_commands_of_the_pages_are_commands(command: str) -> None:
    """Those that need no network are run above, and by test_cli_record.py."""
    _, name, *args = shlex.split(command)
    main = typer.main.get_command(app)
    context = main.make_context("liqcore", [name, *args])
    found = main.get_command(context, name)  # type: ignore[attr-defined]
    assert found.make_context(name, args, parent=context).params
