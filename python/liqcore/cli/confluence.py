"""``liqcore confluence``: what RSI, funding, open interest and takers said at an instant, beside each zone."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount, caution
from ..words.times import iso
from .common import guarded, options_named, resolve
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
from .view import check_at, echo_json, json_text, market, open_view


@guarded
@with_settings("confluence")
def confluence(
    files: Files = None,
    *,
    output_: Annotated[
        list[Path] | None,
        output("out.csv for a spreadsheet, out.png for a picture, out.json for everything; may be repeated."),
    ] = None,
    at: At = None,
    funding: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Funding rates of the market; may be repeated.")
    ] = None,
    bar: Annotated[str, typer.Option(help="Length of the bars of RSI and divergences.")] = "1h",
    rsi: Annotated[int, typer.Option(help="Bars of the RSI.")] = 14,
    lookback: Annotated[str, typer.Option(help="Time of the rates that the last one is compared with.")] = "30d",
    over: Annotated[str, typer.Option(help="Time over which open interest changes and takers are summed.")] = "4h",
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="From where on readings lean; may be repeated. [default: rsi_low=30 rsi_high=70 funding=2 "
            "open_interest=0.02 takers=0.1]",
        ),
    ] = None,
    swing: Annotated[int, typer.Option(help="Bars on both sides that a swing exceeds.")] = 3,
    within: Annotated[
        float | None, typer.Option(help="Only zones at most so many percent away. [default: wherever they are]")
    ] = None,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    top: Annotated[int, typer.Option(min=0, help="How many zones, those that hold the most; 0: all.")] = 10,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    Show which of RSI, funding, open interest and takers lean to which zone, and divergences: a table, no advice.

    Open interest is that of the heatmap: give it when the heatmap is made, with --open-interest.

    \b
    Examples:
      liqcore confluence btc.parquet
      liqcore confluence btc.parquet --funding BTCUSDT-funding-8h.csv.gz --within 5
      liqcore confluence btc.parquet --at 2026-06-12T10:00 --bar 15m --limit takers=0.2 --json

    \b
    Exit codes:
      0    done, also where nothing agrees
      2    wrong arguments, settings or files; one line on stderr says which
      130  interrupted
    """
    limits = dict(_limit(text) for text in limit or [])
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    read = inputs_of(files, settings, config) | {"--funding": funding or []}
    with outputs(output_ or [], read, known=[TABLE, JSON, PNG]) as write:
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..analysis.confluence import NO_ADVICE  # here: help comes without the engine
        from ..analysis.confluence import confluence as found_in
        from ..sources.funding import read_funding

        with options_named({"symbol": "--symbol"}):
            rates = read_funding(funding) if funding else None
        found = found_in(
            view,
            at,
            funding=rates,
            bar=bar,
            rsi=rsi,
            lookback=lookback,
            over=over,
            limits=limits,
            swing=swing,
            threshold=threshold,
            within=within,
        )
        answer = {**market(view), **found.to_dict()}
        write(
            table=found.save,
            json=lambda path: path.write_text(json_text(answer) + "\n", encoding="utf-8"),
            picture=found.render,
        )
    if json_:
        echo_json(answer)
        return
    now = view.map(found.time_ns)
    out = console()
    out.print(Text(headline(now)), soft_wrap=True)
    out.print(_readings(found))
    out.print()
    out.print(_zones(found, now, top))
    out.print()
    out.print(_divergences(found))
    out.print(Text(NO_ADVICE), soft_wrap=True)
    out.print(Text(caution(now.meta)), soft_wrap=True)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def _limit(text: str) -> tuple[str, float]:
    name, is_given, value = text.partition("=")
    try:
        if not is_given:
            raise ValueError
        return name.strip(), float(value)
    except ValueError:
        raise InvalidConfigError(f'--limit must be NAME=VALUE such as "takers=0.2", was "{text}"') from None


_HEADS = {"open_interest": "OI"}
_TOWARDS = {"to": "to", "away": "away", "neither": "-", "unknown": "?"}
_WORDS = {"rsi": "RSI", "funding": "funding", "open_interest": "open interest", "takers": "takers"}


def _value(reading: Any) -> str:
    if math.isnan(reading.value):
        return "not known"
    if reading.name == "rsi":
        return f"{reading.value:.1f}"
    return f"{reading.value:+.2f}" if reading.name == "funding" else f"{100 * reading.value:+.1f}%"


def _readings(found: Any) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("reading", "value", "leans", "rule"):
        table.add_column(name, justify="right" if name == "value" else "left", overflow="fold")
    for reading in found.readings:
        table.add_row(_WORDS[reading.name], _value(reading), reading.leans, reading.rule)
    return table


def _zones(found: Any, now: Any, top: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in (
        "side",
        "low",
        "high",
        "value",
        "away",
        "agree",
        *(_HEADS.get(each.name, _WORDS[each.name]) for each in found.readings),
    ):
        is_right = name in ("low", "high", "value", "away", "agree")
        table.add_column(name, justify="right" if is_right else "left", no_wrap=True)
    zones = sorted(found.zones, key=lambda zone: -zone.value)[: top or None]
    for zone in sorted(zones, key=lambda zone: -zone.low):
        known = sum(each.leans != "unknown" for each in found.readings)
        table.add_row(
            zone.side,
            price_text(zone.low),
            price_text(zone.high),
            amount(zone.value, now.unit, str(now.meta.get("base") or "")),
            f"{zone.distance_percent:+.2f}%",
            f"{found.agreeing(zone)} of {known}",
            *(_TOWARDS[said] for said in found.towards(zone).values()),
        )
    return table


def _divergences(found: Any) -> Table | Text:
    if not found.divergences:
        return Text("no divergence")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("divergence", "of", "first", "second", "known since", "price", "indicator"):
        table.add_column(name, no_wrap=True)
    for one in found.divergences[-5:]:
        table.add_row(
            one.kind,
            _WORDS[one.of],
            iso(one.first_ns)[:16],
            iso(one.second_ns)[:16],
            iso(one.known_ns)[:16],
            f"{price_text(one.first_price)} to {price_text(one.second_price)}",
            f"{one.first_value:.4g} to {one.second_value:.4g}",
        )
    return table
