"""``liqcore compare``: two heatmaps of one market beside each other."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from .common import guarded
from .options import Json, output
from .outputs import JSON, PNG, outputs
from .run import console
from .view import is_saved_heatmap


@guarded
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A saved heatmap, or an answer of CoinGlass or Hyblock.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    *,
    output_: Annotated[
        list[Path] | None, output("out.png for a picture of both, out.json for programs; may be repeated.")
    ] = None,
    side: Annotated[str, typer.Option(help='Whose levels: "both", "long" or "short".')] = "both",
    theme: Annotated[str, typer.Option(help='Of the picture: "dark" or "light".')] = "dark",
    width: Annotated[int, typer.Option(help="Of the picture, pixels.")] = 1600,
    height: Annotated[int, typer.Option(help="Of the picture, pixels.")] = 900,
    json_: Json = False,
) -> None:
    """
    Lay two heatmaps of one market beside each other: how alike they are, and what of it is distance to the price.

    \b
    Examples:
      liqcore compare btc.parquet coinglass.json
      liqcore compare flow.parquet oi.parquet -o both.png

    \b
    Exit codes:
      0    done, however alike they are
      2    wrong arguments or files; one line on stderr says which
      130  interrupted
    """
    if side not in ("both", "long", "short"):
        raise InvalidConfigError(f'--side must be "both", "long" or "short", was "{side}"')
    with outputs(output_ or [], {"A": [first], "B": [second]}, known=[PNG, JSON]) as write:
        from ..analysis.compare import compare as compared  # here: help and errors come without the engine

        names = [Path(first).name, Path(second).name]
        found = compared(_read(first), _read(second), side=side, names=names)
        write(
            picture=lambda path: found.render(path, width=width, height=height, theme=theme),
            json=lambda path: path.write_text(found.to_json() + "\n", encoding="utf-8"),
        )
    if json_:
        typer.echo(found.to_json())
        return
    out = console()
    said = found.to_dict()
    out.print(Text(f"{said['start'][:16]} to {said['end'][:16]}, {said['columns']:,} columns by {said['rows']:,} rows "
                   f"of {said['step']:g}"), soft_wrap=True)  # fmt: skip
    out.print(_table(found))
    out.print(Text(found.verdict), soft_wrap=True)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def _read(path: str) -> Any:
    """A saved heatmap, or a vendor's answer."""
    from ..vendors.files import read_response
    from ..views.saved import load_heatmap

    return load_heatmap(path) if is_saved_heatmap(path) else read_response(path)


def _table(found: Any) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("correlation", no_wrap=True)
    for name in ("a column", "quartiles", "a row", "all", "top tenth"):
        table.add_column(name, justify="right", no_wrap=True)
    for alike, words in ((found.cells, "cells"), (found.left, "without distance")):
        table.add_row(
            words,
            f"{alike.column_mid:+.2f}",
            f"{alike.column_low:+.2f} to {alike.column_high:+.2f}",
            f"{alike.row_mid:+.2f}",
            f"{alike.spearman:+.2f}",
            f"{100 * alike.top:.0f}%",
        )
    return table
