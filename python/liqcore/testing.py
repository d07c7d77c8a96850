"""For people who extend liqcore: sample data, and checks that an extension does what liqcore expects of it."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .render import MapOptions, Picture, Renderer, RenderOptions, describe, describe_map
from .views.map import LiquidationMap

CANDLE_FIELDS = ("open", "high", "low", "close", "buy_qty", "sell_qty")


@dataclass(frozen=True)
class SampleHeatmap:
    """A heatmap with the fields that renderers read, and nothing behind it; see `liqcore.render.HeatmapLike`."""

    times: NDArray[np.int64]
    window_ns: int
    prices: NDArray[np.float64]
    step: float
    long: NDArray[np.float32]
    short: NDArray[np.float32]
    liquidated: NDArray[np.float32]
    candles: NDArray[np.void]
    unit: str = "usd"
    complete: bool = True
    meta: Mapping[str, Any] = field(default_factory=dict)
    gaps: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""
        return self.long + self.short


def sample_heatmap(
    columns: int = 240,
    bins: int = 300,
    *,
    price: float = 62_000.0,
    volatility: float = 0.0015,
    window_ns: int = 300_000_000_000,
    start_ns: int = 1_781_222_400_000_000_000,
    seed: int = 7,
) -> SampleHeatmap:
    """
    Return a made-up heatmap: levels appear at leveraged distances from a wandering price and end where it meets them.

    Parameters
    ----------
    columns, bins : int
        Shape; either may be 0. The bins cover about 12 % of ``price`` on either side.
    price : float
        Price at the start.
    volatility : float
        Standard deviation of the relative change from window to window.
    window_ns, start_ns : int
        Length of a window and start of the first, nanoseconds; the start is 2026-06-12 unless given.
    seed : int
        The same seed gives the same heatmap.

    Examples
    --------
    >>> heatmap = sample_heatmap(columns=10, bins=20)
    >>> heatmap.values.shape, heatmap.meta["synthetic"]
    ((10, 20), True)
    """
    random = np.random.default_rng(seed)
    step = float(f"{0.24 * price / max(bins, 1):.2g}")
    tick = float(f"1e{np.floor(np.log10(price)) - 5:.0f}")
    low = np.floor(price / step - bins / 2 + 0.5) * step
    prices = low + step * np.arange(bins)
    candles = np.full(columns, np.nan, [(name, np.float64) for name in CANDLE_FIELDS])
    long, short, liquidated = (np.zeros((columns, bins), np.float32) for _ in range(3))
    live_long, live_short = np.zeros(bins), np.zeros(bins)
    shares = {5: 0.1, 10: 0.25, 25: 0.3, 50: 0.2, 100: 0.15}
    close = price
    for column in range(columns):
        path = close * np.exp(np.cumsum(np.append(0.0, random.normal(0, volatility / 3, 9))))
        path = np.rint(path / tick) * tick
        close = float(path[-1])
        volume = float(random.lognormal(0, 1)) * (1 + 60 * abs(close / path[0] - 1))
        candles[column] = (path[0], path.max(), path.min(), close, volume / 2, volume / 2)
        touched = (prices <= path.max()) & (prices + step > path.min())
        liquidated[column] = np.where(touched, live_long + live_short, 0.0)
        live_long[touched] = live_short[touched] = 0.0
        for leverage, share in shares.items():
            entry = float(random.choice(path))
            for levels, direction in ((live_long, -1), (live_short, 1)):
                bin_ = int((entry * (1 + direction * (1 / leverage - 0.004)) - low) // step)
                if 0 <= bin_ < bins and not touched[bin_]:
                    levels[bin_] += 1e6 * volume * share
        long[column], short[column] = live_long, live_short
    return SampleHeatmap(
        times=start_ns + window_ns * np.arange(columns, dtype=np.int64),
        window_ns=window_ns,
        prices=prices,
        step=step,
        long=long,
        short=short,
        liquidated=liquidated,
        candles=candles,
        meta={
            "symbol": "SAMPLEUSDT",
            "venue": "nowhere",
            "model": "flow",
            "meaning": "opened turnover",
            "trigger": "last",
            "leverage": shares,
            "base": "SAMPLE",
            "quote": "USDT",
            "synthetic": True,
        },
    )


def edge_cases() -> Iterator[tuple[str, SampleHeatmap]]:
    """Yield heatmaps that a renderer may meet, each with what is special about it."""
    usual = sample_heatmap(24, 40)
    nothing = np.zeros_like(usual.long)
    no_candles = usual.candles.copy()
    no_candles[:] = tuple(np.nan for _ in CANDLE_FIELDS)
    some_candles = usual.candles.copy()
    some_candles[::2] = no_candles[0]
    nan_cells = usual.long.copy()
    nan_cells[3, 5] = np.nan
    yield "usual", usual
    yield "no columns", sample_heatmap(0, 40)
    yield "no bins", sample_heatmap(24, 0)
    yield "no columns and no bins", sample_heatmap(0, 0)
    yield "one cell", replace(sample_heatmap(1, 1), long=np.array([[5.0]], np.float32))
    yield "one empty cell", sample_heatmap(1, 1)
    yield "one column", sample_heatmap(1, 40)
    yield "one bin", sample_heatmap(24, 1)
    yield "all zero", replace(usual, long=nothing, short=nothing, liquidated=nothing)
    yield "NaN candles", replace(usual, candles=no_candles)
    yield "NaN in every other candle", replace(usual, candles=some_candles)
    yield "all zero and NaN candles", replace(usual, long=nothing, short=nothing, candles=no_candles)
    yield "NaN cells", replace(usual, long=nan_cells)
    yield "longs only", replace(usual, short=nothing)
    yield "shorts only", replace(usual, long=nothing)
    yield "candles off the axis", replace(usual, prices=usual.prices * 3)
    yield "unfinished last column", replace(usual, complete=False)
    yield "empty metadata", replace(usual, meta={})
    yield "quantity", replace(usual, unit="quantity")
    yield "several venues, one stale", replace(usual, meta=_merged(usual.meta))
    yield "prices below a thousandth", sample_heatmap(24, 40, price=0.00001234)
    yield "prices of six digits", sample_heatmap(24, 40, price=103_456.7)
    yield "windows of a second", sample_heatmap(24, 40, window_ns=1_000_000_000)
    yield "windows of a week", sample_heatmap(60, 40, window_ns=7 * 86_400_000_000_000, volatility=0.01)
    yield "a gap, and data that ends", _with_holes(usual)
    yield "part of the levels", replace(usual, meta={**usual.meta, "shown": {"side": "short", "leverage": [50.0]}})
    yield "time with a gap", replace(usual, times=np.where(np.arange(24) < 12, usual.times, usual.times + 10**13))


def _with_holes(usual: SampleHeatmap) -> SampleHeatmap:
    """Trades miss from the sixth to the tenth column; open interest ends with the eighteenth."""
    times = usual.times.tolist()
    missing = [{"what": "open interest", "begin": times[18], "end": None}]
    candles = usual.candles.copy()
    candles[6:10] = tuple(np.nan for _ in CANDLE_FIELDS)
    return replace(usual, candles=candles, gaps=np.array([times[6:11:4]]), meta={**usual.meta, "missing": missing})


def _merged(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What the sum of two venues says of itself, one of which has stopped."""
    venues = {"nowhere": dict(meta), "elsewhere": {**meta, "venue": "elsewhere", "leverage": {20: 1.0}}}
    stale = ["elsewhere as last known, 1h old"]
    return {**meta, "venue": " + ".join(venues), "venues": venues, "stale": stale, "leverage": {}}


def check_renderer(render: Renderer) -> None:
    """
    Check that a renderer copes with every picture that it may be given.

    Each of `edge_cases` and `map_edge_cases` is drawn twice, at two sizes, and with options off their defaults.

    Parameters
    ----------
    render : Renderer
        Called as ``render(picture, file)``.

    Raises
    ------
    AssertionError
        If it writes nothing, or something else when called again; names the case.
    Exception
        Whatever it raises, with the case as a note.

    Examples
    --------
    >>> from liqcore.render import load_renderer
    >>> check_renderer(load_renderer("png"))
    """
    for case, picture in pictures():
        written = []
        for _ in range(2):
            file = io.BytesIO()
            try:
                render(picture, file)
            except Exception as error:
                error.add_note(f"check_renderer: {case}")
                raise
            written.append(file.getvalue())
        assert written[0], f"{case}: the renderer wrote nothing"
        assert written[0] == written[1], f"{case}: the renderer wrote something else when called again"


def pictures() -> Iterator[tuple[str, Picture]]:
    """Yield pictures that a renderer may be given, each with what is special about it."""
    small = RenderOptions(width=800, height=450)
    options = {
        "linear scale": replace(small, scale="linear"),
        "log scale": replace(small, scale="log"),
        "fixed maximum": replace(small, maximum=1.0),
        "threshold": replace(small, threshold=0.5),
        "threshold that hides all": replace(small, maximum=1e30, threshold=1.0),
        "long": replace(small, side="long"),
        "short": replace(small, side="short"),
        "price range": replace(small, price_range=(61_000.0, 62_000.0)),
        "cividis": replace(small, colormap="cividis"),
        "hollow candles of other colours": replace(small, candle_style="hollow", candle_colors="blue-orange"),
    }
    for case, heatmap in edge_cases():
        yield case, describe(heatmap, small)
    usual = sample_heatmap(24, 40)
    for case, given in (_shared(small) | options).items():
        yield case, describe(usual, given)
    smaller = MapOptions(width=700, height=450)
    for case, shown in map_edge_cases():
        yield f"map: {case}", describe_map(shown, smaller)
    shared = _shared(smaller) | {"price range": replace(smaller, price_range=(61_000.0, 62_500.0))}
    for case, of_map in shared.items():
        yield f"map: {case}", describe_map(sample_map(60), of_map)


_Options = TypeVar("_Options", RenderOptions, MapOptions)


def _shared(small: _Options) -> dict[str, _Options]:
    """Return options that all pictures have."""
    return {
        "smallest picture": replace(small, width=480, height=270),
        "usual picture": type(small)(),
        "price range off the axis": replace(small, price_range=(1.0, 2.0)),
        "long title": replace(small, title="a title that is too long for any picture " * 9),
        "empty title": replace(small, title=""),
        "light theme": replace(small, theme="light"),
    }


def sample_map(
    bins: int = 300,
    tiers: Sequence[float] = (5, 10, 25, 50, 100),
    *,
    price: float = 62_000.0,
    seed: int = 7,
) -> LiquidationMap:
    """
    Return a made-up liquidation map: each tier's levels gather around its distance from the price.

    Parameters
    ----------
    bins : int
        May be 0. The bins cover about 12 % of ``price`` on either side.
    tiers : sequence of float
    price : float
        NaN: nothing has traded.
    seed : int
        The same seed gives the same map.

    Examples
    --------
    >>> sample_map(bins=10).long.shape
    (5, 10)
    """
    random = np.random.default_rng(seed)
    middle = 62_000.0 if np.isnan(price) else price
    step = float(f"{0.24 * middle / max(bins, 1):.2g}")
    prices = (np.floor(middle / step - bins / 2 + 0.5) + np.arange(bins)) * step
    away = (prices + step / 2) / middle - 1
    long, short = np.zeros((len(tiers), bins)), np.zeros((len(tiers), bins))
    for row, tier in enumerate(tiers):
        for cells, side in ((long, -1), (short, 1)):
            shape = np.exp(-(((side * away - 1 / tier) * tier / 0.3) ** 2)) * random.lognormal(0, 0.5, bins)
            cells[row] = np.where(side * away > 0, 1e6 * shape, 0.0)
    return LiquidationMap(
        time_ns=1_781_258_400_000_000_000,
        price=price,
        tiers=np.array(tiers, np.float64),
        prices=prices,
        step=step,
        long=long,
        short=short,
        unit="usd",
        meta={**sample_heatmap(0, 0).meta, "leverage": {tier: 1 / len(tiers) for tier in tiers}},
    )


def map_edge_cases() -> Iterator[tuple[str, LiquidationMap]]:
    """Yield liquidation maps that a renderer may meet, each with what is special about it."""
    usual = sample_map(60)
    nothing = np.zeros_like(usual.long)
    nan_cells = usual.long.copy()
    nan_cells[1, 5] = np.nan
    yield "usual", usual
    yield "no bins", sample_map(0)
    yield "no tiers", sample_map(60, ())
    yield "one bin", sample_map(1, (10,))
    yield "all zero", replace(usual, long=nothing, short=nothing)
    yield "longs only", replace(usual, short=nothing)
    yield "shorts only", replace(usual, long=nothing)
    yield "NaN cells", replace(usual, long=nan_cells)
    yield "no last price", sample_map(60, price=np.nan)
    yield "last price off the axis", replace(usual, price=3 * usual.price)
    yield "all whole tiers to 125", sample_map(60, range(1, 126))
    yield "quantity", replace(usual, unit="quantity")
    yield "unfinished window", replace(usual, complete=False)
    yield "empty metadata", replace(usual, meta={})
    yield "prices below a thousandth", sample_map(60, price=0.00001234)
    yield "prices of six digits", sample_map(60, price=103_456.7)
    yield "many bins", sample_map(5_000)
