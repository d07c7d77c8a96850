"""Files that liqcore 0.1.0 saved load and say what they said then; files of a later format are refused by version."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastparquet import ParquetFile
from fastparquet.writer import update_file_custom_metadata

import liqcore as lq
from saved_by_0_1_0.make_saved import (
    go_on,
    numbers,
    what_config_says,
    what_engine_is,
    what_engine_says,
    what_footprints_say,
    what_heatmap_says,
)

SAVED = Path(__file__).parent / "saved_by_0_1_0"
SAYS: dict[str, Any] = json.loads((SAVED / "says.json").read_text(encoding="utf-8"))
HEATMAPS = ("heatmap", "selected", "merged")
ENGINES = ("flow", "none", "oi", "blend", "vendor")
LOADERS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    **dict.fromkeys(HEATMAPS, (lq.load_heatmap, "liqcore.heatmap", "a heatmap")),
    **{f"engine-{model}": (lq.Engine.load, "liqcore.engine", "an engine") for model in ENGINES},
    "footprints": (lq.load_footprints, "liqcore.footprints", "footprints"),
}
"""Of each file: what loads it, where its header is, and what a refusal calls it."""


UNSEALED = "{} was saved by an earlier liqcore, without a checksum: damage would not be noticed; save it again"


def plain(said: Any) -> Any:
    """What is said, as it reads back from JSON."""
    return json.loads(json.dumps(said, allow_nan=False))


def check_config(config: lq.Config, said: dict[str, Any]) -> None:
    """Every setting of then is there and has its value; so has the hash, as long as no setting has come since."""
    now = plain(what_config_says(config))
    of_then = {
        section: {key: now["settings"][section][key] for key in table} for section, table in said["settings"].items()
    }
    assert of_then == said["settings"]
    if now["settings"] == of_then:
        assert now["hash"] == said["hash"]


# --- they say the same ---


def of_then(said: dict[str, Any]) -> dict[str, Any]:
    """What a heatmap says, but for what is said otherwise since: ages of unfinished books, the map's sentence."""
    meta = {key: value for key, value in said["meta"].items() if key not in ("book_age_ns", "stale")}
    sentence = said["map"]["sentence"].partition(" (")[0].replace("liquidates", "reaches").partition(", no ")[0]
    rest = {key: value for key, value in said.items() if key != "config"}
    return rest | {"meta": meta, "map": {**said["map"], "sentence": sentence}}


@pytest.mark.parametrize("name", HEATMAPS)
def test_heatmaps_show_the_same(name: str) -> None:
    loaded = lq.load_heatmap(SAVED / f"{name}.parquet")
    assert loaded.meta.pop("no_checksum") == UNSEALED.format(f"{name}.parquet")
    assert of_then(plain(what_heatmap_says(loaded))) == of_then(SAYS[name])


@pytest.mark.parametrize("name", ["heatmap", "selected"])
def test_heatmaps_hold_the_settings_that_repeat_them(name: str) -> None:
    config = lq.Config.load(SAVED / f"{name}.parquet")
    check_config(config, SAYS[name]["config"])
    assert config.origin("axis.step") == str(SAVED / f"{name}.parquet")


@pytest.mark.parametrize("name", HEATMAPS)
def test_heatmaps_saved_again_show_the_same(name: str, tmp_path: Path) -> None:
    again = lq.load_heatmap(SAVED / f"{name}.parquet").save(tmp_path / "again.parquet")
    assert of_then(plain(what_heatmap_says(lq.load_heatmap(again)))) == of_then(SAYS[name])


@pytest.mark.parametrize("folder", [SAVED, SAVED.with_name("saved_as_parquet")], ids=lambda path: path.name)
@pytest.mark.parametrize("model", ENGINES)
def test_engines_stand_where_they_stood_and_go_on_the_same(model: str, folder: Path, tmp_path: Path) -> None:
    said = SAYS[f"engine-{model}"]
    engine = lq.Engine.load(folder / f"engine-{model}.parquet")
    again = lq.Engine.load(engine.save(tmp_path / "again.liq"))
    assert engine.notes == [UNSEALED.format(f"engine-{model}.parquet")]
    assert engine.heatmap().meta["notes"] == engine.notes
    assert again.notes == []
    assert "notes" not in again.heatmap().meta
    for loaded in (engine, again):
        assert plain(what_engine_is(loaded)) == said["is"]
        assert plain(what_engine_says(loaded)) == said["loaded"]
        go_on(loaded)
        assert plain(what_engine_says(loaded)) == said["gone on"]


def test_footprints_hold_the_same_runs_and_make_the_same_heatmap() -> None:
    stream = lq.load_footprints(SAVED / "footprints.parquet")
    assert stream.notes == [UNSEALED.format("footprints.parquet")]
    said = SAYS["footprints"]
    later = {"off_range": 0, "outlier": 0}  # reasons that 0.1.0 did not know
    assert plain(what_footprints_say(stream)) == said | {"rejected": said["rejected"] | later}


def test_features_are_a_table_that_any_reader_reads() -> None:
    said = SAYS["features"]
    with (SAVED / "features.parquet").open("rb") as file:  # fastparquet leaves files of its own open
        table = ParquetFile(file)
        meta = json.loads(table.key_value_metadata["liqcore.features"])
        frame = table.to_pandas()
    assert list(frame.columns) == ["time", *said["names"]]
    assert plain(numbers(frame["time"].to_numpy())) == said["times"]
    assert plain(numbers(frame[said["names"]].to_numpy())) == said["values"]
    assert {key: meta[key] for key in said["meta"]} == said["meta"]


@pytest.mark.parametrize("name", ["liqcore", "preset"])
def test_configurations_mean_the_same(name: str) -> None:
    config = lq.Config.load(SAVED / f"{name}.toml")
    check_config(config, SAYS[name])
    assert lq.Config.loads(config.dump()) == config
    assert lq.Config.from_dict(SAYS[name]["settings"]) == config


def test_every_setting_is_in_one_of_the_configurations() -> None:
    whole = SAYS["liqcore"]["settings"]
    unset = [f"{section}.{key}" for section, table in whole.items() for key, value in table.items() if value is None]
    assert unset == []
    assert SAYS["preset"]["settings"]["leverage"]["preset"] != whole["leverage"]["preset"]


# --- or are refused in words ---


def with_header(name: str, folder: Path, **changes: Any) -> Path:
    """A copy of a file with another header."""
    _, key, _ = LOADERS[name]
    path = folder / f"{name}.parquet"
    shutil.copyfile(SAVED / path.name, path)
    with path.open("rb") as file:
        header = json.loads(ParquetFile(file).key_value_metadata[key])
    update_file_custom_metadata(str(path), {key: json.dumps(header | changes)})
    return path


@pytest.mark.parametrize("name", LOADERS)
def test_a_later_format_is_refused_by_its_number(name: str, tmp_path: Path) -> None:
    load, _, what = LOADERS[name]
    load(with_header(name, tmp_path))
    path = with_header(name, tmp_path, schema=99)
    with pytest.raises(lq.DataError, match=rf": expected {what} saved by liqcore with schema 1 or 2, found schema 99$"):
        load(path)


def test_footprints_of_a_later_format_are_refused_as_trades_too(tmp_path: Path) -> None:
    path = with_header("footprints", tmp_path, schema=99)
    with pytest.raises(lq.DataError, match="expected footprints saved by liqcore with schema 1 or 2, found schema 99"):
        lq.heatmap(path)


@pytest.mark.parametrize("name", [*LOADERS, "features"])
def test_a_file_of_another_kind_is_refused_by_what_it_lacks(name: str) -> None:
    own = LOADERS[name][0] if name in LOADERS else None
    for load, key, what in {loader: found for found in LOADERS.values() if (loader := found[0]) != own}.values():
        lacks = rf'expected {what} saved by liqcore, found a Parquet file without the metadata "{key}"'
        with pytest.raises(lq.DataError, match=lacks):
            load(SAVED / f"{name}.parquet")


def test_a_setting_of_a_later_version_is_refused_by_name_and_line() -> None:
    text = (SAVED / "liqcore.toml").read_text(encoding="utf-8")
    line = text.count("\n") + 1
    with pytest.raises(
        lq.InvalidConfigError, match=rf'^liqcore\.toml:{line}: unknown key "sound" in \[log\]; keys are '
    ):
        lq.Config.loads(f'{text}sound = "loud"\n', "liqcore.toml")
