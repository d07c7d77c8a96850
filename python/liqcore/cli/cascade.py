"""``liqcore cascade``: what moves of the price, or orders, would set off."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount
from ..words.times import iso
from .common import guarded, resolve
from .options import At, ConfigForTrades, Files, Flags, Json, NoBar, Tiers, leverage_flag, output, with_settings
from .outputs import JSON, PNG, TABLE, inputs_of, outputs
from .report import headline, price_text
from .run import console
from .scenarios import Coin, DepthOfBook, Orders, Scale, Sigma, Volume, Y, amount_of, book_levels, orders_of, say
from .view import check_at, echo_json, market, numbers, open_view, write_json

if TYPE_CHECKING:
    from ..analysis.cascade import Cascade


@guarded
@with_settings("cascade")
def cascade(
    files: Files = None,
    *,
    output_: Annotated[
        list[Path] | None,
        output("out.png for a picture, out.csv for a spreadsheet, out.json for programs; with --side long or short."),
    ] = None,
    at: At = None,
    side: Annotated[str, typer.Option(help='Whose positions: "long" (a fall), "short" (a rise), or "both".')] = "both",
    shock: Annotated[
        str | None,
        typer.Option(help="Moves that begin it, percent, such as 1,2,5. [default: 1,2,5,10; 0 with --order]"),
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="An order at market that begins it, an amount such as 50M. [default: none]")
    ] = None,
    sigma: Sigma = None,
    volume: Volume = None,
    y: Y = 1.0,
    y_range: Annotated[str, typer.Option(help="Range of Y over which quantiles are taken.")] = "0.5,6.5",
    exponent: Annotated[
        float, typer.Option(help="In place of the square root's, such as liqcore impact finds it.")
    ] = 0.5,
    depth: DepthOfBook = None,
    collapse: Annotated[float, typer.Option(help="With --depth: by how much the book shrinks meanwhile.")] = 3.4,
    book: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead: an order book to walk, CSV of prices and quantities; optimistic; with --side long (bids) or "
            "short (asks). [default: none]",
        ),
    ] = None,
    refill: Annotated[
        float, typer.Option(help="Share of what is sold that makers take without the price moving.")
    ] = 0.0,
    decay: Annotated[
        str | None,
        typer.Option(help="Time, such as 1m, after which an impact has fallen to 1/sqrt(2). [default: it stays]"),
    ] = None,
    pace: Annotated[str, typer.Option(help="With --decay: how long a round of liquidations takes.")] = "1s",
    backstop: Annotated[
        bool,
        typer.Option("--backstop", help="Take over, not sell, what is past its bankruptcy price when it is reached."),
    ] = False,
    fund: Annotated[
        str | None,
        typer.Option(
            help="With --backstop: USD the insurance fund can lose before others are deleveraged. [default: no limit]"
        ),
    ] = None,
    orders: Orders = None,
    coin: Coin = None,
    scale: Scale = 1.0,
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Json = False,
    quiet: NoBar = False,
) -> None:
    """
    Play through what moves of the price would set off: liquidations that move it on to more of them.

    The price comes to the smallest fixed point of P = P0 -/+ shock -/+ Y sigma P0 sqrt(Q(P) / V), with Q what is
    liquidated up to P, sigma and V of a day. Scenarios under a rough law, no forecasts.

    \b
    Examples:
      liqcore cascade btc.parquet --scale 0.03
      liqcore cascade btc.parquet --side long --shock 1,2,3,4,5 -o cascade.png
      liqcore cascade btc.parquet --side short --order 50M --decay 1m --json
      liqcore cascade btc.parquet --depth 20M --backstop --fund 100M
      liqcore cascade btc.parquet --orders orders.json --coin BTC

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    sides = ("long", "short") if side == "both" else (side,)
    if side not in ("both", "long", "short"):
        raise InvalidConfigError(f'--side must be "long", "short" or "both", was "{side}"')
    if output_ and side == "both":
        raise InvalidConfigError("-o goes with --side long or short")
    if book is not None and side == "both":
        raise InvalidConfigError("--book goes with --side long (bids) or short (asks)")
    ordered = amount_of("--order", order)
    moves = shock if shock is not None else "1,2,5,10" if order is None else "0"
    spread = numbers("--y-range", y_range, 'two numbers such as "0.5,6.5"')
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    read = inputs_of(files, settings, config) | {"--orders": orders or [], "--book": [str(book)] if book else []}
    with outputs(output_ or [], read, known=[PNG, TABLE, JSON]) as write:
        given = {
            "shock": numbers("--shock", moves, 'percentages such as "1,2,5"'), "order": ordered, "sigma": sigma,
            "volume": amount_of("--volume", volume), "y": y, "y_range": tuple(spread), "exponent": exponent,
            "depth": amount_of("--depth", depth), "collapse": collapse, "book": book_levels(book), "refill": refill,
            "decay": decay, "pace": pace, "backstop": backstop, "fund": amount_of("--fund", fund),
            "orders": orders_of(orders, coin), "scale": scale,
        }  # fmt: skip
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..analysis.cascade import cascade as play  # here, because it loads the engine: help comes without

        found = [play(view, side=each, ts=at, **given) for each in sides]
        write(
            picture=found[0].render,
            table=found[0].save,
            json=lambda path: write_json(path, record(view, found)),
        )
    if json_:
        echo_json(record(view, found))
        return
    _tables(view.map(at), found)
    for path in output_ or []:
        typer.echo(f"written to  {path}")


def record(view: Any, found: "list[Cascade]") -> dict[str, Any]:
    """Return scenarios as JSON values; docs/reference/cli.md lists the keys."""
    time_ns = found[0].time_ns
    return {**market(view), "time": iso(time_ns), "time_ns": time_ns, "cascades": [each.to_dict() for each in found]}


def _tables(made: Any, found: "list[Cascade]") -> None:
    first, base = found[0], str(made.meta.get("base") or "")

    def value(number: float) -> str:
        return amount(number, first.unit, base) if number else "-"

    out = console()
    out.print(Text(headline(made)), soft_wrap=True)
    out.print(Text(first.law), soft_wrap=True)
    if first.daily:
        out.print(
            Text(f"sigma and volume ({amount(first.volume, first.unit, base)} a day): {first.daily}"), soft_wrap=True
        )
    out.print()
    ends = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    names = ["begins with", "price ends at", "move", "overshoot"]
    names += [f"p{100 * level:g}" for level in first.quantiles] + ["liquidated"]
    stops = any(each.taken_over.any() for each in found)
    names += ["taken over", "deleveraged"] if stops else []
    for name in names:
        ends.add_column(name, justify="left" if name == "begins with" else "right", no_wrap=True)
    tiers = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("liquidated", *first.layers):
        tiers.add_column(name, justify="left" if name == "liquidated" else "right", no_wrap=True)
    for each in found:
        for i in range(len(each)):
            word = _begins(each, i, value)
            cells = [
                word,
                _price(each.end_price[i]),
                _percent(each, each.move_percent[i]),
                f"{each.overshoot_percent[i]:.2f}%",
            ]
            cells += [_price(price) for price in each.end_price_quantiles[:, i]] + [value(each.liquidated[i])]
            cells += [value(each.taken_over[i]), value(each.deleveraged[i])] if stops else []
            ends.add_row(*cells)
            tiers.add_row(word, *(value(values[i]) for values in each.layers.values()))
    out.print(ends)
    out.print()
    out.print(tiers)
    out.print()
    say(note for each in found for note in each.notes)


def _begins(of: "Cascade", i: int, value: Any) -> str:
    parts = []
    if of.shock_percent[i] or not of.order[i]:
        parts.append(f"{'fall' if of.side == 'long' else 'rise'} of {of.shock_percent[i]:g}%")
    if of.order[i]:
        parts.append(f"{value(of.order[i])} {'sold' if of.side == 'long' else 'bought'}")
    return ", ".join(parts)


def _percent(of: "Cascade", percent: float) -> str:
    return f"{'-' if of.side == 'long' else '+'}{percent:.2f}%"


def _price(price: float) -> str:
    return "beyond the book" if price != price else price_text(float(f"{price:.6g}"))
