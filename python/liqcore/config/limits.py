"""The limits of a configuration, held while something is read or made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from ..words.limits import Limits, limited
from .config import Config


def limits_of(config: Config) -> Limits:
    """Return the limits that a configuration sets."""
    return Limits(**dataclasses.asdict(config.limits))


@contextmanager
def limits(**values: int) -> Iterator[None]:
    """
    Let other limits hold for what is read and made in the block, in this thread.

    Files keep the limits that held when they were opened. `heatmap` and `features` with a configuration go by its
    section ``[limits]`` instead.

    Parameters
    ----------
    **values : int
        By the names of the section ``[limits]`` (docs/reference/config.md), such as ``json=1024``; what is left out has
        its default.

    Raises
    ------
    InvalidConfigError
        If there is no such limit, or it breaks its rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.02, trades_per_day=40_000)
    >>> with lq.limits(cells=100):
    ...     lq.heatmap(trades=market.trades, symbol="SIM", window="1m").values
    Traceback (most recent call last):
        ...
    liqcore.errors.InvalidConfigError: 29 columns of 1m by 6,000 rows of 20 would be more than 100 cells ...
    """
    with limited(limits_of(Config().replace(limits=values))):
        yield
