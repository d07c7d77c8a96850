"""The liquidation map: totals of a move, clusters, the sentence, and its picture."""

import dataclasses
import importlib.metadata
import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import liqcore as lq
from drive import make_engine
from liqcore.render import MapOptions, Picture, describe_map, registry, render_map
from liqcore.render.captions import ESTIMATE, SYNTHETIC
from liqcore.render.colours import LAYERS
from liqcore.render.map_layout import default_map_range
from liqcore.render.picture import Box, Curve, Line, Rect
from liqcore.testing import map_edge_cases, sample_map
from pictures import assert_sound
from test_engine_recorded import SETUPS, WHOLE, marks, trades
from test_time_frames import HOUR, START, engine_of

SIZES = [(1400, 860), (700, 450), (480, 270), (3840, 2160)]


def a_map(**changes: Any) -> lq.LiquidationMap:
    """
    Rows of 10 from 900, price 1,000, tiers 10x and 50x: ::

        row     900  910  ...  970  980  ...  1010  1020  ...  1080  1090
        10x      40   60                                         70    50
        50x                      5   20          5    70
    """
    prices = 900 + 10.0 * np.arange(20)
    long, short = np.zeros((2, 20)), np.zeros((2, 20))
    long[0, [0, 1]] = 40, 60
    long[1, [7, 8]] = 5, 20
    short[0, [18, 19]] = 70, 50
    short[1, [11, 12]] = 5, 70
    made = lq.LiquidationMap(START, 1000.0, np.array([10.0, 50.0]), prices, 10.0, long, short, "usd", {})
    return dataclasses.replace(made, **changes)


# ---- numbers -----------------------------------------------------------------------------------------------------


def test_the_curves_fall_and_rise_to_the_price() -> None:
    shown = a_map()
    assert shown.cumulative_long[[0, 1, 2, 7, 8, 9]].tolist() == [125, 85, 25, 25, 20, 0]
    assert shown.cumulative_short[[10, 11, 12, 17, 18, 19]].tolist() == [0, 5, 75, 75, 145, 195]


def test_within_counts_the_bin_that_a_price_lies_in() -> None:
    shown = a_map()
    assert shown.within(2) == lq.Within(2.0, 980.0, 1020.0, 20.0, 75.0)  # 980 and 1,020 are lower edges
    assert shown.within(1.9)[3:5] == (20, 5)
    assert shown.within(2.1)[3:5] == (25, 75)
    assert shown.within(1)[3:5] == (0, 5)
    assert shown.within(0.5)[3:5] == (0, 0)
    assert shown.within(50)[3:5] == (125, 195)  # off the axis


def test_an_edge_that_rounding_moves_is_still_the_edge() -> None:
    prices = 59_300 + 10.0 * np.arange(80)
    long = np.ones((1, 80))
    shown = a_map(price=60_000.0, prices=prices, tiers=np.array([10.0]), long=long, short=np.zeros((1, 80)))
    for percent in (1, 0.1, 0.3, 0.7, 1.1):
        low = 60_000 * (1 - percent / 100)
        assert shown.within(percent).long == (60_100 - round(low)) / 10, percent


def test_the_largest_cluster_is_the_nearer_of_equals() -> None:
    shown = a_map()
    assert shown.largest("long") == lq.Cluster("long", 910, 920, 915, 60, pytest.approx(-8.5))
    assert shown.largest("short") == lq.Cluster("short", 1020, 1030, 1025, 70, pytest.approx(2.5))
    equal = shown.long.copy()
    equal[1, 8] = 60
    cluster = dataclasses.replace(shown, long=equal).largest("long")
    assert cluster is not None
    assert cluster.low == 980
    assert dataclasses.replace(shown, long=np.zeros((2, 20))).largest("long") is None


def test_the_sentence() -> None:
    shown = a_map()
    scale = " (relative level)"
    assert shown.sentence() == f"a fall to 915 reaches $85 of longs, a rise to 1,025 $75 of shorts{scale}"
    assert shown.sentence(2) == f"a fall to 980 reaches $20 of longs, a rise to 1,020 $75 of shorts{scale}"
    assert shown.sentence(1) == f"a fall to 990 reaches no longs, a rise to 1,010 $5 of shorts{scale}"
    none = np.zeros((2, 20))
    no_longs = dataclasses.replace(shown, long=none)
    assert no_longs.sentence() == f"no longs below, a rise to 1,025 reaches $75 of shorts{scale}"
    assert dataclasses.replace(shown, long=none, short=none).sentence() == f"no longs below, no shorts above{scale}"
    quantity = dataclasses.replace(shown, unit="quantity", meta={"base": "BTC"})
    assert quantity.sentence(2) == f"a fall to 980 reaches 20 BTC of longs, a rise to 1,020 75 BTC of shorts{scale}"


def test_only_a_fitted_profile_says_what_is_liquidated() -> None:
    fitted = a_map(meta={"meaning": "fitted"})
    assert fitted.sentence(2) == "a fall to 980 liquidates $20 of longs, a rise to 1,020 $75 of shorts (fitted)"
    opened = a_map(meta={"meaning": "opened turnover"})
    assert opened.sentence(2).endswith(" (relative level: opened turnover)")
    assert "liquidates" not in opened.sentence(2)


@pytest.mark.parametrize(
    ("side", "words"),
    [("long", "a fall to 915 reaches $85 of longs"), ("short", "a rise to 1,025 reaches $75 of shorts")],
)
def test_of_a_side_that_was_filtered_out_nothing_is_said(side: str, words: str) -> None:
    whole = a_map()
    none = np.zeros((2, 20))
    part = dataclasses.replace(whole, meta={"shown": {"side": side}}, **{"short" if side == "long" else "long": none})
    assert part.sentence() == f"{words} (relative level)"
    other = "short" if side == "long" else "long"
    written = " ".join(text.text for text in planned(part).texts)
    assert f"{side}s only" in written
    assert f"{other}s" not in written
    assert f"no {other}s" not in part.sentence()


def test_layers_are_the_tiers_and_add_up() -> None:
    layers = a_map().layers
    assert [layer.name for layer in layers] == ["10x", "50x"]
    assert np.array_equal(sum(layer.long for layer in layers), a_map().long.sum(axis=0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.within(0), "percent must be above 0 and below 100, was 0"),
        (lambda m: m.within(100), "percent must be above 0 and below 100, was 100"),
        (lambda m: m.within(math.nan), "percent must be above 0 and below 100, was nan"),
        (lambda m: m.largest("both"), r"side must be one of \('long', 'short'\), was 'both'"),
        (lambda m: dataclasses.replace(m, price=math.nan).within(1), "percent must be of a map with a last price"),
        (lambda m: dataclasses.replace(m, price=math.nan).sentence(), "the map must be of a map with a last price"),
        (lambda m: m.age(), "the age of a map is known only where a heatmap made it"),
    ],
)
def test_what_cannot_be_is_named(call: Any, message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        call(a_map())


def test_a_heatmaps_map_hides_what_its_threshold_hides_and_tells_its_age() -> None:
    eng = engine_of([(0, 1000, 4, False), (0.2, 1100, 1, False)])
    eng.advance(START + 2 * HOUR)
    hm = eng.heatmap(step=10, unit="quantity")
    then = hm.map(START + HOUR)
    assert (then.long.sum(), then.complete, then.meta["book_age_ns"]) == (5, True, HOUR)
    assert hm.map().complete is False
    hidden = hm.select(threshold="2 quantity").map(START + HOUR)
    assert hidden.long.sum() == 4
    assert np.array_equal(hidden.long.sum(axis=0), hm.select(threshold="2 quantity").at(START + HOUR).long)


@pytest.mark.recorded
def test_a_recorded_day_adds_up() -> None:
    of_trades = trades("BTC", WHOLE["BTC"])
    order = np.argsort(of_trades[0], kind="stable")
    of_trades = tuple(np.ascontiguousarray(column[order]) for column in of_trades)
    like = make_engine(SETUPS["BTC"])
    eng = lq.Engine(like.instrument, leverage=like.leverage, book_step=6.0, window="5m", trigger="mark")
    eng.feed(trades=of_trades, marks=marks("BTC", int(of_trades[0][0]), int(of_trades[0][-1])))
    hm = eng.heatmap(step=6.0)
    shown = hm.map()
    assert np.allclose(sum(layer.long + layer.short for layer in shown.layers), hm.values[-1], rtol=1e-5)
    before = (0.0, 0.0)
    for percent in (0.1, 1, 5, 20, 60):
        total = shown.within(percent)
        lows, highs = shown.prices + shown.step > total.low, shown.prices <= total.high
        assert total.long == pytest.approx(shown.long[:, lows].sum(), rel=1e-9)
        assert total.short == pytest.approx(shown.short[:, highs].sum(), rel=1e-9)
        assert before <= total[3:]
        before = total[3:]
    for side, values in (("long", shown.long.sum(axis=0)), ("short", shown.short.sum(axis=0))):
        cluster = shown.largest(side)
        assert cluster is not None
        assert cluster.value == values.max()
        assert (cluster.distance_percent < 0) == (side == "long")


# ---- picture -----------------------------------------------------------------------------------------------------


def planned(shown: lq.LiquidationMap, **options: Any) -> Picture:
    return describe_map(shown, MapOptions(**options))


def plot_of(plan: Picture) -> Rect:
    return plan.panel("plot").rect


def x_of(plan: Picture, price: float) -> float:
    return plan.scales["price"].at(price)


def bars_of(plan: Picture) -> list[Box]:
    return [bar for bar in plan.marks(Box) if isinstance(bar, Box) and bar.role.startswith("layer")]


def heights(plan: Picture) -> dict[int, list[tuple[str, int]]]:
    """Role and height of the boxes of each bar, by its left edge."""
    out: dict[int, list[tuple[str, int]]] = {}
    for bar in bars_of(plan):
        out.setdefault(bar.rect.left, []).append((bar.role, bar.rect.height))
    return out


def test_bars_are_stacked_by_layer_at_their_price() -> None:
    plan = planned(a_map(), price_range=(900.0, 1100.0))
    bars = heights(plan)
    full = plot_of(plan).height / 1.04
    for price, role, value in (
        (900, "layer 0", 40),
        (980, "layer 1", 20),
        (1020, "layer 1", 70),
        (1090, "layer 0", 50),
    ):
        ((found, height),) = bars[round(x_of(plan, price))]
        assert found == role
        assert height == pytest.approx(value / 70 * full, abs=1.01)
    both = a_map()
    both.long[1, 0] = 30
    (lower, upper) = heights(planned(both, price_range=(900.0, 1100.0)))[round(x_of(plan, 900))]
    assert (lower[0], upper[0]) == ("layer 0", "layer 1")
    assert (lower[1] + upper[1]) / full == pytest.approx(1, abs=0.01)  # 70, as much as the largest


def test_bins_that_are_too_narrow_are_summed() -> None:
    fine = sample_map(5_000)
    plan = planned(fine, width=700, height=450)
    assert min(bar.rect.width for bar in bars_of(plan)) >= 2
    scale = plan.scales["price"]
    joined = math.ceil(max(round(0.25 * 12), 3) * (scale.high - scale.low) / plot_of(plan).width / fine.step)
    assert f"USD per {joined * fine.step:g} of price" in " ".join(text.text for text in plan.texts)
    totals = (fine.long + fine.short).sum(axis=0)
    at = int(np.searchsorted(fine.prices, fine.price, side="right")) - 1
    first, stop = (int(np.searchsorted(fine.prices, p)) for p in (scale.low, scale.high))
    starts = range(at - (at - first) // joined * joined, stop - joined, joined)
    largest = max(totals[start : start + joined].sum() for start in starts)
    by_bar: dict[int, int] = {}
    for bar in bars_of(plan):
        by_bar[bar.rect.left] = by_bar.get(bar.rect.left, 0) + bar.rect.height
    shown = max(by_bar.values()) * 1.04 / plot_of(plan).height
    assert shown == pytest.approx(1, abs=0.02)
    for start in starts[::37]:
        left = round(x_of(plan, fine.prices[start]))
        wanted = totals[start : start + joined].sum() / largest
        assert by_bar.get(left, 0) * 1.04 / plot_of(plan).height == pytest.approx(wanted, abs=0.02)


def test_the_curves_reach_what_the_map_says() -> None:
    plan = planned(a_map(), price_range=(900.0, 1100.0))
    most = 195 * 1.04

    longs, shorts = (curve for curve in plan.marks(Curve) if isinstance(curve, Curve))

    def at(curve: Curve, price: float) -> float:
        x = min(x_of(plan, price), plot_of(plan).right - 1)
        (y,) = {y for other, y in curve.points if other == x}
        return (plot_of(plan).bottom - y) / plot_of(plan).height * most

    assert at(longs, 900) == pytest.approx(125)  # a fall to the lower edge of the lowest bin
    assert at(longs, 980) == pytest.approx(20)
    assert at(longs, 990) == pytest.approx(0)
    assert at(shorts, 1010) == pytest.approx(0)
    assert at(shorts, 1030) == pytest.approx(75)
    assert at(shorts, 1100) == pytest.approx(195)
    (last,) = (line.x0 for line in plan.marks(Line) if isinstance(line, Line) and line.role == "map last")
    assert last == round(x_of(plan, 1000))


def test_the_picture_says_what_it_is(tmp_path: Path) -> None:
    words = " ".join(text.text for text in planned(sample_map()).texts)
    for word in ("liquidation map", ESTIMATE, SYNTHETIC, "longs, reached by a fall", "shorts, reached by a rise",
                 "A fall to", "a rise to", "SAMPLEUSDT", "2026-06-12 10:00 UTC"):  # fmt: skip
        assert word in words, word
    assert "unfinished" not in words
    assert "unfinished" in " ".join(t.text for t in planned(dataclasses.replace(sample_map(), complete=False)).texts)
    assert [box.role for box in planned(sample_map()).boxes if box.role.startswith("layer")] == [
        f"layer {k}" for k in range(5)
    ]
    with Image.open(sample_map().render(tmp_path / "map.png", width=700, height=450)) as picture:
        assert picture.size == (700, 450)
        assert "liquidation map" in picture.info["Title"]


def test_many_tiers_are_joined_to_as_many_as_there_are_colours() -> None:
    plan = planned(sample_map(60, range(1, 126)))
    assert len({bar.role for bar in bars_of(plan)}) == len(LAYERS)
    assert {"1x to 18x", "109x to 125x"} <= {text.text for text in plan.texts}


def test_a_tier_keeps_its_colour_whichever_are_shown() -> None:
    whole = a_map(meta={"tiers": [10.0, 50.0]})
    (fifties,) = {bar.role for bar in bars_of(planned(whole))} - {"layer 0"}
    part = dataclasses.replace(
        whole, tiers=whole.tiers[1:], long=whole.long[1:], short=whole.short[1:],
        meta={**whole.meta, "shown": {"leverage": [50.0]}},
    )  # fmt: skip
    plan = planned(part)
    assert {bar.role for bar in bars_of(plan)} == {fifties}
    assert "50x" in " ".join(text.text for text in plan.texts)
    assert "10x" not in " ".join(text.text for text in plan.texts)


def test_what_does_not_fit_is_said() -> None:
    words = " ".join(text.text for text in planned(a_map(), price_range=(950.0, 1050.0)).texts)
    assert "$100 of longs and $120 of shorts outside the prices shown" in words


def test_the_default_prices_hold_nine_tenths_of_each_side() -> None:
    low, high = default_map_range(a_map())
    # 113 of 125 longs are passed at 900, 176 of 195 shorts at 1,100: a bit more than that, and at least 3 %.
    assert (low, high) == pytest.approx((1000 - 103, 1000 + 103))
    near = a_map(long=np.zeros((2, 20)), short=np.zeros((2, 20)))
    assert default_map_range(near) == pytest.approx((970, 1030))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("shown", [one for _, one in map_edge_cases()], ids=[name for name, _ in map_edge_cases()])
def test_no_text_is_clipped_or_covered_by_another(shown: lq.LiquidationMap, width: int, height: int) -> None:
    full = {**shown.meta, "symbol": "1000000MOGUSDT", "version": "10.11.12", "book_age_ns": 30 * 24 * HOUR}
    plan = planned(dataclasses.replace(shown, meta=full, complete=False), width=width, height=height)
    assert_sound(plan)
    assert plot_of(plan).width > 0.5 * width


def test_one_renderer_draws_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    point = importlib.metadata.EntryPoint("txt", "test_liquidation_map:write_text", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert a_map().render(tmp_path / "map.txt").read_bytes() == b"map"
    with pytest.raises(
        lq.InvalidConfigError, match=r"the extension of map\.gif must be one of html, png, svg, txt, was 'gif'"
    ):
        render_map(a_map(), tmp_path / "map.gif")


def write_text(picture: Picture, file: Any) -> None:
    file.write(picture.kind.encode())


def test_render_map_and_its_options_agree_on_defaults() -> None:
    given = inspect.signature(render_map).parameters
    for entry in dataclasses.fields(MapOptions):
        assert given[entry.name].default == entry.default, entry.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 100}, "width must be 480 to 16384 pixels, was 100"),
        ({"height": 1e4}, "height must be 270 to 16384 pixels, was 10000.0"),
        ({"theme": "pink"}, "theme must be one of dark, light, was 'pink'"),
        ({"price_range": (2, 1)}, r"price_range must be \(low, high\) with low < high, was \(2, 1\)"),
    ],
)
def test_a_wrong_option_is_named_with_rule_and_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        MapOptions(**options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"long": np.zeros((1, 20))}, r"long must have shape \(tiers, bins\) = \(2, 20\), was \(1, 20\)"),
        ({"step": 0.0}, "step must be a number above 0, was 0.0"),
        ({"unit": "EUR"}, "unit must be usd or quantity, was 'EUR'"),
    ],
)
def test_a_map_that_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        planned(a_map(**changes))
