"""Output files: whole or not at all, their mode kept, leftovers removed; inputs that are no files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import liqcore as lq
from liqcore.cli.app import app
from liqcore.words import files
from liqcore.words.files import PartlyWrittenError, staged, write_whole
from liqcore.words.plain import plain

posix = pytest.mark.skipif(os.name != "posix", reason="modes, pipes and processes as POSIX has them")


@posix
def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("before")
    path.chmod(0o640)
    with write_whole(path) as file:
        file.write(b"after")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o640)


@posix
def test_pipes_and_devices_are_no_place_for_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for place in (tmp_path / "pipe.png", Path("/dev/null")):
        with pytest.raises(OSError, match="a device or a pipe"), write_whole(place):
            pass
    assert (tmp_path / "pipe.png").is_fifo()


@posix
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from liqcore.words.files import write_whole\n"
        "with write_whole(sys.argv[1]) as file: file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("x.txt", "y.txt"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=False)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 2
    assert all(name.count(".") == 0 and len(name) < 40 for name in left)
    with write_whole(tmp_path / "x.txt") as file, write_whole(tmp_path / "x.txt") as other:
        file.write(b"one")  # neither takes the other's for a leftover
        other.write(b"two")
    assert (tmp_path / "x.txt").read_bytes() == b"one"
    assert len(list(tmp_path.iterdir())) == 2  # that of y.txt is another file's


def test_what_is_written_is_said_where_the_rest_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def fails_at_the_second(place: Path, target: Path) -> None:
        if target.name == "two.txt":
            raise OSError(28, "No space left on device", os.fspath(place))
        replace(place, target)

    monkeypatch.setattr(files.os, "replace", fails_at_the_second)
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"

    def both() -> None:
        with staged([one, two]) as places:
            for place in places:
                place.write_text("42")

    with pytest.raises(PartlyWrittenError, match=r"two\.txt: No space left on device; written before that: .*one\.txt"):
        both()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.txt"]


@posix
def test_pipes_and_devices_are_no_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(lq.DataError, match="expected a file, found a device or a pipe"):
            lq.read_trades(path)


def test_settings_have_an_end(tmp_path: Path) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_text("# " + "x" * 1_000_000)
    with pytest.raises(lq.InvalidConfigError, match="must be TOML of at most 1,000,000 bytes, was longer"):
        lq.Config.load(path)
    with pytest.raises(lq.InvalidConfigError, match=r"a symbol of at most 1,000 characters, was 8,000 long"):
        lq.Config().replace(instrument={"symbol": "x" * 8000})


def test_words_out_of_files_are_shown_as_they_are(tmp_path: Path) -> None:
    assert plain("a\x1b[31m\r\nb\x07") == "a\\x1b[31m b\\x07"
    path = tmp_path / "x.csv"
    path.write_text("time,\x1b]0;owned\x07,qty\n1780272000000,1,1\n")
    outcome = CliRunner().invoke(app, ["heatmap", str(path), "-o", str(tmp_path / "x.png")])
    assert outcome.exit_code == 2
    assert "\x1b" not in outcome.output
    assert "\\x1b]0;owned" in outcome.output


def test_no_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError("cannot allocate 12 GB")

    monkeypatch.setattr("liqcore.runs.heatmap.heatmap_of_files", full)
    outcome = CliRunner().invoke(app, ["heatmap", "x.csv", "-o", str(tmp_path / "x.png")])
    assert (outcome.exit_code, outcome.output) == (2, "error: not enough memory: cannot allocate 12 GB\n")


def test_objects_of_one_file_have_an_end_of_names(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[" + ",".join(f'{{"time": 1780272000000, "k{i}": 1}}' for i in range(2000)) + "]")
    with pytest.raises(lq.DataError, match="expected rows of the same columns, found more than 1,000 names"):
        lq.read_trades(path)
