"""What pictures say is so: parts, gaps, ended data, cuts, totals, own positions; from one description, at any size."""

from __future__ import annotations

import importlib.metadata
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

import liqcore as lq
from liqcore.config import Config
from liqcore.market.position import Position
from liqcore.render import MapOptions, Picture, RenderOptions, describe, describe_map, registry, render
from liqcore.render.captions import ESTIMATE, UNFINISHED
from liqcore.render.colours import colour_table
from liqcore.render.labels import amount
from liqcore.render.picture import Box, Candle, Hatch, Line, Raster
from liqcore.testing import sample_heatmap, sample_map
from pictures import assert_sound

SIZES = [(480, 270), (600, 400), (1600, 900), (3840, 2160)]
HOUR = 3_600_000_000_000
BEGIN = 1_767_571_200_000_000_000  # 2026-01-05
LEVERAGE = {10: 0.4, 25: 0.3, 50: 0.2, 100: 0.1}
TERMS = {"symbol": "SIM", "leverage": LEVERAGE, "window": "5m"}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def trades_of(market: lq.Market, keep: Any) -> tuple[Any, ...]:
    trades = market.trades
    return tuple(getattr(trades, name)[keep] for name in ("ts", "price", "qty", "taker_sell"))


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.5, trades_per_day=60_000, seed=4)


@pytest.fixture(scope="module")
def screens(market: lq.Market) -> dict[str, lq.Heatmap]:
    """What the tests look at: one heatmap each of what a picture must not hide."""
    ts = market.trades.ts
    first, last = int(ts[0]), int(ts[-1])
    hour = np.arange(first, last, 300_000_000_000)
    samples = hour[hour < first + 7 * HOUR]
    interest = samples, 1000.0 + np.abs(np.sin(np.arange(len(samples)))) * 50
    whole = lq.heatmap(trades=market.trades, venue=None, **TERMS)
    early = lq.heatmap(trades=trades_of(market, ts < first + 6 * HOUR), **TERMS)
    return {
        "whole": whole,
        "part": whole.select(side="short", leverage=[50, 100]),
        "cut": whole.select(threshold="p90"),
        "gap": lq.heatmap(trades=trades_of(market, (ts < first + 3 * HOUR) | (ts > first + 6 * HOUR)), **TERMS),
        "ended": lq.heatmap(trades=market.trades, open_interest=interest, **TERMS),
        "merged": lq.merge_venues({"one": whole, "two": early}),
        "time frame": whole.select(opened_within="2h", last="4h"),
    }


def words(picture: Picture) -> str:
    return " | ".join(text.text for text in picture.texts)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_overlaps_or_is_cut_on_any_screen(
    screens: dict[str, lq.Heatmap], width: int, height: int, theme: str
) -> None:
    positions = ["long:60000:25x", "short:61000:50x:0.5", "long:59000:2x"]
    for name, hm in screens.items():
        for own in ((), positions):
            look = RenderOptions(width=width, height=height, theme=theme, positions=own)
            of_map = MapOptions(width=width, height=height, theme=theme, positions=own)
            for picture in (describe(hm, look), describe_map(hm.map(), of_map)):
                try:
                    assert_sound(picture)
                except AssertionError as error:
                    error.add_note(f"{name}, {picture.kind}, {len(own)} positions")
                    raise
                said = words(picture)
                assert "estimate" in said
                assert "relative level: " in said, "the reader learns the scale where the numbers stand"
                if width >= 1600:
                    assert ESTIMATE in said


def test_what_has_no_room_is_left_out_in_the_stated_order(screens: dict[str, lq.Heatmap]) -> None:
    hm = screens["cut"]
    for shown, look in ((hm, RenderOptions), (hm.map(), MapOptions)):
        before: set[str] = set()
        for height in (900, 500, 420, 360, 320, 300, 290, 280, 270):
            options: Any = look(width=600, height=height)
            picture = describe(shown, options) if shown is hm else describe_map(shown, options)
            assert_sound(picture)
            left_out = {re.sub(r"[0-9.,]+", "#", item) for item in picture.left_out}
            assert before <= left_out, "what has gone comes back"
            before = left_out
        assert "model flow" in left_out
    small = describe(hm, RenderOptions(width=480, height=270))
    assert "estimate, relative level: opened turnover" in words(small)
    assert small.left_out[-1] == "model flow"


# ---- one description -------------------------------------------------------------------------------------------------


def test_every_renderer_is_given_the_words_that_png_draws(
    screens: dict[str, lq.Heatmap], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point = importlib.metadata.EntryPoint("rec", "test_pictures:record", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [point])
    drawn: list[str] = []
    write = ImageDraw.ImageDraw.text

    def noted(self: Any, xy: Any, text: str, *rest: Any, **options: Any) -> None:
        drawn.append(text)
        write(self, xy, text, *rest, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    for name, hm in screens.items():
        for shown in (hm, hm.map()):
            RECORDED.clear()
            drawn.clear()
            shown.render(tmp_path / "x.rec", width=900, height=500)
            shown.render(tmp_path / "x.png", width=900, height=500)
            (picture,) = RECORDED
            assert drawn == [text.text for text in picture.texts], name


RECORDED: list[Picture] = []


def record(picture: Picture, file: BinaryIO) -> None:
    RECORDED.append(picture)
    file.write(b".")


def test_a_description_is_frozen_and_says_all_that_is_drawn() -> None:
    picture = describe(sample_heatmap())
    with pytest.raises(AttributeError):
        picture.width = 3  # type: ignore[misc]
    roles = {mark.role for panel in picture.panels for mark in panel.marks if not isinstance(mark, Raster)}
    roles |= {panel.role for panel in picture.panels} | {one.role for one in (*picture.texts, *picture.boxes)}
    assert roles <= picture.colours.keys(), "a renderer needs no colours of its own"


# ---- the scale ---


def test_no_text_calls_amounts_what_would_be_liquidated() -> None:
    """Only a fitted profile gives dollars; "where positions would be liquidated" is a price, and fine."""
    root = Path(__file__).resolve().parents[2]
    files = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "python").rglob("*.py")]
    files += [*(root / "examples").glob("*.py"), *(root / "cpp" / "include").rglob("*.h*")]
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in files
        if path.name != "ticks.md"  # of one strange print, which would liquidate half the book
        for match in re.finditer(r"would\W+liquidate\b|liquidates \$", path.read_text(encoding="utf-8"))
    ]
    assert found == []


# ---- parts and totals ------------------------------------------------------------------------------------------------


def test_a_part_says_so_and_nothing_of_the_rest(screens: dict[str, lq.Heatmap]) -> None:
    part = screens["part"]
    for picture in (describe(part), describe_map(part.map())):
        said = words(picture)
        assert "shorts only · 50x, 100x" in said
        assert "longs" not in said
        assert "10x" not in said.replace("100x", "")
        assert "25x" not in said
    assert "longs" not in part.map().sentence()
    whole = describe_map(screens["whole"].map())
    colours = {box.role for box in describe_map(part.map()).boxes if box.role.startswith("layer")}
    assert colours == {"layer 2", "layer 3"} < {box.role for box in whole.boxes}


def test_totals_say_what_they_are_of_and_agree_with_the_map(screens: dict[str, lq.Heatmap]) -> None:
    for name in ("whole", "merged", "time frame"):
        hm = screens[name]
        said, now = words(describe(hm)), hm.map()
        for side, cells in (("long", now.long), ("short", now.short)):
            assert f"{side}s " in said
            assert f"{amount(float(cells.sum()), 'usd')} in all" in said, (name, side)
            assert f"{amount(float(cells.sum()), 'usd')} in all" in words(describe_map(now)), (name, side)
    assert " in view, " in words(describe(screens["whole"], RenderOptions(price_range=(59_000, 61_000))))


def test_bars_state_how_much_of_price_they_sum(screens: dict[str, lq.Heatmap]) -> None:
    hm = screens["whole"]
    picture = describe(hm)
    bars = [box for box in picture.marks(Box, "profile") if isinstance(box, Box) and box.role in ("long", "short")]
    price = picture.scales["price"]
    tallest = max(box.rect.height for box in bars)
    height = (price.high - price.low) / (price.start - price.end) * tallest
    stated = float(words(picture).partition("bars, right: USD per ")[2].split(" ")[0])
    assert stated % hm.step == 0
    assert height == pytest.approx(stated, rel=0.5)


# ---- holes and ends --------------------------------------------------------------------------------------------------


def test_a_gap_is_drawn_as_a_gap(screens: dict[str, lq.Heatmap], tmp_path: Path) -> None:
    hm = screens["gap"]
    picture = describe(hm)
    (gap,) = (box.rect for box in picture.marks(Box) if isinstance(box, Box) and box.role == "gap")
    begin, end = hm.gaps[0].tolist()
    time = picture.scales["time"]
    assert (gap.left, gap.right) == (round(time.at(begin)), round(time.at(end)))
    assert "no trades 3h" in words(picture)
    assert not [c for c in picture.marks(Candle) if isinstance(c, Candle) and gap.left + 9 < c.x < gap.right - 9]
    with Image.open(hm.render(tmp_path / "gap.png")) as image, Image.open(io.BytesIO(plain(picture))) as without:
        inside = (
            gap.left + 3,
            picture.panel("plot").rect.top + 9,
            gap.right - 3,
            picture.panel("plot").rect.bottom - 9,
        )
        assert np.asarray(image.crop(inside)).mean() < 0.5 * np.asarray(without.crop(inside)).mean()


def plain(picture: Picture) -> bytes:
    """The picture without what lies on its cells."""
    import dataclasses

    from liqcore.render.draw import render_png

    plot, *rest = picture.panels
    bare = dataclasses.replace(plot, marks=tuple(mark for mark in plot.marks if isinstance(mark, Raster)))
    file = io.BytesIO()
    render_png(dataclasses.replace(picture, panels=(bare, *rest)), file)
    return file.getvalue()


def test_data_that_ends_is_hatched_and_named(screens: dict[str, lq.Heatmap]) -> None:
    for name, what in (("ended", "open interest ended 2026-01-05 06:5"), ("merged", "two ended 2026-01-05 06:00")):
        hm = screens[name]
        picture = describe(hm)
        (hatch,) = (mark.rect for mark in picture.marks(Hatch) if isinstance(mark, Hatch))
        assert hatch.right == picture.panel("plot").rect.right
        (missing,) = hm.meta["missing"]
        assert hatch.left == round(picture.scales["time"].at(missing["begin"]))
        assert what in words(picture)
        assert what in words(describe_map(hm.map()))
        assert what not in words(describe_map(hm.map(int(hm.times[20]))))
    assert not describe(screens["whole"]).marks(Hatch)
    assert not describe(screens["merged"].select(venues="one")).marks(Hatch)


@pytest.mark.parametrize(
    ("times", "missing"),
    [
        ([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55], []),
        ([0, 5, 10, 15, 20], [(20, None)]),
        ([30, 35, 40, 45, 50, 55], [(None, 30)]),
        ([0, 5, 10, 30, 35, 40, 45, 50, 55], [(10, 30)]),
        ([], [(None, None)]),
    ],
)
def test_samples_are_missing_where_they_do_so_for_longer_than_usual(
    times: list[int], missing: list[tuple[int | None, int | None]]
) -> None:
    from liqcore.runs.side_streams import _holes

    minute = 60_000_000_000
    found = _holes(np.array(times, np.int64) * minute, 0, 60 * minute)
    assert [tuple(end and end // minute for end in hole) for hole in found] == missing


def test_only_what_the_model_needs_counts_as_missing(market: lq.Market) -> None:
    ts = market.trades.ts
    samples = np.arange(int(ts[0]), int(ts[0]) + 4 * HOUR, 300_000_000_000)
    interest = samples, np.linspace(1000.0, 1200.0, len(samples))
    flow = lq.heatmap(trades=market.trades, open_interest=interest, model="flow", **TERMS)
    assert flow.meta["missing"] == []
    marks = samples, np.full(len(samples), float(market.trades.price[0]))
    (ended,) = lq.heatmap(trades=market.trades, marks=marks, **TERMS).meta["missing"]
    assert ended == {"what": "marks", "begin": int(samples[-1]), "end": None}


# ---- cuts and scales -------------------------------------------------------------------------------------------------


def test_a_threshold_rescales_the_colours_and_says_the_cut(screens: dict[str, lq.Heatmap]) -> None:
    hm = screens["cut"]
    picture = describe(hm)
    scale = picture.scales["colour"]
    assert scale.low == hm.cut > 0
    assert f"below {amount(hm.cut, 'usd')} hidden (percentile 90)" in words(picture)
    (raster,) = (mark for mark in picture.marks(Raster) if isinstance(mark, Raster))
    some = raster.entries[raster.entries > 0]
    assert some.min() < 40, "the least of what is left has the lowest colours"
    assert some.max() == 255
    smallest = hm.values[hm.values > 0].min()
    assert smallest >= np.float32(hm.cut)


def test_the_top_of_the_scale_is_of_what_is_in_view(screens: dict[str, lq.Heatmap]) -> None:
    hm = screens["whole"]
    near = describe(hm, RenderOptions(price_range=(59_500, 60_500)))
    far = describe(hm)
    inside = (hm.prices >= 59_500) & (hm.prices < 60_500)
    assert near.scales["colour"].high <= hm.values[:, inside].max()
    assert near.scales["colour"].high != far.scales["colour"].high


# ---- time, age, ticks ------------------------------------------------------------------------------------------------


def fed(window: str, until: int) -> lq.Engine:
    """An engine with trades from 01:30 on, one a minute."""
    eng = lq.Engine(
        lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, window=window, half_life=None
    )
    begin = 90 * 60_000_000_000
    for ts in range(begin, until, 60_000_000_000):
        eng.trade(ts, 1000.0, 1.0, taker_sell=False)
    return eng


@pytest.mark.parametrize("window", ["1m", "1h", "1d"])
def test_the_age_of_a_book_is_the_time_since_its_first_trade(window: str) -> None:
    hm = fed(window, 4 * HOUR).heatmap()
    assert hm.meta["book_age_ns"] == 4 * HOUR - 60_000_000_000 - 90 * 60_000_000_000
    assert "book age 2h 29m" in words(describe(hm))


def test_a_column_is_called_unfinished_only_where_it_is() -> None:
    assert UNFINISHED in words(describe(fed("1h", 4 * HOUR + HOUR // 2).heatmap()))
    nearly = fed("1h", 5 * HOUR).heatmap()  # its last trade came a minute before the window's end
    assert not nearly.complete[-1]
    assert UNFINISHED not in words(describe(nearly))
    assert "window unfinished" not in words(describe_map(nearly.map()))
    lasting = fed("1h", 5 * HOUR)
    lasting.trade(5 * HOUR - 1, 1000.0, 1.0, taker_sell=True)
    assert lasting.heatmap().complete[-1], "nothing can come in it any more"


def test_candles_that_fill_their_windows_leave_none_unfinished() -> None:
    n = 12
    ones = np.full(n, 100.0)
    candles = BEGIN + np.arange(n) * 300_000_000_000, ones, ones + 1, ones - 1, ones, ones, ones
    eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, window="15m")
    eng.candles(*candles, interval="5m")
    assert eng.heatmap().complete.all()


@pytest.mark.parametrize(
    ("price", "tick", "ticks"), [(0.00001234, 1e-8, 1), (0.02, 1e-5, 1), (0.1, 1e-5, 5), (60_000.0, 0.1, 300)]
)
def test_rows_of_coarse_ticks_are_one_tick(price: float, tick: float, ticks: int) -> None:
    rng = np.random.default_rng(1)
    prices = np.rint(price / tick + np.cumsum(rng.integers(-1, 2, 500))) * tick
    trades = BEGIN + np.arange(500) * 60_000_000_000, prices, np.ones(500), rng.random(500) < 0.5
    hm = lq.heatmap(trades=trades, symbol="X", leverage={10: 1.0}, outlier=0)
    assert hm.step / tick == pytest.approx(ticks, rel=0.2)
    eng = lq.Engine(lq.Instrument(symbol="X", tick_size=tick, lot_size=1.0), leverage={10: 1.0})
    eng.trades(*trades)
    assert eng.heatmap().prices.tolist() == hm.prices.tolist()
    axis = lq.PriceAxis(low=0.0, high=10_000 * hm.step, step=tick, tick_size=tick)
    if hm.step < 10 * tick:
        fixed = lq.heatmap(trades=trades, symbol="X", leverage={10: 1.0}, outlier=0, axis=axis)
        assert fixed.step == pytest.approx(hm.step)


# ---- candles and own positions ---------------------------------------------------------------------------------------


def _contrast(a: Any, b: Any) -> float:
    """Return the contrast of two colours as WCAG 2 reckons it."""
    values = []
    for colour in (a, b):
        share = np.asarray(colour[:3]) / 255
        light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        values.append(float(light) + 0.05)
    return max(values) / min(values)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("colormap", ["viridis", "cividis"])
def test_white_candles_read_on_every_colour_by_their_body_or_their_edge(colormap: str, theme: str) -> None:
    picture = describe(sample_heatmap(), RenderOptions(colormap=colormap, theme=theme))
    candles = [mark for mark in picture.marks(Candle) if isinstance(mark, Candle)]
    assert {candle.up for candle in candles} == {True, False}
    assert all(candle.hollow != candle.up for candle in candles)
    edge = picture.colours["candle edge"]
    for ground in [*colour_table(colormap), picture.colours["empty"]]:
        covered = np.asarray(ground) * (1 - edge[3] / 255) + np.asarray(edge[:3]) * edge[3] / 255
        assert max(_contrast(picture.colours["up"], ground), _contrast(covered, ground)) >= 3
        assert _contrast(picture.colours["up"], covered) >= 3
    hollow = describe(sample_heatmap(), RenderOptions(candle_style="hollow"))
    assert all(mark.hollow == mark.up for mark in hollow.marks(Candle) if isinstance(mark, Candle))


def test_candles_are_green_and_red_with_a_legend_and_hollow_on_request() -> None:
    picture = describe(sample_heatmap(), RenderOptions(candle_colors="green-red"))
    assert {"rising", "falling"} <= {text.text for text in picture.texts}
    assert picture.colours["up"][1] > 200 > picture.colours["up"][0]
    assert picture.colours["down"][0] > 200 > picture.colours["down"][1]
    candles = [mark for mark in picture.marks(Candle) if isinstance(mark, Candle)]
    assert {candle.role for candle in candles} == {"up", "down"}
    assert not any(candle.hollow for candle in candles)
    other = describe(sample_heatmap(), RenderOptions(candle_colors="blue-orange", candle_style="hollow"))
    assert other.colours["up"][2] == 255
    hollow = [mark for mark in other.marks(Candle) if isinstance(mark, Candle)]
    assert all(candle.hollow == candle.up for candle in hollow)


def test_a_position_is_marked_with_what_lies_between(screens: dict[str, lq.Heatmap]) -> None:
    hm = screens["whole"]
    price = lq.liquidation_price("long", 60_000, 25, schedule=lq.MarginSchedule.flat(0.004))
    picture = describe(hm, RenderOptions(positions=["long:60000:25x"]))
    at = picture.scales["price"].at
    lines = [line.y0 for line in picture.marks(Line) if isinstance(line, Line) and line.role == "own line"]
    assert lines == [round(at(price)), round(at(60_000))] or lines == [round(at(60_000)), round(at(price))]
    (band,) = (box.rect for box in picture.marks(Box) if isinstance(box, Box) and box.role == "own band")
    assert (band.top, band.bottom) == (round(at(60_000)), round(at(price)))
    inside = (hm.prices + hm.step > price) & (hm.prices < 60_000)
    between = amount(float(hm.values[-1].astype(np.float64)[inside].sum()), "usd")
    said = f"own long 25x from 60,000: liquidated at 57,831.33, {between} in between"
    assert said in words(picture)
    upright = describe_map(hm.map(), MapOptions(positions=["long:60000:25x"]))
    assert said in words(upright)
    at, plot = upright.scales["price"].at, upright.panels[0].rect
    ends = [max(round(at(price)), plot.left), round(at(60_000))]  # the nearer is shown, the farther cut at the plot
    (band,) = (box.rect for box in upright.marks(Box) if isinstance(box, Box) and box.role == "map own band")
    assert (band.left, band.right, band.top, band.bottom) == (*ends, plot.top, plot.bottom)
    lines = {line.x0 for line in upright.marks(Line) if isinstance(line, Line) and line.role == "map own"}
    assert lines == {round(at(price)), round(at(60_000))}
    never = describe(hm, RenderOptions(positions=[Position("long", 60_000.0, 1.0)]))
    assert "own long 1x from 60,000: never liquidated" in words(never)


def test_the_quantity_of_a_position_chooses_its_risk_tier() -> None:
    tiers = lq.MarginSchedule.tiers([{"cap": 1e6, "rate": 0.004}, {"rate": 0.02}])
    instrument = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.001, margin=tiers)
    small, large = (Position.of(f"long:60000:10x{qty}").liquidation_price(instrument) for qty in ("", ":100"))
    assert small < large


def test_a_position_needs_known_terms() -> None:
    with pytest.raises(lq.InvalidConfigError, match="positions must be of an instrument whose margin terms are known"):
        describe(sample_heatmap(), RenderOptions(positions=["long:60000:25x"]))
    with pytest.raises(lq.InvalidConfigError, match="position must be side:entry:leverage"):
        describe_map(sample_map(), MapOptions(positions=["long:60000"]))


# ---- settings --------------------------------------------------------------------------------------------------------


def looks(heatmap: Any, folder: Path, **options: Any) -> Iterator[bytes]:
    for number, shown in enumerate((heatmap, heatmap.map())):
        yield shown.render(folder / f"{number}.png", **options).read_bytes()


def test_pictures_look_the_same_however_they_are_asked_for(market: lq.Market, tmp_path: Path) -> None:
    wanted = {"width": 700, "height": 420, "theme": "light", "title": "mine", "price_range": [57_000, 63_000]}
    wanted["positions"] = ["long:60000:25x"]
    plain = lq.heatmap(trades=market.trades, **TERMS)
    by_argument = list(looks(plain, tmp_path, **wanted))
    assert by_argument != list(looks(plain, tmp_path))
    file = tmp_path / "liqcore.toml"
    file.write_text("[render]\n" + "\n".join(f"{name} = {value!r}" for name, value in wanted.items()).replace("'", '"'))
    env = {
        "LIQCORE_RENDER_WIDTH": "700", "LIQCORE_RENDER_HEIGHT": "420", "LIQCORE_RENDER_THEME": "light",
        "LIQCORE_RENDER_TITLE": "mine", "LIQCORE_RENDER_PRICE_RANGE": "57000:63000",
        "LIQCORE_RENDER_POSITIONS": "long:60000:25x",
    }  # fmt: skip
    flags = {f"render.{name}": value for name, value in wanted.items()}
    for config in (Config.load(file), Config.resolve(env=env), Config.resolve(flags=flags)):
        hm = lq.heatmap(trades=market.trades, config=config, **TERMS)
        saved = lq.load_heatmap(hm.save(tmp_path / "saved.parquet"))
        for shown in (hm, saved, saved.select(side="both")):
            assert list(looks(shown, tmp_path)) == by_argument
        assert list(looks(saved, tmp_path, theme="dark")) == list(looks(plain, tmp_path, **{**wanted, "theme": "dark"}))


def test_options_and_settings_are_one_set() -> None:
    from dataclasses import fields

    from liqcore.config.build import LOOK, MAP_LOOK
    from liqcore.config.sections import SETTINGS

    assert {*LOOK, "side", "threshold"} == {entry.name for entry in fields(RenderOptions)}
    assert {*MAP_LOOK} == {entry.name for entry in fields(MapOptions)}
    for options, names in ((RenderOptions, LOOK), (MapOptions, MAP_LOOK)):
        for entry in fields(options):
            if entry.name in names:
                assert entry.default == SETTINGS["render"][entry.name].default, entry.name


def test_render_takes_what_describe_does(tmp_path: Path) -> None:
    hm = sample_heatmap(24, 40)
    a = render(hm, tmp_path / "a.png", candle_style="hollow", width=500, height=300)
    assert a.read_bytes() != render(hm, tmp_path / "b.png", width=500, height=300).read_bytes()
