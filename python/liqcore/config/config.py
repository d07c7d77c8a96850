"""
One TOML file, one frozen typed object.

A `Config` holds every setting of a run: sections, each a frozen dataclass whose fields carry their meaning, unit
and rule. Values come from, later over earlier: the defaults, a file, ``LIQCORE_<SECTION>_<KEY>`` variables, flags. The
package itself reads neither files nor the environment unasked: `Config.resolve` is given both.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .._core import MarginSchedule
from ..errors import InvalidConfigError
from ..market.terms import risk_values
from ..words.files import write_whole
from .layers import Layer, dict_layer, env_layer, find, flag_layer, read_parquet, toml_layer, with_profile
from .machine_sections import AlertsConfig, JournalConfig, LimitsConfig, LiveConfig, LogConfig, ServerConfig
from .rules import TierTable, show, tier_text
from .sections import (
    ALTERNATIVES,
    FITTED_WITH,
    SECTIONS,
    SETTINGS,
    AxisConfig,
    InstrumentConfig,
    LeverageConfig,
    ModelConfig,
    RenderConfig,
    SourceConfig,
    WindowConfig,
)
from .setting import Section
from .toml import toml_lines

MOST_BYTES = 1_000_000  # of a file of settings


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Config:
    """
    Every setting of a run, checked, in sections.

    Where a setting is None, it is decided from the data, or its default holds, as the comments of `dump` say. Lengths
    of time are kept in one spelling, days or smaller (``"60m"`` becomes ``"1h"``), so that equal settings are equal.

    Parameters
    ----------
    instrument, leverage, axis, window, model, source, render, log, limits, journal, live, server, alerts
        The sections; each has defaults.

    Raises
    ------
    InvalidConfigError
        If a section is not of its type. The sections check their own values.

    Examples
    --------
    >>> cfg = Config().replace(window={"length": "1m"}, instrument={"symbol": "BTCUSDT"})
    >>> cfg.window.length, cfg.instrument.symbol, cfg.leverage.preset
    ('1m', 'BTCUSDT', 'default')
    >>> Config.loads(cfg.dump()) == cfg
    True
    """

    instrument: InstrumentConfig = field(default_factory=InstrumentConfig)
    leverage: LeverageConfig = field(default_factory=LeverageConfig)
    axis: AxisConfig = field(default_factory=AxisConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    source: SourceConfig = field(default_factory=SourceConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    log: LogConfig = field(default_factory=LogConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    journal: JournalConfig = field(default_factory=JournalConfig)
    live: LiveConfig = field(default_factory=LiveConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    alerts: AlertsConfig = field(default_factory=AlertsConfig)
    _origins: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, kind in SECTIONS.items():
            if type(getattr(self, name)) is not kind:
                raise InvalidConfigError(f"{name} must be a {kind.__name__}, was {show(getattr(self, name))}")

    # ------------------------------------------------------------------------------------------------------- reading

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """
        Read a TOML file, or the configuration that a saved result (``.parquet``) was made with.

        Parameters
        ----------
        path : path
            The file. A Parquet file is known by its first bytes, not by its name.

        Returns
        -------
        Config
            Defaults, overridden by the file.

        Raises
        ------
        InvalidConfigError
            With file, line and rule, if a key is unknown or a value wrong; or if the file is no configuration.
        OSError
            If the file cannot be read.
        """
        return cls._load(os.fspath(path))

    @classmethod
    def loads(cls, text: str, name: str = "<text>") -> Self:
        """
        Read TOML text.

        Parameters
        ----------
        text : str
            The text of a file.
        name : str, optional
            What errors and `origin` call it.

        Returns
        -------
        Config
            Defaults, overridden by the text.

        Raises
        ------
        InvalidConfigError
            With name, line and rule, if a key is unknown or a value wrong.

        Examples
        --------
        >>> Config.loads('[window]\\nlenght = "1m"', "liqcore.toml")
        Traceback (most recent call last):
            ...
        liqcore.errors.InvalidConfigError: liqcore.toml:2: unknown key "lenght" in [window]; did you mean "length"?
        """
        return cls()._over(toml_layer(text, name))

    @classmethod
    def resolve(
        cls,
        file: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Self:
        """
        Bring all sources together: defaults, then `file`, then `env`, then `flags`.

        Parameters
        ----------
        file : path, optional
            A TOML file or a saved result.
        env : mapping, optional
            Environment variables, usually ``os.environ``; ``LIQCORE_WINDOW_LENGTH`` sets ``window.length``, tables are
            written ``"25:7d,100:1d"``. Empty ones count as not set. None: no variable is read.
        flags : mapping, optional
            Values by key, such as ``{"window.length": "1m"}``; None means not given.

        Returns
        -------
        Config
            The outcome; `origin` tells where each value came from.

        Raises
        ------
        InvalidConfigError
            If a key is unknown or a value wrong; the message begins with the file and line, the variable or the flag.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> cfg = Config.resolve(env={"LIQCORE_WINDOW_LENGTH": "1h"}, flags={"instrument.symbol": "BTCUSDT"})
        >>> cfg.window.length, cfg.origin("window.length"), cfg.origin("instrument.symbol"), cfg.origin("model.name")
        ('1h', 'LIQCORE_WINDOW_LENGTH', 'flag --symbol', 'default')
        """
        config = cls() if file is None else cls._load(os.fspath(file))
        if env is not None:
            config = config._over(env_layer(env))
        if flags is not None:
            config = config._over(flag_layer(flags))
        return config

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], name: str = "dict") -> Self:
        """
        Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping of mapping
            Values by section and key; what is left out keeps its default.
        name : str, optional
            What errors and `origin` call it.

        Returns
        -------
        Config
            The configuration.

        Raises
        ------
        InvalidConfigError
            If a key is unknown or a value wrong.
        """
        return cls()._over(dict_layer(values, name))

    @classmethod
    def _load(cls, path: str) -> Self:
        content = Path(path)
        with content.open("rb") as stream:
            start = stream.read(MOST_BYTES + 1)
        if start.startswith(b"PAR1"):
            return cls.from_dict(read_parquet(content), name=path)
        if len(start) > MOST_BYTES:
            raise InvalidConfigError(f"{path}: must be TOML of at most {MOST_BYTES:,} bytes, was longer")
        try:
            text = start.decode("utf-8-sig").replace("\r\n", "\n")  # Windows' editors put a mark before the text
        except UnicodeDecodeError as error:
            raise InvalidConfigError(f"{path}: must be TOML in UTF-8, found byte {error.start} to be none") from None
        return cls.loads(text, name=path)

    def _over(self, layer: Layer) -> Self:
        """Return this configuration with a layer's values over it."""
        layer = with_profile(layer)
        changes: dict[str, dict[str, Any]] = {}
        origins = dict(self._origins)
        for key, value in layer.values.items():
            section, name = key.split(".")
            for other in ALTERNATIVES.get(key, ()):
                if other not in layer.values and value is not None:
                    changes.setdefault(section, {})[other.split(".")[1]] = find(other).default
                    origins.pop(other, None)
            where = layer.where(key)
            changes.setdefault(section, {})[name] = SETTINGS[section][name].accept(value, where)
            origins[key] = layer.origins[key]
        if layer.values.get("instrument.risk") is not None:  # which decides these, whatever stands beside it
            for decided in ALTERNATIVES["instrument.risk"]:
                origins[decided] = layer.origins["instrument.risk"]
        sections: dict[str, Any] = {}
        for section, values in changes.items():
            before = getattr(self, section)
            conflict = before._conflict({name: getattr(before, name) for name in SETTINGS[section]} | values)
            if conflict is not None:
                key = next(f"{section}.{name}" for name in conflict[0] if name in values)
                raise InvalidConfigError(layer.where(key) + conflict[1])
            sections[section] = dataclasses.replace(before, **values)
        if self.leverage.fitted is not None and "leverage.fitted" not in layer.values:
            sections |= self._if_another(sections, origins)
        return self._with(sections, origins)

    def _if_another(self, sections: Mapping[str, Any], origins: dict[str, str]) -> dict[str, Any]:
        """Return a leverage section that is not fitted, where a setting that a fitted profile goes with has changed."""
        for key in FITTED_WITH:
            section, name = key.split(".")
            if section in sections and getattr(sections[section], name) != getattr(getattr(self, section), name):
                origins.pop("leverage.file", None)
                leverage = sections.get("leverage", self.leverage)
                return {"leverage": dataclasses.replace(leverage, file=None, fitted=None)}
        return {}

    def _with(self, sections: Mapping[str, Any], origins: dict[str, str]) -> Self:
        kept = {name: getattr(self, name) for name in SECTIONS}
        config = type(self)(**{**kept, **sections})
        object.__setattr__(config, "_origins", origins)
        return config

    # ------------------------------------------------------------------------------------------------------ changing

    def replace(self, **sections: Mapping[str, Any] | Section) -> Self:
        """
        Return a configuration with some values changed.

        Parameters
        ----------
        **sections : mapping or section
            By section, the keys to change and their values; or a whole section. Setting ``leverage.shares`` takes back
            the preset, and the other way round.

        Returns
        -------
        Config
            A new configuration; this one stays as it is.

        Raises
        ------
        InvalidConfigError
            If a section or key is unknown or a value wrong.

        Examples
        --------
        >>> Config().replace(window={"length": "1m"}, model={"half_life": {100: "1d"}}).model.half_life
        {100: '1d'}
        """
        whole: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, change in sections.items():
            if name in SECTIONS and isinstance(change, Section):
                whole[name] = change
            elif name in SECTIONS and not isinstance(change, Mapping):
                raise InvalidConfigError(f"{name} must be a {SECTIONS[name].__name__} or a dict, was {show(change)}")
            else:
                values[name] = change
        origins = {key: origin for key, origin in self._origins.items() if key.split(".")[0] not in whole}
        return self._with(whole, origins)._over(dict_layer(values, None))

    # ------------------------------------------------------------------------------------------------------- writing

    def dump(self, path: str | os.PathLike[str] | None = None) -> str:
        """
        Return the configuration as TOML text that explains itself.

        Every key stands there with its meaning and unit; one without a value, and one that a run finds out where it is
        not given, is commented out. `loads` gives an equal configuration back.

        Parameters
        ----------
        path : path, optional
            Where to write the text as well; an existing file is replaced once the new one is complete.

        Returns
        -------
        str
            The text.

        Raises
        ------
        OSError
            If the file cannot be written; nothing is left behind.
        """
        text = "\n".join(toml_lines({name: getattr(self, name) for name in SECTIONS}, self._origins)) + "\n"
        if path is not None:
            with write_whole(path) as file:
                file.write(text.encode())
        return text

    def __repr__(self) -> str:
        changed = [
            f"{entry.key}={value!r}"
            for name, entries in SETTINGS.items()
            for key, entry in entries.items()
            if (value := getattr(getattr(self, name), key)) != entry.default
        ]
        return f"<Config: {', '.join(changed) or 'defaults'}>"

    def to_dict(self, *, whole: bool = False) -> dict[str, dict[str, Any]]:
        """
        Return plain dictionaries that JSON can hold.

        Parameters
        ----------
        whole : bool
            With settings that came after 0.1.0 and have their default, which are left out otherwise.

        Returns
        -------
        dict
            Values by section and key; leverage tiers are text, as in TOML. What may be a secret, such as the command of
            alerts, is never among them.
        """
        sections = {
            name: {
                key: plain_value(value)
                for key, entry in entries.items()
                if not entry.private
                and ((value := getattr(getattr(self, name), key)) != entry.default or whole or not entry.late)
            }
            for name, entries in SETTINGS.items()
        }
        return {name: values for name, values in sections.items() if values}  # later sections may have nothing to say

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON; equal configurations have equal ones."""
        import hashlib  # brings OpenSSL

        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def origin(self, key: str) -> str:
        """
        Tell where a value came from.

        Parameters
        ----------
        key : str
            Section and key, such as ``"window.length"``.

        Returns
        -------
        str
            ``"default"``, ``"liqcore.toml:12"`` (file and line), ``"result.parquet"``, ``"LIQCORE_WINDOW_LENGTH"``,
            ``"flag --window"`` or ``"Python"``.

        Raises
        ------
        InvalidConfigError
            If there is no such key.
        """
        entry = find(key)
        if key in self._origins:
            return self._origins[key]
        return "default" if getattr(getattr(self, entry.section), entry.name) == entry.default else "Python"


def plain_value(value: Any) -> Any:
    """Return the value of a setting as JSON and TOML hold it."""
    if isinstance(value, MarginSchedule):
        return risk_values(value)
    return {tier_text(tier): item for tier, item in value.items()} if isinstance(value, TierTable) else value
