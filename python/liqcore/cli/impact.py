"""``liqcore impact``: how far sweeps of liquidations moved the price, beside what the law says."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount
from ..words.plain import plain
from ..words.times import iso
from .common import guarded, options_named
from .options import Json, output
from .outputs import JSON, TABLE, outputs
from .run import collected_warnings, console
from .scenarios import amount_of, say
from .view import echo_json, write_json

if TYPE_CHECKING:
    from ..analysis.impact import Impact


@guarded
def impact(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="TRADES", help="Files of trades of one market; or give --candles.")
    ] = None,
    *,
    liquidations: Annotated[
        list[str],
        typer.Option("-l", "--liquidations", metavar="FILE", help="Single liquidations: time, side, price, size_usd."),
    ],
    candles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="Prices by candles in place of trades: as coarse as they are. [default: none]"
        ),
    ] = None,
    output_: Annotated[list[Path] | None, output("out.csv for a spreadsheet, out.json for programs.")] = None,
    coin: Annotated[
        str | None, typer.Option(help="The rows to read where liquidations are of several markets, such as BTC.")
    ] = None,
    side_is: Annotated[
        str, typer.Option(help='What sell and buy say of a liquidation: the side of the "order" or "position".')
    ] = "order",
    scale: Annotated[float, typer.Option(help="Factor of all liquidated amounts.")] = 1.0,
    gap: Annotated[
        str, typer.Option(help="Liquidations of a side that follow each other within it are one sweep.")
    ] = "10s",
    after: Annotated[str, typer.Option(help="How long after the last of a sweep the price is read.")] = "1s",
    sigma: Annotated[
        float | None, typer.Option(help="Volatility of a day, a fraction. [default: of the day before each sweep]")
    ] = None,
    volume: Annotated[
        str | None,
        typer.Option(help="What is traded a day, USD, such as 15B. [default: of the day before each sweep]"),
    ] = None,
    block: Annotated[str, typer.Option(help="Length of the blocks of time of which intervals are drawn.")] = "1h",
    draws: Annotated[int, typer.Option(help="How often they are drawn.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    top: Annotated[int, typer.Option(min=0, help="How many sweeps are shown, the largest; 0: all.")] = 10,
    json_: Json = False,
) -> None:
    """
    Measure how far sweeps of liquidations moved the price, beside what the law of liqcore cascade says.

    Y and the exponent of move / sigma = Y (Q / V)^exponent are fitted, with 95 % intervals. What is measured is an
    upper bound: the price moves first.

    \b
    Examples:
      liqcore impact trades.parquet -l liquidations.csv --block 1d
      liqcore impact --candles BTCUSDT-1m-2026-03.zip -l okx.csv.gz --coin BTC --scale 0.01 --gap 1m --block 15m

    \b
    Exit codes:
      0    done, whatever was found
      2    wrong arguments or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if bool(files) == bool(candles):
        raise InvalidConfigError("TRADES or --candles must be given, " + ("both were" if files else "neither was"))
    read = {"TRADES": files or [], "--candles": candles or [], "--liquidations": liquidations}
    with outputs(output_ or [], read, known=[TABLE, JSON]) as write:
        from ..analysis.impact import impact as measure  # here, because it loads the engine: help comes without
        from ..sources.candles import read_candles
        from ..sources.liquidations import read_liquidations

        with collected_warnings() as said:
            prices: Any = read_candles(candles) if candles else _trades(files or [])
            with options_named({"symbol": "--coin", "side_is": "--side-is"}):
                gone = read_liquidations(liquidations, symbol=coin, side_is=side_is, scale=scale)
            with options_named({name: f"--{name}" for name in ("gap", "after", "sigma", "volume", "block", "draws")}):
                found = measure(
                    prices, gone, gap=gap, after=after, sigma=sigma, volume=amount_of("--volume", volume), block=block,
                    draws=draws, seed=seed,
                )  # fmt: skip
        write(
            table=found.save,
            json=lambda path: write_json(path, found.to_dict()),
        )
    for warning in dict.fromkeys(said):
        typer.echo(f"warning: {plain(warning)}", err=True)
    if json_:
        echo_json(found.to_dict())
        return
    _table(found, top)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def _trades(files: list[str]) -> Any:
    """Read all trades as one."""
    from ..sources import read_trades
    from ..tables.batch import TradeBatch

    batches = list(read_trades(files))
    names = ("ts", "price", "qty", "taker_sell")
    return TradeBatch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in names))


def _table(found: "Impact", top: int) -> None:
    out = console()
    out.print(Text(found.said), soft_wrap=True)
    for why, count in found.left_out.items():
        out.print(Text(f"left out: {count:,} sweeps ({why.replace('_', ' ')})"), soft_wrap=True)
    for name, of in (("Y", found.y), ("exponent", found.exponent), ("Y at exponent 0.5", found.y_root)):
        if math.isnan(of.value):
            text = "not known: fewer than 20 sweeps"
        elif math.isnan(of.low):
            text = f"{of.value:.3g}, interval not known: fewer than 8 blocks"
        else:
            text = f"{of.value:.3g}, 95 % from {of.low:.3g} to {of.high:.3g}"
        out.print(Text(f"{name:<18}{text}"), soft_wrap=True)
    out.print()
    if len(found):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for name in ("side", "from", "to", "liquidated", "price before", "moved", "predicted", "90 % from", "to"):
            table.add_column(name, justify="left" if name == "side" else "right", no_wrap=True)
        for sweep in found.sweeps[: top or None]:
            table.add_row(
                sweep.side, iso(sweep.start_ns)[:19], iso(sweep.end_ns)[11:19], amount(sweep.amount, "usd"),
                f"{sweep.before:,.8g}", f"{sweep.realised_percent:+.3f}%", f"{sweep.predicted_percent:.3f}%",
                f"{sweep.predicted_low:.3f}%", f"{sweep.predicted_high:.3f}%",
            )  # fmt: skip
        out.print(table)
        out.print(Text(f"{found.covered:.0%} of all {len(found)} moves lie within what was predicted"), soft_wrap=True)
    say([found.note])
