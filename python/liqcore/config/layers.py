"""Layers: the values of one source each, a file, variables, flags or Python, by key and with where they came from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidConfigError
from ..market.fitted import FittedProfile
from .rules import nearest, show, suggest
from .sections import FITTED_WITH, SECTIONS, SETTINGS, all_settings, setting_keys
from .setting import Setting
from .toml import key_lines, toml_fault

RESERVED_VARIABLES = frozenset({"LIQCORE_ISA", "LIQCORE_DATA", "LIQCORE_TOKEN"})
"""Environment variables with the prefix that are not settings of a run."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one source, by key, and where each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """Return how a message about a key begins."""
        origin = self.origins[key].removeprefix("flag ")
        return "" if origin == "Python" else f"{origin}: "


def toml_layer(text: str, name: str) -> Layer:
    """Return the values of a TOML file's text."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError(toml_fault(text, name, str(error))) from None
    lines = key_lines(text)
    layer = Layer()
    for section, table in document.items():
        at = _Lines(name, lines)
        if section not in SECTIONS:
            raise InvalidConfigError(f"{at(section)}: {_unknown_section(section, isinstance(table, dict))}")
        if not isinstance(table, dict):
            raise InvalidConfigError(f"{at(section)}: {section} must be a section, [{section}], was {show(table)}")
        for key, value in table.items():
            if key not in SETTINGS[section]:
                raise InvalidConfigError(f"{at(section, key)}: {_unknown_key(section, key)}")
            layer.values[f"{section}.{key}"] = value
            layer.origins[f"{section}.{key}"] = at(section, key)
    _refuse_both(layer)
    return layer


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where a key stands in a file."""

    name: str
    lines: Mapping[tuple[str, ...], int]

    def __call__(self, *path: str) -> str:
        line = self.lines.get(path)
        return self.name if line is None else f"{self.name}:{line}"


def env_layer(env: Mapping[str, str]) -> Layer:
    """Return the values of environment variables; those that are none of ours are passed over."""
    known = {entry.variable: entry for entry in all_settings()}
    prefixes = tuple(f"LIQCORE_{section.upper()}_" for section in SECTIONS)
    layer = Layer()
    for variable in sorted(env):
        if not variable.startswith("LIQCORE_") or variable in RESERVED_VARIABLES:
            continue
        if variable not in known:
            if variable.startswith(prefixes) or nearest(variable, known, cutoff=0.9):
                raise InvalidConfigError(f"unknown variable {variable}{suggest(variable, known, quote='')}")
            continue
        text = env[variable].strip()
        if text:
            entry = known[variable]
            layer.values[entry.key] = entry.parse(text, variable)
            layer.origins[entry.key] = variable
    _refuse_both(layer)
    return layer


def flag_layer(flags: Mapping[str, Any]) -> Layer:
    """Return the values of flags by key; text is read as on a command line, None is not given."""
    layer = Layer()
    for key, value in flags.items():
        entry = find(key)
        if value is not None:
            flag = entry.flag or key
            layer.values[key] = entry.parse(value, flag) if isinstance(value, str) else value
            layer.origins[key] = f"flag {flag}"
    _refuse_both(layer)
    return layer


def dict_layer(values: Mapping[str, Any], name: str | None) -> Layer:
    """Return values by section and key; a name of None says that they come from Python."""
    layer = Layer()
    prefix = "" if name is None else f"{name}: "
    for section, table in values.items():
        if section not in SECTIONS:
            raise InvalidConfigError(prefix + _unknown_section(section, isinstance(table, Mapping)))
        if not isinstance(table, Mapping):
            raise InvalidConfigError(f"{prefix}{section} must be a table of its keys, was {show(table)}")
        for key, value in table.items():
            if key not in SETTINGS[section]:
                raise InvalidConfigError(prefix + _unknown_key(section, key))
            layer.values[f"{section}.{key}"] = value
            layer.origins[f"{section}.{key}"] = "Python" if name is None else name
    return layer


def with_profile(layer: Layer) -> Layer:
    """
    Return a layer with the settings of the fitted profile that ``leverage.file`` names; those beside it come first.

    A layer that names the profile as well, ``leverage.fitted``, was made so before, and the file is not read again.

    Raises
    ------
    InvalidConfigError
        If the file is no fitted profile, or cannot be read.
    """
    path = layer.values.get("leverage.file")
    if path is None or layer.values.get("leverage.fitted") is not None:
        return layer
    where = layer.where("leverage.file")
    if not isinstance(path, str | os.PathLike):
        raise InvalidConfigError(f"{where}leverage.file must be a path, was {show(path)}")
    try:
        fitted = FittedProfile.load(path)
    except OSError as error:
        raise InvalidConfigError(f"{where}leverage.file: {os.fspath(path)}: {error.strerror}") from None
    except InvalidConfigError as error:
        raise InvalidConfigError(f"{where}leverage.file: {error}") from None
    values, origins = dict(layer.values), dict(layer.origins)
    for section, entries in fitted.settings().items():
        for name, value in entries.items():
            if find(key := f"{section}.{name}") and key not in values:
                values[key], origins[key] = value, layer.origins["leverage.file"]
    if any(key in layer.values for key in FITTED_WITH):  # another map than the fitted one
        values["leverage.file"] = values["leverage.fitted"] = None
    return Layer(values, origins)


def _refuse_both(layer: Layer) -> None:
    if layer.values.get("leverage.shares") is not None and "leverage.preset" in layer.values:
        raise InvalidConfigError(
            f"{layer.where('leverage.preset')}leverage.preset must be left out where leverage.shares is given, "
            f"was {show(layer.values['leverage.preset'])}"
        )


def find(key: str) -> Setting:
    """Return the setting of a key such as ``"window.length"``; InvalidConfigError if there is none."""
    section, _, name = key.partition(".")
    if name not in SETTINGS.get(section, {}):
        raise InvalidConfigError(f'unknown key "{key}"{suggest(key, setting_keys())}')
    return SETTINGS[section][name]


def read_parquet(path: Path) -> Mapping[str, Any]:
    """Return the values that a saved result was made with, by section and key."""
    from ..tables.archive import CONFIG_KEY, read_metadata

    text = read_metadata(path, CONFIG_KEY)
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InvalidConfigError(f'{path}: the metadata "{CONFIG_KEY}" must be a JSON object, was {show(text)}')
    return values


def _unknown_section(section: str, is_table: bool) -> str:
    if is_table:
        near = nearest(section.lower(), SECTIONS)
        hint = f"; did you mean [{near}]?" if near else "; sections are " + ", ".join(f"[{s}]" for s in SECTIONS)
        return f"unknown section [{section}]{hint}"
    homes = [home for home, entries in SETTINGS.items() if section in entries]
    hint = f"; it belongs in [{homes[0]}]" if homes else "; keys stand in a section"
    return f'unknown key "{section}" outside of any section{hint}'


def _unknown_key(section: str, key: str) -> str:
    near = nearest(key.lower(), SETTINGS[section])
    homes = [home for home, entries in SETTINGS.items() if key in entries]
    if near:
        hint = f'; did you mean "{near}"?'
    elif homes:
        hint = f"; it belongs in [{homes[0]}]"
    else:
        hint = "; keys are " + ", ".join(SETTINGS[section])
    return f'unknown key "{key}" in [{section}]{hint}'
