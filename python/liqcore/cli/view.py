"""What commands that look at heatmaps share: one from a saved result or trade files, a part of it, and JSON of it."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from ..config.config import Config
from ..config.sections import all_settings
from ..errors import DataError, InvalidConfigError
from ..words.numbers import price_number
from ..words.times import iso, to_ns
from .progress import ProgressCallback
from .run import compute_view

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap


OF_TRADES = "goes with files of trades: a saved heatmap has its own"
OF_VIEWS = ("window.length", "window.last", "window.opened_within", "window.start", "window.end", "axis.step")
"""Settings that say what is shown of a saved heatmap, beside all of [render], [leverage] and [log]."""


def open_view(files: Sequence[str] | None, settings: Config, *, quiet: bool) -> Any:
    """
    Return the part of a heatmap that is asked for.

    Parameters
    ----------
    files : sequence of str
        One saved heatmap, or files of trades.
    settings : Config
        Among others what is shown.
    quiet : bool
        Whether to leave out the progress bar.
    """
    saved = saved_of(files)
    if saved is None and not files and settings.source.candles is None and settings.source.positions is None:
        raise InvalidConfigError("FILES must be a saved heatmap or files of trades, none was given")
    if saved is not None:
        refuse_terms(settings)

    def compute(progress: ProgressCallback | None) -> "Heatmap":
        if saved is not None:
            return load_shown(saved, settings)
        from ..runs.heatmap import heatmap as run

        return run(files or None, config=settings, progress=progress)

    view: Any = compute_view(compute, settings, quiet=quiet)
    if len(view.times) == 0:
        raise DataError(f"{', '.join(files or ())}: no column, because no trade was used")
    return view


def saved_of(files: Sequence[str] | None) -> str | None:
    """Return the saved heatmap that is to be read, told by its header; None where the files are of something else."""
    saved = next((path for path in files or () if is_saved_heatmap(path)), None)
    if saved is not None and len(files or ()) > 1:
        raise InvalidConfigError(
            f"FILES must be one saved heatmap or files of trades, was {len(files or ())} files, and {saved} is a saved "
            "heatmap: liqcore merge sums those of several venues"
        )
    return saved


def refuse_terms(settings: Config) -> None:
    """Refuse options that a saved heatmap can no longer obey."""
    for entry in all_settings():
        origin = settings.origin(entry.key)
        viewed = entry.section in ("render", "leverage", "log") or entry.key in OF_VIEWS
        if origin.startswith("flag ") and not viewed:
            raise InvalidConfigError(f"{origin.removeprefix('flag ')} {OF_TRADES}")


def load_shown(path: str | os.PathLike[str], settings: Config) -> "Heatmap":
    """Read a saved heatmap, and return what the settings show of it."""
    from ..views.saved import load_heatmap

    return part_of(load_heatmap(path), settings)


def part_of(heatmap: "Heatmap", settings: Config) -> "Heatmap":
    """Return what the settings show of a heatmap: a selection, in cells and shares as the options have them."""
    from ..config.build import profile_of, selection_of

    def given(*keys: str) -> bool:
        return any(settings.origin(key).startswith("flag ") for key in keys)

    step = settings.axis.step if given("axis.step") else None
    window = settings.window.length if given("window.length") else None
    if step is not None or window is not None:
        heatmap = heatmap.rebin(step=step, window=window)
    if given("leverage.shares", "leverage.preset"):
        profile = profile_of(settings.replace(leverage={"intensity": heatmap.leverage.intensity}))
        heatmap = heatmap.reweigh(profile)
    return heatmap.select(**selection_of(settings))


def is_saved_heatmap(path: str) -> bool:
    """Whether a file is a saved heatmap, by its header."""
    from ..history.shown import ARCHIVE_KEY
    from ..tables.archive import is_saved

    return is_saved(path, ARCHIVE_KEY)


def check_at(view: "Heatmap", at: str | None) -> None:
    """Refuse an instant outside the data: the last column would be passed off as that of another time."""
    if at is None:
        return
    begin, end = int(view.times[0]), int(view.times[-1]) + view.window_ns
    if not begin <= to_ns(at, name="--at") <= end:
        raise InvalidConfigError(f"--at must lie within the data, {iso(begin)} to {iso(end)}, was {at!r}")


def numbers(flag: str, text: str, rule: str) -> list[float]:
    """Return the numbers of a flag such as ``"1,2,5"``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidConfigError(f'{flag} must be {rule}, was "{text}"') from None


def market(view: Any) -> dict[str, Any]:
    """Return what every answer says of where it comes from."""
    meta: Mapping[str, Any] = view.meta
    keys = ("symbol", "venue", "model", "meaning", "trigger")
    return {
        **{key: meta.get(key) or None for key in keys},
        "unit": view.unit,
        "synthetic": bool(meta.get("synthetic")),
        "version": meta.get("version"),
    }


_PRICES = frozenset(["price", "low", "high", "peak_price", "step"])


def echo_json(answer: Mapping[str, Any]) -> None:
    """Write an answer as JSON; what is not a number is null."""
    typer.echo(json_text(answer))


def write_json(path: Path, answer: Mapping[str, Any]) -> None:
    """Write the same to a file."""
    path.write_text(json_text(answer) + "\n", encoding="utf-8")


def json_text(answer: Mapping[str, Any]) -> str:
    """Return an answer as JSON; what is not a number is null."""
    return json.dumps(_plain(answer), indent=2, allow_nan=False)


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, str(key)) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if name in _PRICES and isinstance(value, float):
        value = price_number(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
