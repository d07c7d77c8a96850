"""``liqcore info``: what is installed, where, on what machine."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Annotated

import typer

from .. import __version__, _core
from ..market.catalogue import venues as read_venues
from ..native.cpu import cpu_target, cpu_targets
from .common import guarded

REQUIRED = ("numpy", "fastparquet")
OPTIONAL = {
    "typer": "command line",
    "rich": "command line",
    "pillow": "pictures",
    "matplotlib": "pictures to edit",
    "pyarrow": "feather files, and rare forms of Parquet",
    "isal": "zip and gzip files, unpacked in a third of the time",
}


@guarded
def info(
    venues: Annotated[bool, typer.Option("--venues", help="Show the catalogue of venues instead.")] = False,
) -> None:
    """
    Show version, build, machine and packages; or the catalogue of venues.

    \b
    Examples:
      liqcore info
      liqcore info --venues
    """
    if venues:
        _show_venues()
        return
    lines = [
        ("liqcore", __version__),
        ("build", Path(_core.__file__).name),
        ("package", str(Path(__file__).resolve().parents[1])),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", platform.platform()),
        ("processor", f"{_processor()}, {os.cpu_count()} threads"),
        ("cpu target", f"{cpu_target()} (of {', '.join(cpu_targets())}; LIQCORE_ISA chooses)"),
    ]
    lines += [(name, _version(name) or "missing") for name in REQUIRED]
    for name, use in OPTIONAL.items():
        version = _version(name)
        lines.append((name, version if version is not None else f"not installed ({use})"))
    for name, value in lines:
        typer.echo(f"{name:<12} {value}")


def _show_venues() -> None:
    """Show every instrument of the catalogue with what is known of it; a dash stands for what is not."""
    for venue in read_venues().values():
        typer.echo(f"{venue.title}   (formula: {venue.source})")
        for listing in venue.instruments.values():
            tick, lot = (_known(value) for value in (listing.tick_size, listing.lot_size))
            typer.echo(
                f"  {listing.name:<34} {listing.contract:<8} tick {tick:<7} lot {lot:<7} multiplier "
                f"{listing.multiplier:<5g} trigger {listing.trigger}"
            )
            if not listing.schedules:
                typer.echo("    margin terms: not known")
            for dated in listing.schedules:
                margin = dated.margin
                count = len(margin.risk_tiers)
                span = " ".join(
                    f"{word} {str(day)[:10]}" for word, day in (("from", dated.start), ("until", dated.end)) if day
                )
                typer.echo(
                    f"    {span + ': ' if span else ''}{count} risk tier{'s' if count > 1 else ''}, "
                    f"{margin.rate:.3%}{f' up to {margin.max_leverage:g}x' if margin.max_leverage else ''}, on the "
                    f"{margin.basis} value; source ({dated.date or 'date not known'}): {dated.source}"
                )
                if dated.note:
                    typer.echo(f"      {dated.note}")
        if venue.note:
            typer.echo(f"  {venue.note}")
        typer.echo("")


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name; Python's own answer is empty on Linux."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
