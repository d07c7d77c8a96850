"""Settings: what a file may say, what is refused and how, where each value came from, that writing loses nothing."""

import dataclasses
import json
import os
import pickle
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqcore.config import AxisConfig, Config, InstrumentConfig, LeverageConfig, ModelConfig, WindowConfig
from liqcore.config.sections import setting_keys
from liqcore.config.toml import key_lines
from liqcore.errors import DataError, InvalidConfigError, LiqcoreError
from liqcore.tables.archive import CONFIG_KEY

FILE = """\
# a comment with [window] in it
[instrument]
symbol = "BTCUSDT"
tick_size = 0.1

[window]
length = "1m"

[leverage.shares]
"25" = 0.25
100 = 0.75
"""


def refusal(text: str) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        Config.loads(text, "liqcore.toml")
    return str(caught.value)


def test_the_defaults_are_the_documented_ones() -> None:
    assert Config().to_dict() == {
        "instrument": {
            "symbol": None,
            "venue": None,
            "contract": "linear",
            "tick_size": None,
            "lot_size": None,
            "multiplier": 1.0,
            "mmr": 0.004,
            "fee": 0.0,
            "basis": "mark",
            "max_leverage": None,
        },
        "leverage": {"preset": "default", "shares": None, "intensity": 1.0},
        "axis": {"low": None, "high": None, "step": None, "book_step": None},
        "window": {"length": "5m", "warmup": None, "last": None, "opened_within": None},
        "model": {
            "name": None,
            "trigger": None,
            "maker_share": 0.0,
            "half_life": "default",
            "taker_tilt": 0.0,
            "churn": None,
            "event_threshold": None,
            "reconciled": False,
        },
        "source": {
            "format": "auto",
            "marks": None,
            "open_interest": None,
            "open_interest_sides": "auto",
            "candles": None,
        },
        "render": {
            "width": 1600,
            "height": 900,
            "colormap": "viridis",
            "scale": "sqrt",
            "theme": "dark",
            "side": "both",
            "threshold": None,
            "maximum": None,
        },
        "log": {"level": "warning", "progress": True},
    }


def test_a_file_overrides_the_defaults_and_leaves_the_rest() -> None:
    config = Config.loads(FILE)
    assert config.instrument == InstrumentConfig(symbol="BTCUSDT", tick_size=0.1)
    assert config.window == WindowConfig(length="1m")
    assert config.leverage.shares == {25.0: 0.25, 100.0: 0.75}
    assert config.axis == AxisConfig()


def test_a_configuration_cannot_be_changed_in_place() -> None:
    config = Config.loads(FILE)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.window.length = "1h"  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.leverage.shares[5] = 1.0  # type: ignore[index]


def test_a_dictionary_given_is_copied() -> None:
    shares = {5: 1.0}
    leverage = LeverageConfig(shares=shares)
    shares[5] = 7.0
    assert leverage.shares == {5: 1.0}


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[window]\n\n\nlenght = "1m"', 'liqcore.toml:4: unknown key "lenght" in [window]; did you mean "length"?'),
        ("[widow]", "liqcore.toml:1: unknown section [widow]; did you mean [window]?"),
        (
            "[zzz]",
            "liqcore.toml:1: unknown section [zzz]; sections are [instrument], [leverage], [axis], [window], [model], "
            "[source], [render], [log], [limits], [journal], [live], [server], [alerts]",
        ),
        ('[model]\nlength = "1m"', 'liqcore.toml:2: unknown key "length" in [model]; it belongs in [window]'),
        ("[log]\nzzz = 1", 'liqcore.toml:2: unknown key "zzz" in [log]; keys are level, progress'),
        (
            'length = "1m"',
            'liqcore.toml:1: unknown key "length" outside of any section; it belongs in [window]',
        ),
        ("zzz = 1", 'liqcore.toml:1: unknown key "zzz" outside of any section; keys stand in a section'),
        ("window = 5", "liqcore.toml:1: window must be a section, [window], was 5"),
        (
            "[window]\nlength = 5",
            'liqcore.toml:2: window.length must be a length of time such as "30s", "5m" or "3d", in quotes, was 5',
        ),
        ('[window]\nlength = "0s"', 'liqcore.toml:2: window.length must be longer than nothing, was "0s"'),
        ('window.length = "0s"', 'liqcore.toml:1: window.length must be longer than nothing, was "0s"'),
        (
            '[instrument]\ncontract = "Linear"',
            'liqcore.toml:2: instrument.contract must be one of "linear", "inverse", was "Linear" '
            '(did you mean "linear"?)',
        ),
        ("[instrument]\ntick_size = 0", "liqcore.toml:2: instrument.tick_size must be a number above 0, was 0"),
        ("[instrument]\ntick_size = nan", "liqcore.toml:2: instrument.tick_size must be a number above 0, was nan"),
        ("[instrument]\ntick_size = true", "liqcore.toml:2: instrument.tick_size must be a number above 0, was True"),
        ('[instrument]\nsymbol = " "', 'liqcore.toml:2: instrument.symbol must be a symbol, not empty, was " "'),
        (
            "[instrument]\nmmr = 1",
            "liqcore.toml:2: instrument.mmr must be a fraction from 0 to below 1 (0.004 is 0.4 %), was 1",
        ),
        (
            "[model]\nmaker_share = 1.5",
            "liqcore.toml:2: model.maker_share must be a share from 0 to 1, was 1.5",
        ),
        (
            "[render]\nwidth = 1600.0",
            "liqcore.toml:2: render.width must be a whole number of pixels from 480 to 16384, was 1600.0",
        ),
        ("[log]\nprogress = 1", "liqcore.toml:2: log.progress must be true or false, was 1"),
        ("[axis]\nlow = 9\nhigh = 8", "liqcore.toml:2: axis.low must be below axis.high, was 9 with high 8"),
        ("[axis]\nhigh = 8", "liqcore.toml:2: axis.low must be given where axis.high is, was left out"),
        (
            '[leverage]\npreset = "default"\n[leverage.shares]\n"5" = 1.0',
            'liqcore.toml:2: leverage.preset must be left out where leverage.shares is given, was "default"',
        ),
        ("[window\n", "liqcore.toml:1: not TOML: Expected ']' at the end of a table declaration"),
        ('[window]\nlength = "1m"\nlength = "2m"', "liqcore.toml:3: not TOML: Cannot overwrite a value"),
        ("[window]\nlength =", "liqcore.toml:2: not TOML: Invalid value"),
    ],
)
def test_an_error_names_file_line_rule_value_and_the_nearest_name(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("shares", "shown"),
    [
        ('"25" = 0.25', "a sum of 0.25"),
        ('"25" = -0.5\n"5" = 1.5', "-0.5 at tier 25"),
        ('"25" = nan', "nan at tier 25"),
        ('"25" = true', "True at tier 25"),
        ('"25" = "1"', '"1" at tier 25'),
        ('"0.5" = 1.0', '"0.5" as a tier'),
        ('"x" = 1.0', '"x" as a tier'),
        ('"nan" = 1.0', '"nan" as a tier'),
        ('"25" = 0.5\n"25.0" = 0.5', "25 twice"),
        ("", "{}"),
    ],
)
def test_shares_that_are_none_are_refused(shares: str, shown: str) -> None:
    message = refusal(f"[leverage.shares]\n{shares}")
    assert message.startswith("liqcore.toml:1: leverage.shares must be shares by leverage tier")
    assert message.endswith(f", was {shown}")


def test_shares_may_miss_1_by_a_rounding() -> None:
    shares = dict.fromkeys(range(1, 11), 0.1)
    assert LeverageConfig(shares=shares).shares == shares


@pytest.mark.parametrize("value", ['"never"', "5", "{}", '{ "25" = "7" }', '{ "25" = 7 }', '{ "0" = "7d" }'])
def test_half_lives_that_are_none_are_refused(value: str) -> None:
    message = refusal(f"[model]\nhalf_life = {value}")
    assert message.startswith(
        'liqcore.toml:2: model.half_life must be "default", "none" or half-lives by leverage tier'
    )


def test_the_line_is_found_past_values_over_several_lines() -> None:
    text = '[instrument]\nsymbol = """\nlength = "1m"\n[model]\n"""\nvenue = \'\'\'x\'\'\'\n[window]\nlength = 5'
    assert refusal(text).startswith("liqcore.toml:8: window.length")


def test_the_line_is_found_past_a_table_over_several_lines() -> None:
    text = '[leverage]\nintensity = [\n"length]",  # [x\n[1],\n]\n[window]\nlength = 5'
    assert refusal(text).startswith("liqcore.toml:2: leverage.intensity must be a number above 0")
    lines = key_lines(text)
    assert lines == {("leverage",): 1, ("leverage", "intensity"): 2, ("window",): 6, ("window", "length"): 7}


def test_quoted_and_dotted_keys_have_lines() -> None:
    text = "[ leverage . 'shares' ]\n\"25\" = 0.5\n'100' = 0.5\n[axis]\n\"low\" = 5\n"
    lines = key_lines(text)
    assert lines[("leverage", "shares", "100")] == 3
    assert lines[("axis", "low")] == 5


def test_sections_check_themselves_in_python_too() -> None:
    with pytest.raises(InvalidConfigError, match=r'^window\.length must be a length of time .*, was "x"$'):
        WindowConfig(length="x")
    with pytest.raises(InvalidConfigError, match=r"^axis\.low must be below axis\.high, was 2 with high 1$"):
        AxisConfig(low=2, high=1)
    with pytest.raises(InvalidConfigError, match=r"^leverage\.preset must be left out"):
        LeverageConfig(preset="integer-125", shares={5: 1.0})
    with pytest.raises(InvalidConfigError, match=r"^window must be a WindowConfig, was 5$"):
        Config(window=5)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ spellings


@pytest.mark.parametrize("length", ["60m", "1h", "3600s", timedelta(hours=1), np.timedelta64(1, "h")])
def test_equal_lengths_of_time_are_equal_settings(length: Any) -> None:
    config = Config().replace(window={"length": length})
    assert config.window.length == "1h"
    assert config.hash == Config().replace(window={"length": "1h"}).hash


def test_whole_numbers_count_as_numbers() -> None:
    one, other = Config.loads("[axis]\nstep = 20"), Config.loads("[axis]\nstep = 20.0")
    assert one == other
    assert one.hash == other.hash


def test_numpy_numbers_count_as_numbers() -> None:
    axis = AxisConfig(step=np.float64(20))
    assert type(axis.step) is float


def test_minus_zero_is_zero() -> None:
    assert Config.loads("[instrument]\nfee = -0.0").hash == Config().hash


def test_a_byte_order_mark_before_the_text_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_bytes(b'\xef\xbb\xbf[window]\r\nlength = "1m"\r\n')
    config = Config.load(path)
    assert config.window.length == "1m"
    assert config.origin("window.length") == f"{path}:2"


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_bytes(b'[window]\nlength = "\xff"')
    with pytest.raises(InvalidConfigError, match=re.escape(f"{path}: must be TOML in UTF-8, found byte 19")):
        Config.load(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Config.load(tmp_path / "none.toml")


# -------------------------------------------------------------------------------------------------------------- replace


def test_replace_changes_the_keys_named_and_keeps_the_others() -> None:
    before = Config.loads(FILE)
    after = before.replace(window={"warmup": "3d"}, model={"half_life": {100: "24h"}})
    assert after.window == WindowConfig(length="1m", warmup="3d")
    assert after.model.half_life == {100: "1d"}
    assert before.window.warmup is None


def test_replace_takes_a_whole_section() -> None:
    after = Config.loads(FILE).replace(window=WindowConfig(last="1d"))
    assert after.window == WindowConfig(last="1d")
    assert after.origin("window.length") == "default"
    assert after.origin("window.last") == "Python"


def test_a_profile_of_either_kind_takes_the_place_of_the_other() -> None:
    preset = Config().replace(leverage={"preset": "integer-125"})
    shares = preset.replace(leverage={"shares": {5: 1.0}})
    assert (shares.leverage.preset, shares.leverage.shares) == ("default", {5: 1.0})
    assert shares.replace(leverage={"preset": "integer-125"}).leverage.shares is None
    assert preset.replace(leverage={"shares": None}).leverage.preset == "integer-125"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widow": {}}, "unknown section [widow]; did you mean [window]?"),
        ({"window": {"lenght": "1m"}}, 'unknown key "lenght" in [window]; did you mean "length"?'),
        ({"window": 5}, "window must be a WindowConfig or a dict, was 5"),
        ({"window": AxisConfig()}, "window must be a WindowConfig"),
        ({"render": {"side": "buy"}}, 'render.side must be one of "both", "long", "short", was "buy"'),
        ({"axis": {"low": 1}}, "axis.high must be given where axis.low is, was left out"),
        ({"leverage": {"preset": "integer-125", "shares": {5: 1.0}}}, "leverage.preset must be left out"),
    ],
)
def test_replace_refuses_like_a_file(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config().replace(**change)
    assert str(caught.value).startswith(message)


# ------------------------------------------------------------------------------------------------------ layers, origins


def test_flags_override_variables_override_the_file_overrides_defaults(tmp_path: Path) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_text('[window]\nlength = "1m"\nwarmup = "1m"\nlast = "1m"\n')
    config = Config.resolve(
        path,
        {"LIQCORE_WINDOW_WARMUP": "2m", "LIQCORE_WINDOW_LAST": "2m", "HOME": "/"},
        {"window.last": "3m", "window.length": None},
    )
    assert config.window == WindowConfig(length="1m", warmup="2m", last="3m")
    assert config.origin("window.length") == f"{path}:2"
    assert config.origin("window.warmup") == "LIQCORE_WINDOW_WARMUP"
    assert config.origin("window.last") == "flag --last"
    assert config.origin("model.name") == "default"


def test_without_an_environment_given_none_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIQCORE_WINDOW_LENGTH", "1h")
    assert Config.resolve() == Config()
    assert Config.resolve(env=os.environ).window.length == "1h"


def test_variables_of_every_type() -> None:
    config = Config.resolve(
        env={
            "LIQCORE_INSTRUMENT_SYMBOL": "BTCUSDT",
            "LIQCORE_AXIS_STEP": "20",
            "LIQCORE_RENDER_WIDTH": "800",
            "LIQCORE_LOG_PROGRESS": "No",
            "LIQCORE_LEVERAGE_SHARES": "10x:0.5, 25:0.5",
            "LIQCORE_MODEL_HALF_LIFE": "25:7d,100:1d",
            "LIQCORE_WINDOW_LENGTH": "",
        }
    )
    assert (config.instrument.symbol, config.axis.step, config.render.width) == ("BTCUSDT", 20.0, 800)
    assert config.log.progress is False
    assert config.leverage.shares == {10: 0.5, 25: 0.5}
    assert config.model.half_life == {25: "7d", 100: "1d"}
    assert config.window.length == "5m"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("LIQCORE_WINDOW_LENGHT=1m", "unknown variable LIQCORE_WINDOW_LENGHT; did you mean LIQCORE_WINDOW_LENGTH?"),
        ("LIQCORE_WIDOW_LENGTH=1m", "unknown variable LIQCORE_WIDOW_LENGTH; did you mean LIQCORE_WINDOW_LENGTH?"),
        ("LIQCORE_AXIS_STEP=x", 'LIQCORE_AXIS_STEP: axis.step must be a price step above 0, was "x"'),
        ("LIQCORE_AXIS_STEP=-1", "LIQCORE_AXIS_STEP: axis.step must be a price step above 0, was -1.0"),
        ("LIQCORE_LOG_PROGRESS=maybe", 'LIQCORE_LOG_PROGRESS: log.progress must be true or false, was "maybe"'),
        ("LIQCORE_LEVERAGE_SHARES=5", "LIQCORE_LEVERAGE_SHARES: leverage.shares must be shares by leverage tier"),
        ("LIQCORE_AXIS_LOW=5", "LIQCORE_AXIS_LOW: axis.high must be given where axis.low is, was left out"),
    ],
)
def test_a_wrong_variable_is_an_error_that_names_it(assignment: str, message: str) -> None:
    variable, _, value = assignment.partition("=")
    with pytest.raises(InvalidConfigError) as caught:
        Config.resolve(env={variable: value})
    assert str(caught.value).startswith(message)


def test_variables_that_are_no_settings_are_left_alone() -> None:
    env = {"LIQCORE_ISA": "avx2", "LIQCORE_DATA": "/data", "LIQCORE_BUILD_PYTHON": "ON", "LIQCORESOMETHING": "1"}
    assert Config.resolve(env=env) == Config()


def test_both_kinds_of_profile_on_one_layer_are_refused() -> None:
    flags = {"leverage.preset": "default", "leverage.shares": {5: 1.0}}
    with pytest.raises(InvalidConfigError, match=r"^--leverage: leverage\.preset must be left out"):
        Config.resolve(flags=flags)


def test_a_profile_by_flag_takes_the_place_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_text('[leverage]\npreset = "integer-125"\n')
    config = Config.resolve(path, None, {"leverage.shares": "5:0.5,10:0.5"})
    assert config.leverage == LeverageConfig(shares={5: 0.5, 10: 0.5})
    assert config.origin("leverage.preset") == "default"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"window.length": "5"}, "--window: window.length must be a length of time"),
        ({"axis.step": 0}, "--bin: axis.step must be a price step above 0, was 0"),
        ({"render.scale": "cubic"}, "--scale: render.scale must be one of"),
        ({"window.lenght": "5m"}, 'unknown key "window.lenght"; did you mean "window.length"?'),
        ({"window": "5m"}, 'unknown key "window"'),
    ],
)
def test_a_wrong_flag_is_an_error_that_names_it(flags: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.resolve(flags=flags)
    assert str(caught.value).startswith(message)


def test_origins_are_no_part_of_what_a_configuration_is() -> None:
    one = Config.loads('[window]\nlength = "1h"', "a.toml")
    other = Config.resolve(env={"LIQCORE_WINDOW_LENGTH": "60m"})
    assert one == other
    assert hash(one) == hash(other)
    assert one.hash == other.hash
    assert one.origin("window.length") != other.origin("window.length")


def test_a_section_given_in_python_says_so() -> None:
    config = Config(window=WindowConfig(length="1h"))
    assert config.origin("window.length") == "Python"
    assert config.origin("window.last") == "default"
    assert config.replace(window={"last": "1d"}).origin("window.last") == "Python"


@pytest.mark.parametrize("key", ["window", "window.lenght", "widow.length", "window.length.x", ""])
def test_the_origin_of_no_key_is_an_error(key: str) -> None:
    with pytest.raises(InvalidConfigError, match="unknown key"):
        Config().origin(key)


# -------------------------------------------------------------------------------------------------------------- writing


def test_every_key_is_written_with_what_it_means() -> None:
    lines = Config().dump().splitlines()
    for key in setting_keys():
        name = key.split(".")[1]
        (at, *_) = [i for i, line in enumerate(lines) if re.match(rf"(# )?{name} = ", line)]
        assert lines[at - 1].startswith("# ")


def test_an_example_in_the_comments_can_be_taken_as_it_is() -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", Config().dump(), flags=re.MULTILINE)
    text = text.replace('preset = "default"\n', "")
    config = Config.loads(text)
    assert None not in [value for section in config.to_dict().values() for value in section.values()]


def test_the_hash_is_the_same_on_every_machine() -> None:
    canonical = json.dumps(Config().to_dict(), sort_keys=True, separators=(",", ":"))
    assert canonical.startswith('{"axis":{"book_step":null,"high":null,"low":null,"step":null},"instrument":')
    assert Config().hash == "c2a35a897fa2aeed"


def test_a_written_file_replaces_the_old_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "liqcore.toml"
    path.write_text("old")

    def no_space(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(OSError, match="No space"):
            Config().dump(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["liqcore.toml"]
    assert path.read_text() == "old"
    text = Config().dump(path)
    assert path.read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["liqcore.toml"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    Config().dump(tmp_path / "liqcore.toml")
    assert (tmp_path / "liqcore.toml").stat().st_mode == (tmp_path / "plain").stat().st_mode


def save_parquet(path: Path, metadata: dict[str, str]) -> None:
    fastparquet = pytest.importorskip("fastparquet")
    pandas = pytest.importorskip("pandas")
    fastparquet.write(str(path), pandas.DataFrame({"x": [1.0]}), custom_metadata=metadata, write_index=False)


def test_a_saved_result_gives_its_configuration_back(tmp_path: Path) -> None:
    config = Config.loads(FILE)
    path = tmp_path / "result.parquet"
    save_parquet(path, {CONFIG_KEY: json.dumps(config.to_dict())})
    loaded = Config.load(path)
    assert loaded == config
    assert loaded.origin("window.length") == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, 'found a Parquet file without the metadata "liqcore.config"'),
        ("[]", "must be a JSON object"),
        ("{", "must be a JSON object"),
        ('{"window": {"lenght": "5m"}}', 'unknown key "lenght" in [window]'),
        ('{"window": {"length": 5}}', "window.length must be a length of time"),
    ],
)
def test_a_parquet_file_that_is_no_result_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "other.parquet"
    save_parquet(path, {} if text is None else {CONFIG_KEY: text})
    with pytest.raises(LiqcoreError) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.parquet"
    path.write_bytes(b"PAR1 and then nothing of the sort")
    with pytest.raises(DataError, match="found a damaged file"):
        Config.load(path)


def test_a_configuration_travels_between_processes() -> None:
    config = Config.loads(FILE)
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert copy.origin("window.length") == "<text>:7"


# ----------------------------------------------------------------------------------------------------------- round trip

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(lambda text: text.strip())
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
fractions = st.floats(0, 1, exclude_max=True)
lengths = st.builds(
    lambda count, unit: f"{count}{unit}",
    st.integers(1, 10_000),
    st.sampled_from(["ns", "us", "ms", "s", "m", "h", "d"]),
)
tiers = st.floats(1, 1e6)


@st.composite
def leverages(draw: st.DrawFn) -> LeverageConfig:
    intensity = draw(positive)
    if draw(st.booleans()):
        return LeverageConfig(preset=draw(st.sampled_from(["default", "integer-125"])), intensity=intensity)
    counts = draw(st.dictionaries(tiers, st.integers(1, 100), min_size=1, max_size=8))
    total = sum(counts.values())
    return LeverageConfig(shares={tier: count / total for tier, count in counts.items()}, intensity=intensity)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    low, high = sorted(draw(st.lists(st.floats(0, 1e9), min_size=2, max_size=2, unique=True)))
    fixed = draw(st.booleans())
    optional = {"symbol": texts, "venue": texts, "tick_size": positive, "lot_size": positive}
    return Config(
        instrument=InstrumentConfig(
            **{key: draw(st.none() | values) for key, values in optional.items()},
            contract=draw(st.sampled_from(["linear", "inverse"])),
            multiplier=draw(positive),
            mmr=draw(fractions),
            fee=draw(fractions),
        ),
        leverage=draw(leverages()),
        axis=AxisConfig(
            low=low if fixed else None, high=high if fixed else None, step=draw(st.none() | positive), book_step=None
        ),
        window=WindowConfig(length=draw(lengths), warmup=draw(st.none() | lengths), last=draw(st.none() | lengths)),
        model=ModelConfig(
            trigger=draw(st.none() | st.sampled_from(["last", "mark", "candle"])),
            half_life=draw(st.sampled_from(["default", "none"]) | st.dictionaries(tiers, lengths, min_size=1)),
        ),
    ).replace(
        source={"marks": draw(st.none() | texts)},
        render={
            "threshold": draw(st.none() | st.floats(0, 1) | st.sampled_from([1e6, "p95", "250000 usd"])),
            "width": draw(st.integers(480, 16_384)),
        },
        log={"progress": draw(st.booleans())},
    )


@given(configs())
def test_writing_and_reading_give_back_the_configuration(config: Config) -> None:
    loaded = Config.loads(config.dump())
    assert loaded == config
    assert loaded.hash == config.hash
    assert loaded.dump() == config.dump()


@given(configs())
def test_json_and_back_give_the_configuration(config: Config) -> None:
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(configs())
def test_every_key_written_is_found_on_its_line(config: Config) -> None:
    text = config.dump()
    loaded = Config.loads(text, "f")
    lines = text.split("\n")
    for key in setting_keys():
        name, origin = key.split(".")[1], loaded.origin(key)
        if origin != "default":
            line = lines[int(origin.removeprefix("f:")) - 1]
            assert line.startswith(f"{name} = ") or line == f"[{key}]"
