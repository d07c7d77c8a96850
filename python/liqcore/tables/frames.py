"""Columns as data frames, spreadsheets and tables of notebooks: one table, whatever it is read with."""

from __future__ import annotations

import html
import importlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..words.files import write_whole
from ..words.times import in_ns

__all__ = ["Columns", "Tabular", "amount_decimals", "csv_or", "decimals_of", "package"]

SHOWN_ROWS = 20
"""Of a table in a notebook."""

MOST_ROWS = 1_048_575
"""Of a spreadsheet, below its header."""

_BLOCK = 65_536  # rows that are text at a time


class Columns(NamedTuple):
    """
    Columns of one length, by name, and how many decimals those of prices and amounts are written with.

    A column is an array (datetime64[ns]: UTC) or a list of text. What stands in no `decimals` is written with up to ten
    digits.
    """

    columns: Mapping[str, NDArray[Any] | Sequence[str]]
    decimals: Mapping[str, int]


class Tabular:
    """What is a table of columns; the class that inherits from it says in `_columns` which."""

    __slots__ = ()

    def _columns(self) -> Columns:
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """Return it as a pandas DataFrame, times as timestamps in UTC; docs/how-to/tables.md has the columns."""
        pandas = package("pandas", "to_pandas()")
        columns = self._columns().columns
        times = {name: pandas.to_datetime(column, utc=True) for name, column in columns.items() if _is_time(column)}
        return pandas.DataFrame({**columns, **times})

    def to_polars(self) -> Any:
        """Return it as a polars DataFrame (needs polars), times as timestamps in UTC: the columns of `to_pandas`."""
        polars = package("polars", "to_polars()")
        columns = self._columns().columns
        frame = polars.DataFrame(dict(columns))
        times = [name for name, column in columns.items() if _is_time(column)]
        return frame.with_columns(polars.col(times).dt.replace_time_zone("UTC")) if times else frame

    def _save_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write it as CSV for spreadsheets; it appears whole or not at all. More rows than those show are warned of."""
        table = self._columns()
        if (rows := _length(table)) > MOST_ROWS:
            warnings.warn(
                f"the table has {rows:,} rows, of which spreadsheets show {MOST_ROWS:,}: show a shorter span "
                "(last, start, end), longer columns or higher rows (rebin)",
                stacklevel=3,
            )
        with write_whole(path) as file:
            for line in _lines(table):
                file.write(line.encode())
        return Path(path)

    def _repr_html_(self) -> str:
        """Return its first rows, for notebooks."""
        table = self._columns()
        rows = _length(table)
        head = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
        cells = zip(*(_texts(table, name, 0, SHOWN_ROWS) for name in table.columns), strict=True)
        body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
        more = f"<p>{SHOWN_ROWS} of {rows:,} rows</p>" if rows > SHOWN_ROWS else ""
        return f"<p>{html.escape(repr(self))}</p><table><tr>{head}</tr>{body}</table>{more}"


def csv_or(path: str | os.PathLike[str], other: str, *also: str) -> bool:
    """
    Whether a file is to be CSV, and not the other kind, by its name.

    Raises
    ------
    InvalidConfigError
        If it is none of them; `also` may be written, too, by somebody else.
    """
    suffix = Path(path).suffix.lower()
    known = list(dict.fromkeys([other, ".csv"]))
    if suffix not in known:
        said = " or ".join(part for part in (", ".join([*known, *also][:-1]), [*known, *also][-1]) if part)
        raise InvalidConfigError(f'path must end in {said}, was "{os.fspath(path)}"')
    return suffix == ".csv"


def decimals_of(step: float) -> int:
    """
    Return how many decimals the multiples of a step have: a tick of 0.05 has two.

    Examples
    --------
    >>> decimals_of(0.05), decimals_of(20.0), decimals_of(0.1 + 0.2), decimals_of(1e-7)
    (2, 0, 1, 7)
    """
    exponent = Decimal(f"{step:.10g}").normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def amount_decimals(unit: str) -> int:
    """How many decimals amounts are written with: cents, or the eight of a coin."""
    return 2 if unit == "usd" else 8


def package(name: str, what: str, installed_as: str = "") -> Any:
    """Import an optional package; ImportError says what needs it, and how it is installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ImportError(f"{what} needs {installed_as or name}: pip install {installed_as or name}") from None


def frame_columns(frame: Any) -> tuple[dict[str, NDArray[Any] | list[str]], list[int]]:
    """
    Return the columns of a pandas data frame as `export_table` takes them, and how many of each are not known.

    An index that is named, or not the mere count of the rows, is the first of them.

    Raises
    ------
    DataError
        If a time lies outside the years 1678 to 2261.
    """
    index = frame.index
    given = [(str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)]
    if index.name is not None or type(index).__name__ != "RangeIndex":
        given.insert(0, (str(index.name or "index"), index))
    columns = {name: _array_of(name, column) for name, column in given}
    return columns, [int(column.isna().sum()) for _, column in given]


def _array_of(name: str, column: Any) -> NDArray[Any] | list[str]:
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M":
        unit = getattr(column.dtype, "unit", None) or np.datetime_data(column.dtype)[0]
        return in_ns(np.asarray(column, f"datetime64[{unit}]"), name).view("datetime64[ns]")  # UTC, where it has a zone
    if kind in "biuf":
        if isinstance(column.dtype, np.dtype):
            return np.asarray(column)
        if not column.isna().any():
            return np.asarray(column.to_numpy(f"{kind}{1 if kind == 'b' else 8}"))
        return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    return ["" if unknown else str(value) for value, unknown in zip(column, column.isna(), strict=True)]


def _is_time(column: Any) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "M"


def _length(table: Columns) -> int:
    return len(next(iter(table.columns.values()), ()))


def _lines(table: Columns) -> Iterator[str]:
    yield ",".join(map(_quoted, table.columns)) + "\n"
    for first in range(0, _length(table), _BLOCK):
        texts = [_texts(table, name, first, first + _BLOCK) for name in table.columns]
        yield "".join(f"{','.join(map(_quoted, row))}\n" for row in zip(*texts, strict=True))


def _quoted(text: str) -> str:
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(sign in text for sign in ',"\n\r') else text


def _texts(table: Columns, name: str, first: int, end: int) -> list[str]:
    """Cells as a spreadsheet understands them; empty for what is not known."""
    column = table.columns[name][first:end]
    if not isinstance(column, np.ndarray):
        return list(column)
    if column.dtype.kind == "M":
        return [_time_text(ns) for ns in column.astype("datetime64[ns]").view(np.int64).tolist()]
    if column.dtype.kind in "biu":
        return [str(value) for value in column.tolist()]
    decimals = table.decimals.get(name)
    if decimals is not None:
        return ["" if value != value else f"{value:.{decimals}f}" for value in column.tolist()]
    return ["" if value != value else _plain(value) for value in column.tolist()]


def _time_text(ns: int) -> str:
    """ISO 8601 with a space between day and time: so that spreadsheets see a time."""
    if ns == np.iinfo(np.int64).min:
        return ""
    whole, _, fraction = str(np.datetime64(ns, "ns")).replace("T", " ").partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _plain(value: float) -> str:
    """Up to ten digits, never an exponent."""
    return np.format_float_positional(float(f"{value:.10g}"), trim="-")
