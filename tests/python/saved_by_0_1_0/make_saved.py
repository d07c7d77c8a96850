"""
Saves one small file of every kind that liqcore writes, and notes in ``says.json`` what each says when it is loaded.

Run with the version whose files are to be kept, ``python make_saved.py FOLDER``. The tests take from here how a loaded
file is read; what it must say, they take from ``says.json``.
"""

import hashlib
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import liqcore as lq

VERSION = "0.1.0"
MINUTE = 60_000_000_000
META = (
    "symbol",
    "venue",
    "instrument",
    "model",
    "meaning",
    "model_chosen",
    "trigger",
    "sequential",
    "maker_share",
    "half_life",
    "leverage",
    "intensity",
    "dropped_leverage",
    "window",
    "warmup",
    "rows",
    "inputs",
    "beside",
    "assumed",
    "notes",
    "inexact",
    "synthetic",
    "version",
    "config_hash",
    "book_age_ns",
    "opened_within_ns",
    "hidden",
    "price_from",
    "stale",
    "stale_after_ns",
    "bars",
    "reaches",
)


# --- what a loaded file says --------------------------------------------------------------------------------------


def numbers(array: NDArray[Any]) -> dict[str, Any]:
    """Type, shape, sum of what is finite, and a hash of the bytes: little-endian, every NaN of the same bits."""
    if array.dtype.names:
        array = np.stack([array[name] for name in array.dtype.names], axis=-1)
    array = np.where(np.isnan(array), np.nan, array).astype(array.dtype) if array.dtype.kind == "f" else array
    data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    finite = array[np.isfinite(array)].tolist() if array.dtype.kind == "f" else array.ravel().tolist()
    return {
        "what": f"{array.dtype.name} of shape {array.shape}",
        "sum": math.fsum(finite),
        "sha256": hashlib.sha256(data).hexdigest()[:16],
    }


def what_heatmap_says(heatmap: lq.Heatmap) -> dict[str, Any]:
    """Every array of a heatmap, its map, its metadata, and what it becomes when it is seen in other ways."""
    shown = heatmap.map()
    arrays = {
        name: numbers(getattr(heatmap, name))
        for name in ("times", "prices", "long", "short", "values", "liquidated", "candles", "complete")
    }
    said = {
        "kind": type(heatmap).__name__,
        "repr": repr(heatmap),
        "arrays": arrays,
        "window_ns": heatmap.window_ns,
        "step": heatmap.step,
        "book_step": heatmap.book_step,
        "unit": heatmap.unit,
        "venues": list(heatmap.venues),
        "leverage": {repr(tier): share for tier, share in heatmap.leverage.to_dict().items()},
        "intensity": heatmap.leverage.intensity,
        "meta": {key: heatmap.meta[key] for key in META if key in heatmap.meta},
        "map": {
            "time_ns": shown.time_ns,
            "price": shown.price,
            "complete": shown.complete,
            "tiers": shown.tiers.tolist(),
            "long": numbers(shown.long),
            "short": numbers(shown.short),
            "sentence": shown.sentence(),
        },
        "coarser": numbers(heatmap.rebin(step=2 * heatmap.step, window=2 * heatmap.window_ns).values),
        "last column": numbers(heatmap.select(last=heatmap.window_ns).values),
    }
    if isinstance(heatmap, lq.MergedHeatmap):
        one = heatmap.venues[0]
        said["stale"] = numbers(heatmap.stale)
        said["staleness"] = numbers(heatmap.staleness)
        said["one venue"] = {"name": one, "values": numbers(heatmap.select(venues=one).values)}
        said["by venue"] = {name: own["instrument"] for name, own in heatmap.meta["venues"].items()}
    else:
        said["open_interest"] = numbers(heatmap.open_interest)
    return said


def what_engine_is(engine: lq.Engine) -> dict[str, Any]:
    """Its terms and options."""
    instrument, margin, half_life = engine.instrument, engine.instrument.margin, engine.half_life_ns
    return {
        "instrument": {
            "symbol": instrument.symbol,
            "venue": instrument.venue,
            "contract": instrument.contract,
            "tick_size": instrument.tick_size,
            "lot_size": instrument.lot_size,
            "multiplier": instrument.multiplier,
            "rate": margin.rate,
            "fee": margin.fee,
            "basis": margin.basis,
            "max_leverage": margin.max_leverage,
        },
        "leverage": {repr(tier): share for tier, share in engine.leverage.to_dict().items()},
        "intensity": engine.leverage.intensity,
        "dropped_leverage": list(engine.dropped_leverage),
        "has_fixed_axis": engine.has_fixed_axis,
        "window_ns": engine.window_ns,
        "model": engine.model,
        "trigger": engine.trigger,
        "sequential": engine.sequential,
        "maker_share": engine.maker_share,
        "half_life_ns": None if half_life is None else [repr(float(ns)) for ns in half_life],
        "taker_tilt": engine.taker_tilt,
        "churn": engine.churn,
        "event_threshold": engine.event_threshold,
        "reconciled": engine.reconciled,
        "keep": engine.keep,
    }


def what_engine_says(engine: lq.Engine) -> dict[str, Any]:
    """Where it stands, every live level, every account and every column."""
    axis, stats = engine.axis, engine.stats
    assert axis is not None
    counts = ("opened", "live", "liquidated", "closed", "underflow", "overflow", "unresolved", "no_price")
    return {
        "axis": [axis.low, axis.high, axis.step],
        "began": engine.began,
        "clock": engine.clock,
        "last_price": engine.last_price,
        "stats": {
            "rows": stats.rows,
            "used": stats.used,
            "rounded_qty": stats.rounded_qty,
            "rejected": {reason: count for reason, count in stats.rejected.items() if count},
            "inexact": stats.inexact,
            **{name: getattr(stats, name).tolist() for name in counts},
        },
        "corrections": {name: quantity.tolist() for name, quantity in engine.corrections.items()}
        if engine.reconciled
        else None,
        "levels": {side: numbers(engine.levels_lots(side)) for side in ("long", "short")},
        "columns": {name: numbers(getattr(engine.heatmap(), name)) for name in ("long", "short", "liquidated")},
        "windows": len(engine.segments()),
    }


def go_on(engine: lq.Engine) -> None:
    """Feed what comes after the state that was saved: over two windows' ends, up and down, and what its model needs."""
    clock, tick, lot = engine.clock, engine.instrument.tick_size, engine.instrument.lot_size
    assert clock is not None
    last = round(engine.last_price / tick)
    count = 40
    ts = clock + (2 * engine.window_ns // count + 1) * np.arange(1, count + 1, dtype=np.int64)
    way = np.array([(7 * i) % 11 - 5 for i in range(count)])
    price = (last + (last // 150) * way) * tick  # by up to 4 %
    streams: dict[str, Any] = {"trades": (ts, price, lot * (1 + np.arange(count) % 9), way > 0)}
    if engine.trigger == "mark":
        streams["marks"] = (ts + 1, price[::-1].copy())
    if engine.trigger == "candle":
        few = ts[::8].copy()
        streams["candles"] = (few, price[::8].copy(), price[::8] + 30 * tick, price[::8] - 30 * tick, price[::8].copy())
        streams["candles"] += (None, None)
    if engine.model in ("oi", "blend", "vendor"):
        streams["open_interest"] = (ts[::4] + 2, lot * 1000 * (40.0 + way[::4]))
    if engine.model == "vendor":
        streams["vendor_events"] = (ts[::5].copy(), price[::5].copy(), np.full(count // 5, 30 * lot))
    if engine.model == "none":
        engine.open("long", float(price[0]), 3 * lot)
        engine.scale(0.5)
    engine.feed(**streams, interval=MINUTE)


def what_footprints_say(stream: lq.FootprintStream) -> dict[str, Any]:
    """Every array and term, and the columns of a heatmap made of them."""
    names = ("start", "last", "first_tick", "last_tick", "trades", "end", "tick", "bought", "sold")
    terms = ("symbol", "venue", "contract", "multiplier", "tick_size", "lot_size", "span_bps", "cut_ns", "rounded_qty")
    instrument = lq.Instrument(
        symbol=stream.symbol,
        contract=stream.contract,
        tick_size=stream.tick_size,
        lot_size=stream.lot_size,
        multiplier=stream.multiplier,
    )
    heatmap = lq.heatmap(
        trades=stream, instrument=instrument, leverage={5: 0.5, 20: 0.5}, half_life=None, window="10m", step=100
    )
    return {
        "repr": repr(stream),
        "arrays": {name: numbers(getattr(stream, name)) for name in names},
        "terms": {name: getattr(stream, name) for name in terms},
        "rejected": stream.rejected,
        "inputs": stream.inputs,
        "heatmap": {name: numbers(getattr(heatmap, name)) for name in ("long", "short", "liquidated")},
    }


def what_config_says(config: lq.Config) -> dict[str, Any]:
    """Every setting of every section, and the hash of them all."""
    return {"settings": config.to_dict(), "hash": config.hash}


# --- making them --------------------------------------------------------------------------------------------------


def heatmap_of(market: lq.Market, instrument: lq.Instrument, **options: Any) -> lq.Heatmap:
    """A small heatmap of a simulated market: bins of 40, rows of 200."""
    axis = lq.PriceAxis(low=30_000, high=90_000, step=40, tick_size=instrument.tick_size)
    heatmap = lq.heatmap(trades=market.trades, instrument=instrument, axis=axis, step=200, window="10m", **options)
    heatmap.meta["synthetic"] = True
    return heatmap


def engines(market: lq.Market) -> dict[str, lq.Engine]:
    """One engine of each model, no two with the same options, fed with the market."""
    plain = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001)
    entry = lq.MarginSchedule.flat(0.004, basis="entry")
    trades, marks, interest = market.trades, market.marks, market.open_interest
    margin = lq.MarginSchedule.tiers([{"rate": 0.01, "max_leverage": 50.0}], fee=0.0005, basis="mark")
    inverse = lq.Instrument(
        symbol="SIM_USD",
        venue="coin venue",
        contract="inverse",
        tick_size=0.1,
        lot_size=1,
        multiplier=100.0,
        margin=margin,
    )
    # Half-lives that are parts of a window: their powers of two have the same bits everywhere.
    flow = lq.Engine(
        inverse,
        leverage={10: 0.4, 25: 0.3, 50: 0.2, 100: 0.1},
        book_step=50,
        window="15m",
        maker_share=0.25,
        half_life={10: "15m", 25: "5m"},
    )
    flow.trades(trades.ts, trades.price, np.ceil(trades.qty * 600), trades.taker_sell)

    axis = lq.PriceAxis(low=45_000, high=75_000, step=25, tick_size=0.1)
    own = lq.Engine(
        lq.Instrument(symbol="SIM", venue="test", tick_size=0.1, lot_size=0.001, margin=entry),
        leverage={3: 0.5, 30: 0.5},
        axis=axis,
        window="10m",
        model="none",
        trigger="mark",
        keep=3,
    )
    for i in range(0, len(trades), 25):
        own.trade(int(trades.ts[i]), float(trades.price[i]), float(trades.qty[i]), bool(trades.taker_sell[i]))
        own.open("short" if trades.taker_sell[i] else "long", float(trades.price[i]), float(trades.qty[i]) + 0.01)
    late = marks.ts > trades.ts[-1]
    own.feed(marks=(marks.ts[late], marks.price[late]))
    own.advance(market.end + 1)

    oi = lq.Engine(
        lq.instrument("binance-usdm:BTCUSDT", at="2026-01-05"),  # of its risk tiers the file keeps the first
        leverage={5: 0.5, 20: 0.3, 100: 0.2},
        book_step=50,
        window="15m",
        model="oi",
        trigger="mark",
        taker_tilt=0.25,
        reconciled=True,
        keep=6,
    )
    oi.feed(
        trades=trades,
        marks=(marks.ts[::30].copy(), marks.price[::30].copy()),
        open_interest=(interest.ts, interest.quantity),
    )

    blend = lq.Engine(
        plain,
        leverage=lq.LeverageProfile({10: 0.75, 40: 0.25}, intensity=0.5),
        book_step=50,
        window="15m",
        model="blend",
        churn=0.25,
        half_life={10: "15m"},
    )
    blend.feed(trades=trades, open_interest=(interest.ts, interest.quantity))

    vendor = lq.Engine(
        plain,
        leverage={10: 0.5, 50: 0.5},
        book_step=50,
        window="15m",
        model="vendor",
        event_threshold=0.5,
    )
    few = slice(None, None, 200)
    open_, high, low = trades.price[few].copy(), trades.price[few] + 10, trades.price[few] - 10
    vendor.feed(
        candles=(trades.ts[few].copy(), open_, high, low, open_.copy(), None, None),
        open_interest=(interest.ts, interest.quantity),
        vendor_events=(trades.ts[::100].copy(), trades.price[::100].copy(), trades.qty[::100].copy()),
    )
    return {"flow": flow, "none": own, "oi": oi, "blend": blend, "vendor": vendor}


def configs() -> dict[str, lq.Config]:
    """One with every key set but the preset, which goes without shares; one with a preset and else all defaults."""
    whole = lq.Config().replace(
        instrument={
            "symbol": "BTCUSD_PERP",
            "venue": "a venue",
            "contract": "inverse",
            "tick_size": 0.1,
            "lot_size": 1.0,
            "multiplier": 100.0,
            "mmr": 0.005,
            "fee": 0.0005,
            "basis": "entry",
            "max_leverage": 75.0,
        },
        leverage={"shares": {5: 0.25, 12.5: 0.25, 50: 0.5}, "intensity": 0.75},
        axis={"low": 30_000.0, "high": 90_000.0, "step": 100.0, "book_step": 20.0},
        window={"length": "90s", "warmup": "36h", "last": "12h", "opened_within": "1w"},
        model={
            "name": "blend",
            "trigger": "mark",
            "maker_share": 0.125,
            "half_life": {5: "30d", 12.5: "1w", 50: "36h"},
            "taker_tilt": 0.5,
            "churn": 0.25,
            "event_threshold": 12.5,
            "reconciled": True,
        },
        source={
            "format": "binance",
            "marks": "marks-*.zip",
            "open_interest": 'folder with spaces/"interest".csv',
            "open_interest_sides": "two",
            "candles": "klines/ä.csv",
        },
        render={
            "width": 1920,
            "height": 1080,
            "colormap": "inferno",
            "scale": "linear",
            "theme": "light",
            "side": "short",
            "threshold": "p95",
            "maximum": 5e6,
        },
        log={"level": "debug", "progress": False},
    )
    return {"liqcore": whole, "preset": lq.Config().replace(leverage={"preset": "bitmex"})}


def make(folder: Path) -> None:
    """Save everything into a folder, with what it says."""
    market = lq.simulate(seed=11, days=0.1, trades_per_day=12_000, volatility=0.15)
    says: dict[str, Any] = {}
    warnings.simplefilter("ignore")  # of what does not fit the axis

    linear = lq.Instrument(symbol="SIM", venue="linear venue", tick_size=0.1, lot_size=0.001)
    usual = heatmap_of(market, linear, leverage={10: 0.4, 25: 0.4, 50: 0.2}, open_interest=market.open_interest)
    usual.save(folder / "heatmap.parquet")
    selected = heatmap_of(market, linear, leverage={10: 0.4, 50: 0.4, 100: 0.2}, maker_share=0.5, warmup="20m")
    selected = selected.select(side="long", leverage=[50, 100], last="90m", opened_within="1h", threshold="p40")
    selected.save(folder / "selected.parquet")

    inverse = lq.Instrument(
        symbol="SIM_USD", venue="coin venue", contract="inverse", tick_size=0.5, lot_size=1, multiplier=100.0
    )
    part = slice(0, len(market.trades) // 2)  # it stops early, and is left out after an hour
    trades = lq.TradeBatch(
        market.trades.ts[part],
        np.round(market.trades.price[part] * 2) / 2,
        np.ceil(market.trades.qty[part] * 600),
        market.trades.taker_sell[part],
    )
    coin = lq.heatmap(
        trades=trades,
        instrument=inverse,
        leverage={20: 0.5, 75: 0.5},
        axis=lq.PriceAxis(low=30_000, high=90_000, step=50, tick_size=0.5),
        step=250,
        window="5m",
        half_life=None,
    )
    merged = lq.merge_venues([usual, coin], stale_after="1h")
    merged.select(threshold=0.02).save(folder / "merged.parquet")
    for name in ("heatmap", "selected", "merged"):
        path = folder / f"{name}.parquet"
        says[name] = what_heatmap_says(lq.load_heatmap(path))
        if name != "merged":
            says[name]["config"] = what_config_says(lq.Config.load(path))

    for name, engine in engines(market).items():
        path = engine.save(folder / f"engine-{name}.parquet")
        loaded = lq.Engine.load(path)
        says[f"engine-{name}"] = {"is": what_engine_is(loaded), "loaded": what_engine_says(loaded)}
        go_on(loaded)
        says[f"engine-{name}"]["gone on"] = what_engine_says(loaded)

    stream = lq.footprints(trades=trades, instrument=inverse, span_bps=20, cut="5m")
    stream.save(folder / "footprints.parquet")
    says["footprints"] = what_footprints_say(lq.load_footprints(folder / "footprints.parquet"))

    found = lq.features(market.trades, "10m", instrument=linear, leverage={10: 0.5, 50: 0.5}, warmup="30m")
    found.save(folder / "features.parquet")
    says["features"] = {
        "names": list(found.names),
        "times": numbers(found.times),
        "values": numbers(found.values),
        "meta": {key: found.meta[key] for key in META if key in found.meta},
    }

    for name, config in configs().items():
        config.dump(folder / f"{name}.toml")
        says[name] = what_config_says(lq.Config.load(folder / f"{name}.toml"))
    (folder / "says.json").write_text(json.dumps(says, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if lq.__version__ != VERSION:
        sys.exit(f"expected liqcore {VERSION}, found {lq.__version__}: the files of a version are made by that version")
    make(Path(sys.argv[1]))
