"""What is said when a heatmap is done: the rows, the levels that matter, where the files are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..config.config import Config
from ..render.captions import filtered, is_cut_short, side_shown
from ..render.labels import caution
from ..words.plain import plain
from ..words.times import iso

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap
    from ..views.map import LiquidationMap

_NOTES = 6


def summarise(heatmap: "Heatmap", config: Config, written: Sequence[Path], console: Console) -> None:
    """
    Print a summary.

    Parameters
    ----------
    heatmap : Heatmap
        What was drawn or saved.
    config : Config
        The settings it was made with.
    written : sequence of path
        The files written.
    console : Console
        Where to print.
    """
    meta: Mapping[str, Any] = heatmap.meta
    inputs: Sequence[Mapping[str, Any]] = meta.get("inputs", ())
    beside: Sequence[Mapping[str, Any]] = meta.get("beside", ())
    if inputs or beside:
        console.print(_rows_table(inputs, beside, meta.get("rows", {})))
        for note in _input_notes([*inputs, *beside]):
            console.print(Text(note), soft_wrap=True)
        console.print()
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(heatmap, config):
        facts.add_row(Text(plain(name, 40), style="bold"), Text(plain(value, 300)))
    console.print(facts)
    for path in written:
        console.print(Text.assemble(("written to  ", "bold"), str(path)), soft_wrap=True)
    console.print(Text(caution(meta)), soft_wrap=True)


def input_warnings(meta: Mapping[str, Any]) -> list[str]:
    """Return the warnings about the files read, each with its file."""
    return [
        f"{Path(str(entry.get('name', 'input'))).name}: {warning}"
        for entry in (*meta.get("inputs", ()), *meta.get("beside", ()))
        for warning in entry.get("warnings", ())
    ]


def _input_notes(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what was done to files, such as that they were merged, each with its file; not more than a few."""
    notes = [f"{Path(str(entry['name'])).name}: {note}" for entry in entries for note in entry.get("notes", ())]
    return notes if len(notes) <= _NOTES else [*notes[:_NOTES], f"and {len(notes) - _NOTES:,} notes more"]


def _rows_table(
    inputs: Sequence[Mapping[str, Any]], beside: Sequence[Mapping[str, Any]], engine: Mapping[str, Any]
) -> Table:
    """Make a table of the trade files and their sum, the files that go with them, and what the engine left out."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("file", overflow="fold")
    table.add_column("format")
    for name in ("rows", "used", "rejected"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why rejected", overflow="fold")
    rows = used = 0
    reasons: dict[str, int] = {}
    for entry in inputs:
        rejected = _add_file(table, entry)
        rows, used = rows + int(entry["rows"]), used + int(entry["used"])
        for reason, number in rejected.items():
            reasons[reason] = reasons.get(reason, 0) + number
    if len(inputs) > 1:
        table.add_row(Text("all", style="bold"), "", *_counts(rows, used, reasons))
    for entry in beside:
        _add_file(table, entry)
    if left_out := {reason: number for reason, number in engine.get("rejected", {}).items() if number}:
        counts = _counts(engine["rows"], engine["used"], left_out)
        table.add_row(Text("of these, the engine", style="bold"), "", *counts)
    return table


def _add_file(table: Table, entry: Mapping[str, Any]) -> dict[str, int]:
    """Add a row for a file; returns what of it was rejected, by reason."""
    rejected = {str(reason): int(number) for reason, number in entry.get("rejected", {}).items() if number}
    name = Path(str(entry["name"])).name
    kind = f"{entry['kind']}: " if "kind" in entry else ""
    table.add_row(
        Text(plain(name, 100)),
        Text(f"{kind}{entry.get('format', '')}"),
        *_counts(entry["rows"], entry["used"], rejected),
    )
    return rejected


def _counts(rows: int, used: int, rejected: Mapping[str, int]) -> tuple[Text, ...]:
    why = ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in rejected.items())
    return Text(f"{rows:,}"), Text(f"{used:,}"), Text(f"{sum(rejected.values()):,}"), Text(plain(why))


def _facts(heatmap: "Heatmap", config: Config) -> list[tuple[str, str]]:
    meta: Mapping[str, Any] = heatmap.meta
    market = " ".join(str(meta[key]) for key in ("venue", "symbol") if meta.get(key))
    facts = [("market", market)] if market else []
    facts += _terms(meta)
    prices, times = heatmap.prices, heatmap.times
    if len(prices) == 0 or len(times) == 0:
        used = int(meta.get("rows", {}).get("used", 0))
        why = f"none of the {used:,} trades used opened a level" if used else "no trade was used"
        return [*facts, ("columns", f"none: {why}")]
    step = float(heatmap.step)
    if part := filtered(meta):
        facts.append(("part", part))
    low, high = float(prices[0]), float(prices[-1]) + step
    facts.append(("prices", f"{price_text(low)} to {price_text(high)}, {len(prices):,} bins of {price_text(step)}"))
    first, last = (_utc(ts) for ts in times[[0, -1]])
    window = meta.get("window") or config.window.length
    unfinished = ", unfinished: the data ends before" if len(times) == 1 and not heatmap.complete[0] else ""
    facts.append(("columns", f"{len(times):,} of {window}, from {first} to {last} UTC{unfinished}"))
    for name, own in meta.get("venues", {}).items():
        terms = own["instrument"]
        words = f"{terms['symbol']} {terms['contract']}, tick {price_text(terms['tick_size'])}".lstrip()
        seen = "no event" if own["last_event_ns"] is None else f"last event {_utc(own['last_event_ns'])} UTC"
        facts.append((name, f"{words}, model {own['model']}, {seen}"))
    closes = np.asarray(heatmap.candles["close"], dtype=np.float64)
    traded = np.flatnonzero(np.isfinite(closes))
    if traded.size == 0:
        return facts
    price = float(closes[traded[-1]])
    facts.append(("last price", price_text(price)))
    longs, shorts = heatmap._shown.column(len(times) - 1)  # of one column: all may be too many
    only = side_shown(meta)
    for side, words, column in (("short", "above: shorts", shorts), ("long", "below: longs", longs)):
        if only not in ("both", side):
            continue
        facts.append((words, _biggest(np.asarray(column, dtype=np.float64), prices, step, price, str(heatmap.unit))))
    return facts


def _terms(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a quantity was taken for, and what was assumed of the margin terms."""
    if "contract" not in meta:
        return []
    contract, assumed = meta["contract"], meta.get("assumed", ())
    said = f"{contract['text']} ({'said by ' if contract['source'].startswith('the ') else ''}{contract['source']})"
    facts = [("contract", said)]
    terms = meta["instrument"]
    words = f"maintenance {100 * terms['mmr']:.3g}% on the {terms['basis']} value"
    if "margin" in assumed:
        facts.append(("margin terms", f"{words}, assumed: none are known"))
    elif meta.get("catalogue"):
        of = ", the venue by the files' layout" if "venue" in assumed else ""
        facts.append(("margin terms", f"{words}, of {meta['catalogue']['name']}{of}"))
    return facts


def _utc(ts: Any) -> str:
    return str(np.datetime64(int(ts), "ns").astype("datetime64[s]")).replace("T", " ")


def _biggest(column: Any, prices: Any, step: float, price: float, unit: str) -> str:
    at = int(np.argmax(column))
    if not column[at] > 0:
        return "no level"
    low = float(prices[at])
    distance = (low + step / 2) / price - 1
    amount = f"${money(column[at])}" if unit == "usd" else f"{money(column[at])} {unit}"
    return f"{price_text(low)} to {price_text(low + step)}, {distance:+.2%} away: {amount}"


def headline(shown: "LiquidationMap") -> str:
    """Return which market a map is of, at which time, and the last price."""
    market = " ".join(str(shown.meta[key]) for key in ("venue", "symbol") if shown.meta.get(key))
    unfinished = " (window unfinished)" if is_cut_short(shown) else ""
    price = price_text(shown.price) if np.isfinite(shown.price) else "not known"
    return f"{plain(market, 200)}  {iso(shown.time_ns)}{unfinished}  last price {price}".strip()


def price_text(price: float) -> str:
    """
    Return a price without the noise of binary fractions.

    Examples
    --------
    >>> price_text(64_000.0), price_text(0.1 + 0.2), price_text(1.23e-7)
    ('64,000', '0.3', '0.000000123')
    """
    text = np.format_float_positional(float(f"{price:.10g}"), trim="-")
    whole, point, decimals = text.partition(".")
    return f"{int(whole):,}{point}{decimals}" if whole.lstrip("-") else text


def money(value: float) -> str:
    """
    Return an amount with three digits, zeros included.

    Examples
    --------
    >>> [money(value) for value in (12_345_678.0, 12_000_000.0, 950.0, 0.25)]
    ['12.3M', '12.0M', '950', '0.25']
    """
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:
            return f"{value / size:#.3g}".rstrip(".") + unit
    return f"{value:.3g}"
