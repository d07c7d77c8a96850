"""
Static pictures of heatmaps and liquidation maps.

`render` draws a heatmap, `render_map` a liquidation map into a file; the extension chooses the renderer. ``png`` is
built in (Pillow, from ``pip install "liqcore[app]"``); packages add others in the entry-point groups
``liqcore.renderers`` and ``liqcore.map_renderers``.
"""

from .contract import HeatmapLike, Renderer, RenderOptions
from .map_contract import MapLike, MapOptions, MapRenderer
from .registry import load_map_renderer, load_renderer, map_renderers, render, render_map, renderers

__all__ = [
    "HeatmapLike",
    "MapLike",
    "MapOptions",
    "MapRenderer",
    "RenderOptions",
    "Renderer",
    "load_map_renderer",
    "load_renderer",
    "map_renderers",
    "render",
    "render_map",
    "renderers",
]
