"""Options: those of the settings, made from their declarations, and those that several commands share."""

import functools
import inspect
from collections.abc import Callable, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ..config.layers import find
from ..config.rules import number_text
from ..config.sections import all_settings
from ..config.setting import Setting
from ..errors import InvalidConfigError
from ..market.fitted import PROFILE_FILES

R = TypeVar("R")

Flags = Mapping[str, Any]
"""Settings that are given on the command line, by key, as `Config.resolve` takes them."""


def output(help: str) -> Any:
    """Return the option ``-o``."""
    return typer.Option("-o", "--output", metavar="FILE", help=help)


def config_file(help: str) -> Any:
    """Return the option ``--config``."""
    return typer.Option("--config", metavar="FILE", help=f"{help} [default: liqcore.toml, if there]")


def quiet(help: str) -> Any:
    """Return the option ``-q``."""
    return typer.Option("-q", "--quiet", help=help)


Outputs = Annotated[
    list[Path],
    output(
        "out.png or out.svg for a picture, out.html for a page to look closer at, out.parquet for a result, "
        "out.csv for a spreadsheet; may be repeated."
    ),
]
ConfigFile = Annotated[Path | None, config_file("Settings: a TOML file, or a saved result to repeat.")]
Quiet = Annotated[bool, quiet("Only warnings and errors.")]


def with_settings(command: str, **helps: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """
    Give a command the options of the settings that name it, in the place of its parameter ``flags: Flags``.

    Parameters
    ----------
    command : str
        As the declarations have it.
    **helps : str
        What the help says here, by option, where a setting means something else.
    """
    shown = {_name(entry.flag): entry for entry in all_settings() if command in entry.commands}
    assert helps.keys() <= shown.keys(), f"{command} has no such option"
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[entry.rule.kind | None, option(entry.key, helps.get(name, ""))],
        )
        for name, entry in shown.items()
    ]

    def decorate(run: Callable[..., R]) -> Callable[..., R]:
        own = inspect.signature(run)
        parameters: list[inspect.Parameter] = []
        for parameter in own.parameters.values():
            parameters += options if parameter.name == "flags" else [parameter]

        @functools.wraps(run)
        def wrapper(**arguments: Any) -> R:
            flags: dict[str, Any] = {}
            for name, entry in shown.items():
                value = arguments.pop(name)
                if name == "leverage":
                    flags |= leverage_flag(value, shown=command not in ("features", "score", "calibrate"))
                else:
                    flags |= {entry.key: value}
            return run(flags=flags, **arguments)

        signature = own.replace(parameters=parameters)
        wrapper.__signature__ = signature  # type: ignore[attr-defined]
        wrapper.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        return wrapper

    return decorate


def option(key: str, help: str = "") -> Any:
    """Return the option of a setting, with the help of its declaration or another."""
    entry = find(key)
    flag = f"{entry.flag}/--not-{entry.flag.removeprefix('--')}" if entry.rule.kind is bool else entry.flag
    return typer.Option(flag, metavar=entry.rule.metavar or None, help=help or _help(entry))


def _name(flag: str) -> str:
    name = flag.removeprefix("--").replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


def _help(entry: Setting) -> str:
    """Return what a setting means, an example of a value, and its default."""
    words = entry.help or entry.doc
    if "[default: " in words:
        return words
    if not entry.help and entry.example not in entry.doc:
        example = entry.example.strip('"')
        words = f"{entry.doc.removesuffix('.')}, such as {example}."
    return f"{words} [default: {_default(entry)}]"


def _default(entry: Setting) -> str:
    match entry.default:
        case None:
            return entry.unset
        case bool(value):
            return "yes" if value else "no"
        case float(value):
            return number_text(value)
        case value:
            return str(value)


def leverage_flag(text: str | None, *, shown: bool = True) -> dict[str, Any]:
    """Return what ``--leverage`` sets: shares such as ``"5:30%,10:70%"``, a preset by name, or, `shown`, tiers."""
    if text is None:
        return {}
    if text.endswith(PROFILE_FILES):
        return {"leverage.file": text}
    if ":" in text:
        return {"leverage.shares": text}
    if any(character.isdigit() for character in text) and "-" not in text:
        if not shown:
            raise InvalidConfigError(
                f'--leverage must be shares such as "10:50%,25:30%,100:20%" or a preset\'s name here, was "{text}": '
                "this command takes all tiers"
            )
        return {"render.tiers": text}
    return {"leverage.preset": text}


# Of `map` and `zones`, which look at a heatmap:
Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILES", help="A saved heatmap (.parquet), or files of trades as for liqcore heatmap."),
]
At = Annotated[
    str | None,
    typer.Option(help='What was known at this time, such as "2026-06-12T10:00", UTC. [default: the last column]'),
]
Tiers = Annotated[
    str | None,
    option(
        "leverage.shares",
        'Tiers shown, such as "25,50"; or shares to weigh them by, such as "10:50%,50:50%". [default: all]',
    ),
]
ZoneThreshold = Annotated[
    str | None,
    option(
        "render.threshold",
        "What each bin of a zone holds at least: a share of the largest bin (0 to 1, or 5%), an amount (above 1, "
        "or 10M) or a percentile of the bins that are not zero. [default: p90]",
    ),
]
ConfigForTrades = Annotated[
    Path | None, config_file("For trade files: all settings of liqcore heatmap, as a TOML file or a saved result.")
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs instead of tables.")]
NoBar = Annotated[bool, quiet("No progress bar.")]
