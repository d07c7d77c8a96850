"""``liqcore calibrate``: fit a leverage profile to what was liquidated, in dollars, and say how well it does."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, resolve
from .judged import check_markets, read_markets
from .options import ConfigForTrades, Flags, output, with_settings
from .outputs import JSON, inputs_of, outputs
from .run import collected_warnings


@guarded
@with_settings(
    "calibrate",
    leverage='Of the map that is the null: shares by leverage, such as "10:50%,25:30%,100:20%", or a preset: default, '
    "auto, integer-125, or that of a venue: binance-usdm, bitmex, hyperliquid. [default: auto where the venue is "
    "known, else default]",
)
def calibrate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="CANDLES", help="Candles with volumes, of one market; or one pattern of files a market."
        ),
    ],
    *,
    liquidations: Annotated[
        list[str],
        typer.Option(
            "-l",
            "--liquidations",
            metavar="FILE",
            help="What was liquidated: totals of bars (time, long_usd, short_usd), or single liquidations (time, side, "
            "price, size_usd). Once for each market, in the order of CANDLES.",
        ),
    ],
    output_: Annotated[
        list[Path] | None, output("out.json, the fitted profile of one market: what --leverage takes elsewhere.")
    ] = None,
    bar: Annotated[
        str | None,
        typer.Option(help="Length of a bar, a multiple of the totals'. [default: theirs; 30m for single liquidations]"),
    ] = None,
    block: Annotated[
        str, typer.Option(help="Length of the blocks of time by which weights are fitted and intervals drawn.")
    ] = "1d",
    warmup: Annotated[str, typer.Option(help="Length of candles before the first bar that is fitted.")] = "1d",
    coin: Annotated[
        str | None, typer.Option(help="The rows to read where liquidations are of several markets, such as BTC.")
    ] = None,
    side_is: Annotated[
        str, typer.Option(help='What sell and buy say of a single liquidation: the side of the "order" or "position".')
    ] = "order",
    scale: Annotated[float, typer.Option(help="Factor of all liquidated amounts.")] = 1.0,
    layers: Annotated[
        str,
        typer.Option(
            help="Layers that are fitted, by leverage without maintenance margin; nearer ones by their distance from "
            "the entry."
        ),
    ] = "5,10,15,25,50,75,100,125,0.65%,0.5%,0.4%,0.3%,0.2%,0.15%",
    short: Annotated[
        str,
        typer.Option(help='A short half-life as a part of the long one of the same distance; "none" leaves it out.'),
    ] = "0.08",
    power: Annotated[float, typer.Option(help="Variance of a bar's USD as a power of its mean, from 1 to 2.")] = 1.5,
    touch: Annotated[
        str, typer.Option(help='What of a candle touches levels: "wick", or "body", which is for scores alone.')
    ] = "wick",
    feed: Annotated[str, typer.Option(help="Whose feed of which venues it is: said in the report and file.")] = "",
    complete: Annotated[
        bool, typer.Option("--complete", help="Say that nothing liquidated is missing. [default: totals are floors]")
    ] = False,
    draws: Annotated[int, typer.Option(help="How often time is drawn anew for the intervals.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Annotated[bool, typer.Option("--json", help="Write JSON for programs instead of tables.")] = False,
) -> None:
    """
    Fit a leverage profile to what was liquidated, in dollars, and say how well it does on days it has not seen.

    The file that it writes goes wherever --leverage is taken: pictures then say that they are fitted, and are in USD.

    \b
    Examples:
      liqcore calibrate BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz -o BTCUSDT-2026-03.json
      liqcore heatmap BTCUSDT-aggTrades-2026-04-01.zip --leverage BTCUSDT-2026-03.json -o map.png
      liqcore calibrate BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz --layers 10,25,50,100,0.5%,0.2% --short none

    \b
    Exit codes:
      0    done, whatever the score
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    check_markets(files, liquidations)
    paths = output_ or []
    if paths and len(liquidations) > 1:
        raise InvalidConfigError(f"--output must be left out with several markets, was {paths[0]}: fit each alone")
    leverages, distances = _layers(layers)
    settings = resolve(config, flags)
    read = inputs_of(files, settings, config) | {"--liquidations": liquidations}
    with outputs(paths, read, known=[JSON]) as write:
        from ..runs.calibrate import calibrate as run  # here, because it loads the engine: help comes without it

        with collected_warnings() as said:
            found = run(
                *read_markets(
                    files, liquidations, symbol=settings.instrument.symbol, coin=coin, side_is=side_is, scale=scale
                ),
                config=settings,
                bar=bar,
                block=block,
                warmup=warmup,
                short=None if short == "none" else _number("short", short),
                power=power,
                touch=touch,
                feed=feed,
                complete=complete,
                draws=draws,
                seed=seed,
                leverages=leverages,
                distances=distances,
            )
        write(json=lambda path: path.write_text(found.profile.to_json(), encoding="utf-8"))
    for warning in dict.fromkeys(said):
        typer.echo(f"warning: {plain(warning)}", err=True)
    typer.echo(found.to_json() if json_ else found.to_text())
    if not json_:
        for path in paths:
            typer.echo(f"written to  {path}")


def _layers(text: str) -> tuple[list[float], list[float]]:
    """Read ``"10,25,0.5%"``: leverages, and distances from the entry."""
    parts = [part.strip() for part in text.split(",")]
    leverages = [_number("layers", part.removesuffix("x")) for part in parts if not part.endswith("%")]
    return leverages, [round(_number("layers", part[:-1]) / 100.0, 9) for part in parts if part.endswith("%")]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidConfigError(f'--{name} must be numbers, such as {_SUCH[name]}, was "{text}"') from None


_SUCH = {"layers": '"10,25,100,0.5%"', "short": "0.08"}
