"""``liqcore info``: what is installed, where, on what machine."""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import typer

from .. import __version__, _core
from .common import guarded

REQUIRED = ("numpy", "fastparquet")
OPTIONAL = {
    "typer": "command line",
    "rich": "command line",
    "pillow": "PNG pictures",
    "pyarrow": "Parquet files that fastparquet cannot read",
    "isal": "faster zip and gzip",
}


@guarded
def info() -> None:
    """
    Show version, build, machine and packages.

    \b
    Examples:
      liqcore info
    """
    lines = [
        ("liqcore", __version__),
        ("build", Path(_core.__file__).name),
        ("package", str(Path(__file__).resolve().parents[1])),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("system", platform.platform()),
        ("processor", f"{_processor()}, {os.cpu_count()} threads"),
    ]
    lines += [(name, _version(name) or "missing") for name in REQUIRED]
    for name, use in OPTIONAL.items():
        version = _version(name)
        lines.append((name, version if version is not None else f"not installed ({use})"))
    for name, value in lines:
        typer.echo(f"{name:<12} {value}")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the processor's name; Python's own answer is empty on Linux."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
