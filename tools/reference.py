"""
Write tables of docs/reference/config.md, docs/reference/cli.md and docs/reference/formats.md: python tools/reference.py

Those of config.md, and of each command's options, stand between comments ``<!-- begin ... -->`` and ``<!-- end -->``.
They are made from the declarations of the settings (python/liqcore/config/sections.py), from the commands, and from the
descriptions of trade layouts (python/liqcore/sources/layout.py).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from liqcore.cli.app import app
from liqcore.config.sections import SECTIONS, SETTINGS, all_settings
from liqcore.config.toml import toml_value
from liqcore.sources.formats import TRADE_LAYOUTS
from liqcore.sources.layout import TradeLayout

PAGES = Path(__file__).resolve().parents[1] / "docs" / "reference"
NAMES = ("config.md", "cli.md", "formats.md")
PLACE = re.compile(r"(<!-- begin ([a-z ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the pages as they should be, by name."""

    def fill(match: re.Match[str]) -> str:
        what, _, command = match[2].partition(" ")
        lines = settings() if what == "settings" else layouts() if what == "layouts" else options(command)
        return match[1] + "".join(f"{line}\n" for line in lines) + match[3]

    return {name: PLACE.sub(fill, (PAGES / name).read_text(encoding="utf-8")) for name in NAMES}


def settings() -> Iterator[str]:
    """Return the tables of all sections."""
    for section, entries in SETTINGS.items():
        yield from ("", f"## [{section}]", "", str(SECTIONS[section].__doc__), "")
        yield from table("key", "default", "must be", "meaning")
        for name, entry in entries.items():
            default = f"left out: {entry.unset}" if entry.default is None else f"`{toml_value(entry.default)}`"
            yield row(f"`{name}`", default, entry.rule.text, entry.doc)
    yield ""


def layouts() -> Iterator[str]:
    """Return the table of trade layouts."""
    names = "`format`", "columns in file order", "time", "a quantity is", "whose side", "order in one time"
    yield from ("", *table(*names, "known defects, and what is done"))
    for layout in TRADE_LAYOUTS:
        time = "ISO text" if layout.text_time else " or ".join(layout.units)
        order = "by id, where ids rise with time; else as in the file" if layout.id else "as in the file"
        cells = (
            ", ".join(layout.columns),
            time,
            layout.unit or "base",
            side(layout),
            order,
            layout.defects or "none known",
        )
        yield row(f"`{layout.name}`", *cells)
    anything = (
        "s, ms, us, ns or text",
        "as printed",
        "the taker's; [fills](#fills-of-users) tell",
        "as above",
        "[below](#dialects)",
    )
    yield row("`columns`", "any table with recognisable names", *anything)
    yield row(
        "`parquet`", "any Parquet with recognisable names; timestamps, text and decimals are understood", *anything
    )
    yield ""


def side(layout: TradeLayout) -> str:
    """Return in words whose side a layout's rows have, and how it is written."""
    if not layout.side:
        return f"the taker's: the sign of {layout.quantity}, below zero it sold"
    if layout.one_is_sell is not None:
        return f"the taker's: {'1 it sold, 2 it bought' if layout.one_is_sell else '1 it bought, 2 it sold'}"
    if layout.side.startswith("is_") or not layout.true_is_sell:
        return f"the taker's: true means that it {'sold' if layout.true_is_sell else 'bought'}"
    return "the taker's: buy or sell"


def options(name: str) -> Iterator[str]:
    """Return the table of a command's options."""
    group: Any = typer.main.get_command(app)
    rows = [
        (written(option), meaning(option), ", ".join(f"`{key}`" for key in keys(name, option)))
        for option in group.commands[name].params
        if option.param_type_name == "option" and "--help" not in option.opts
    ]
    with_keys = any(key for *_, key in rows)
    yield from ("", *table("option", "meaning", *(["configuration"] if with_keys else [])))
    for cells in rows:
        yield row(*(cells if with_keys else cells[:2]))
    yield ""


def written(option: Any) -> str:
    """Return an option as one writes it."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return f"{names} {option.metavar or ''}".rstrip()


def meaning(option: Any) -> str:
    """Return an option's help, with its default as a sentence."""
    words, _, default = option.help.removesuffix("]").partition(" [default: ")
    if not default and not option.is_flag and option.default is not None:
        default = f"{option.default:g}" if isinstance(option.default, float) else str(option.default)
    if option.required:
        words += " Required."
    return f"{words} Default: {default}." if default else words


def keys(command: str, option: Any) -> list[str]:
    """Return the settings that an option sets."""
    shown = {entry.flag for entry in all_settings() if command in entry.commands}
    return [entry.key for entry in all_settings() if entry.flag in option.opts and entry.flag in shown]


def table(*names: str) -> list[str]:
    """Return the head of a table."""
    return [row(*names), "|" + "---|" * len(names)]


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


if __name__ == "__main__":
    main()
