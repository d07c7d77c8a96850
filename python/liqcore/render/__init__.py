"""
Static pictures of heatmaps.

`render` draws a heatmap into a file; the extension chooses the renderer. ``png`` is built in (Pillow, from
``pip install "liqcore[app]"``); packages add others in the entry-point group ``liqcore.renderers``.
"""

from .contract import HeatmapLike, Renderer, RenderOptions
from .registry import load_renderer, render, renderers

__all__ = ["HeatmapLike", "RenderOptions", "Renderer", "load_renderer", "render", "renderers"]
