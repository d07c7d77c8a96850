"""``liqcore config``: write, check and show settings."""

import errno
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..config.config import Config, plain_value
from ..config.sections import setting_keys
from .common import CONFIG_FILE, guarded, resolve
from .options import ConfigFile

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""
    Write, check and show settings.

    \b
    Examples:
      liqcore config init
      liqcore config check liqcore.toml
      liqcore config show --origin
    """,
)


@commands.command("init")
@guarded
def init(
    path: Annotated[Path, typer.Argument(help="Where to.")] = CONFIG_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """
    Write a file with every setting, its meaning and its default.

    \b
    Examples:
      liqcore config init
      liqcore config init btc.toml
    """
    if path.exists() and not force:
        raise FileExistsError(errno.EEXIST, "exists already; --force replaces it", str(path))
    Config().dump(path)
    typer.echo(f"written to {path}")


@commands.command("check")
@guarded
def check(
    path: Annotated[Path, typer.Argument(help="A TOML file, or a saved result (.parquet).")] = CONFIG_FILE,
) -> None:
    """
    Check a configuration file.

    What is wrong is named with its line, the rule, and what was probably meant.

    \b
    Examples:
      liqcore config check
      liqcore config check btc.toml

    \b
    Exit codes:
      0  every key is known and every value allowed
      2  something is wrong; one line on stderr names file, line and rule
    """
    typer.echo(f"{path}: good, hash {Config.load(path).hash}")


@commands.command("show")
@guarded
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Also show where each value came from.")] = False,
    config: ConfigFile = None,
) -> None:
    """
    Show the settings that a run would use.

    They come from the defaults, then the file, then LIQCORE_* variables.

    \b
    Examples:
      liqcore config show
      liqcore config show --origin
      liqcore config show --config result.parquet > again.toml
    """
    settings = resolve(config, {})
    if not origin:
        typer.echo(settings.dump(), nl=False)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", overflow="fold")
    for key in setting_keys():
        section, name = key.split(".")
        value = plain_value(getattr(getattr(settings, section), name))  # private ones, too: whoever asks has set them
        table.add_row(Text(key), Text(_written(value)), Text(settings.origin(key)))
    Console(highlight=False, width=shutil.get_terminal_size(fallback=(160, 24)).columns).print(table)


def _written(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and "tiers" in value:  # of instrument.risk; `config show` has them all
        return f"{len(value['tiers'])} risk tiers"
    if isinstance(value, dict):
        return ", ".join(f"{tier}: {entry}" for tier, entry in value.items())
    return str(value)
