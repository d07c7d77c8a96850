"""What `map` and `zones` share: a heatmap from a saved result or from trade files, a part of it, and JSON of it."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from ..config.config import Config
from ..errors import DataError, InvalidConfigError
from ..words.numbers import price_number
from .common import resolve
from .options import Flags, leverage_flag
from .progress import ProgressCallback
from .run import compute_view

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap


def open_view(
    files: Sequence[str] | None, config: Path | None, flags: Flags, *, leverage: str | None, quiet: bool
) -> tuple[Any, Config]:
    """
    Return the part of a heatmap that is asked for, and the settings.

    Parameters
    ----------
    files : sequence of str
        One saved heatmap, or files of trades.
    config : path, optional
        The configuration file that was named.
    flags : mapping
        What is shown.
    leverage : str, optional
        Tiers, or their shares, as the flag has them.
    quiet : bool
        Whether to leave out the progress bar.
    """
    shares = leverage is not None and ":" in leverage
    flags = {**flags, **(leverage_flag(leverage) if shares else {})}
    saved = next((path for path in files or () if _is_saved_heatmap(path)), None)
    if saved is not None and len(files or ()) > 1:
        raise InvalidConfigError(f"FILES must be one saved heatmap or files of trades, was {len(files or ())} files")
    if saved is not None and config is not None:
        raise InvalidConfigError("--config goes with files of trades: a saved heatmap has its settings")
    settings = resolve(config, flags) if saved is None else Config.resolve(None, {}, flags)
    if not files and settings.source.candles is None:
        raise InvalidConfigError("FILES must be a saved heatmap or files of trades, none was given")

    def compute(progress: ProgressCallback | None) -> "Heatmap":
        if saved is not None:
            return load_saved(saved)
        from ..runs.heatmap import heatmap as run

        return run(files or None, config=settings, progress=progress)

    def load_saved(path: str) -> "Heatmap":
        from .._core import LeverageProfile
        from ..config.build import selection_of
        from ..views.saved import load_heatmap

        heatmap = load_heatmap(path)
        if settings.leverage.shares is not None:
            heatmap = heatmap.reweigh(LeverageProfile(settings.leverage.shares, intensity=heatmap.leverage.intensity))
        return heatmap.select(**selection_of(settings))

    view: Any = compute_view(compute, settings, quiet=quiet)
    if len(view.times) == 0:
        raise DataError(f"{', '.join(files or ())}: no column, because no trade was used")
    if leverage is not None and not shares:
        view = view.select(leverage=numbers("--leverage", leverage, 'tiers such as "25,50"'))
    return view, settings


def _is_saved_heatmap(path: str) -> bool:
    from ..history.shown import ARCHIVE_KEY
    from ..tables.archive import is_saved

    return is_saved(path, ARCHIVE_KEY)


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


def time_text(ns: int) -> str:
    """Return a time as ISO text."""
    from ..words.times import iso

    return iso(ns)


_PRICES = frozenset(["price", "low", "high", "peak_price", "step"])


def echo_json(answer: Mapping[str, Any]) -> None:
    """Write an answer as JSON; what is not a number is null."""
    typer.echo(json.dumps(_plain(answer), indent=2, allow_nan=False))


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
