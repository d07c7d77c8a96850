"""Which CPU instructions the hot loops use."""

import itertools
import os
import sys

from .. import _core
from ..errors import InvalidConfigError

ENVIRONMENT = "LIQCORE_ISA"


def cpu_target() -> str:
    """
    Return the CPU target that the hot loops run on.

    It is the best that this CPU runs, unless the environment variable ``LIQCORE_ISA`` or `set_cpu_target` said
    otherwise. All targets give identical bits.

    Returns
    -------
    str
        ``"baseline"``, ``"avx2"`` or ``"avx512"``.

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.cpu_target() in lq.cpu_targets()
    True
    """
    return _core.cpu_target()


def cpu_targets() -> list[str]:
    """
    Return the CPU targets that this machine runs, slowest first.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.cpu_targets()[0]
    'baseline'
    """
    return _core.cpu_targets()


def set_cpu_target(name: str) -> None:
    """
    Use another CPU target from now on, in every engine of the process: to compare, or to rule one out.

    Parameters
    ----------
    name : str
        One of `cpu_targets`.

    Raises
    ------
    InvalidConfigError
        If this machine does not run it.

    Examples
    --------
    >>> import liqcore as lq
    >>> best = lq.cpu_target()
    >>> lq.set_cpu_target("baseline")
    >>> lq.set_cpu_target(best)
    """
    _core.set_cpu_target(name)


def use_environment() -> None:
    """Use the target that ``LIQCORE_ISA`` names, if it is set."""
    wanted = os.environ.get(ENVIRONMENT)
    if not wanted:
        return
    try:
        set_cpu_target(wanted)
    except InvalidConfigError as error:
        message = f"environment variable {ENVIRONMENT}: {error}"
        if _is_command():
            print(f"error: {message}", file=sys.stderr)
            raise SystemExit(2) from None
        raise InvalidConfigError(message) from None


def _is_command() -> bool:
    """Whether this process is the command line, which has not begun yet and so cannot say an error on one line."""
    words = sys.orig_argv
    by_module = any(pair == ("-m", "liqcore") for pair in itertools.pairwise(words))
    return by_module or any(os.path.basename(word) in ("liqcore", "liqcore.exe") for word in words[:2])
