"""Saved histories: window segments as one narrow Parquet table (docs/reference/archive.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .. import _core
from .._core import LeverageProfile
from ..errors import DataError, InvalidConfigError
from ..words.files import write_whole
from ..words.limits import limits
from ..words.room import refuse_too_large
from .parquet import ParquetTable, write_table
from .seal import VERIFY, check_seal

CONFIG_KEY = "liqcore.config"
SCHEMA_VERSION = 2
UNSEALED_VERSION = 1
"""The version of liqcore 0.1.0, whose files carry no checksums."""

NO_CHECKSUM_KEY = "no_checksum"
"""Where metadata say that the file they were read from carries no checksum, in these words."""

NO_CHECKSUM = "{} was saved by an earlier liqcore, without a checksum: damage would not be noticed; save it again"
COLUMNS: dict[str, type[np.generic]] = {
    "time": np.int64,
    "kind": np.uint8,
    "side": np.int8,
    "tier": np.int16,
    "bin": np.int32,
    "value": np.float64,
}
VENUE = "venue"
"""The column beside these where a file holds several histories: the number of each, rising."""

NOT_AS_SAID = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RuntimeError)
"""What making something of a header raises that is not as it should be."""

WINDOW_BYTES = 56
"""What a time and a candle take of each window, in which nothing need have happened."""

ACCOUNT_BYTES = 128
"""What a side and tier takes of each window in which something happened."""


class HistoryRows(NamedTuple):
    """A history as plain values: what files and pickles hold of it."""

    terms: dict[str, Any]
    first_ns: int
    windows: int
    columns: Any

    @classmethod
    def of(cls, history: _core.History) -> HistoryRows:
        """Take a history apart."""
        first_ns = int(history.times()[0]) if len(history) else 0
        return cls(dict(history.terms), first_ns, len(history), history.to_rows())

    def history(self) -> _core.History:
        """Put it together again."""
        return _core.History.from_rows(**self.terms, first_ns=self.first_ns, windows=self.windows, columns=self.columns)


Part = tuple[_core.History, LeverageProfile]


def write_archive(
    path: str | os.PathLike[str],
    key: str,
    header: dict[str, Any],
    history: _core.History,
    leverage: LeverageProfile,
    config: Any = None,
) -> Path:
    """
    Write a history, what its layers stand for and a header of JSON values under the metadata `key`.

    The file appears whole or not at all. `config`, the JSON form of a configuration, makes `Config.load` read it.
    """
    header = {"schema": SCHEMA_VERSION} | _describe(history, leverage) | header
    return _write(path, key, header, history.to_rows(), config)


def write_archives(path: str | os.PathLike[str], key: str, header: dict[str, Any], parts: Mapping[str, Part]) -> Path:
    """Write several histories by name into one file: as `write_archive`, the rows of each told apart by a column."""
    tables: list[Any] = [history.to_rows() for history, _ in parts.values()]
    rows = {name: np.concatenate([table[name] for table in tables]) for name in COLUMNS}
    lengths = [len(table["time"]) for table in tables]
    rows[VENUE] = np.repeat(np.arange(len(tables), dtype=np.int16), lengths)
    venues = [{"name": name} | _describe(*part) for name, part in parts.items()]
    return _write(path, key, {"schema": SCHEMA_VERSION, "venues": venues} | header, rows)


def _describe(history: _core.History, leverage: LeverageProfile) -> dict[str, Any]:
    return {
        "terms": history.terms,
        "first_ns": int(history.times()[0]) if len(history) else 0,
        "windows": len(history),
        "leverage": {repr(tier): share for tier, share in leverage.to_dict().items()},
        "intensity": leverage.intensity,
    }


def _write(path: str | os.PathLike[str], key: str, header: dict[str, Any], rows: Any, config: Any = None) -> Path:
    metadata = {key: json.dumps(header)}
    if config is not None:
        metadata[CONFIG_KEY] = json.dumps(config)
    with write_whole(path) as file:
        write_table(file, path, rows, stats=["time"], metadata=metadata)
    return Path(path)


def read_archive(
    path: str | os.PathLike[str], key: str, what: str, *, verify: str = "all"
) -> tuple[dict[str, Any], list[Part]]:
    """
    Read what `write_archive` (one part) or `write_archives` wrote under `key`.

    The header tells under "sealed" whether the file carries checksums. DataError says that `path` is not `what`, or
    what of it is damaged.
    """
    saved = SavedTable(path, key, what, verify)
    header = saved.header
    described = saved.typed(header.get("venues", [header]), list, "venues")
    several = "venues" in header
    names = [*COLUMNS, VENUE] if several else list(COLUMNS)
    columns = saved.columns(names)
    ends = np.searchsorted(columns[VENUE], np.arange(len(described) + 1)) if several else [0, None]
    parts = []
    for i, part in enumerate(described):
        rows = {
            name: np.ascontiguousarray(columns[name][ends[i] : ends[i + 1]], dtype=kind)
            for name, kind in COLUMNS.items()
        }
        try:
            if part["windows"] > limits().windows:
                raise ValueError(
                    f"it has {part['windows']:,} windows, of at most {limits().windows:,} (limits.windows)"
                )
            shares = {float(tier): share for tier, share in part["leverage"].items()}
            leverage = LeverageProfile(shares, intensity=part["intensity"])
            if len(leverage) != part["terms"]["tiers"]:
                raise ValueError(f"{len(leverage)} leverage tiers are named, and {part['terms']['tiers']} counted")
            times = rows["time"]
            changes = np.count_nonzero(times[1:] != times[:-1]) + 1  # windows that have rows
            need = WINDOW_BYTES * part["windows"] + ACCOUNT_BYTES * 2 * len(leverage) * changes
            what = f"{part['windows']:,} windows of {len(leverage):,} leverage tiers"
            refuse_too_large(need, what, "is the number right?")
            history = _core.History.from_rows(
                **part["terms"], first_ns=part["first_ns"], windows=part["windows"], columns=rows
            )
        except NOT_AS_SAID as error:
            raise saved.error(f"found that {why(error)}") from None
        parts.append((history, leverage))
    return header, parts


class SavedTable:
    """
    A Parquet file that liqcore saved: its header, and the columns of its table, checked before they are used.

    Parameters
    ----------
    path : path
    key : str
        Under which the header stands in the metadata.
    what : str
        What the file should be, such as "a heatmap".
    verify : {"all", "header"}
        How much is compared with the checksums: everything, or all but the columns.

    Raises
    ------
    DataError
        If the file is not `what`, or is damaged; the message names the part.
    """

    def __init__(self, path: str | os.PathLike[str], key: str, what: str, verify: str = "all") -> None:
        if verify not in VERIFY:
            raise InvalidConfigError(f"verify must be one of {VERIFY}, was {verify!r}")
        self._expected = f"{path}: expected {what} saved by liqcore"
        self._table, text, sealed = _open_sealed(path, key, verify, self.error)
        self.header: dict[str, Any] = self.typed(self._parsed(text), dict, "the header")
        schema = self.header.get("schema", UNSEALED_VERSION)  # features of then had no number
        if schema not in (SCHEMA_VERSION, UNSEALED_VERSION):
            known = f"{UNSEALED_VERSION} or {SCHEMA_VERSION}"
            raise DataError(f"{self._expected} with schema {known}, found schema {schema!r}")
        if sealed != (schema != UNSEALED_VERSION):
            raise self.error(f"found {'' if sealed else 'no '}checksums in a file of schema {schema}")
        self.header["sealed"] = sealed
        self.names = self._table.columns

    def error(self, text: str) -> DataError:
        """Make an error that names the file and what it should be."""
        return DataError(f"{self._expected}, {text}")

    def typed(self, value: Any, kind: type, name: str) -> Any:
        """Return a value of the header, which must be of a type."""
        if not isinstance(value, kind):
            raise self.error(f"found {name} to be {type(value).__name__}, not {kind.__name__}")
        return value

    def columns(self, names: list[str], groups: slice = slice(None)) -> dict[str, Any]:
        """Read whole columns of numbers, of all row groups or some."""
        try:
            return self._table.whole(names, groups)
        except DataError as error:
            raise self.error(f"found a damaged file: {error}") from None

    def _parsed(self, text: str) -> Any:
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise self.error(f"found a header that is no JSON ({error})") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def why(error: Exception) -> str:
    """Say what was wrong with a header, from the error that making something of it raised."""
    return f"its header lacks {error}" if isinstance(error, KeyError) else str(error)


def is_saved(path: str | os.PathLike[str], key: str) -> bool:
    """Whether a path names a Parquet file with a header under `key`, by what its metadata say."""
    if not os.fspath(path).lower().endswith(".parquet") or not os.path.isfile(path):
        return False
    try:
        return key in ParquetTable(Path(path)).metadata
    except DataError:
        return False


def read_metadata(path: str | os.PathLike[str], key: str) -> str:
    """Read one text that `write_archive` put into a file's metadata; DataError if it is not there, or damaged."""
    _, text, _ = _open_sealed(
        path, key, "header", lambda found: DataError(f"{path}: expected a result saved by liqcore, {found}")
    )
    return text


def _open_sealed(
    path: str | os.PathLike[str], key: str, verify: str, error: Callable[[str], DataError]
) -> tuple[ParquetTable, str, bool]:
    """Return the checked table of a file, the text that its metadata hold under `key`, and whether it is sealed."""
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            raise error("found another kind of file")
        sealed = check_seal(file, verify, lambda part: error(f"found a damaged file: {part}"))
    try:
        table = ParquetTable(Path(path))
    except DataError as damage:
        raise error(f"found a damaged file: {damage}") from None
    text = table.metadata.get(key)
    if text is None:
        raise error(f'found a Parquet file without the metadata "{key}"')
    return table, text, sealed
