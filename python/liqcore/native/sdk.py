"""Where the headers, the library and the CMake package lie that an installed liqcore brings for C++ and C."""

from collections.abc import Callable
from pathlib import Path

from .. import _core
from ..errors import LiqcoreError

_ROOT = Path(_core.__file__).parent


def get_include() -> str:
    """
    Return the folder for the compiler's ``-I``: ``#include <liqcore/engine.hpp>``, ``#include <liqcore/liqcore.h>``.

    Returns
    -------
    str

    Raises
    ------
    LiqcoreError
        If this installation has no headers and library: only wheels have them.

    Examples
    --------
    >>> from pathlib import Path
    >>> import liqcore as lq
    >>> Path(lq.get_include(), "liqcore", "liqcore.h").exists()
    True
    """
    return _find("include", "liqcore/liqcore.h").as_posix()


def get_library() -> str:
    """
    Return the path of the shared library that this package runs on.

    What links it shares engines with Python: `Engine.ptr` is a pointer to a ``liqcore::Engine``, or to the
    ``liq_engine`` of the C interface.

    Returns
    -------
    str

    Raises
    ------
    LiqcoreError
        As `get_include`.

    Examples
    --------
    >>> import ctypes
    >>> import liqcore as lq
    >>> library = ctypes.CDLL(lq.get_library())
    >>> ctypes.cast(library.liq_engine_trade, ctypes.c_void_p).value == lq.cfunc_address("liq_engine_trade")
    True
    """
    (library,) = _find("lib", "cmake").glob("libliqcore.*[0-9]*")  # libliqcore.so.1, on macOS libliqcore.1.dylib
    return library.as_posix()


def get_cmake_dir() -> str:
    """
    Return the folder of the CMake package, for ``-Dliqcore_DIR=``; then ``find_package(liqcore CONFIG)`` finds it.

    Returns
    -------
    str

    Raises
    ------
    LiqcoreError
        As `get_include`.

    Examples
    --------
    >>> from pathlib import Path
    >>> import liqcore as lq
    >>> Path(lq.get_cmake_dir(), "liqcoreConfig.cmake").exists()
    True
    """
    return _find("lib/cmake/liqcore", "liqcoreConfig.cmake").as_posix()


def get_pkgconfig_dir() -> str:
    """
    Return the folder of ``liqcore.pc``, for ``PKG_CONFIG_PATH``.

    Returns
    -------
    str

    Raises
    ------
    LiqcoreError
        As `get_include`.

    Examples
    --------
    >>> from pathlib import Path
    >>> import liqcore as lq
    >>> Path(lq.get_pkgconfig_dir(), "liqcore.pc").exists()
    True
    """
    return _find("lib/pkgconfig", "liqcore.pc").as_posix()


#: What ``python -m liqcore`` prints without the packages of the command line.
FLAGS: dict[str, Callable[[], str]] = {
    "--cmakedir": get_cmake_dir,
    "--includedir": get_include,
    "--library": get_library,
    "--pkgconfigdir": get_pkgconfig_dir,
}


def _find(folder: str, file: str) -> Path:
    path = _ROOT / folder
    if not (path / file).exists():
        raise LiqcoreError(
            f"this installation of liqcore has no headers and library for C++ ({path / file} is missing): it was not "
            "installed from a wheel; pip install liqcore"
        )
    return path
