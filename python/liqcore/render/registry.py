"""The renderers there are, by the extension of the file they write, and `render` and `render_map`, which call one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import InvalidConfigError, LiqcoreError
from ..market.position import Position
from ..words.files import write_whole
from .contract import HeatmapLike, Renderer, RenderOptions
from .map_contract import MapLike, MapOptions, MapRenderer

GROUP = "liqcore.renderers"
MAP_GROUP = "liqcore.map_renderers"
_BUILT_IN = {
    GROUP: {"png": "liqcore.render.draw:render_png"},
    MAP_GROUP: {"png": "liqcore.render.map_draw:render_map_png"},
}


def renderers() -> list[str]:
    """
    Return the extensions that can be written, built in and installed, sorted; loads none of the renderers.

    Examples
    --------
    >>> "png" in renderers()
    True
    """
    return sorted(_found(GROUP))


def map_renderers() -> list[str]:
    """Return the extensions in which liquidation maps can be drawn: `renderers` for them."""
    return sorted(_found(MAP_GROUP))


def load_renderer(name: str) -> Renderer:
    """
    Load a renderer.

    Parameters
    ----------
    name : str
        Extension of the files it writes, without the dot.

    Raises
    ------
    InvalidConfigError
        If there is none of that name; says which there are.
    LiqcoreError
        If it cannot be loaded, e.g. because Pillow is not installed; says what to install.
    """
    return cast(Renderer, _load(GROUP, name, "renderer"))


def load_map_renderer(name: str) -> MapRenderer:
    """Load a renderer of liquidation maps: `load_renderer` for them."""
    return cast(MapRenderer, _load(MAP_GROUP, name, "renderer"))


def render(
    heatmap: HeatmapLike,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    renderer: str | None = None,
    width: int = 1600,
    height: int = 900,
    colormap: str = "viridis",
    scale: str = "sqrt",
    maximum: float | None = None,
    threshold: float | None = None,
    side: str = "both",
    price_range: Sequence[float] | None = None,
    title: str | None = None,
    theme: str = "dark",
    candle_colors: str = "green-red",
    candle_style: str = "filled",
    positions: Sequence[str | Position] | None = None,
) -> Path | bytes | None:
    """
    Draw a heatmap into a file.

    The file appears whole or not at all: after an interrupt or on a full disk, an older one is still there.

    Parameters
    ----------
    heatmap : HeatmapLike
        What to draw; a `liqcore.Heatmap`, or anything with the same fields.
    path : path or binary file, optional
        Where to. The extension chooses the renderer; an open file, or bytes that are returned, are of `renderer`.
    renderer : str, optional
        Name of the renderer, whatever the extension is; "png" where there is none.
    width, height, colormap, scale, maximum, threshold, side, price_range, title, theme, candle_colors, candle_style, \
    positions
        See `RenderOptions`.

    Returns
    -------
    pathlib.Path, bytes or None
        The path that was written; without one the picture; nothing where it went into an open file.

    Raises
    ------
    InvalidConfigError
        For an option that cannot work, or an extension nothing is registered for.
    LiqcoreError
        If the renderer cannot be loaded, e.g. because Pillow is not installed.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from liqcore.testing import sample_heatmap
    >>> folder = tempfile.mkdtemp()
    >>> render(sample_heatmap(), f"{folder}/map.png", width=800, height=450).name
    'map.png'
    """
    options = RenderOptions(
        width, height, colormap, scale, maximum, threshold, side, price_range, title, theme, candle_colors,
        candle_style, positions
    )  # fmt: skip
    write = cast(Renderer, _load_for(GROUP, path, renderer))
    return _written(path, lambda file: write(heatmap, file, options))


def render_map(
    shown: MapLike,
    path: str | os.PathLike[str] | BinaryIO | None = None,
    *,
    renderer: str | None = None,
    width: int = 1600,
    height: int = 900,
    price_range: Sequence[float] | None = None,
    title: str | None = None,
    theme: str = "dark",
    positions: Sequence[str | Position] | None = None,
) -> Path | bytes | None:
    """
    Draw a liquidation map into a file, which appears whole or not at all.

    Parameters
    ----------
    shown : MapLike
        What to draw.
    path : path or binary file, optional
        Where to. The extension chooses the renderer; an open file, or bytes that are returned, are of `renderer`.
    renderer : str, optional
        Name of the renderer, whatever the extension is; "png" where there is none.
    width, height, price_range, title, theme, positions
        See `MapOptions`.

    Returns
    -------
    pathlib.Path, bytes or None
        The path that was written; without one the picture; nothing where it went into an open file.

    Raises
    ------
    InvalidConfigError, LiqcoreError, OSError
        As `render`.

    Examples
    --------
    >>> import tempfile
    >>> from liqcore.testing import sample_map
    >>> render_map(sample_map(), f"{tempfile.mkdtemp()}/map.png", width=700, height=450).name
    'map.png'
    """
    options = MapOptions(width, height, price_range, title, theme, positions)
    write = cast(MapRenderer, _load_for(MAP_GROUP, path, renderer))
    return _written(path, lambda file: write(shown, file, options))


Place = str | os.PathLike[str] | BinaryIO | None


def _written(path: Place, write: Callable[[BinaryIO], object]) -> Path | bytes | None:
    """Put a picture where it belongs, whole or not at all."""
    if isinstance(path, str | os.PathLike):
        with write_whole(path) as file:
            write(file)
        return Path(path)
    if path is not None and not hasattr(path, "write"):
        raise TypeError(f"path must be a path, a binary file or left out, was {path!r}")
    picture = io.BytesIO()
    write(picture)
    if path is None:
        return picture.getvalue()
    path.write(picture.getvalue())
    return None


def _load_for(group: str, path: Place, renderer: str | None) -> object:
    """Load the renderer of a name, or that of a file's extension."""
    if renderer is not None or not isinstance(path, str | os.PathLike):
        return _load(group, renderer or "png", "renderer")
    target = Path(path)
    return _load(group, target.suffix.removeprefix(".").lower(), f"the extension of {target.name}")


def _load(group: str, name: str, argument: str) -> object:
    found = _found(group)
    if name not in found:
        raise InvalidConfigError(f"{argument} must be one of {', '.join(sorted(found))}, was {name!r}")
    try:
        return cast(object, found[name].load())
    except (ImportError, AttributeError) as error:
        if (error.name or "").partition(".")[0] == "PIL":
            raise LiqcoreError(f'{name} pictures need Pillow: pip install "liqcore[app]"') from error
        raise LiqcoreError(f"the renderer {name} ({found[name].value}) cannot be loaded: {error}") from error


def _found(group: str) -> dict[str, EntryPoint]:
    """Return what is registered; what is built in cannot be replaced by a package that happens to be installed."""
    installed = {point.name: point for point in entry_points(group=group)}
    built_in = {name: EntryPoint(name, value, group) for name, value in _BUILT_IN[group].items()}
    return installed | built_in
