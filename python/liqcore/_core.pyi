from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

__version__: str

NO_ID: int

@final
class RowCounts:
    @property
    def rows(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def unreadable_row(self) -> int: ...
    @property
    def unreadable_time(self) -> int: ...
    @property
    def unreadable_price(self) -> int: ...
    @property
    def unreadable_quantity(self) -> int: ...
    @property
    def unreadable_side(self) -> int: ...
    @property
    def not_finite(self) -> int: ...
    @property
    def not_positive(self) -> int: ...
    @property
    def unknown_side(self) -> int: ...
    @property
    def other_symbol(self) -> int: ...
    @property
    def price_decimals(self) -> int: ...
    @property
    def quantity_decimals(self) -> int: ...
    @property
    def first_unreadable(self) -> int: ...
    @property
    def times(self) -> list[int]: ...

def count_lines(data: Buffer) -> int: ...
def parse_trades(
    data: Buffer,
    ts: NDArray[np.int64],
    price: NDArray[np.float64],
    qty: NDArray[np.float64],
    taker_sell: NDArray[np.bool_],
    id: NDArray[np.int64],
    *,
    time_column: int,
    price_column: int,
    qty_column: int,
    side_column: int,
    id_column: int = -1,
    symbol_column: int = -1,
    true_is_sell: bool = True,
    symbol: str = "",
    delimiter: str = ",",
) -> RowCounts: ...
def parse_columns(
    data: Buffer,
    ts: NDArray[np.int64],
    values: NDArray[np.float64],
    *,
    time_column: int,
    columns: Sequence[int],
    symbol_column: int = -1,
    symbol: str = "",
    delimiter: str = ",",
) -> RowCounts: ...
def parse_side(word: str, *, true_is_sell: bool = True) -> int: ...
def parse_id(word: str) -> int: ...
def distinct_values(data: Buffer, *, column: int, limit: int = 1000, delimiter: str = ",") -> list[str]: ...
def finest_decimals(values: NDArray[np.float64]) -> int: ...
