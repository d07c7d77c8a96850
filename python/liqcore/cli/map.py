"""``liqcore map``: the levels of one instant, as tables, JSON or a picture."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..config.build import MAP_LOOK, look_of
from ..render import labels
from ..render.captions import filtered, side_shown
from ..words.times import iso
from .common import guarded, resolve
from .options import At, ConfigForTrades, Files, Flags, Json, NoBar, Tiers, leverage_flag, output, with_settings
from .outputs import inputs_of, outputs
from .report import headline, price_text
from .run import console
from .view import check_at, echo_json, market, numbers, open_view


@guarded
@with_settings("map")
def map_(
    files: Files = None,
    *,
    output: Annotated[
        list[Path] | None,
        output(
            "out.png or out.svg for a picture, out.html for a page to look closer at, out.csv for a spreadsheet, "
            "out.parquet for the heatmap behind it; may be repeated."
        ),
    ] = None,
    at: At = None,
    within: Annotated[str, typer.Option(help="Moves of the price whose totals are shown, percent.")] = "1,2,5,10",
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    Show the liquidation map: the levels that a fall and a rise of the price reach at one instant.

    \b
    Examples:
      liqcore map btc.parquet
      liqcore map btc.parquet -o map.png --at 2026-06-12T10:00 --opened-within 24h
      liqcore map BTCUSDT-aggTrades-2026-06-1*.zip --leverage 50,100 --within 0.5,1,2
      liqcore map btc.parquet -o map.csv --threshold 1M
      liqcore map btc.parquet --json
      liqcore map --positions "positions-*.json" -o real.png

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    moves = numbers("--within", within, 'percentages such as "1,2,5"')
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    with outputs(output or [], inputs_of(files, settings, config)) as write:
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        shown = view.map(at)
        totals = [shown.within(move) for move in moves]
        write(
            picture=lambda path: shown.render(path, **look_of(settings, MAP_LOOK)),
            result=view.save,
            table=shown.save,
        )
    if json_:
        echo_json(record(shown, view, totals))
        return
    _tables(shown, totals)
    for path in output or []:
        typer.echo(f"written to  {path}")


def record(shown: Any, view: Any, totals: list[Any]) -> dict[str, Any]:
    """Return a map as JSON values; docs/reference/cli.md lists the keys."""
    some = (shown.long + shown.short).sum(axis=0) > 0
    bins = zip(shown.prices[some].tolist(), shown.long.T[some].tolist(), shown.short.T[some].tolist(), strict=True)
    largest = {side: shown.largest(side) for side in ("long", "short")}
    return {
        **market(view),
        "time": iso(shown.time_ns),
        "time_ns": shown.time_ns,
        "complete": shown.complete,
        "price": shown.price,
        "step": shown.step,
        "sentence": shown.sentence(),
        "within": [total._asdict() for total in totals],
        "largest": {side: cluster._asdict() if cluster else None for side, cluster in largest.items()},
        "tiers": shown.tiers.tolist(),
        "bins": [{"low": low, "high": low + shown.step, "long": long, "short": short} for low, long, short in bins],
    }


def _tables(shown: Any, totals: list[Any]) -> None:
    base = str(shown.meta.get("base") or "")

    def value(number: float) -> str:
        return labels.amount(number, shown.unit, base)

    out = console()
    out.print(Text(headline(shown)), soft_wrap=True)
    if part := filtered(shown.meta):
        out.print(Text(part))
    out.print(Text(shown.sentence()), soft_wrap=True)
    out.print()
    only = side_shown(shown.meta)
    sides = [side for side in ("long", "short") if only in ("both", side)]
    moves = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    moves.add_column("move", justify="right", no_wrap=True)
    for side in sides:
        for name in ("fall to" if side == "long" else "rise to", f"{side}s"):
            moves.add_column(name, justify="right", no_wrap=True)
    decimals = labels.decimals(shown.step / 2)
    for total in totals:
        at = {
            "long": (total.low, value(total.long) + labels.interval_text(total.long_ends)),
            "short": (total.high, value(total.short) + labels.interval_text(total.short_ends)),
        }
        cells = [text for side in sides for text in (labels.price_text(at[side][0], decimals), at[side][1])]
        moves.add_row(f"{total.percent:g}%", *cells)
    out.print(moves)
    out.print()
    tiers = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("tier", *(f"{side}s" for side in sides)):
        tiers.add_column(name, justify="right", no_wrap=True)
    for layer in shown.layers:
        tiers.add_row(layer.name, *(value(getattr(layer, side).sum()) for side in sides))
    tiers.add_row("all", *(value(getattr(shown, side).sum()) for side in sides))
    out.print(tiers)
    out.print()
    for side in sides:
        cluster = shown.largest(side)
        words = "none"
        if cluster is not None:
            ends = f"{price_text(cluster.low)} to {price_text(cluster.high)}"
            words = f"{ends}, {cluster.distance_percent:+.2f}% away: {value(cluster.value)}"
        out.print(Text(f"largest cluster of {side}s: {words}"), soft_wrap=True)
    out.print(Text(labels.caution(shown.meta)), soft_wrap=True)
