"""``liqcore score``: how right a map is, beside all that needs no map."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, resolve
from .judged import check_markets, read_markets, read_placed
from .options import ConfigForTrades, Flags, output, with_settings
from .outputs import JSON, PNG, inputs_of, outputs
from .run import collected_warnings


@guarded
@with_settings(
    "score",
    leverage='Shares by leverage, such as "10:50%,25:30%,100:20%", or a preset: default, auto, integer-125, or that of '
    "a venue: binance-usdm, bitmex, hyperliquid; or the file of a fitted profile (.json). [default: auto where the "
    "venue is known, else default]",
)
def score(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="CANDLES", help="Candles with volumes, of one market; or one pattern of files a market."
        ),
    ],
    *,
    liquidations: Annotated[
        list[str] | None,
        typer.Option(
            "-l",
            "--liquidations",
            metavar="FILE",
            help="What was liquidated: totals of bars (time, long_usd, short_usd), or single liquidations (time, side, "
            "price, size_usd). Once for each market, in the order of CANDLES.",
        ),
    ] = None,
    positions: Annotated[
        list[str] | None,
        typer.Option(
            "--positions",
            metavar="FILE",
            help="In place of liquidations: snapshots of real positions, once for each market.",
        ),
    ] = None,
    output_: Annotated[
        list[Path] | None, output("out.json for programs, out.png for a picture; may be repeated.")
    ] = None,
    bar: Annotated[
        str | None,
        typer.Option(help="Length of a bar, a multiple of the totals'. [default: theirs; 30m for single liquidations]"),
    ] = None,
    block: Annotated[
        str, typer.Option(help="Length of the blocks of time by which models are fitted and intervals drawn.")
    ] = "1d",
    warmup: Annotated[str, typer.Option(help="Length of candles before the first bar that is scored.")] = "1d",
    coin: Annotated[
        str | None,
        typer.Option(help="The rows to read where liquidations or positions are of several markets, such as BTC."),
    ] = None,
    side_is: Annotated[
        str, typer.Option(help='What sell and buy say of a single liquidation: the side of the "order" or "position".')
    ] = "order",
    scale: Annotated[float, typer.Option(help="Factor of all liquidated amounts.")] = 1.0,
    feed: Annotated[str, typer.Option(help="Whose feed of which venues it is: said in the report.")] = "",
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
    Score a map against what was liquidated, beside the same map of other volumes and all that needs no map.

    The map is made from candles by the model flow, or presence. All that is fitted is fitted on earlier time only.

    \b
    Examples:
      liqcore score BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz --feed "Binance, Bybit and OKX, totals of an aggregator"
      liqcore score BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz --leverage 100:50%,50:50% --json
      liqcore score "BTCUSDT-1m-*.zip" "ETHUSDT-1m-*.zip" -l BTC-4h.csv -l ETH-4h.csv -o score.png
      liqcore score perp-1h.csv --positions positions.csv.gz --coin BTC

    \b
    Exit codes:
      0    done, whatever the score
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if bool(liquidations) == bool(positions):
        raise InvalidConfigError("--liquidations or --positions must be given, and not both")
    truth, named = (positions, "--positions") if positions else (liquidations or [], "--liquidations")
    check_markets(files, truth, named)
    paths = output_ or []
    settings = resolve(config, flags)
    read = inputs_of(files, settings, config) | {named: truth}
    with outputs(paths, read, known=[JSON, PNG]) as write:
        from ..runs.score import score as run  # here, because it loads the engine: help and errors come without it

        with collected_warnings() as said:
            symbol = settings.instrument.symbol
            if positions:
                candles, of = read_placed(files, positions, symbol=symbol, coin=coin)
                given = {"positions": of}
            else:
                candles, of = read_markets(files, truth, symbol=symbol, coin=coin, side_is=side_is, scale=scale)
                given = {"liquidations": of}
            found: Any = run(
                candles,
                **given,
                config=settings,
                bar=bar,
                block=block,
                warmup=warmup,
                feed=feed,
                complete=complete,
                draws=draws,
                seed=seed,
            )
        write(json=lambda path: path.write_text(found.to_json() + "\n", encoding="utf-8"), picture=found.render)
    for warning in dict.fromkeys(said):
        typer.echo(f"warning: {plain(warning)}", err=True)
    typer.echo(found.to_json() if json_ else found.to_text())
    if not json_:
        for path in paths:
            typer.echo(f"written to  {path}")
