"""One column of a table that was read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Column:
    """
    One column of a row group.

    Attributes
    ----------
    values : ndarray
        Any dtype, bytes of one length among them (S16); what stands at a null is arbitrary.
    null : ndarray of bool or None
        Where nothing was stored; None: nowhere.
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None
