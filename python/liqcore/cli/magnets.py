"""``liqcore magnets``: zones by rank, and how often such zones were reached, beside prices without one."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..render.labels import amount, caution
from ..words.times import iso
from .common import guarded, resolve
from .options import (
    At,
    ConfigForTrades,
    Files,
    Flags,
    Json,
    NoBar,
    Tiers,
    ZoneThreshold,
    leverage_flag,
    output,
    with_settings,
)
from .outputs import JSON, PNG, TABLE, inputs_of, outputs
from .progress import progress_bar
from .report import headline, price_text
from .run import console
from .view import check_at, echo_json, json_text, market, numbers, open_view
from .zones import record


@guarded
@with_settings("magnets")
def magnets(
    files: Files = None,
    *,
    output_: Annotated[
        list[Path] | None,
        output("out.csv for the magnets, out.png for a picture, out.json for everything; may be repeated."),
    ] = None,
    at: At = None,
    within: Annotated[
        str, typer.Option(help="In which time a zone is reached or not: a multiple of the columns.")
    ] = "4h",
    every: Annotated[
        str | None,
        typer.Option(help="From one instant to the next at which zones are looked at. [default: at most 1,000]"),
    ] = None,
    distances: Annotated[str, typer.Option(help="Where kinds of zones part by distance, percent.")] = "0.5,1,2,5",
    sizes: Annotated[str, typer.Option(help="The same by size, of the largest zone of the side.")] = "0.25,0.75",
    persistences: Annotated[str, typer.Option(help="The same by the share of columns with it.")] = "0.5",
    columns: Annotated[int, typer.Option(help="Over how many columns presence counts.")] = 100,
    block: Annotated[str, typer.Option(help="Length of the blocks of time that intervals are drawn from.")] = "1d",
    draws: Annotated[int, typer.Option(help="How often time is drawn anew for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    top: Annotated[int, typer.Option(min=0, help="How many magnets, those of the highest score; 0: all.")] = 10,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    Rank zones, and say how often such zones were reached, beside prices at the same distance without a zone.

    All of it is counted in the data that is given, up to the instant. If there is no difference, it says so.

    \b
    Examples:
      liqcore magnets btc.parquet
      liqcore magnets btc.parquet --within 1d --threshold p95
      liqcore magnets BTCUSDT-aggTrades-2026-06-1*.zip --within 1h --json

    \b
    Exit codes:
      0    done, whatever is found
      2    wrong arguments, settings or files; one line on stderr says which
      130  interrupted
    """
    edges = {
        name: numbers(f"--{name}", text, 'numbers such as "0.5,1,2"')
        for name, text in (("distances", distances), ("sizes", sizes), ("persistences", persistences))
    }
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    with outputs(output_ or [], inputs_of(files, settings, config), known=[TABLE, JSON, PNG]) as write:
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..analysis.zones import Zones  # here: help and errors come without the engine
        from ..analysis.zones import magnets as ranked_of
        from ..evaluate.odds import magnet_odds

        with progress_bar("looking at zones", not quiet and not json_) as bar:
            odds = magnet_odds(
                view,
                within=within,
                ts=at,
                every=every,
                threshold=threshold,
                columns=columns,
                block=block,
                draws=draws,
                seed=seed,
                progress=None if bar is None else lambda done, of: bar(done, of, done),
                **edges,
            )
        now = view.map(at)
        ranked = ranked_of(view.zones(at, threshold=threshold, columns=columns))
        rows = odds.beside(ranked)
        shown = list(zip(ranked, rows, strict=True))[: top or None]
        answer = {
            **market(view),
            "time": iso(now.time_ns),
            "time_ns": now.time_ns,
            "price": now.price,
            "magnets": [record(magnet) | {"odds": _said(row)} for magnet, row in shown],
            "odds": odds.to_dict(),
        }
        extra = {
            "score": [magnet.score for magnet, _ in shown],
            "reached": [row.reached.value for _, row in shown],
            "without": [row.without.value for _, row in shown],
            "difference": [row.difference.value for _, row in shown],
            "difference_low": [row.difference.low for _, row in shown],
            "difference_high": [row.difference.high for _, row in shown],
        }
        write(
            table=Zones((magnet.zone for magnet, _ in shown), step=now.step, extra=extra).save,
            json=lambda path: path.write_text(json_text(answer) + "\n", encoding="utf-8"),
            picture=odds.render,
        )
    if json_:
        echo_json(answer)
        return
    out = console()
    out.print(Text(headline(now)), soft_wrap=True)
    out.print(_magnets_table(shown, now))
    out.print()
    out.print(_odds_table(odds))
    out.print(Text(odds.verdict), soft_wrap=True)
    out.print(Text(caution(now.meta)), soft_wrap=True)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def _said(row: Any) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "zones": row.zones,
        "reached": row.reached.value,
        "without": row.without.value,
        "difference": row.difference.value,
        "difference_low": row.difference.low,
        "difference_high": row.difference.high,
        "says": row.says,
    }


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.0f}%"


def _points(estimate: Any) -> str:
    """A difference in points of percent, with its interval where there is one."""
    if math.isnan(estimate.value):
        return "-"
    interval = "" if math.isnan(estimate.low) else f" [{100 * estimate.low:+.0f}, {100 * estimate.high:+.0f}]"
    return f"{100 * estimate.value:+.0f}{interval}"


def _magnets_table(shown: Any, now: Any) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("score", "side", "low", "high", "value", "away", "reached", "without", "points", "of zones"):
        table.add_column(name, justify="left" if name in ("side", "of zones") else "right", no_wrap=True)
    for magnet, row in shown:
        zone = magnet.zone
        table.add_row(
            f"{magnet.score:.3f}",
            zone.side,
            price_text(zone.low),
            price_text(zone.high),
            amount(zone.value, now.unit, str(now.meta.get("base") or "")),
            f"{zone.distance_percent:+.2f}%",
            _percent(row.reached.value),
            _percent(row.without.value),
            _points(row.difference),
            f"{row.kind}: {row.zones:,}",
        )
    return table


def _odds_table(odds: Any) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("zones so far", "seen", "reached", "without", "points", "says"):
        table.add_column(name, justify="left" if name in ("zones so far", "says") else "right", no_wrap=True)
    for row in odds.rows:
        table.add_row(
            row.kind,
            f"{row.zones:,}",
            _percent(row.reached.value),
            _percent(row.without.value),
            _points(row.difference),
            row.says,
        )
    return table
