"""A screener: over many markets, the largest zone near the price of each."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..config.build import look_of, selection_of
from ..config.config import Config
from ..errors import DataError, InvalidConfigError, LiqcoreError
from ..history.shown import ARCHIVE_KEY
from ..render.tiles import TILE, tiles
from ..sources.text import find_files
from ..sources.trade_files import open_trade_file
from ..tables.archive import is_saved
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or
from ..views.heatmap import Heatmap
from ..views.notebook import Target
from ..views.saved import load_heatmap
from ..words.files import write_whole
from ..words.numbers import plain_values
from ..words.times import Time
from .heatmap import heatmap
from .trades import PathLike

__all__ = ["ORDERS", "Screen", "Screened", "screen"]

ORDERS = ("value", "distance", "age", "imbalance", "symbol")
"""What markets may be sorted by: the most first, of distances the least."""

_LOOK = ("colormap", "scale", "theme", "candle_colors", "candle_style")
"""What small pictures take of a configuration's look."""

Progress = Callable[[int, int, str], object]
"""Called as ``progress(markets_done, markets, name)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """
    One market of a screen.

    Attributes
    ----------
    name, symbol, venue : str
        What it is called in the screen, and what its heatmap says.
    time_ns : int
        The instant, nanoseconds since the UNIX epoch.
    price : float
        The last traded price.
    side : str
        Of its largest zone within reach: "long" lies below the price, "short" above; empty where there is none.
    low, high : float
        Edges of that zone; NaN where there is none, as all that follows of it.
    value, share : float
        What is live in it, in `unit`, and which share of all of its side that is.
    distance_percent : float
        From the price to its nearer edge, negative below.
    age_ns : float
        For how long it has been there without a break, as far back as columns are shown.
    long, short : float
        All that a fall, and a rise, by the reach would pass, in `unit`.
    imbalance : float
        (short - long) / (short + long) of these: from -1, longs alone, to 1; NaN where there is nothing.
    unit, meaning : str
    picture : bytes
        A small picture, PNG; empty unless asked for.
    """

    name: str
    symbol: str
    venue: str
    time_ns: int
    price: float
    side: str
    low: float
    high: float
    value: float
    share: float
    distance_percent: float
    age_ns: float
    long: float
    short: float
    imbalance: float
    unit: str
    meaning: str
    picture: bytes = field(default=b"", repr=False, compare=False)


class Screen(Sequence[Screened], Tabular):
    """
    The markets of a screen, in their order; a sequence of `Screened` that is also a table.

    Attributes
    ----------
    within : float
        Its reach, percent of each market's price.
    errors : dict of str to str
        What was wrong with markets that are not among them, by name.
    """

    def __init__(self, markets: Sequence[Screened], *, within: float, errors: Mapping[str, str] | None = None) -> None:
        self._markets = tuple(markets)
        self.within = within
        self.errors = dict(errors or {})

    def __len__(self) -> int:
        return len(self._markets)

    def __getitem__(self, i: Any) -> Any:
        found = self._markets[i]
        return Screen(found, within=self.within, errors=self.errors) if isinstance(i, slice) else found

    def sorted_by(self, order: str) -> Screen:
        """
        Return it in another order.

        Parameters
        ----------
        order : {"value", "distance", "age", "imbalance", "symbol"}
            The most first, of distances the least, of imbalances the furthest from 0; markets without a zone last.
        """
        if order not in ORDERS:
            raise InvalidConfigError(f"order must be one of {ORDERS}, was {order!r}")

        def key(one: Screened) -> tuple[Any, ...]:
            if order == "symbol":
                return (one.symbol or one.name, one.name)
            number = {
                "value": -one.value,
                "distance": abs(one.distance_percent),
                "age": -one.age_ns,
                "imbalance": -abs(one.imbalance),
            }[order]
            return (math.isnan(number), number, one.name)

        return Screen(sorted(self, key=key), within=self.within, errors=self.errors)

    def _columns(self) -> Columns:
        columns: dict[str, Any] = {}
        for each in fields(Screened):
            if each.name in ("picture", "time_ns", "age_ns"):
                continue
            values = [getattr(one, each.name) for one in self]
            columns[each.name] = values if each.type == "str" else np.array(values, np.float64)
        columns["age_hours"] = np.array([one.age_ns for one in self], np.float64) / 3.6e12
        columns["time"] = np.array([one.time_ns for one in self], np.int64).view("datetime64[ns]")
        units = {one.unit for one in self}
        amounts = amount_decimals("usd" if units <= {"usd"} else "quantity")
        decimals = dict.fromkeys(("value", "long", "short"), amounts)
        return Columns(
            columns, decimals | dict.fromkeys(("share", "distance_percent", "imbalance"), 4) | {"age_hours": 2}
        )

    def to_json(self) -> str:
        """Return it as JSON: ``within``, ``markets`` (the fields of `Screened`; null for NaN) and ``errors``."""
        markets = [
            {name: plain_values(value) for name, value in asdict(one).items() if name != "picture"} for one in self
        ]
        return json.dumps({"within": self.within, "markets": markets, "errors": self.errors}, indent=2, allow_nan=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as CSV, the columns of `to_pandas`, or JSON, as `to_json`, by the name's end."""
        if Path(path).suffix.lower() != ".json":
            csv_or(path, ".json")
            return self._save_csv(path)
        with write_whole(path) as file:
            file.write(self.to_json().encode() + b"\n")
        return Path(path)

    def render(self, path: Target = None) -> Any:
        """
        Draw the markets' small pictures side by side, in their order: PNG, as `Heatmap.render` returns it.

        Raises
        ------
        InvalidConfigError
            If there is no market, or the screen was made without ``pictures=True``.
        """
        pictures = [one.picture for one in self]
        if not pictures or not all(pictures):
            what = "of at least one market" if not pictures else "made with pictures=True"
            raise InvalidConfigError(f"screen must be {what} to be drawn, was not")
        return tiles(pictures, path)

    def __repr__(self) -> str:
        wrong = f", {len(self.errors)} could not be used" if self.errors else ""
        return f"<Screen: {len(self)} markets within {self.within:g} %{wrong}>"


def screen(
    markets: Any,
    *,
    within: float = 5.0,
    at: Time | None = None,
    threshold: float | str | None = None,
    order: str = "value",
    pictures: bool = False,
    config: Config | PathLike | None = None,
    progress: Progress | None = None,
) -> Screen:
    """
    Return the largest zone near the price of each of many markets.

    One market's fault does not stop the others: it is in `Screen.errors`. Markets are read one after the other, so that
    no more than one is in memory.

    Parameters
    ----------
    markets : mapping of names to heatmaps or paths, or paths or patterns
        A saved heatmap is a market, a folder (all of its files) is one, and so are the trade files of one symbol and
        layout.
    within : float, default 5
        Reach, percent of the price, above 0 and below 100.
    at : int, str, datetime or datetime64, optional
        What was known at this time, as for `Heatmap.map`; the last column if left out.
    threshold : float or str, optional
        What each bin of a zone holds at least, as for `Heatmap.zones`; "p90" by default, of the bins within reach.
    order : {"value", "distance", "age", "imbalance", "symbol"}
        See `Screen.sorted_by`.
    pictures : bool
        Whether to draw a small picture of each, for `Screen.render` (needs Pillow).
    config : Config or path, optional
        How heatmaps are made of trades, and what is shown of all, as for `liqcore.heatmap`.
    progress : callable, optional
        Called as ``progress(done, markets, name)`` before each market and at the end.

    Returns
    -------
    Screen

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or there is no market.
    DataError
        If a path names nothing.

    Notes
    -----
    Amounts are relative levels (`Screened.meaning`): within a market they compare, between markets they are as far
    apart as the markets' turnover.

    Examples
    --------
    >>> import liqcore as lq
    >>> one, two = (lq.heatmap(trades=lq.simulate(days=0.1, seed=n).trades, symbol=f"SIM{n}") for n in (1, 2))
    >>> found = screen({"one": one, "two": two}, within=10)
    >>> sorted(market.symbol for market in found), found[0].value >= found[1].value
    (['SIM1', 'SIM2'], True)
    """
    if not 0 < within < 100:
        raise InvalidConfigError(f"within must be above 0 and below 100 percent, was {within!r}")
    settings = Config() if config is None else config if isinstance(config, Config) else Config.load(config)
    named = dict(markets) if isinstance(markets, Mapping) else groups_of(markets)
    if not named:
        raise InvalidConfigError("markets must name at least one, were none")
    Screen([], within=within).sorted_by(order)  # refuses a wrong one before anything is read
    found, errors = [], {}
    for done, (name, of) in enumerate(named.items()):
        if progress is not None:
            progress(done, len(named), name)
        try:
            hm = _heatmap_of(of, settings)
            picture = hm.render(renderer="png", **(look_of(settings, _LOOK) | TILE)) if pictures else b""
            found.append(_screened(name, hm, within, at, threshold, picture))
        except (LiqcoreError, OSError) as error:
            errors[name] = str(error)
    if progress is not None:
        progress(len(named), len(named), "")
    return Screen(found, within=within, errors=errors).sorted_by(order)


def groups_of(paths: PathLike | Sequence[PathLike]) -> dict[str, Any]:
    """
    Return files by market: a saved heatmap and a folder each by itself, trade files by symbol and layout.

    Raises
    ------
    DataError
        If a path names nothing.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in given:
        if Path(path).is_dir():
            inside = sorted(file for file in Path(path).iterdir() if file.is_file() and not file.name.startswith("."))
            groups[("folder", Path(path).name)] = inside
            continue
        for file in find_files(path):
            groups.setdefault(_group_of(file), []).append(file)
    names: dict[str, Any] = {}
    for (*kind, name), files in groups.items():
        unique = name if name not in names else f"{name} ({' '.join(kind)})"
        while unique in names:
            unique += "'"
        names[unique] = files
    return names


def _group_of(file: Path) -> tuple[str, ...]:
    """Kind and name of the market that a file is of."""
    if is_saved(file, ARCHIVE_KEY):
        return ("saved", str(file), file.stem)
    try:
        report = open_trade_file(file, "auto").report
    except LiqcoreError:
        return ("file", str(file), file.name)  # what is wrong with it is said in its turn
    return (report.format, report.symbol) if report.symbol else ("file", str(file), file.name)


def _heatmap_of(of: Any, settings: Config) -> Heatmap:
    """Make or read a market's heatmap, as far as it is shown."""
    if isinstance(of, Heatmap):
        return of.select(**selection_of(settings))
    files = [of] if isinstance(of, str | os.PathLike) else list(of)
    if not files:
        raise DataError("expected files of trades or a saved heatmap, found an empty folder")
    if len(files) == 1 and is_saved(files[0], ARCHIVE_KEY):
        return load_heatmap(files[0]).select(**selection_of(settings))
    return heatmap(files, config=settings)


def _screened(
    name: str, hm: Heatmap, within: float, at: Time | None, threshold: float | str | None, picture: bytes
) -> Screened:
    now = hm.map(at)
    near = now.within(within)
    largest = max(hm.zones(at, threshold=threshold, within=within), key=lambda zone: zone.value, default=None)
    both = near.long + near.short
    nothing = math.nan
    return Screened(
        name=name,
        symbol=str(hm.meta.get("symbol") or ""),
        venue=str(hm.meta.get("venue") or ""),
        time_ns=now.time_ns,
        price=now.price,
        side=largest.side if largest else "",
        low=largest.low if largest else nothing,
        high=largest.high if largest else nothing,
        value=largest.value if largest else nothing,
        share=largest.share if largest else nothing,
        distance_percent=largest.distance_percent if largest else nothing,
        age_ns=float(now.time_ns - largest.since_ns) if largest else nothing,
        long=near.long,
        short=near.short,
        imbalance=(near.short - near.long) / both if both else nothing,
        unit=now.unit,
        meaning=str(hm.meta.get("meaning") or ""),
        picture=picture,
    )


def names_of(errors: Mapping[str, str]) -> Iterator[str]:
    """Say what was wrong, a line a market."""
    return (f"{name}: {error}" if name not in error else error for name, error in errors.items())
