"""``liqcore heatmap``: from trade files to a picture or a result."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidConfigError
from .common import guarded, leverage_flag, resolve
from .progress import ProgressCallback
from .report import HeatmapResult
from .run import draw


@guarded
def heatmap(
    output: Annotated[
        list[Path],
        typer.Option(
            "-o", "--output", metavar="FILE", help="out.png for a picture, out.parquet for a result; twice for both."
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Files of trades, in any order, or one of footprints; none where --candles stand for them.",
        ),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Symbol, as the venue writes it. [default: from the files]")
    ] = None,
    venue: Annotated[str | None, typer.Option(help="Venue, for the title, such as binance-usdm.")] = None,
    window: Annotated[str | None, typer.Option(help="Length of a column: 30s, 5m, 1h, 1d. [default: 5m]")] = None,
    bin_: Annotated[
        float | None, typer.Option("--bin", help="Height of the price bins, in price. [default: some 4 basis points]")
    ] = None,
    leverage: Annotated[
        str | None,
        typer.Option(
            help='Shares by leverage, such as "10:0.5,25:0.3,100:0.2", or a preset: default, integer-125, or that of a '
            "venue: binance-usdm, bitmex, hyperliquid."
        ),
    ] = None,
    side: Annotated[str | None, typer.Option(help="Positions shown: both, long or short. [default: both]")] = None,
    last: Annotated[str | None, typer.Option(help="Show only the last 12h, 3d, ... [default: all]")] = None,
    opened_within: Annotated[
        str | None,
        typer.Option(help="Show only levels opened in the last 24h, 3d, ... of each column's time. [default: all]"),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="Hide what is below this share of the maximum (0 to 1), amount (above 1, USD) or percentile (p95). "
            "[default: hide nothing]"
        ),
    ] = None,
    warmup: Annotated[
        str | None, typer.Option(help="Length of data that fills the book before the first column. [default: none]")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="What opens and closes positions: flow, oi, blend, vendor. [default: oi where --open-interest is "
            "given, else flow]"
        ),
    ] = None,
    reconciled: Annotated[
        bool | None,
        typer.Option(
            "--reconciled/--not-reconciled", help="Correct the book by open interest at every sample. [default: no]"
        ),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option(help="What liquidates: last, mark or candle. [default: mark where --marks is given, else last]"),
    ] = None,
    marks: Annotated[str | None, typer.Option(metavar="FILE", help="File or pattern of mark prices.")] = None,
    open_interest: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File or pattern of open interest, such as Binance metrics."),
    ] = None,
    open_interest_sides: Annotated[
        str | None,
        typer.Option(
            help="Whether the open interest counts one side, or two and is halved: auto, one, two. [default: auto, by "
            "the files' layout]"
        ),
    ] = None,
    candles: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File or pattern of candles, in place of trades or for --trigger candle."),
    ] = None,
    tick_size: Annotated[float | None, typer.Option(help="Smallest price step. [default: from the files]")] = None,
    lot_size: Annotated[float | None, typer.Option(help="Smallest quantity step. [default: from the files]")] = None,
    mmr: Annotated[
        float | None,
        typer.Option(
            help="Maintenance margin rate, a fraction of the notional. [default: the catalogue's, else 0.004]"
        ),
    ] = None,
    maker_share: Annotated[
        float | None, typer.Option(help="Share of a trade that opens on the maker's side too, 0 to 1. [default: 0]")
    ] = None,
    half_life: Annotated[
        str | None,
        typer.Option(help='Time in which half of what is open closes: default, none, or "25:7d,100:1d" by leverage.'),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Settings: a TOML file, or a saved result to repeat. [default: liqcore.toml, if there]"
        ),
    ] = None,
    width: Annotated[int | None, typer.Option(help="Width of the picture, pixels. [default: 1600]")] = None,
    height: Annotated[int | None, typer.Option(help="Height of the picture, pixels. [default: 900]")] = None,
    colormap: Annotated[
        str | None, typer.Option(help="Colour map: viridis, cividis or inferno. [default: viridis]")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads to compute with; the result is the same.")] = 1,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only warnings and errors.")] = False,
) -> None:
    """
    Draw or save the heatmap of a market from its trades.

    Settings come from the defaults, then the configuration file, then LIQCORE_* variables, then flags. An existing
    output file is replaced once the new one is complete.

    \b
    Examples:
      liqcore heatmap BTCUSDT-aggTrades-2026-06-1*.zip -o btc.png
      liqcore heatmap trades.parquet -o map.png -o map.parquet --window 1m --bin 20 --warmup 1d
      liqcore heatmap trades.csv.gz -o shorts.png --side short --last 24h --leverage "25:0.5,50:0.3,100:0.2"
      liqcore heatmap BTCUSDT-*.zip -o day.png --opened-within 24h --last 3d
      liqcore heatmap trades.csv.gz -o again.parquet --config map.parquet
      liqcore heatmap trades.zip -o btc.png --open-interest "BTCUSDT-metrics-*.zip" --marks "markPriceKlines/*.zip"
      liqcore heatmap --candles "BTCUSDT-1m-2026-03.zip" -o candles.png

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    settings = resolve(
        config,
        {
            "instrument.symbol": symbol,
            "instrument.venue": venue,
            "instrument.tick_size": tick_size,
            "instrument.lot_size": lot_size,
            "instrument.mmr": mmr,
            "axis.step": bin_,
            "window.length": window,
            "window.warmup": warmup,
            "window.last": last,
            "window.opened_within": opened_within,
            "model.name": model,
            "model.reconciled": reconciled,
            "model.trigger": trigger,
            "model.maker_share": maker_share,
            "model.half_life": half_life,
            "source.marks": marks,
            "source.open_interest": open_interest,
            "source.open_interest_sides": open_interest_sides,
            "source.candles": candles,
            "render.side": side,
            "render.threshold": threshold,
            "render.width": width,
            "render.height": height,
            "render.colormap": colormap,
            **leverage_flag(leverage),
        },
    )

    if not files and settings.source.candles is None:
        raise InvalidConfigError("FILES of trades, or --candles, must be given")

    def compute(progress: ProgressCallback | None) -> HeatmapResult:
        from ..runs.heatmap import heatmap as run  # here, because it loads the engine: help and errors come without it

        return run(files or None, config=settings, progress=progress, threads=threads)

    source = settings.source
    beside = (path for path in (source.marks, source.open_interest, source.candles) if path is not None)
    read = [*(files or ()), *beside]
    draw(compute, settings, output, read, quiet=quiet)
