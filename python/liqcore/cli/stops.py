"""``liqcore stops``: prices for a stop beyond the clusters of levels."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount
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
from .report import headline, price_text
from .run import console
from .scenarios import Coin, DepthOfBook, Orders, Scale, Sigma, Volume, Y, amount_of, orders_of, say
from .view import check_at, echo_json, market, open_view, write_json

if TYPE_CHECKING:
    from ..analysis.stops import Stops


@guarded
@with_settings("stops")
def stops(
    files: Files = None,
    *,
    side: Annotated[str, typer.Option(help='Of the position: the stop of a "long" stands below, of a "short" above.')],
    output_: Annotated[
        list[Path] | None, output("out.png for a picture, out.csv for a spreadsheet, out.json for programs.")
    ] = None,
    entry: Annotated[float | None, typer.Option(help="Price of the entry. [default: the last price]")] = None,
    risk: Annotated[float, typer.Option(help="How far from the entry a stop may stand, percent.")] = 5.0,
    money: Annotated[
        str | None,
        typer.Option(help="Money that may be lost, such as 1000: tells what may be held. [default: not asked]"),
    ] = None,
    at: At = None,
    threshold: ZoneThreshold = None,
    beyond: Annotated[float, typer.Option(help="Rows between a cluster and the stop beyond it.")] = 1.0,
    round_step: Annotated[
        float | None,
        typer.Option(help="Distance between round numbers. [default: a power of ten, 1,000 at 60,000]"),
    ] = None,
    sigma: Sigma = None,
    volume: Volume = None,
    y: Y = 1.0,
    depth: DepthOfBook = None,
    orders: Orders = None,
    coin: Coin = None,
    scale: Scale = 1.0,
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    List prices for a stop beyond the next clusters, with what lies between and the slippage of a cascade there.

    A stop just beyond a round number is flagged: stop orders gather there. Scenarios, no forecasts and no advice.

    \b
    Examples:
      liqcore stops btc.parquet --side long --scale 0.03
      liqcore stops btc.parquet --side short --entry 61000 --risk 3 --money 1000
      liqcore stops btc.parquet --side long --orders orders.json --coin BTC -o stops.png
      liqcore stops btc.parquet --side long --threshold p95 --json

    \b
    Exit codes:
      0    done, also where there is no place for a stop
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if side not in ("long", "short"):
        raise InvalidConfigError(f'--side must be "long" or "short", was "{side}"')
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    read = inputs_of(files, settings, config) | {"--orders": orders or []}
    with outputs(output_ or [], read, known=[PNG, TABLE, JSON]) as write:
        given = {
            "entry": entry, "risk": risk, "money": amount_of("--money", money), "threshold": threshold,
            "beyond": beyond, "round_step": round_step, "sigma": sigma, "volume": amount_of("--volume", volume),
            "y": y, "depth": amount_of("--depth", depth), "orders": orders_of(orders, coin), "scale": scale,
        }  # fmt: skip
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..analysis.stops import stops as find  # here, because it loads the engine: help comes without

        found = find(view, side=side, ts=at, **given)
        write(
            picture=found.render,
            table=found.save,
            json=lambda path: write_json(path, record(view, found)),
        )
    if json_:
        echo_json(record(view, found))
        return
    _table(view.map(at), found)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def record(view: Any, found: "Stops") -> dict[str, Any]:
    """Return stops as JSON values; docs/reference/cli.md lists the keys."""
    return {**market(view), "time": iso(found.time_ns), **found.to_dict()}


def _table(made: Any, found: "Stops") -> None:
    base = str(made.meta.get("base") or "")
    out = console()
    out.print(Text(headline(made)), soft_wrap=True)
    out.print(
        Text(f"a {found.side} from {price_text(found.entry)}, at most {found.risk_percent:g}% away"), soft_wrap=True
    )
    if len(found):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        names = [
            "stop",
            "away",
            "beyond the cluster",
            "holds",
            "liquidated between",
            "filled at",
            "slippage",
            "p5",
            "p95",
        ]
        with_orders = any(stop.orders_between for stop in found)
        with_size = any(not math.isnan(stop.quantity) for stop in found)
        names += (["stop orders"] if with_orders else []) + (["may hold"] if with_size else []) + ["round number"]
        for name in names:
            table.add_column(name, justify="right", no_wrap=True)
        for stop in found:
            table.add_row(*_cells(stop, found.unit, base, with_orders, with_size))
        out.print(table)
    out.print(Text(found.law), soft_wrap=True)
    say(found.notes)


def _cells(stop: Any, unit: str, base: str, with_orders: bool, with_size: bool) -> list[str]:
    near = stop.round_number
    return [
        price_text(stop.price),
        f"{stop.distance_percent:+.2f}%",
        f"{price_text(stop.cluster.low)} to {price_text(stop.cluster.high)}",
        amount(stop.cluster.value, unit, base),
        amount(stop.between, unit, base),
        "beyond the book" if math.isnan(stop.fill_price) else price_text(float(f"{stop.fill_price:.6g}")),
        *(
            f"{percent:.2f}%"
            for percent in (stop.slippage_percent, stop.slippage_quantiles[0], stop.slippage_quantiles[-1])
        ),
        *([amount(stop.orders_between, unit, base)] if with_orders else []),
        *([f"{stop.quantity:.4g}"] if with_size else []),
        "" if math.isnan(near) else f"just beyond {price_text(near)}",
    ]
