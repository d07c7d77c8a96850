"""The renderers there are, by the extension of the file they write, and `render` and `render_map`, which call one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ..errors import InvalidConfigError, LiqcoreError
from ..market.position import Position
from ..words.files import Place, handed_over
from .artists import figure_of
from .contract import HeatmapLike, Renderer, RenderOptions
from .layout import layout
from .map_contract import MapLike, MapOptions
from .map_layout import map_layout
from .page import Measure
from .picture import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "liqcore.renderers"
_BUILT_IN = {
    "html": "liqcore.render.html:render_html",
    "png": "liqcore.render.draw:render_png",
    "svg": "liqcore.render.svg:render_svg",
}


def renderers() -> list[str]:
    """
    Return the extensions that can be written, built in and installed, sorted; loads none of the renderers.

    Examples
    --------
    >>> "png" in renderers()
    True
    """
    return sorted(_found())


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
    return _load(name, "renderer")


def describe(heatmap: HeatmapLike, options: RenderOptions | None = None, *, measure: Measure | None = None) -> Picture:
    """
    Describe the picture of a heatmap: all that is seen and said in it, in whatever format it is drawn.

    Parameters
    ----------
    heatmap : HeatmapLike
    options : RenderOptions, optional
    measure : callable, optional
        ``measure(text, size)`` is the width of a text in pixels in the font that it will be drawn in; by default in
        that of PNG.

    Examples
    --------
    >>> from liqcore.testing import sample_heatmap
    >>> picture = describe(sample_heatmap())
    >>> picture.kind, picture.scales["price"].unit, any("estimate" in text.text for text in picture.texts)
    ('heatmap', 'price', True)
    """
    return layout(heatmap, options or RenderOptions(), measure or _measure())


def describe_map(shown: MapLike, options: MapOptions | None = None, *, measure: Measure | None = None) -> Picture:
    """Describe the picture of a liquidation map, as `describe` that of a heatmap."""
    return map_layout(shown, options or MapOptions(), measure or _measure())


def figure(heatmap: HeatmapLike, options: RenderOptions | None = None) -> Figure:
    """
    Return the picture of a heatmap as a figure of matplotlib, to edit or to save as PDF.

    Its axes ``"plot"`` count times and prices, so that what is added lies where it belongs; those called ``"profile"``
    amounts and prices. Values, colours and texts are those of `describe`. It belongs to no window: `pyplot` knows
    nothing of it, and it goes when nobody holds it any more.

    Parameters
    ----------
    heatmap : HeatmapLike
    options : RenderOptions, optional

    Returns
    -------
    matplotlib.figure.Figure
        Of ``options.width / 100`` by ``options.height / 100`` inches.

    Raises
    ------
    LiqcoreError
        If matplotlib is not installed.
    """
    return figure_of(describe(heatmap, options), _measure())


def figure_map(shown: MapLike, options: MapOptions | None = None) -> Figure:
    """Return the picture of a liquidation map as `figure` that of a heatmap; its axes count prices and amounts."""
    return figure_of(describe_map(shown, options), _measure())


def _measure() -> Measure:
    """Return how wide texts are in PNG; needs Pillow."""
    try:
        from .draw import measure
    except ImportError as error:
        raise LiqcoreError('pictures need Pillow: pip install "liqcore[app]"') from error
    return measure


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
    candle_colors: str = "white",
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
    write = _load_for(path, renderer)
    picture = describe(heatmap, options)
    return handed_over(path, lambda file: write(picture, file))


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
    write = _load_for(path, renderer)
    picture = describe_map(shown, options)
    return handed_over(path, lambda file: write(picture, file))


def _load_for(path: Place, renderer: str | None) -> Renderer:
    """Load the renderer of a name, or that of a file's extension."""
    if renderer is not None or not isinstance(path, str | os.PathLike):
        return _load(renderer or "png", "renderer")
    target = Path(path)
    return _load(target.suffix.removeprefix(".").lower(), f"the extension of {target.name}")


def _load(name: str, argument: str) -> Renderer:
    found = _found()
    if name not in found:
        raise InvalidConfigError(f"{argument} must be one of {', '.join(sorted(found))}, was {name!r}")
    try:
        return cast(Renderer, found[name].load())
    except (ImportError, AttributeError) as error:
        if (error.name or "").partition(".")[0] == "PIL":
            raise LiqcoreError(f'{name} pictures need Pillow: pip install "liqcore[app]"') from error
        raise LiqcoreError(f"the renderer {name} ({found[name].value}) cannot be loaded: {error}") from error


def _found() -> dict[str, EntryPoint]:
    """Return what is registered; what is built in cannot be replaced by a package that happens to be installed."""
    installed = {point.name: point for point in entry_points(group=GROUP)}
    return installed | {name: EntryPoint(name, value, GROUP) for name, value in _BUILT_IN.items()}
