"""Colour tables of the heatmap, and the colours around it."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .picture import Colour

# Every fifth of 256 entries; linear in between is within 1 (cividis 4) of 255 of the published tables.
# viridis, inferno: N. J. Smith, S. van der Walt, E. Firing, https://bids.github.io/colormap, CC0.
# cividis: J. R. Nunez, C. R. Anderton, R. S. Renslow, https://doi.org/10.1371/journal.pone.0199239, CC0.
COLORMAPS = {
    "viridis": (
        "44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a3a538b38598c355e8d33638d31688e"
        "2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d20928c1f978b1e9c891fa18821a58524aa8328ae802eb37c35b7793dbc74"
        "46c06f50c46a5ac86465cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725"
    ),
    "cividis": (
        "00224e002656002a5f002d68003070083370163770203a6f273e6e2e416d34456c3a486c3f4c6c444f6c49536c4e566c535a6d575d6d"
        "5c616e60646f656870696b716d6f727272747676767a7a787e7d788381798885788d8878928c789690779b9476a09875a59c74aaa073"
        "afa471b5a86fbaac6dbfb06bc4b468c9b965cfbd62d4c15fdac65bdfca57e5cf52ead34cf0d846f6dd3ffce236fee838"
    ),
    "inferno": (
        "00000402020c0504170a072210092d160b391e0c45260c512f0a5b380962400a67490b6a510e6c59106e61136e69166e71196e781c6d"
        "801f6c88226a902568982766a02a63a82e5fb0315bb73557bf3952c63d4dcc4248d34743d94d3ddf5337e45a31e9612bed6925f1711f"
        "f47918f78212f98b0bfa9407fb9d07fca60cfcb014fbba1ffac42af8cd37f6d746f4e156f2ea69f2f27df5f992fcffa4"
    ),
}


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """
    Return the 256 colours of a colour map, lowest value first.

    Parameters
    ----------
    name : str
        A key of ``COLORMAPS``.

    Returns
    -------
    ndarray of uint8, shape (256, 3), read-only
        Red, green, blue.

    Examples
    --------
    >>> colour_table("viridis")[[0, 255]].tolist()
    [[68, 1, 84], [253, 231, 37]]
    """
    points = np.frombuffer(bytes.fromhex(COLORMAPS[name]), np.uint8).reshape(-1, 3)
    at = np.linspace(0, 255, len(points))
    channels = [np.interp(np.arange(256), at, points[:, channel]) for channel in range(3)]
    table = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    table.setflags(write=False)
    return table


# By role, dark and light. Long and short are Okabe-Ito sky blue and orange (blue and vermilion, darker, on white): told
# apart with any colour vision.
_DARK_AND_LIGHT: dict[str, tuple[Colour, Colour]] = {
    "page": ((13, 17, 23), (255, 255, 255)),
    "empty": ((22, 27, 34), (238, 240, 243)),  # inside the plot, where the heatmap has no cells
    "panel": ((22, 27, 34), (244, 245, 247)),
    "line": ((58, 65, 75), (200, 205, 211)),
    "text": ((230, 233, 238), (24, 28, 34)),
    "muted": ((154, 164, 176), (90, 98, 108)),
    "last": ((240, 242, 245), (24, 28, 34)),  # label of the last price
    "note": ((13, 17, 23), (255, 255, 255)),
    "own": ((255, 255, 255), (24, 28, 34)),  # label of a position of one's own
    "long": ((86, 180, 233), (0, 114, 178)),
    "short": ((230, 159, 0), (213, 94, 0)),
    "curve": ((230, 233, 238), (24, 28, 34)),
    "map last": ((230, 233, 238), (24, 28, 34)),
    "map own": ((255, 255, 255), (24, 28, 34)),
    "map own band": ((255, 255, 255, 26), (24, 28, 34, 22)),
}
# These look the same in both themes, because they lie on the colour table.
_ON_THE_HEATMAP: dict[str, Colour] = {
    "candle edge": (10, 10, 16, 200),
    "candle hollow": (10, 10, 16),
    "grid": (255, 255, 255, 26),
    "guide": (255, 255, 255, 170),
    "gap": (8, 10, 14, 215),
    "ended": (8, 10, 14, 120),
    "hatch": (255, 255, 255, 70),
    "own line": (255, 255, 255),
    "own band": (255, 255, 255, 36),
    "warning": (255, 193, 7),
    "added": (
        240,
        228,
        66,
    ),  # of Okabe-Ito what neither longs, shorts nor candles have, told apart with any colour vision
    "removed": (204, 121, 167),
}
# The layers of a map, in the order of the legend: Okabe-Ito without black, yellow last because it is faint on white.
# M. Okabe, K. Ito, https://jfly.uni-koeln.de/color/
LAYERS: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (213, 94, 0),
    (240, 228, 66),
)

# Rising and falling: white, full and hollow, which no colour table has; what charting programs have, bright enough for
# any colour table; and Okabe-Ito's sky blue and vermilion, brighter.
CANDLES: dict[str, tuple[Colour, Colour]] = {
    "white": ((255, 255, 255), (255, 255, 255)),
    "green-red": ((0, 230, 118), (255, 70, 80)),
    "blue-orange": ((110, 200, 255), (255, 130, 20)),
}


def is_hollow(role: str, candle_colors: str, candle_style: str) -> bool:
    """Whether the body of a candle, ``"up"`` or ``"down"``, is dark inside: where both are white, one of the two is."""
    if candle_colors == "white":
        return (role == "up") == (candle_style == "hollow")
    return role == "up" and candle_style == "hollow"


def palette(theme: str, candle_colors: str) -> dict[str, Colour]:
    """Return the colours of a picture by role; ``"on last"`` is that of a text on the ground ``"last"``."""
    at = ("dark", "light").index(theme)
    colours = {role: pair[at] for role, pair in _DARK_AND_LIGHT.items()} | _ON_THE_HEATMAP
    colours |= dict(zip(("up", "down"), CANDLES[candle_colors], strict=True))
    colours |= {f"layer {k}": colour for k, colour in enumerate(LAYERS)}
    colours |= {"title": colours["text"], "on last": colours["page"], "on note": colours["text"]}
    return colours | {"on own": colours["page"], "on warning": (20, 16, 0)}
