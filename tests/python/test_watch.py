"""`liqcore watch`: one snapshot each time files have changed, what it shows, and that it ends well."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq
from liqcore.analysis.changes import changes
from liqcore.config import Config
from liqcore.runs.watch import snapshots

pytest.importorskip("typer")
pytest.importorskip("rich")

from rich.console import Console
from typer.testing import CliRunner

from liqcore.cli import watch
from liqcore.cli.app import app
from test_time_frames import HOUR, START, engine_of

ROWS = [(0, 1000, 4, False), (0.1, 1000, 5, True), (2.2, 895, 0.1, True)]


def made(rows: list[Any] = ROWS) -> lq.Heatmap:
    eng = engine_of(rows, leverage={2: 0.5, 10: 0.5})
    eng.advance(START + 3 * HOUR)
    hm = eng.heatmap(step=10, unit="quantity")
    hm.meta |= {"symbol": "X", "venue": "test", "base": "COIN"}
    return hm


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


# ------------------------------------------------------------------------------------------------------------- changes


def test_what_has_become_of_zones() -> None:
    zones = made().zones("2025-06-15T17:00", threshold=0)
    longs = [zone for zone in zones if zone.side == "long"]
    one, two = longs[0], longs[1]
    other_side = replace(one, side="short")
    assert [change.kind for change in changes([one], [other_side])] == ["new", "faded"]
    assert [(c.kind, c.before, c.now) for c in changes([one], [replace(one, value=3 * one.value)])] == [
        ("grown", one.value, 3 * one.value)
    ]
    assert [c.kind for c in changes([one], [replace(one, value=0.7 * one.value)])] == ["shrunk"]
    assert changes([one], [replace(one, value=1.2 * one.value)]) == []
    assert [(c.kind, c.zone) for c in changes([one, two], [one], swept=[two])] == [("reached", two)]
    moved = replace(one, low=one.low - 10, high=one.low + 5)
    assert changes([one], [moved]) == []  # a part in common: the same


# ----------------------------------------------------------------------------------------------------------- snapshots


def header() -> str:
    return "ts,price,qty,side\n"


def rows(first: int, last: int) -> str:
    return "".join(
        f"{START // 10**6 + 1000 * i},{1000 + i % 3},1,{'buy' if i % 2 else 'sell'}\n" for i in range(first, last)
    )


def test_a_file_that_grows_gives_a_snapshot_each_time() -> None:
    Path("t.csv").write_text(header() + rows(0, 100))
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:  # after a look at which nothing had changed
            with open("t.csv", "a") as file:
                file.write(rows(100, 150))
        if len(waits) == 3:
            Path("t.csv").write_text(header() + "half a ro")  # being written
        if len(waits) == 4:
            Path("t.csv").write_text(header() + rows(0, 170))

    source = snapshots(["t.csv"], config=Config(), every_s=0.5, sleep=sleep)
    used = [next(source).meta["rows"]["used"] for _ in range(3)]
    assert used == [100, 150, 170]
    assert len(waits) == 4
    assert min(waits) >= 0.5


def test_the_first_time_a_fault_is_an_error() -> None:
    Path("t.csv").write_text("nothing\n")
    with pytest.raises(lq.DataError):
        next(snapshots(["t.csv"], config=Config()))


def test_a_saved_heatmap_is_read_anew() -> None:
    made().save("x.parquet")
    source = snapshots(["x.parquet"], config=Config().replace(render={"side": "long"}), sleep=lambda _: again())

    def again() -> None:
        made([*ROWS, (2.5, 900, 7, False)]).save("x.parquet")

    first, second = next(source), next(source)
    assert first.values.sum() != second.values.sum()
    assert not first.short.any()


# -------------------------------------------------------------------------------------------------------- the terminal


def run(*args: str) -> Any:
    return CliRunner().invoke(app, ["watch", *args], prog_name="liqcore")


@pytest.mark.parametrize("once", [[], ["--once"]])
def test_without_a_terminal_it_is_printed_once(once: list[str]) -> None:
    made().save("x.parquet")
    outcome = run("x.parquet", "--since", "2h", "--threshold", "0", *once)
    assert outcome.exit_code == 0, outcome.output
    lines = outcome.stdout.splitlines()
    assert lines[0] == "test X  2025-06-15T19:30:00Z (window unfinished)  last price 895"
    sides = [line.split()[0] for line in lines[2 : lines.index("")]]
    assert sides == ["short", "short", "short", "short", "price", "long"]  # as on a chart
    assert "since 2025-06-15T17:30:00Z:" in lines
    assert "  reached  longs 900 to 910: 2 COIN before, 2 COIN liquidated at 18:00" in lines
    assert "\x1b" not in outcome.stdout


def test_what_is_shown_can_be_chosen() -> None:
    made().save("x.parquet")
    text = run("x.parquet", "--side", "short", "--leverage", "2", "--threshold", "0").stdout
    assert "1,500 to 1,510" in text
    assert "1,100" not in text
    assert "long" not in text
    assert "since" not in run("x.parquet", "--since", "9d").stdout  # the data does not reach back so far


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.csv"], "error: none.csv: no such file"),
        (["x.parquet", "--model", "oi"], "No such option: --model"),
        (["x.parquet", "--every", "often"], "error: --every must be a length of time"),
        (["x.parquet", "--since", "1"], "error: --since must be a length of time"),
        (["x.parquet", "y.csv"], "error: FILES must be one saved heatmap or files of trades, was 2 files"),
    ],
)
def test_what_is_wrong_is_said(args: list[str], message: str) -> None:
    made().save("x.parquet")
    outcome = run(*args)
    assert outcome.exit_code == 2
    assert message in outcome.stderr


def test_it_ends_where_the_snapshots_do_or_at_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever yields heatmaps can be watched."""
    out = Console(force_terminal=True, width=100)
    drawn: list[lq.Heatmap] = []

    def draw(hm: lq.Heatmap) -> str:
        drawn.append(hm)
        return f"{len(hm.times)} columns"

    def interrupted() -> Iterator[lq.Heatmap]:
        yield made()
        raise KeyboardInterrupt

    watch._show([made(), made()], draw, out)
    watch._show(interrupted(), draw, out)
    assert len(drawn) == 3
    assert "columns" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals are POSIX")
def test_ctrl_c_in_a_terminal_ends_it_clean() -> None:
    import pty

    made().save("x.parquet")
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "liqcore", "watch", "x.parquet"],
        stdin=other,
        stdout=other,
        stderr=other,
        close_fds=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background has it ignored
    )
    os.close(other)
    seen = b""
    try:
        until = time.monotonic() + 60
        while b"estimate" not in seen and time.monotonic() < until:
            seen += os.read(main, 65_536)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        while True:
            try:
                if not (more := os.read(main, 65_536)):
                    break
            except OSError:  # Linux says so that the other end is closed
                break
            seen += more
    finally:
        process.kill()
        process.wait()
        os.close(main)
    assert b"Traceback" not in seen
    assert b"last price" in seen
    assert seen.rstrip().endswith(b"\x1b[?25h")  # the cursor is back
