"""The command line: help, refusals, exit codes, what is passed on, and that nothing half-written is left."""

import io
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liqcore.config import Config
from liqcore.config.sections import setting_keys
from liqcore.errors import DataError, InvalidConfigError

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from liqcore.cli import main, progress, report
from liqcore.cli.app import app
from liqcore.cli.common import fail

Result = Any


class FakeHeatmap:
    """Three columns of four bins with one level on each side of the last price, 100."""

    def __init__(self, events: list[Any]) -> None:
        self.events = events
        self.times = np.array([0, 300, 600]) * 1_000_000_000
        self.prices = np.array([90.0, 95.0, 100.0, 105.0])
        self.step = 5.0
        self.long = np.zeros((3, 4), np.float32)
        self.short = np.zeros((3, 4), np.float32)
        self.long[-1] = [2_500_000, 1_000, 0, 0]
        self.short[-1] = [0, 0, 0, 750]
        self.candles = np.array([(1, 1, 1, 99), (1, 1, 1, 100), (np.nan,) * 4], dtype=[(n, "f8") for n in NAMES])
        self.unit = "usd"
        self.stats = None
        self.meta: dict[str, Any] = {
            "symbol": "BTCUSDT",
            "venue": "binance-usdm",
            "inputs": [
                {
                    "name": "/data/a.zip",
                    "format": "binance aggTrades",
                    "rows": 1_200,
                    "used": 1_190,
                    "rejected": {"duplicate_id": 8, "off_grid": 2, "late": 0},
                    "warnings": ["every trade is a sell"],
                },
                {
                    "name": "b.zip",
                    "format": "binance aggTrades",
                    "rows": 10,
                    "used": 10,
                    "rejected": {},
                    "warnings": [],
                },
            ],
        }

    def render(self, path: Path, **kwargs: Any) -> None:
        self.events.append(("render", kwargs))
        Path(path).write_text("picture")

    @property
    def _shown(self) -> Any:
        return types.SimpleNamespace(column=lambda i: (self.long[i], self.short[i]))

    def save(self, path: Path) -> None:
        self.events.append(("save", {}))
        Path(path).write_text("result")


NAMES = ("open", "high", "low", "close")


class Pipeline:
    """Stands in for `liqcore.runs.heatmap`; `act` is what a call does before it returns."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.calls: list[dict[str, Any]] = []
        self.act: Callable[[dict[str, Any]], None] = lambda _: None
        self.result = FakeHeatmap(self.events)

    def heatmap(self, paths: Any = None, **kwargs: Any) -> FakeHeatmap:
        call = {"paths": paths, **kwargs}
        self.calls.append(call)
        self.act(call)
        return self.result

    @property
    def config(self) -> Config:
        config = self.calls[-1]["config"]
        assert isinstance(config, Config)
        return config

    def raising(self, error: BaseException) -> None:
        def act(_: dict[str, Any]) -> None:
            raise error

        self.act = act


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    fake = Pipeline()
    module = types.ModuleType("liqcore.runs.heatmap")
    module.heatmap = module.heatmap_of_files = fake.heatmap  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "liqcore.runs.heatmap", module)
    return fake


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs in an empty folder, without variables of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name in os.environ:
        if name.startswith("LIQCORE_"):
            monkeypatch.delenv(name)


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), prog_name="liqcore")


def left() -> list[str]:
    return sorted(os.listdir())


# ----------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["heatmap"],
        ["map"],
        ["zones"],
        ["demo"],
        ["config"],
        ["config", "init"],
        ["config", "check"],
        ["config", "show"],
        ["info"],
    ],
)
def test_every_help_has_examples(command: list[str]) -> None:
    outcome = run(*command, "--help")
    assert outcome.exit_code == 0
    assert "Examples:" in outcome.output
    assert f"liqcore {' '.join(command)}".strip() in outcome.output
    assert run(*command, "-h").output == outcome.output


@pytest.mark.parametrize("command", [[], ["heatmap"], ["map"], ["zones"], ["demo"], ["config", "check"]])
def test_exit_codes_are_documented(command: list[str]) -> None:
    assert "Exit codes:" in run(*command, "--help").output


def test_no_flag_of_the_heatmap_is_missing_in_its_help() -> None:
    text = run("heatmap", "--help").output
    flags = (
        "--symbol --venue --window --bin --leverage --side --last --opened-within --threshold --warmup --trigger "
        "--marks --open-interest --open-interest-sides --candles "
        "--tick-size --lot-size --mmr --maker-share --half-life "
        "--config --width --height --colormap --quiet -o"
    )
    for flag in shlex.split(flags):
        assert re.search(rf"{flag}\b", text), flag


@pytest.mark.usefixtures("pipeline")
def test_the_example_lines_of_the_heatmap_parse() -> None:
    for line in run("heatmap", "--help").output.splitlines():
        if line.startswith("    liqcore heatmap "):
            args = shlex.split(line)[1:]
            if "--config" in args:
                continue
            assert run(*args).exit_code == 0, line


# -------------------------------------------------------------------------------------------------- the heatmap command


def test_a_picture_and_a_result_are_written(pipeline: Pipeline) -> None:
    outcome = run("heatmap", "a.zip", "b.zip", "-o", "out.png", "-o", "out.parquet")
    assert outcome.exit_code == 0, outcome.output
    assert Path("out.png").read_text() == "picture"
    assert Path("out.parquet").read_text() == "result"
    assert left() == ["out.parquet", "out.png"]
    assert pipeline.calls[0]["paths"] == ["a.zip", "b.zip"]
    assert pipeline.config == Config()


def test_candles_may_stand_for_the_files(pipeline: Pipeline) -> None:
    assert run("heatmap", "-o", "out.png", "--candles", "k.csv").exit_code == 0
    assert pipeline.calls[0]["paths"] is None
    outcome = run("heatmap", "-o", "out.png")
    assert (outcome.exit_code, outcome.stderr) == (
        2,
        "error: FILES of trades, a saved heatmap, --candles, or --positions, must be given\n",
    )


def test_what_goes_with_the_trades_is_listed_apart(pipeline: Pipeline) -> None:
    pipeline.result.meta["beside"] = [
        {"kind": "open interest", "name": "oi.zip", "format": "binance-metrics", "rows": 288, "used": 287,
         "rejected": {"not_positive": 1}, "warnings": ["assumed"], "notes": []},
    ]  # fmt: skip
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert re.search(r"oi.zip +open interest: binance-metrics +288 +287 +1 +1 not positive", outcome.stdout)
    assert "warning: oi.zip: assumed" in outcome.stderr


def test_every_flag_reaches_the_settings_and_says_so(pipeline: Pipeline) -> None:
    outcome = run(
        *shlex.split(
            "heatmap a.zip -o out.png --symbol BTCUSDT --venue okx --window 60s --bin 20 --leverage 5:0.3,10:0.7 "
            "--side long --last 24h --opened-within 12h --threshold 0.1 --warmup 3d --trigger mark "
            "--marks m.csv --tick-size 0.1 --open-interest oi.csv --open-interest-sides two --candles k.csv "
            "--model blend --reconciled "
            "--lot-size 0.001 --mmr 0.005 --maker-share 0.5 --half-life 5:7d,10:1d --width 800 --height 600 "
            "--colormap cividis --quiet"
        )
    )
    assert outcome.exit_code == 0, outcome.output
    config = pipeline.config
    flags = {
        "instrument.symbol": ("BTCUSDT", "--symbol"),
        "instrument.venue": ("okx", "--venue"),
        "window.length": ("1m", "--window"),
        "axis.step": (20.0, "--bin"),
        "leverage.shares": ({5: 0.3, 10: 0.7}, "--leverage"),
        "render.side": ("long", "--side"),
        "window.last": ("1d", "--last"),
        "window.opened_within": ("12h", "--opened-within"),
        "render.threshold": (0.1, "--threshold"),
        "window.warmup": ("3d", "--warmup"),
        "model.name": ("blend", "--model"),
        "model.reconciled": (True, "--reconciled"),
        "model.trigger": ("mark", "--trigger"),
        "source.marks": ("m.csv", "--marks"),
        "source.open_interest": ("oi.csv", "--open-interest"),
        "source.open_interest_sides": ("two", "--open-interest-sides"),
        "source.candles": ("k.csv", "--candles"),
        "instrument.tick_size": (0.1, "--tick-size"),
        "instrument.lot_size": (0.001, "--lot-size"),
        "instrument.mmr": (0.005, "--mmr"),
        "model.maker_share": (0.5, "--maker-share"),
        "model.half_life": ({5: "7d", 10: "1d"}, "--half-life"),
        "render.width": (800, "--width"),
        "render.height": (600, "--height"),
        "render.colormap": ("cividis", "--colormap"),
    }
    for key in setting_keys():
        section, name = key.split(".")
        if key in flags:
            assert getattr(getattr(config, section), name) == flags[key][0]
            assert config.origin(key) == f"flag {flags[key][1]}"
        else:
            assert config.origin(key) == "default"
    look = {"width": 800, "height": 600, "colormap": "cividis"}
    assert pipeline.events == [("render", look)]  # what is shown was chosen where the run ends, from the settings


def test_a_preset_is_a_leverage_too(pipeline: Pipeline) -> None:
    assert run("heatmap", "a.zip", "-o", "out.png", "--leverage", "integer-125").exit_code == 0
    assert pipeline.config.leverage.preset == "integer-125"


def test_file_then_variables_then_flags(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.toml").write_text('[window]\nlength = "1m"\nwarmup = "1m"\nlast = "1m"\n')
    Path("liqcore.toml").write_text("[render]\nwidth = 999\n")
    monkeypatch.setenv("LIQCORE_WINDOW_WARMUP", "2m")
    monkeypatch.setenv("LIQCORE_WINDOW_LAST", "2m")
    run("heatmap", "a.zip", "-o", "out.png", "--config", "mine.toml", "--last", "3m")
    window = pipeline.config.window
    assert (window.length, window.warmup, window.last) == ("1m", "2m", "3m")
    assert pipeline.config.render.width == 1600


def test_liqcore_toml_of_the_working_directory_is_read(pipeline: Pipeline) -> None:
    Path("liqcore.toml").write_text("[render]\nwidth = 999\n")
    run("heatmap", "a.zip", "-o", "out.png")
    assert pipeline.config.render.width == 999
    assert pipeline.config.origin("render.width") == "liqcore.toml:2"


@pytest.mark.usefixtures("pipeline")
def test_the_summary_names_rows_prices_columns_levels_and_files() -> None:
    text = run("heatmap", "a.zip", "b.zip", "-o", "out.png").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "file format rows used rejected why rejected"
    for line in (
        "a.zip binance aggTrades 1,200 1,190 10 8 duplicate id, 2 off grid",
        "b.zip binance aggTrades 10 10 0",
        "all 1,210 1,200 10 8 duplicate id, 2 off grid",
        "market binance-usdm BTCUSDT",
        "prices 90 to 110, 4 bins of 5",
        "columns 3 of 5m, from 1970-01-01 00:00:00 to 1970-01-01 00:10:00 UTC",
        "last price 100",
        "above: shorts 105 to 110, +7.50% away: $750",
        "below: longs 90 to 95, -7.50% away: $2.50M",
        "written to out.png",
    ):
        assert line in lines
    assert lines[-1].startswith("The levels are an estimate on a relative scale")


@pytest.mark.usefixtures("pipeline")
def test_quiet_says_nothing_but_warnings() -> None:
    outcome = run("heatmap", "a.zip", "-o", "out.png", "-q")
    assert outcome.stdout == ""
    assert outcome.stderr == "warning: a.zip: every trade is a sell\n"


def test_warnings_are_plain_words_on_stderr_and_said_once(pipeline: Pipeline) -> None:
    def act(_: dict[str, Any]) -> None:
        warnings.warn("the price left\nthe axis", stacklevel=1)
        warnings.warn("the price left\nthe axis", stacklevel=1)
        logging.getLogger("liqcore.sources").warning("a gap of 3 days")
        logging.getLogger("liqcore.sources").info("not said")

    pipeline.act = act
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert outcome.exit_code == 0
    assert outcome.stderr == (
        "WARNING: a gap of 3 days\nwarning: the price left the axis\nwarning: a.zip: every trade is a sell\n"
    )
    assert logging.getLogger("liqcore").handlers == []


@pytest.mark.usefixtures("pipeline")
def test_a_log_level_of_error_hides_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQCORE_LOG_LEVEL", "error")
    assert run("heatmap", "a.zip", "-o", "out.png").stderr == ""


def test_brackets_in_names_are_no_markup(pipeline: Pipeline) -> None:
    pipeline.result.meta["inputs"][0]["name"] = "[bold]a.zip"
    outcome = run("heatmap", "a.zip", "-o", "[red]out.png")
    assert "[bold]a.zip" in outcome.stdout
    assert "written to  [red]out.png" in outcome.stdout


def test_an_empty_or_one_sided_result_has_a_summary(pipeline: Pipeline) -> None:
    pipeline.result.short[:] = 0
    assert "no level" in run("heatmap", "a.zip", "-o", "out.png").stdout
    pipeline.result.candles["close"] = np.nan
    assert "last price" not in run("heatmap", "a.zip", "-o", "out.png").stdout
    pipeline.result.prices = np.zeros(0)
    assert "no trade was used" in run("heatmap", "a.zip", "-o", "out.png").stdout


# ---------------------------------------------------------------------------------------- refusals leave nothing behind


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--window", "5"], 'error: --window: window.length must be a length of time such as "500ms", "30s"'),
        (["--side", "buy"], 'error: --side: render.side must be one of "both", "long", "short", was "buy"'),
        (["--leverage", "5:0.3"], "error: --leverage: leverage.shares must be shares by leverage tier"),
        (
            ["--leverage", "5,10,5"],
            'error: --leverage: render.tiers must be leverage tiers such as "0.2%,10,25,50"',
        ),
        (["--leverage", "defualt"], 'error: --leverage: leverage.preset must be one of "default", "integer-125", '),
        (["--half-life", "7"], 'error: --half-life: model.half_life must be "default", "none" or half-lives'),
        (
            ["--threshold", "105%"],
            "error: --threshold: render.threshold must be a share of the maximum (0 to 1), an amount above 1, or text",
        ),
        (["--bin", "-1"], "error: --bin: axis.step must be a price step above 0, was -1"),
        (["--config", "none.toml"], "error: none.toml: No such file or directory"),
        (
            ["-o", "out.gif"],
            "error: -o must end in .png (picture), .svg (picture), .html (picture), .parquet (result) or .csv",
        ),
        (["-o", "none/out.png"], "error: none: no such folder"),
        (["-o", "out.png"], 'error: -o must be another file than another -o, was "out.png"'),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(pipeline: Pipeline, args: list[str], message: str) -> None:
    outcome = run("heatmap", "a.zip", "-o", "out.png", *args)
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.startswith(message)
    assert outcome.stderr.count("\n") == 1
    assert pipeline.calls == []
    assert left() == []


@pytest.mark.parametrize(
    "args", [["heatmap"], ["heatmap", "a.zip"], ["heatmap", "-o", "a.png"], ["heatmep"], ["demo", "--x"]]
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert run(*args).exit_code == 2
    assert left() == []


@pytest.mark.usefixtures("pipeline")
def test_a_wrong_key_in_liqcore_toml_names_its_line() -> None:
    Path("liqcore.toml").write_text('[window]\nlenght = "1m"\n')
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert outcome.exit_code == 2
    assert outcome.stderr == 'error: liqcore.toml:2: unknown key "lenght" in [window]; did you mean "length"?\n'


@pytest.mark.usefixtures("pipeline")
def test_an_input_is_never_replaced() -> None:
    Path("a.parquet").write_text("trades")
    outcome = run("heatmap", "a.parquet", "-o", "./a.parquet")
    assert outcome.exit_code == 2
    assert Path("a.parquet").read_text() == "trades"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DataError("a.zip: expected trades,\nfound nothing"), "error: a.zip: expected trades, found nothing\n"),
        (InvalidConfigError("step must be a multiple of 0.1"), "error: step must be a multiple of 0.1\n"),
        (FileNotFoundError(2, "No such file or directory", "a.zip"), "error: a.zip: No such file or directory\n"),
        (OSError(28, "No space left on device"), "error: [Errno 28] No space left on device\n"),
    ],
)
def test_a_failure_is_one_line_and_no_file(pipeline: Pipeline, error: Exception, message: str) -> None:
    pipeline.raising(error)
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert (outcome.exit_code, outcome.stderr, outcome.stdout) == (2, message, "")
    assert left() == []


def test_an_interrupt_is_130_and_no_file(pipeline: Pipeline) -> None:
    pipeline.raising(KeyboardInterrupt())
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert (outcome.exit_code, outcome.stderr) == (130, "interrupted\n")
    assert left() == []


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_the_program_with_130_and_no_file() -> None:
    program = """
import signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background without it
module = types.ModuleType("liqcore.runs.heatmap")
def heatmap(*args, **kwargs):
    print("ready", flush=True)
    time.sleep(60)
module.heatmap_of_files = heatmap
sys.modules["liqcore.runs.heatmap"] = module
from liqcore.cli import main
sys.exit(main(["heatmap", "a.zip", "-o", "out.png"]))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"interrupted\n")
    assert left() == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_in_the_second_file_leaves_the_old_ones(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    Path("out.png").write_text("old")

    def save(path: Path) -> None:
        Path(path).write_text("half")
        raise error

    monkeypatch.setattr(pipeline.result, "save", save)
    outcome = run("heatmap", "a.zip", "-o", "out.png", "-o", "out.parquet")
    assert outcome.exit_code == (2 if isinstance(error, OSError) else 130)
    assert left() == ["out.png"]
    assert Path("out.png").read_text() == "old"


def test_a_mistake_of_our_own_is_not_dressed_up(pipeline: Pipeline) -> None:
    pipeline.raising(ZeroDivisionError())
    outcome = run("heatmap", "a.zip", "-o", "out.png")
    assert isinstance(outcome.exception, ZeroDivisionError)
    assert left() == []


@pytest.mark.usefixtures("pipeline")
def test_a_link_keeps_pointing_to_its_file() -> None:
    Path("results").mkdir()
    Path("results/today.png").write_text("old")
    try:
        Path("out.png").symlink_to("results/today.png")
    except OSError:
        pytest.skip("no symbolic links here")
    assert run("heatmap", "a.zip", "-o", "out.png").exit_code == 0
    assert Path("out.png").is_symlink()
    assert Path("results/today.png").read_text() == "picture"


# ------------------------------------------------------------------------------------------------------------- progress


def test_a_progress_bar_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress.progress_bar("reading", wanted=True) as report_progress:
        assert report_progress is None
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress.progress_bar("reading", wanted=True) as report_progress:
        assert report_progress is not None
        report_progress(500, 1_000, 12_345)
        report_progress(1_000, 1_000, 4_560_000)
    assert "4.56 M rows" in stream.getvalue()
    with progress.progress_bar("reading", wanted=False) as report_progress:
        assert report_progress is None


def test_without_a_terminal_no_progress_is_asked_for(pipeline: Pipeline) -> None:
    run("heatmap", "a.zip", "-o", "out.png")
    assert pipeline.calls[0]["progress"] is None


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (12_345, "12.3 k"), (999_999, "1000 k"), (2e9, "2 G")]
)
def test_counts_are_short(number: float, text: str) -> None:
    assert progress.count(number) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.25, "0.25"), (950, "950"), (999.9, "1.00k"), (12_345_678, "12.3M"), (1e8, "100M"), (2e12, "2.00T")],
)
def test_amounts_are_short(amount: float, text: str) -> None:
    assert report.money(amount) == text


@pytest.mark.parametrize(
    ("price", "text"), [(64_000.0, "64,000"), (64_000.1, "64,000.1"), (0.1 + 0.2, "0.3"), (1.23e-7, "0.000000123")]
)
def test_prices_are_without_binary_noise(price: float, text: str) -> None:
    assert report.price_text(price) == text


# ----------------------------------------------------------------------------------------------------------------- demo


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    asked: dict[str, Any] = {}

    def simulate(**kwargs: Any) -> types.SimpleNamespace:
        asked.update(kwargs)
        if kwargs["days"] <= 0:
            raise InvalidConfigError(f"days must be above 0, was {kwargs['days']}")
        terms = {"tick_size": 0.5, "lot_size": 0.01, "mmr": 0.01}
        return types.SimpleNamespace(trades="trades", marks="marks", parameters=terms)

    module = types.ModuleType("liqcore.simulation.simulation")
    module.simulate = simulate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "liqcore.simulation.simulation", module)
    return asked


def test_the_demo_runs_the_same_path_and_says_synthetic(pipeline: Pipeline, market: dict[str, Any]) -> None:
    outcome = run("demo", "--seed", "7", "--days", "0.5")
    assert outcome.exit_code == 0, outcome.output
    assert market == {"seed": 7, "days": 0.5}
    assert left() == ["liqcore-demo.png"]
    assert pipeline.calls[0]["trades"] == "trades"
    assert pipeline.calls[0]["marks"] == "marks"
    terms = pipeline.config.instrument
    assert (terms.symbol, terms.tick_size, terms.lot_size, terms.mmr) == ("SIMULATED", 0.5, 0.01, 0.01)
    assert pipeline.result.meta["synthetic"] is True
    assert "SYNTHETIC" in outcome.stdout


def test_the_demo_is_the_same_whatever_is_set(
    pipeline: Pipeline, market: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("liqcore.toml").write_text("[render]\nwidth = 999\n")
    monkeypatch.setenv("LIQCORE_WINDOW_LENGTH", "1h")
    assert run("demo").exit_code == 0
    assert pipeline.config.render.width == 1600
    assert pipeline.config.window.length == "5m"
    assert market["seed"] == 1


def test_a_demo_of_no_length_is_refused(pipeline: Pipeline, market: dict[str, Any]) -> None:
    outcome = run("demo", "--days", "0")
    assert (outcome.exit_code, outcome.stderr) == (2, "error: days must be above 0, was 0.0\n")
    assert market["days"] == 0
    assert pipeline.calls == []
    assert left() == []


# --------------------------------------------------------------------------------------------------------------- config


def test_init_writes_the_defaults_and_never_replaces_unasked() -> None:
    outcome = run("config", "init")
    assert (outcome.exit_code, outcome.stdout) == (0, "written to liqcore.toml\n")
    assert Config.load("liqcore.toml") == Config()
    again = run("config", "init")
    assert (again.exit_code, again.stderr) == (2, "error: liqcore.toml: exists already; --force replaces it\n")
    assert run("config", "init", "--force").exit_code == 0
    assert run("config", "init", "other.toml").exit_code == 0
    assert left() == ["liqcore.toml", "other.toml"]


def test_check_names_what_is_wrong() -> None:
    Path("a.toml").write_text('[window]\nlength = "1m"\n')
    outcome = run("config", "check", "a.toml")
    assert (outcome.exit_code, outcome.stdout) == (0, f"a.toml: good, hash {Config.load('a.toml').hash}\n")
    Path("a.toml").write_text('[widow]\nlength = "1m"\n')
    outcome = run("config", "check", "a.toml")
    assert (outcome.exit_code, outcome.stderr) == (
        2,
        "error: a.toml:1: unknown section [widow]; did you mean [window]?\n",
    )


def test_show_writes_what_can_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQCORE_WINDOW_LENGTH", "1h")
    outcome = run("config", "show")
    assert outcome.exit_code == 0
    assert Config.loads(outcome.stdout) == Config().replace(window={"length": "1h"})


def test_show_tells_where_values_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("liqcore.toml").write_text('[window]\nlast = "1d"\n[leverage.shares]\n5 = 1.0\n[log]\nprogress = false\n')
    monkeypatch.setenv("LIQCORE_WINDOW_LENGTH", "1h")
    outcome = run("config", "show", "--origin")
    lines = [" ".join(line.split()) for line in outcome.stdout.splitlines()]
    assert lines[0] == "setting value from"
    for line in (
        "window.length 1h LIQCORE_WINDOW_LENGTH",
        "window.last 1d liqcore.toml:2",
        "leverage.shares 5: 1.0 liqcore.toml:3",
        "log.progress false liqcore.toml:6",
        "instrument.symbol - default",
        "axis.limit 1048576 default",
        "limits.columns 1000 default",
        "model.candle_price hlc3 default",
        "journal.sync 1s default",
    ):
        assert line in lines
    assert len(lines) == 1 + len(setting_keys())


def test_show_refuses_a_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQCORE_WINDOW_LENGHT", "1h")
    outcome = run("config", "show")
    assert outcome.exit_code == 2
    assert "did you mean LIQCORE_WINDOW_LENGTH?" in outcome.stderr


# -------------------------------------------------------------------------------------------------------- info and main


def test_info_names_version_place_and_packages() -> None:
    import liqcore

    text = run("info").stdout
    assert re.search(rf"^liqcore +{re.escape(liqcore.__version__)}$", text, re.MULTILINE)
    for name in ("build", "package", "python", "processor", "numpy", "fastparquet", "pillow", "pyarrow"):
        assert re.search(rf"^{name} +\S", text, re.MULTILINE), name


def test_main_returns_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "init"]) == 0
    assert main(["config", "init"]) == 2
    assert main(["heatmap"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    with pytest.raises(typer.Exit) as caught:
        fail("first\n  second")
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "error: first second\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_app_packages_it_says_what_to_install(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from liqcore.cli import main; sys.exit(main(['info']))"
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert outcome.returncode == 2
    assert outcome.stderr == (
        f'error: the command line needs the package {missing}; install it with: pip install "liqcore[app]"\n'
    )


@pytest.mark.parametrize("loads", ["liqcore.cli.app", "liqcore.runs.heatmap"])
def test_without_memory_for_its_packages_it_says_so(
    loads: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full:
        """What the loader says under a memory limit, of one module."""

        def __init__(self, text: str) -> None:
            self.text = text

        def find_spec(self, name: str, *_: object) -> None:
            if name == loads:
                raise ImportError(self.text)

    monkeypatch.delitem(sys.modules, loads, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Full("x.so: failed to map segment from shared object"), *sys.meta_path])
    assert main(["heatmap", "a.zip", "-o", "out.png"]) == 2
    assert capsys.readouterr().err == "error: not enough memory to load the packages that this needs (some 200 MB)\n"
    monkeypatch.setattr(sys, "meta_path", [Full("x.so: undefined symbol"), *sys.meta_path[1:]])
    with pytest.raises(ImportError, match="undefined symbol"):
        main(["heatmap", "a.zip", "-o", "out.png"])


def test_the_module_runs_as_a_program() -> None:
    outcome = subprocess.run([sys.executable, "-m", "liqcore", "info"], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0
    assert outcome.stdout.startswith("liqcore ")


def test_help_comes_without_loading_pandas() -> None:
    program = "import sys; from liqcore.cli import main; main(['--help']); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
