"""
Static pictures of heatmaps and liquidation maps.

`render` draws a heatmap, `render_map` a liquidation map into a file; the extension chooses the renderer. ``png`` is
built in (Pillow, from ``pip install "liqcore[app]"``); packages add others in the entry-point group
``liqcore.renderers``. Every renderer draws the same description of a picture, `Picture`, which `describe` and
`describe_map` make; `figure` and `figure_map` return it as a figure of matplotlib (``liqcore[figures]``), to edit.
"""

from .contract import HeatmapLike, Renderer, RenderOptions
from .map_contract import MapLike, MapOptions
from .picture import Picture
from .registry import describe, describe_map, figure, figure_map, load_renderer, render, render_map, renderers

__all__ = [
    "HeatmapLike",
    "MapLike",
    "MapOptions",
    "Picture",
    "RenderOptions",
    "Renderer",
    "describe",
    "describe_map",
    "figure",
    "figure_map",
    "load_renderer",
    "render",
    "render_map",
    "renderers",
]
