"""``liqcore score``: how right a map is, beside all that needs no map."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, options_named, resolve
from .options import ConfigForTrades, Flags, output, with_settings
from .outputs import JSON, PNG, inputs_of, outputs
from .run import collected_warnings

if TYPE_CHECKING:
    from ..sources.candles import Candles
    from ..sources.liquidations import Liquidations


@guarded
@with_settings(
    "score",
    leverage='Shares by leverage, such as "10:50%,25:30%,100:20%", or a preset: default, auto, integer-125, or that of '
    "a venue: binance-usdm, bitmex, hyperliquid. [default: auto where the venue is known, else default]",
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
        str | None, typer.Option(help="The rows to read where liquidations are of several markets, such as BTC.")
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

    The map is made from candles by the model flow. Everything that is fitted is fitted on earlier time only.

    \b
    Examples:
      liqcore score BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz --feed "Binance, Bybit and OKX, totals of an aggregator"
      liqcore score BTCUSDT-1m-2026-03.zip -l BTC-30m.csv.gz --leverage 100:50%,50:50% --json
      liqcore score "BTCUSDT-1m-*.zip" "ETHUSDT-1m-*.zip" -l BTC-4h.csv -l ETH-4h.csv -o score.png

    \b
    Exit codes:
      0    done, whatever the score
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if len(liquidations) not in (1, len(files)):
        raise InvalidConfigError(
            f"--liquidations must be given once, or once for each of the {len(files)} markets, was {len(liquidations)} "
            "times"
        )
    paths = output_ or []
    settings = resolve(config, flags)
    read = inputs_of(files, settings, config) | {"--liquidations": liquidations}
    with outputs(paths, read, known=[JSON, PNG]) as write:
        from ..runs.score import score as run  # here, because it loads the engine: help and errors come without it
        from ..sources.candles import read_candles
        from ..sources.liquidations import read_liquidations

        symbol = settings.instrument.symbol
        several = len(liquidations) > 1
        with collected_warnings() as said:
            candles: Any = [read_candles(one) for one in files] if several else read_candles(files, symbol=symbol)
            with options_named({"symbol": "--coin"}):
                truth: Any = [read_liquidations(one, symbol=coin, side_is=side_is, scale=scale) for one in liquidations]
            found = run(
                _named(files, candles, truth)[0] if several else candles,
                _named(files, candles, truth)[1] if several else truth[0],
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


def _named(
    files: list[str], candles: "list[Candles]", truth: "list[Liquidations]"
) -> "tuple[dict[str, Candles], dict[str, Liquidations]]":
    """Name markets by the symbols of their files, or, where those say nothing or the same, by the files."""
    symbols = [next((one.symbol for one in of.report.files if one.symbol), "") or "" for of in candles]
    names = [
        symbol if symbol and symbols.count(symbol) == 1 else file for symbol, file in zip(symbols, files, strict=True)
    ]
    if len(set(names)) < len(names):
        raise InvalidConfigError(f"CANDLES must be of different markets, were {', '.join(names)}")
    return dict(zip(names, candles, strict=True)), dict(zip(names, truth, strict=True))
