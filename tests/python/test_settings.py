"""A setting is declared once: arguments and options are made from the declaration, and no option of 0.1.0 is lost."""

import inspect
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import numpy as np
import pytest

import liqcore as lq
from liqcore.config import Config
from liqcore.config.arguments import OBJECTS, given, override
from liqcore.config.rules import INSTANT, LENGTH
from liqcore.config.sections import ARGUMENTS, all_settings
from liqcore.config.setting import Setting
from liqcore.errors import InvalidConfigError

pytest.importorskip("typer")
pytest.importorskip("rich")

import typer

from liqcore.cli.app import app

OPTIONS_OF_0_1_0 = {
    "config check": """
        PATH: Path = liqcore.toml
    """,
    "config init": """
        PATH: Path = liqcore.toml
        --force: bool
    """,
    "config show": """
        --config FILE: Path
        --origin: bool
    """,
    "demo": """
        --days: float = 3.0
        --seed: int = 1
        -o --output FILE: list[Path]
        -q --quiet: bool
    """,
    "features": """
        FILES: list[str]
        --bars: str
        --candles FILE: str
        --config FILE: Path
        --half-life: str
        --leverage: str
        --lot-size: float
        --marks FILE: str
        --model: str
        --open-interest FILE: str
        --reaches: str = 0.5,1,2,5
        --symbol: str
        --tick-size: float
        --trigger: str
        --venue: str
        --warmup: str
        --window: str
        -o --output FILE: Path required
        -q --quiet: bool
    """,
    "footprints": """
        FILES: list[str] required
        --cut: str = 1m
        --marks FILE: str
        --span-bps: float = 5.0
        --symbol: str
        --venue: str
        -o --output FILE: Path required
        -q --quiet: bool
    """,
    "heatmap": """
        FILES: list[str]
        --bin: float
        --candles FILE: str
        --colormap: str
        --config FILE: Path
        --half-life: str
        --height: int
        --last: str
        --leverage: str
        --lot-size: float
        --maker-share: float
        --marks FILE: str
        --mmr: float
        --model: str
        --open-interest FILE: str
        --open-interest-sides: str
        --opened-within: str
        --reconciled --not-reconciled: bool
        --side: str
        --symbol: str
        --threads: int = 1
        --threshold: str
        --tick-size: float
        --trigger: str
        --venue: str
        --warmup: str
        --width: int
        --window: str
        -o --output FILE: list[Path] required
        -q --quiet: bool
    """,
    "info": """
        --venues: bool
    """,
    "liqprice": """
        --at: str
        --basis: str
        --contract: str
        --entry: float required
        --fee: float
        --leverage: float
        --margin: float
        --mmr: float
        --open-fee: float = 0.0
        --qty: float
        --side: str required
        --symbol: str
        --venue: str
    """,
    "map": """
        FILES: list[str]
        --at: str
        --config FILE: Path
        --height: int
        --json: bool
        --last: str
        --leverage: str
        --opened-within: str
        --side: str
        --threshold: str
        --width: int
        --within: str = 1,2,5,10
        -o --output FILE: list[Path]
        -q --quiet: bool
    """,
    "merge": """
        FILES: list[Path] required
        --bin: float
        --last: str
        --opened-within: str
        --price-from: str
        --side: str
        --stale-after: str
        --threshold: str
        -o --output FILE: list[Path] required
        -q --quiet: bool
    """,
    "zones": """
        FILES: list[str]
        --at: str
        --columns: int = 100
        --config FILE: Path
        --json: bool
        --last: str
        --leverage: str
        --opened-within: str
        --reach: float = 5.0
        --sensitivity: bool
        --side: str
        --swept: str
        --threshold: str
        --top: int = 20
        --weights: str = 1,1,1
        -q --quiet: bool
    """,
}

# ----------------------------------------------------------------------------------------------------------- arguments

FUNCTIONS: dict[str, Callable[..., Any]] = {"heatmap": lq.heatmap, "features": lq.features, "Engine": lq.Engine}
NO_SETTINGS = {  # what an argument says that is none: data, what is asked of it, how the work is done
    "heatmap": {"paths", "trades", "config", "progress", "prefetch", "threads"},
    "features": {
        "trades", "bars", "reaches", "zone_percentile", "density_percent", "config", "progress", "prefetch"
    },
    "Engine": {"keep", "threads"},
}  # fmt: skip
OF_SEVERAL_TYPES = {"half_life", "threshold", "marks", "open_interest", "candles", "positions"}


def arguments_of(name: str) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    return {argument: entry for argument, entry in parameters.items() if argument not in NO_SETTINGS[name]}


def test_every_argument_of_a_setting_is_in_a_signature() -> None:
    assert ARGUMENTS.keys() <= {argument for name in FUNCTIONS for argument in arguments_of(name)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_that_of_a_setting(name: str) -> None:
    assert arguments_of(name).keys() <= {*ARGUMENTS, *OBJECTS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_types_and_defaults_of_arguments_are_those_of_their_settings(name: str) -> None:
    for argument, parameter in arguments_of(name).items():
        if argument in OBJECTS:
            continue
        entry = ARGUMENTS[argument]
        written = str(parameter.annotation).removesuffix(" | None")
        if argument not in OF_SEVERAL_TYPES:
            kinds = {id(LENGTH): "Length", id(INSTANT): "Time"}
            assert written == kinds.get(id(entry.rule), entry.rule.kind.__name__), argument
        if name == "Engine":
            own = {"model": "flow", "outlier": 0.0}  # an engine believes what it is told
            assert parameter.default == own.get(argument, entry.default), argument
        else:
            assert parameter.default == ("config" if argument == "half_life" else None), argument


def test_given_picks_the_arguments_of_settings() -> None:
    assert given({"paths": 1, "symbol": "X", "window": None, "axis": None}) == {
        "axis": None,
        "symbol": "X",
        "window": None,
    }


def another(entry: Setting) -> Any:
    """Return a value that is not the default."""
    if entry.default is None:
        return tomllib.loads(f"x = {entry.example}")["x"]
    if entry.rule.kind is bool:
        return not entry.default
    if entry.rule.kind is float:
        return 0.5
    if entry.rule.kind is int:
        return entry.default + 1
    return next(word for word in re.findall(r'"([^"]+)"', entry.rule.text) if word != entry.default)


def test_every_argument_goes_before_the_configuration_and_says_so() -> None:
    values = {argument: another(entry) for argument, entry in ARGUMENTS.items()} | {"half_life": {10: "7d"}}
    config = override(Config(), **values)
    for argument, value in values.items():
        entry = ARGUMENTS[argument]
        assert getattr(getattr(config, entry.section), entry.name) == entry.accept(value) != entry.default
        assert config.origin(entry.key) == "Python"
    assert override(Config(), **dict.fromkeys(values.keys() - {"half_life"})) == Config()


def test_a_half_life_may_be_none_or_one_for_all_tiers() -> None:
    assert override(Config(), half_life="config") == Config()
    assert override(Config(), half_life=None).model.half_life == "none"
    assert override(Config(), leverage={10: 0.5, 20: 0.5}, half_life="1d").model.half_life == {10: "1d", 20: "1d"}


def test_data_in_the_place_of_a_path_is_no_setting() -> None:
    assert override(Config(), marks=(np.zeros(0, np.int64), np.zeros(0)), candles=Path("k.csv")) == Config().replace(
        source={"candles": "k.csv"}
    )


# ------------------------------------------------------------------------------------------------------------- options


def commands(group: Any = None, path: str = "") -> Iterator[tuple[str, Any]]:
    group = typer.main.get_command(app) if group is None else group
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def line(command: Any, parameter: Any) -> str:
    """Write an option or argument as the lists above have it."""
    annotation = inspect.signature(command.callback).parameters[parameter.name].annotation
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    kind_text = inspect.formatannotation(kind).removesuffix(" | None").replace("pathlib.", "")
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else []
    names += [parameter.metavar] if parameter.metavar else [] if is_option else [parameter.name.upper()]
    rest = " required" if parameter.required else ""
    if not rest and parameter.default is not None and parameter.default is not False:
        rest = f" = {parameter.default}"
    return f"{' '.join(names)}: {kind_text}{rest}"


@pytest.mark.parametrize("name", OPTIONS_OF_0_1_0)
def test_no_option_of_0_1_0_is_lost_or_changed(name: str) -> None:
    command = dict(commands())[name]
    now = {line(command, parameter) for parameter in command.params if parameter.name != "help"}
    assert {text.strip() for text in OPTIONS_OF_0_1_0[name].strip().splitlines()} - now == set()


def test_the_commands_show_the_settings_that_name_them() -> None:
    known = dict(commands())
    for entry in all_settings():
        for name in entry.commands:
            assert [entry.flag] == [option for one in known[name].params for option in one.opts if option == entry.flag]


def test_every_option_of_a_setting_says_what_is_taken_without_it() -> None:
    known = dict(commands())
    for name in {name for entry in all_settings() for name in entry.commands}:
        shown: dict[str, Setting] = {entry.flag: entry for entry in all_settings() if name in entry.commands}
        for parameter in known[name].params:
            if parameter.opts[0] in shown:
                assert parameter.help.endswith("]"), (name, parameter.opts)
                assert " [default: " in parameter.help


# ------------------------------------------------------------------------------------------------------ what is shown


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.2, trades_per_day=40_000, seed=5)


@pytest.mark.parametrize("by", ["argument", "configuration"])
def test_what_is_shown_is_chosen_where_the_run_ends(market: lq.Market, by: str) -> None:
    whole = lq.heatmap(trades=market.trades, symbol="SIM")
    shown = {"side": "long", "last": "2h", "opened_within": "1h", "threshold": 0.2}
    if by == "argument":
        part = lq.heatmap(trades=market.trades, symbol="SIM", **shown)  # type: ignore[arg-type]
    else:
        config = Config().replace(
            window={"last": "2h", "opened_within": "1h"}, render={"side": "long", "threshold": 0.2}
        )
        part = lq.heatmap(trades=market.trades, symbol="SIM", config=config)
    wanted = whole.select(**shown)  # type: ignore[arg-type]
    assert np.array_equal(part.values, wanted.values)
    assert np.array_equal(part.times, wanted.times)
    assert not part.short.any()
    assert part.meta["config"]["render"]["side"] == "long"


def test_a_saved_part_is_repeated_as_it_was(market: lq.Market, tmp_path: Path) -> None:
    part = lq.heatmap(trades=market.trades, symbol="SIM", side="short", threshold="p50")
    part.save(tmp_path / "part.parquet")
    again = lq.heatmap(trades=market.trades, config=tmp_path / "part.parquet")
    assert np.array_equal(again.values, part.values)
    assert again.meta["config_hash"] == part.meta["config_hash"]


def test_what_is_shown_keeps_its_rules(market: lq.Market) -> None:
    with pytest.raises(InvalidConfigError, match=r'^render\.side must be one of "both", "long", "short", was "up"$'):
        lq.heatmap(trades=market.trades, side="up")


# -------------------------------------------------------------------------------------------------------------- files


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_written_configuration_keeps_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("")
    (tmp_path / "liqcore.toml").symlink_to(tmp_path / "real.toml")
    Config().dump(tmp_path / "liqcore.toml")
    assert (tmp_path / "liqcore.toml").is_symlink()
    assert Config.load(tmp_path / "real.toml") == Config()
