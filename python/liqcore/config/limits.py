"""The limits of a configuration, held while something is read or made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from ..words.limits import Limits, limited
from ..words.limits import limits as held
from .config import Config


def limits_of(config: Config) -> Limits:
    """Return the limits that hold here, with those that a configuration sets over them."""
    said = {
        name: value
        for name, value in dataclasses.asdict(config.limits).items()
        if config.origin(f"limits.{name}") != "default"
    }
    return dataclasses.replace(held(), **said)


@contextmanager
def limits(**values: int) -> Iterator[None]:
    """
    Let other limits hold for what is read and made in the block, in this thread.

    Files keep the limits that held when they were opened. What the configuration of `heatmap` or `features` sets in its
    section ``[limits]`` goes before the block.

    Parameters
    ----------
    **values : int
        By the names of the section ``[limits]`` (docs/reference/config.md), such as ``json=1024``; what is left out
        stays as it is.

    Raises
    ------
    InvalidConfigError
        If there is no such limit, or it breaks its rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.02, trades_per_day=40_000)
    >>> with lq.limits(windows=10):
    ...     try:
    ...         lq.heatmap(trades=market.trades, symbol="SIM", window="1m")
    ...     except lq.InvalidConfigError as error:
    ...         print(error)
    30 windows would be more than 10 windows (limits.windows): a longer window needs less
    """
    with limited(limits_of(Config().replace(limits=values))):
        yield
