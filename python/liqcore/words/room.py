"""How much memory is left, and refusing at once what will not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import InvalidConfigError

_GROUPS = (  # limit and use of a control group, as containers see their own: version 2, then 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def free_bytes() -> int | None:
    """
    Return how much memory this process may still take: of the machine, its control group and its own limit.

    None where the system does not say (it is asked as Linux has it).
    """
    found = [_read(lambda: 1024 * int(_line("/proc/meminfo", "MemAvailable:")))]
    for limit, used in _GROUPS:
        found.append(_read(lambda limit=limit, used=used: int(_text(limit)) - int(_text(used))))  # type: ignore[misc]
    found.append(_read(_own_limit))
    known = [max(n, 0) for n in found if n is not None]
    return min(known, default=None)


def refuse_too_large(need: float, what: str, helps: str) -> None:
    """
    Refuse what needs more memory than is left.

    Raises
    ------
    InvalidConfigError
        "`what` would need some 12.3 GB of memory, of which 4.0 GB are left: `helps`".
    """
    left = free_bytes()
    if left is not None and need > left:
        raise InvalidConfigError(
            f"{what} would need some {need / 1e9:,.1f} GB of memory, of which {left / 1e9:,.1f} GB are left: {helps}"
        )


def _own_limit() -> int:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        raise ValueError
    return soft - 1024 * int(_line("/proc/self/status", "VmSize:"))


def _read(number: Callable[[], int]) -> int | None:
    try:
        return number()
    except (OSError, ValueError, ImportError, StopIteration):  # not there, or "max"
        return None


def _line(path: str, name: str) -> str:
    return next(line.split()[1] for line in _text(path).splitlines() if line.startswith(name))


def _text(path: str) -> str:
    return Path(path).read_text(encoding="ascii")
