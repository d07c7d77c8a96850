"""``liqcore liqprice``: where one position would be liquidated."""

import math
from typing import Annotated

import typer

from .._core import MarginSchedule
from ..errors import InvalidConfigError
from ..market.catalogue import find_listing
from ..market.listing import Listing
from ..market.margin import NoPrice, bankruptcy_price, liquidation_price
from .common import guarded

FORMULAS = {
    ("linear", "mark"): "M + s q (P - e) = (m + f) q P - c",
    ("linear", "entry"): "M + s q (P - e) = m q e - c",
    ("inverse", "mark"): "M + s Q (1/e - 1/P) = (m + f) Q/P - c",
    ("inverse", "entry"): "M + s Q (1/e - 1/P) = m Q/e - c",
}
"""What is solved for P, by contract and basis."""


@guarded
def liqprice(
    side: Annotated[str, typer.Option(help='"long" or "short".')],
    entry: Annotated[float, typer.Option(help="Entry price, quote currency.")],
    leverage: Annotated[float | None, typer.Option(help="Leverage; or give --margin and --qty.")] = None,
    venue: Annotated[str | None, typer.Option(help='Venue, or venue:symbol, such as "binance-usdm:BTCUSDT".')] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol on that venue. [default: its first]")] = None,
    at: Annotated[str | None, typer.Option(help="Date whose margin terms to use. [default: the latest]")] = None,
    qty: Annotated[
        float | None, typer.Option(help="Base units (linear) or USD (inverse), for the risk tier. [default: the first]")
    ] = None,
    margin: Annotated[float | None, typer.Option(help="Margin behind the position; needs --qty.")] = None,
    mmr: Annotated[float | None, typer.Option(help="Maintenance margin rate, where no venue is given.")] = None,
    fee: Annotated[float | None, typer.Option(help="Liquidation fee rate, where no venue is given.")] = None,
    open_fee: Annotated[float, typer.Option(help="Opening fee rate that leaves the margin (Hyperliquid).")] = 0.0,
    contract: Annotated[str | None, typer.Option(help='"linear" or "inverse", where no venue is given.')] = None,
    basis: Annotated[str | None, typer.Option(help='"mark" or "entry", where no venue is given.')] = None,
) -> None:
    """
    Show where a position would be liquidated, and why there.

    \b
    Examples:
      liqcore liqprice --venue binance-usdm:BTCUSDT --side long --entry 60000 --leverage 25
      liqcore liqprice --side short --entry 60000 --leverage 10 --mmr 0.01
    """
    if side not in ("long", "short"):
        raise InvalidConfigError(f'--side must be "long" or "short", was "{side}"')
    listing, terms, source = None, None, ""
    if venue is not None:
        for name, value in (("--mmr", mmr), ("--fee", fee), ("--contract", contract), ("--basis", basis)):
            if value is not None:
                raise InvalidConfigError(f"{name} goes without --venue, which has its own")
        listing = find_listing(venue if symbol is None else f"{venue.partition(':')[0]}:{symbol}")
        dated = listing.schedule(at)
        terms, source, contract = dated.margin, dated.source, listing.contract
    else:
        if symbol is not None or at is not None:
            raise InvalidConfigError(f"{'--symbol' if symbol is not None else '--at'} goes with --venue")
        if mmr is None:
            raise InvalidConfigError("--venue or --mmr must be given, neither was")
        terms = MarginSchedule.flat(mmr, fee=fee or 0.0, basis=basis or "mark")
        contract = contract or "linear"
    price, reason = liquidation_price(
        side,
        entry,
        leverage,
        qty=qty,
        margin=margin,
        open_fee=open_fee,
        schedule=terms,
        contract=contract,
        return_reason=True,
    )
    if reason is NoPrice.INVALID:
        raise InvalidConfigError(f"the position must be possible: {reason.text}")
    bankrupt = bankruptcy_price(side, entry, leverage, qty=qty, margin=margin, open_fee=open_fee, contract=contract)
    lines = [("position", _position(listing, side, entry, leverage, qty))]
    if reason is NoPrice.NONE:
        lines += [("liquidation", _number(price)), ("distance", f"{price / entry - 1:+.4%} of the entry")]
    else:
        lines.append(("liquidation", f"none: {reason.text}"))
    lines.append(("bankruptcy", "none: the margin covers every loss" if math.isnan(bankrupt) else _number(bankrupt)))
    lines.append(
        ("formula", f"{FORMULAS[contract, terms.basis]}   ({contract}, maintenance on the {terms.basis} value)")
    )
    lines.append(("terms", _terms(terms, entry, price, qty, contract)))
    if listing is not None:
        lines += [("trigger", f"{listing.trigger} price"), ("source", source)]
    for name, value in lines:
        typer.echo(f"{name:<12} {value}")


def _position(listing: Listing | None, side: str, entry: float, leverage: float | None, qty: float | None) -> str:
    parts = [side]
    if leverage is not None:
        parts.append(f"{leverage:g}x")
    if qty is not None:
        parts.append(f"{qty:g}")
    parts.append(f"at {_number(entry)}")
    if listing is not None:
        parts.append(f"on {listing.name}")
    return " ".join(parts)


def _terms(terms: MarginSchedule, entry: float, price: float, qty: float | None, contract: str) -> str:
    """Say which rate, fee and amount were used."""
    rows = terms.risk_tiers
    number = 0
    if qty is not None and len(rows) > 1:
        at_price = terms.has_amounts and terms.basis == "mark" and not math.isnan(price)
        at = price if at_price else entry
        size = qty if terms.unit == "quantity" else qty * at if contract == "linear" else qty / at
        number = max(n for n, row in enumerate(rows) if row["floor"] <= size)
    rate = rows[number]["rate"] + terms.slope * (qty or 0.0)
    text = f"m = {rate:.4%}, f = {terms.fee:.4%}"
    if qty is not None and rows[number].get("amount"):
        text += f", c = {rows[number]['amount']:g}"
    return text + (f"; risk tier {number + 1} of {len(rows)}" if len(rows) > 1 else "")


def _number(value: float) -> str:
    return f"{value:,.8g}" if abs(value) < 1 else f"{value:,.2f}" if abs(value) >= 1000 else f"{value:,.4f}"
