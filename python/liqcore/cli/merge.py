"""``liqcore merge``: saved heatmaps of several venues in one picture or result."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config.config import Config
from ..errors import InvalidConfigError
from .common import guarded
from .options import Flags, Outputs, Quiet, Tiers, leverage_flag, option, with_settings
from .progress import ProgressCallback
from .run import draw
from .view import part_of

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap


@guarded
@with_settings("merge")
def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILES", help="Saved heatmaps (.parquet), one of each venue.")],
    output: Outputs,
    *,
    bin_: Annotated[
        float | None,
        option("axis.step", "Height of the price bins, in price. [default: the highest of the files']"),
    ] = None,
    price_from: Annotated[
        str | None, typer.Option(help="Venue whose candles are shown. [default: the largest traded notional]")
    ] = None,
    stale_after: Annotated[
        str | None,
        typer.Option(
            help="Leave a venue out of a column where its last event is older than 10m, 1h, ... [default: keep it as "
            "last known]"
        ),
    ] = None,
    drop_ended: Annotated[
        bool,
        typer.Option(
            "--drop-ended",
            help="Leave a venue out once its data has ended before that of the others. [default: keep it]",
        ),
    ] = False,
    leverage: Tiers = None,
    flags: Flags,
    quiet: Quiet = False,
) -> None:
    """
    Sum the saved heatmaps of one underlying on several venues.

    Each venue keeps its own ticks, contract, margin terms and leverage. A venue is named as its file says, or, where
    that says nothing or the same as another, as the file itself. Neither liqcore.toml nor LIQCORE_* variables are read.

    \b
    Examples:
      liqcore merge binance.parquet okx.parquet bybit.parquet -o all.png -o all.parquet
      liqcore merge binance.parquet okx.parquet -o day.png --opened-within 24h --stale-after 10m
      liqcore merge binance.parquet closed-venue.parquet -o both.png --drop-ended

    \b
    Exit codes:
      0    done
      2    wrong arguments or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if len(files) < 2:
        raise InvalidConfigError(f"FILES must be at least two saved heatmaps, was {files[0]} alone")
    settings = Config.resolve(None, {}, {**flags, **leverage_flag(leverage)})

    def compute(_: ProgressCallback | None) -> "Heatmap":
        from ..views.merge import merge_venues
        from ..views.saved import load_heatmap

        heatmaps = [load_heatmap(file) for file in files]
        said = [heatmap.meta.get("venue") for heatmap in heatmaps]
        names = [name if name and said.count(name) == 1 else file.stem for name, file in zip(said, files, strict=True)]
        if len(set(names)) < len(names):
            return merge_venues(heatmaps, step=bin_)  # whose error says which venue is there twice
        named = dict(zip(names, heatmaps, strict=True))
        ended = "drop" if drop_ended else "keep"
        merged = merge_venues(named, step=bin_, price_from=price_from, stale_after=stale_after, ended=ended)
        return part_of(merged, settings)

    draw(compute, settings, output, {"FILES": [str(file) for file in files]}, quiet=quiet)
