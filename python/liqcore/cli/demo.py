"""``liqcore demo``: the whole way on a simulated market."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config.config import Config
from .common import guarded
from .options import Quiet, output
from .progress import ProgressCallback
from .run import draw

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap


@guarded
def demo(
    output: Annotated[
        list[Path] | None,
        output(
            "out.png for a picture, out.html for a page, out.parquet for a result; may be repeated. "
            "[default: liqcore-demo.png]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated market; the same seed, the same map.")] = 1,
    days: Annotated[float, typer.Option(help="Length of the simulated market, days.")] = 3.0,
    quiet: Quiet = False,
) -> None:
    """
    Draw the heatmap of a simulated market.

    It needs no data. Everything in it is SYNTHETIC, and the picture says so.
    Neither liqcore.toml nor LIQCORE_* variables are read.

    \b
    Examples:
      liqcore demo
      liqcore demo -o demo.png -o demo.parquet --seed 7 --days 1

    \b
    Exit codes:
      0    done
      2    wrong arguments; no output file was touched
      130  interrupted; no output file was touched
    """
    settings = Config().replace(instrument={"symbol": "SIMULATED", "venue": "simulator"})

    def compute(progress: ProgressCallback | None) -> "Heatmap":
        from ..runs.heatmap import heatmap as run
        from ..simulation.simulation import simulate

        market = simulate(seed=seed, days=days)
        terms = {key: market.parameters[key] for key in ("tick_size", "lot_size", "mmr")}
        heatmap = run(
            trades=market.trades, marks=market.marks, config=settings.replace(instrument=terms), progress=progress
        )
        heatmap.meta["synthetic"] = True
        return heatmap

    draw(compute, settings, output or [Path("liqcore-demo.png")], {}, quiet=quiet)
