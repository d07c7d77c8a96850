"""Alerts: what a rule asks for is told once, in words, on ways that keep nobody waiting, and never with a secret."""

import http.server
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("msgspec")

import liqcore as lq
from liqcore.config import Config
from liqcore.errors import DataError, InvalidConfigError
from liqcore.feeds.events import Change, Liquidation, Market
from liqcore.feeds.frames import changed
from liqcore.live.alerts import Alert, Alerts
from liqcore.live.disk import Disk
from liqcore.live.happened import Column, Happened, ZoneNews
from liqcore.live.machine import SystemCommands
from liqcore.live.market import MarketEngine
from liqcore.live.outlets import Command, Messenger, Sending, Terminal, alerting, messengers
from liqcore.words.alert import AlertRule
from markets import BTC, Brittle, frames, trades

ETH = Market("binance-usdm", "ETHUSDT")
MINUTE = 60_000_000_000
T0 = 1_781_222_400_000_000_000  # 2026-06-12T00:00
M = 1e6


class Kept:
    """An outlet that keeps alerts."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def put(self, alert: Alert) -> None:
        self.alerts.append(alert)

    @property
    def texts(self) -> list[str]:
        return [alert.text for alert in self.alerts]


def told(rules: Sequence[str], events: Sequence[Happened], **options: Any) -> list[Alert]:
    kept = Kept()
    alerts = Alerts(rules, [kept], **options)
    for number, event in enumerate(events, 1):
        alerts.put(event, number)
    return kept.alerts


def zone(what: str, minute: float, low: float = 64_000.0, high: float = 64_200.0, usd: float = 12 * M,
         side: str = "short", market: Market = BTC, price: float = 63_410.5) -> ZoneNews:  # fmt: skip
    return ZoneNews(market, what, side, T0 + round(minute * MINUTE), low, high, usd, price)  # type: ignore[arg-type]


def column(minute: int, *, levels: tuple[float, float] = (0.0, 0.0), reckoned: tuple[float, float] = (0.0, 0.0),
           realised: tuple[float, float] = (0.0, 0.0)) -> Column:  # fmt: skip
    start = T0 + minute * MINUTE
    prices = (63_400.0, 63_450.0, 63_380.0, math.nan)
    return Column(BTC, start, start + MINUTE, *prices, 1.0, 2.0, *reckoned, *realised, 63_410.5, ((1.0, *levels),))


# ---------------------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("zone swept > 10M usd", "zone swept > 10M"),
        ("Zones SWEPT >$10m", "zone swept > 10M"),
        ("zone", "zone"),
        ("level > 5M within 1%", "levels > 5M within 1%"),
        ("levels within 0.333% shorts > 1e6", "levels short > 1M within 0.333%"),
        ("liquidated > 2,500,000", "liquidated > 2.5M"),
        ("told longs liquidated > 1234567.5", "liquidated told long > 1234567.5"),
        ("gaps", "gap"),
        ("offline", "offline"),
        ("hyperliquid:xyz:TSLA: zone approached", "hyperliquid:xyz:TSLA: zone approached"),
    ],
)
def test_rules_are_read_as_traders_write_them(written: str, meant: str) -> None:
    rule = AlertRule.of(written)
    assert str(rule) == meant
    assert AlertRule.of(meant) == rule


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "it says nothing of zones"),
        ("price > 60000", 'an unknown word is "price"'),
        ("zone swept swept", "once more"),
        ("zone > 5X", 'cannot be read is "> 5X"'),
        ("zone > -5", 'cannot be read is "> -5"'),
        ("zone told", '"told" is not said of zone'),
        ("zone within 2%", "live.approach"),
        ("level > 5M", 'need a distance from the price such as "within 1%"'),
        ("level within 1%", 'need an amount above 0 such as "> 5M"'),
        ("levels > 5M within 100%", "above 0 and below 100 %, was 100"),
        ("liquidated", "need an amount"),
        ("gap > 5", "has no side, amount or distance"),
        ("bybit:BTCUSDT:gap", 'an unknown word is "bybit"'),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.resolve(flags={"alerts.rules": [written]})
    assert str(caught.value).startswith("--alert: alerts.rules must be rules such as ")
    assert f'was "{written}": ' in str(caught.value)
    assert why in str(caught.value)


def test_a_rule_of_a_market_that_is_not_followed_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match=r'of a market that is followed .binance-usdm:BTCUSDT., was "okx:X: g'):
        Alerts(["okx:X: gap"], markets=[BTC])
    assert told(["Binance-USDM:btcusdt: zone"], [zone("swept", 0)], markets=[BTC])


def test_rules_stand_in_a_file_or_a_variable_and_what_may_be_secret_in_no_result() -> None:
    text = '[alerts]\nrules = ["gap", "zone > 1M"]\ncommand = ["curl", "https://hooks/secret"]\nurls = "/root/urls"\n'
    config = Config.loads(text)
    assert Config.loads(config.dump()) == config
    assert config.to_dict(whole=True)["alerts"].keys() == {"rules", "again", "terminal", "timeout"}
    assert "secret" not in json.dumps(config.to_dict())
    assert config.hash == Config().replace(alerts={"rules": ["gap", "zone > 1M"]}).hash
    assert Config.resolve(env={"LIQCORE_ALERTS_RULES": "gap; zone > 1M"}).alerts.rules == config.alerts.rules
    flags = {"alerts.command": "notify-send 'two words' {text}"}
    assert Config.resolve(flags=flags).alerts.command == ("notify-send", "two words", "{text}")
    with pytest.raises(InvalidConfigError, match=r"alerts\.command must be a command and its arguments"):
        Config.loads('[alerts]\ncommand = "notify-send x"')


# ----------------------------------------------------------------------------------------------- what is told, and when


def test_zones_are_told_by_what_happened_side_and_amount() -> None:
    events = [zone("approached", 0), zone("swept", 1, usd=9 * M), zone("swept", 2, 63_000, 63_000, side="long")]
    assert [(a.about, a.side) for a in told(["zone"], events)] == [
        ("approached", "short"), ("swept", "short"), ("swept", "long")]  # fmt: skip
    assert [a.ts for a in told(["zone swept > 10M"], events)] == [T0 + 2 * MINUTE]
    assert [a.side for a in told(["zone swept short"], events)] == ["short"]
    first, _, last = told(["zone"], events, unit="relative level: opened turnover")
    assert first.text == (
        "2026-06-12T00:00:00Z binance-usdm:BTCUSDT: price 63,410.5 has come near 64,000 to 64,200: $12M of shorts "
        "(relative level: opened turnover)"
    )
    assert last.text.endswith(
        "price 63,410.5 has reached 63,000, where $12M of longs were (relative level: opened turnover)"
    )
    assert (first.low, first.high, first.usd, first.unit) == (64_000, 64_200, 12 * M, "relative level: opened turnover")


def test_a_price_that_flaps_before_a_zone_is_told_once_a_while() -> None:
    flaps = [zone("approached", n * 0.5, low=64_000 + n % 3) for n in range(100)]  # 50 minutes
    assert [round((a.ts - T0) / MINUTE) for a in told(["zone"], flaps)] == [0, 15, 30, 45]
    two = [zone("approached", n * 0.5, low=64_000 + 5_000 * (n % 2), high=64_100 + 5_000 * (n % 2)) for n in range(28)]
    assert len(told(["zone"], two)) == 2  # between two zones
    assert len(told(["zone"], [zone("approached", 0), zone("swept", 1)])) == 2
    assert len(told(["zone"], flaps, again_ns=5 * MINUTE)) == 10


def test_levels_are_told_once_until_they_have_been_clearly_below() -> None:
    amounts = [4, 6, 7, 6, 4.5, 6, 3.9, 6, *[6] * 40, 3, 12.5]
    events = [column(minute, levels=(usd * M, 0.0)) for minute, usd in enumerate(amounts)]
    alerts = told(["levels > 5M within 1%"], events)
    assert [(a.ts - T0) // MINUTE - 1 for a in alerts] == [1, 16, 49]  # at 7 it is too soon; at 49 it is twice as much
    assert alerts[0].text.endswith("$6M of longs within 1% below 63,410.5 (relative level)")
    assert told(["levels short > 5M within 1%"], events) == []
    nothing = [column(0, levels=(math.nan, math.nan))]
    assert told(["levels > 5M within 1%", "levels > 5M within 2%"], nothing) == []


def test_liquidations_tell_who_reckons_them() -> None:
    events = [column(0, reckoned=(3 * M, 1 * M), realised=(0.0, 2.5 * M)), column(1, realised=(0.0, 3 * M)),
              column(2, realised=(0.0, 6 * M))]  # fmt: skip
    assert [(a.about, a.side, a.usd) for a in told(["liquidated > 2M"], events)] == [
        ("told", "short", 2.5 * M), ("reckoned", "long", 3 * M), ("told", "short", 6 * M)]  # fmt: skip
    assert [a.about for a in told(["liquidated reckoned > 2M"], events)] == ["reckoned"]
    first, second, _ = told(["liquidated > 2M"], events)
    assert first.text.endswith("$2.5M of shorts liquidated in 1m (told by the venue), price 63,410.5")
    assert second.text.endswith("$3M of longs liquidated in 1m (reckoned; relative level), price 63,410.5")


def test_holes_and_silent_streams_are_told() -> None:
    hole = Change(BTC, "trades", "gap open", T0 + 9, T0, T0 + 7 * MINUTE, why="not given")
    events = [
        Change(BTC, "trades", "connecting", T0, since=T0 - MINUTE), Change(BTC, "marks", "stale", T0, why="no answers"),
        Change(BTC, "trades", "gap filled", T0), hole, Change(BTC, "marks", "gap open", T0, T0, T0 + 1),
        Change(BTC, "marks", "stale", T0 + MINUTE), Change(BTC, "marks", "stale", T0 + 20 * MINUTE),
        Change(BTC, "trades", "venue halt", T0, since=T0 - MINUTE), Liquidation(BTC, T0, 1.0, 1.0, "long", True),
    ]  # fmt: skip
    alerts = told(["gap"], events)
    assert [(a.about, a.stream) for a in alerts] == [("stale", "marks"), ("gap", "trades"), ("stale", "marks")]
    assert [a.text.partition("BTCUSDT: ")[2] for a in alerts] == [
        "no marks: no answers", "trades are missing from 2026-06-12T00:00:00Z to 2026-06-12T00:07:00Z: not given",
        "no marks"]  # fmt: skip
    (offline,) = told(["offline"], events)
    assert offline.text.endswith("the connection is lost; the last trade came 2026-06-11T23:59:00Z")


def test_each_market_and_rule_is_judged_by_itself() -> None:
    events = [zone("swept", 0), zone("swept", 0, market=ETH)]
    assert [a.market for a in told(["zone", "zone swept", f"{ETH}: zone > 1M"], events)] == [str(BTC)] * 2 + [
        str(ETH)
    ] * 3


# --------------------------------------------------------------------------------------- an engine, divisions, restarts


CONFIG = Config().replace(
    alerts={"rules": ["zone", "levels > 200k within 0.7%", "liquidated > 10k", "gap"], "again": "10m"},
    window={"length": "1m"},
    live={"approach": 2.0},
)
RULES = CONFIG.alerts.rules or ()
CALM = trades(4000, seed=3, hours=6)
WIDE = lq.TradeBatch(CALM.ts, np.round(63_000 + (CALM.price - 63_000) * 15, 1), CALM.qty, CALM.taker_sell)
GIVEN = frames(WIDE, together=5)
GIVEN.insert(400, changed(Change(BTC, "trades", "gap open", T0 + 9, T0, T0 + 9, why="x"), GIVEN[400].received))


def test_alerts_of_an_engine_are_the_same_however_frames_are_divided() -> None:
    said = []
    for together in (1, 7, len(GIVEN)):
        kept = Kept()
        market = MarketEngine(BTC, CONFIG, sinks=[Alerts(RULES, [kept], again_ns=10 * MINUTE)])
        for at in range(0, len(GIVEN), together):
            market.take(GIVEN[at : at + together])
        market.finish()
        said.append(sorted(kept.texts))  # kinds of events come in another order: each rule is of one kind
    assert said[0] == said[1] == said[2]
    assert {alert.about for alert in kept.alerts} == {"approached", "levels", "reckoned", "gap"}


@pytest.mark.parametrize("at", [90, 401, 640])
def test_after_a_restart_nothing_is_told_again_and_nothing_else(at: int, tmp_path: Path) -> None:
    """A process is killed `at` frames behind its last checkpoint, in the middle of a line."""
    undisturbed = Kept()
    market = MarketEngine(BTC, CONFIG, sinks=[Alerts(RULES, [undisturbed], again_ns=10 * MINUTE)])
    market.take(GIVEN)
    first, then, path = Kept(), Kept(), tmp_path / "alerts.jsonl"
    with_file = Alerts(RULES, [first], again_ns=10 * MINUTE, path=path, files=Disk())
    market = MarketEngine(BTC, CONFIG, sinks=[with_file])
    market.take(GIVEN[:50])
    saved = market.save()
    assert saved is not None
    for frame in GIVEN[50:at]:
        market.take([frame])
    with_file.sync()
    with_file.close()
    with path.open("ab") as file:
        file.write(b'{"market":"binance-us')
    again = Alerts(RULES, [then], again_ns=10 * MINUTE, path=path, files=Disk())
    market = MarketEngine(BTC, CONFIG, sinks=[again])
    assert market.load(saved)
    market.take(GIVEN[50:])
    again.close()
    assert first.texts
    assert sorted(first.texts + then.texts) == sorted(undisturbed.texts)
    assert sum(len(json.loads(line)["alerts"]) for line in path.read_text().splitlines()) == len(undisturbed.texts)


def test_a_full_disk_keeps_nobody_from_being_told(tmp_path: Path) -> None:
    disk, kept, path = Brittle(), Kept(), tmp_path / "alerts.jsonl"
    alerts = Alerts(["zone"], [kept], again_ns=1, path=path, files=disk)
    for minute, left in enumerate((None, 20, 0, None), 1):
        disk.left = left
        alerts.put(zone("swept", minute), minute)
        assert alerts.error == {20: "the disk is full", 0: "[Errno 28] No space left on device", None: ""}[left]
    alerts.close()
    assert len(kept.alerts) == 4
    again = Alerts(["zone"], [kept], again_ns=1, path=path, files=Disk())
    again.put(zone("swept", 4), 4)
    assert len(kept.alerts) == 4  # the last line stands there whole
    again.close()


def test_nothing_is_touched_before_something_happens(tmp_path: Path) -> None:
    """A process that is refused, because another one follows the same market there, has cut nothing of its file."""
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"half a li")
    Alerts(["zone"], path=path, files=Disk()).close()
    assert path.read_bytes() == b"half a li"


def test_a_journal_that_is_read_anew_under_other_windows_tells_what_is_later_only(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    before, after = Kept(), Kept()
    for kept, window in ((before, "1m"), (after, "10m")):  # the second one's numbers rise ten times more slowly
        alerts = Alerts(["liquidated > 10k"], [kept], again_ns=1, path=path, files=Disk())
        market = MarketEngine(BTC, CONFIG.replace(window={"length": window}), sinks=[alerts])
        market.take(GIVEN[:400] if kept is before else GIVEN)
        alerts.close()
    assert after.alerts
    assert before.alerts[-1].ts < after.alerts[0].ts < before.alerts[-1].ts + 30 * MINUTE


# -------------------------------------------------------------------------------------------------------------- outlets


ALERT = told(["zone"], [zone("swept", 0)])[0]


class Way:
    """A way that fails while it should, and that may be held."""

    name = "the way"

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.came: list[Alert] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def send(self, alert: Alert) -> str:
        self.may_go.wait(10)
        self.came.append(alert)
        return self.error


def wait_for(sending: Sending, count: int) -> None:
    for _ in range(1000):
        if sending.sent + sending.failed >= count:
            return
        time.sleep(0.005)
    raise AssertionError((sending.sent, sending.failed))


def test_who_does_not_keep_up_loses_the_oldest_and_is_told_how_many() -> None:
    way = Way()
    way.may_go.clear()
    with Sending(way, most=3) as sending:
        sending.put(ALERT)
        while sending._waiting:  # the thread has it
            time.sleep(0.001)
        for _ in range(8):
            sending.put(ALERT)
        way.may_go.set()
        wait_for(sending, 5)
    assert [alert.about for alert in way.came] == ["swept", "lost", "swept", "swept", "swept"]
    assert way.came[1].text.endswith("5 alerts were lost: more came than the way takes")
    assert (sending.sent, sending.lost) == (5, 5)


def test_trouble_is_said_once_and_its_end_too() -> None:
    way, said, count = Way(), list[str](), 0
    with Sending(way, said.append) as sending:
        for error in ("it is full", "it is full", "", ""):
            way.error = error
            sending.put(ALERT)
            count += 1
            wait_for(sending, count)
    assert said == ["alerts do not reach the way: it is full", "alerts reach the way again"]
    assert (sending.sent, sending.failed, sending.error) == (2, 2, "")


def test_what_waits_at_the_end_is_sent_for_a_while_and_the_rest_counted() -> None:
    way = Way()
    way.may_go.clear()
    sending = Sending(way)
    for _ in range(3):
        sending.put(ALERT)
    while len(sending._waiting) > 2:  # the thread has one, and is held with it
        time.sleep(0.001)
    assert sending.close(timeout_s=0.01) == 2
    way.may_go.set()
    sending._thread.join()
    assert len(way.came) == 1


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "told.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_a_command_is_given_the_alert_and_no_shell(tmp_path: Path) -> None:
    text = """import json, os, sys
with open(sys.argv[1], "w") as out:
    json.dump([sys.argv[2:], json.load(sys.stdin), dict(os.environ)], out)"""
    out = tmp_path / "out.json"
    command = [*script(tmp_path, text), str(out), "{market}", "{text}; {usd}{nothing}{", "$(id)", "{side}"]
    wild = Alert("a:$(touch x)", "gap", "gap", 5, "t", "`id` {market} \x1b[2J\n--x", usd=None)
    assert Command(command, SystemCommands(), timeout_ns=20 * 10**9).send(wild) == ""
    words, given, variables = json.loads(out.read_text())
    shown = "`id` {market} \\x1b[2J --x"
    assert words == ["a:$(touch x)", f"{shown}; {{nothing}}{{", "$(id)", ""]
    assert given["text"] == wild.text
    assert variables["LIQCORE_ALERT_MARKET"] == "a:$(touch x)"
    assert variables["LIQCORE_ALERT_USD"] == ""


def test_a_command_that_fails_hangs_or_is_not_there_is_told(tmp_path: Path) -> None:
    def send(*command: str, timeout_ns: int = 20 * 10**9) -> str:
        return Command(command, SystemCommands(), timeout_ns=timeout_ns).send(ALERT)

    assert send(*script(tmp_path, "import sys; sys.exit('no\\nmoney')")) == "it ended with code 1: no money"
    assert "it cannot be started: " in send(str(tmp_path / "none"))
    child = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"  # which is ended, too
    hangs = script(tmp_path, f"import subprocess, sys, time; {child}; time.sleep(60)")
    begun = time.monotonic()
    assert send(*hangs, timeout_ns=10**9) == "it took longer than 1 s and was ended"
    assert time.monotonic() - begun < 30


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes to end")
def test_a_command_that_still_runs_at_the_end_is_ended_with_its_children(tmp_path: Path) -> None:
    out = tmp_path / "pids"
    text = f"""import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open({str(out)!r} + "_", "w") as file:
    file.write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(out)!r} + "_", {str(out)!r})
time.sleep(600)"""
    commands, said = SystemCommands(), list[str]()
    way = Command(script(tmp_path, text), commands, timeout_ns=600 * 10**9)
    sending = Sending(way, said.append, end=commands.end)
    for _ in range(2):
        sending.put(ALERT)
    while not out.exists():
        time.sleep(0.01)
    process, child = map(int, out.read_text().split())
    assert sending.close(timeout_s=0.01) == 1
    sending._thread.join()
    assert said == ["alerts do not reach the command: it still ran when liqcore ended, and was ended with it"]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    while _runs(child):  # whoever is its parent now has to see it
        time.sleep(0.01)
    assert way.send(ALERT) == "liqcore was ending"


def _runs(pid: int) -> bool:
    """Whether a process runs; not one that has ended and that nobody has asked about."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(said.strip()) and not said.startswith("Z")


def test_the_terminal_shows_a_line_that_it_does_not_obey() -> None:
    lines: list[str] = []
    terminal = Terminal(lines.append)
    assert terminal.send(Alert("m", "gap", "gap", 1, "t", "x \x1b]0;y\x07\nz")) == ""
    assert lines == ["ALERT x \\x1b]0;y\\x07 z"]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[Any], list[int]]]:
    """A webhook of this machine: its address, what came, and the status that it answers with."""
    came: list[Any] = []
    status = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/hooks/TOPSECRET", came, status
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_called_and_its_address_is_said_nowhere(
    webhook: tuple[str, list[Any], list[int]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    pytest.importorskip("apprise")
    url, came, status = webhook
    (tmp_path / "urls").write_text(f"# mine\n\n{url}\n")
    config = Config().replace(alerts={"rules": ["zone"], "urls": str(tmp_path / "urls")})
    said: list[str] = []
    (tmp_path / "journal").mkdir()
    options: dict[str, Any] = {"folder": tmp_path / "journal", "files": Disk(), "commands": SystemCommands()}
    with alerting(config, [BTC], write=said.append, **options) as alerts:
        assert alerts is not None
        alerts.put(zone("swept", 0), 1)
        wait_for(alerts.outlets[1], 1)  # type: ignore[arg-type]
        status[0] = 500
        alerts.put(zone("swept", 40), 2)
    (path, first), _ = came
    assert path == "/hooks/TOPSECRET"
    assert "has reached 64,000 to 64,200, where $12M of shorts were (relative level: opened" in first["message"]
    assert [line for line in said if not line.startswith("ALERT ")] == [
        "warning: alerts do not reach JSON (urls:3): it was not taken",
        "warning: 1 alert did not reach JSON (urls:3)",
    ]
    everything = "\n".join([*said, *capfd.readouterr(), caplog.text, repr(config.to_dict())])
    assert "SECRET" not in everything
    kept = (tmp_path / "journal" / "alerts.jsonl").read_text()
    assert len(kept.splitlines()) == 2
    assert "SECRET" not in kept


def test_addresses_that_cannot_be_used_are_refused_without_being_shown(tmp_path: Path) -> None:
    pytest.importorskip("apprise")
    path = tmp_path / "urls"
    for text, why in (("json://ok\nTOPSECRET", r"urls:2 must be an address"), ("# none\n", "must hold an address")):
        path.write_text(text)
        with pytest.raises(InvalidConfigError, match=why) as caught:
            messengers(path, Disk())
        assert "SECRET" not in str(caught.value)
    with pytest.raises(DataError, match=r"alerts\.urls: none cannot be read: No such file"):
        messengers(tmp_path / "none", Disk())

    class Leaks:
        def notify(self, **_: str) -> bool:
            raise ValueError("https://TOPSECRET")

    assert Messenger("Slack", Leaks()).send(ALERT) == "it raised ValueError"


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(InvalidConfigError, match=r'pip install "liqcore\[alerts\]"'):
        messengers(Path("urls"), Disk())


def test_without_rules_there_is_nothing(tmp_path: Path) -> None:
    options: dict[str, Any] = {"files": Disk(), "commands": SystemCommands(), "write": print}
    with alerting(Config(), [BTC], folder=tmp_path / "none", **options) as alerts:
        assert alerts is None
    assert not (tmp_path / "none").exists()
