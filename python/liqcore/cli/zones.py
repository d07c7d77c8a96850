"""``liqcore zones``: the zones of one instant, ranked; or those that the price has swept since."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount, caution, interval_text
from ..words.times import iso, parse_duration
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
from .outputs import TABLE, inputs_of, outputs
from .report import headline, price_text
from .run import console
from .view import check_at, echo_json, market, numbers, open_view


@guarded
@with_settings("zones")
def zones(
    files: Files = None,
    *,
    output_: Annotated[list[Path] | None, output("out.csv for a spreadsheet.")] = None,
    at: At = None,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    flags: Flags,
    within: Annotated[
        float | None,
        typer.Option(
            help="Only zones at most so many percent away; shares and percentiles are then of the bins there. "
            "[default: wherever they are]"
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(help="Only zones that have been there without a break for longer than 1d, ... [default: all]"),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many zones, those of the highest score; 0: all.")] = 20,
    columns: Annotated[int, typer.Option(help="Over how many columns presence counts.")] = 100,
    weights: Annotated[str, typer.Option(help="Weights of value, distance and persistence in the score.")] = "1,1,1",
    reach: Annotated[
        float, typer.Option(help="Distance, percent, at which the score's factor for distance is 1/e.")
    ] = 5.0,
    swept: Annotated[
        str | None,
        typer.Option(help="Instead: the zones of 24h, 3d, ... before that the price has reached since, and when."),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Also show in which share of views with other shares and bins each is."),
    ] = False,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    List the zones of one instant: neighbouring price bins of one side with much to liquidate.

    They are ranked by a score, (value / largest)^a x exp(-|distance| / reach)^b x persistence^c: an order, no forecast.

    \b
    Examples:
      liqcore zones btc.parquet
      liqcore zones btc.parquet --at 2026-06-12T10:00 --threshold 0.3 --side long
      liqcore zones btc.parquet --side long --within 3 --top 1
      liqcore zones btc.parquet --older-than 1d -o old.csv
      liqcore zones btc.parquet --swept 24h
      liqcore zones BTCUSDT-aggTrades-2026-06-1*.zip --opened-within 24h --leverage 25,50 --json

    \b
    Exit codes:
      0    done, also where there is no zone
      2    wrong arguments, settings or files; one line on stderr says which
      130  interrupted
    """
    factors = numbers("--weights", weights, 'three weights such as "1,1,0.5"')
    if len(factors) != 3:
        raise InvalidConfigError(f'--weights must be three weights such as "1,1,0.5", was "{weights}"')
    if swept is not None and sensitivity:
        raise InvalidConfigError("--sensitivity goes without --swept")
    if within is not None and (swept is not None or sensitivity):
        raise InvalidConfigError(f"--within goes without {'--swept' if swept is not None else '--sensitivity'}")
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    with outputs(output_ or [], inputs_of(files, settings, config), known=[TABLE]) as write:
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..analysis.zones import Zones, magnets  # here, because it loads the engine: help and errors come without

        now = view.map(at)
        found = _found(view, now, at, swept, {"threshold": threshold, "columns": columns}, within)
        if older_than is not None:
            latest = now.time_ns - parse_duration(older_than, name="--older-than")
            found = [zone for zone in found if zone.since_ns <= latest]
        ranked = magnets(found, value=factors[0], distance=factors[1], persistence=factors[2], reach_percent=reach)
        if top:
            ranked = ranked[:top]
        survival = {}
        if sensitivity:
            survival = {(kept.zone.side, kept.zone.low): kept for kept in view.sensitivity(at, threshold=threshold)}
        rows = [record(magnet, survival.get((magnet.zone.side, magnet.zone.low))) for magnet in ranked]
        extra = {"score": [magnet.score for magnet in ranked]}
        if sensitivity:
            extra["survives"] = [row["survives"]["share"] for row in rows]
        write(table=Zones((magnet.zone for magnet in ranked), step=now.step, extra=extra).save)
    if json_:
        head = {"time": iso(now.time_ns), "time_ns": now.time_ns, "complete": now.complete, "price": now.price}
        echo_json({**market(view), **head, "zones": rows})
        return
    _table(now, rows)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def _found(
    view: Any, now: Any, at: str | None, swept: str | None, asked: Mapping[str, Any], within: float | None
) -> list[Any]:
    """Zones of now, or those of before that the price has reached since."""
    if swept is None:
        return list(view.zones(at, within=within, **asked))
    end = now.time_ns
    length = parse_duration(swept, name="--swept")
    try:
        return list(view.swept(end - length, until=at, **asked))
    except InvalidConfigError as error:
        if not str(error).startswith("ts "):
            raise
        raise InvalidConfigError(f"{str(error).replace(str(end - length), swept)} (--swept)") from None


def record(magnet: Any, survival: Any = None) -> dict[str, Any]:
    """Return a zone as JSON values; docs/reference/cli.md lists the keys."""
    out = asdict(magnet.zone)
    out.pop("unit")
    out["since"] = iso(out["since_ns"])
    out["time"] = iso(out["time_ns"])
    if out["swept"]:
        out["swept"] |= {"start": iso(out["swept"]["start_ns"]), "end": iso(out["swept"]["end_ns"])}
    if survival is not None:
        names = ("share", "shares", "models", "offsets")
        out["survives"] = {name: getattr(survival, name) for name in names}
    return {"score": magnet.score, **out}


def _table(now: Any, rows: list[dict[str, Any]]) -> None:
    base = str(now.meta.get("base") or "")
    out = console()
    out.print(Text(headline(now)), soft_wrap=True)
    if not rows:
        out.print("no zone")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    names = ["score", "side", "low", "high", "value", "share", "away", "present"]
    names += ["swept", "by", "liquidated"] if rows[0]["swept"] else ["since", *(f"<{age}" for age in rows[0]["ages"])]
    if "survives" in rows[0]:
        names.append("survives")
    for name in names:
        table.add_column(name, justify="left" if name in ("side", "by", "since", "swept") else "right", no_wrap=True)
    for row in rows:
        cells = [
            f"{row['score']:.3f}",
            row["side"],
            price_text(row["low"]),
            price_text(row["high"]),
            amount(row["value"], now.unit, base) + interval_text((row["value_low"], row["value_high"])),
            f"{100 * row['share']:.1f}%",
            f"{row['distance_percent']:+.2f}%",
            f"{100 * row['persistence']:.0f}%",
        ]
        if row["swept"]:
            sweep = row["swept"]
            cells += [sweep["start"][:16], sweep["by"], amount(sweep["value"], now.unit, base)]
        else:
            cells.append(row["since"][:16])
            cells += ["-" if np.isnan(age) else f"{100 * age:.0f}%" for age in row["ages"].values()]
        if "survives" in row:
            cells.append(f"{100 * row['survives']['share']:.0f}%")
        table.add_row(*cells)
    out.print(table)
    out.print(Text(caution(now.meta)), soft_wrap=True)
