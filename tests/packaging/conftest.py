"""
Strangers' projects: each builds on an installed liqcore in a folder of its own, as users do, and is run.

The library comes from the sdist, unpacked in build/sdist, and the wheel from build/wheel: `make` makes both, and ccache
spares most of the compiling here.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leaks import leaves_nothing_behind, own_temporary_folder  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
STRANGERS = Path(__file__).parent / "strangers"

CCACHE = shutil.which("ccache") or ""  # the library is compiled with the same options again and again

#: What main.cpp prints; by hand: 60,000 with 0.4 % maintenance is liquidated at 54,217 with 10x, at 59,036 with 50x.
OUTPUT = """\
0.1.0
1000 1000 0
1000 0 1000
2000 2000 0
2000 2000 0
refused: share of leverage 10x must be finite and at least 0, was -1
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.packaging)


def run(*command: object, env: dict[str, str] | None = None, fails: bool = False) -> str:
    """Run a command and return what it prints; `env` is added to the environment."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PKG_CONFIG_PATH": "", "CMAKE_CXX_COMPILER_LAUNCHER": CCACHE, **(env or {})},
    )
    assert (done.returncode != 0) == fails, f"{' '.join(words)}\n{done.stdout}"
    return done.stdout


def configure(source: Path, build: Path, *options: str, fails: bool = False) -> str:
    return run("cmake", "-S", source, "-B", build, "-G", "Ninja", *options, fails=fails)


def build(folder: Path, *options: str) -> None:
    run("cmake", "--build", folder, "-j", os.cpu_count() or 1, *options)


def install_library(source: Path, folder: Path, *options: str) -> Path:
    """Build the library with its default options and these; return the prefix that it is installed in."""
    configure(source, folder / "build", f"-DCMAKE_INSTALL_PREFIX={folder / 'prefix'}", *options)
    build(folder / "build")
    run("cmake", "--install", folder / "build")
    return folder / "prefix"


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    for tool in ("cmake", "ninja", "pkg-config", "cc", "c++", "make"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")


@pytest.fixture(scope="session")
def wheel() -> Path:
    run("make", "-C", ROOT, "build/wheel/.built")
    (path,) = (ROOT / "build" / "wheel").glob("*.whl")
    return path


@pytest.fixture(scope="session")
def source(wheel: Path) -> Path:
    """The unpacked sdist that the wheel was built from."""
    assert wheel.exists()
    (path,) = (path for path in (ROOT / "build" / "sdist").glob("liqcore-*") if path.is_dir())
    return path


@pytest.fixture(scope="session")
def static_prefix(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_library(source, tmp_path_factory.mktemp("static"))


@pytest.fixture(scope="session")
def shared_prefix(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_library(source, tmp_path_factory.mktemp("shared"), "-DBUILD_SHARED_LIBS=ON")


@pytest.fixture(scope="session")
def embedding_python(venv_python: Path) -> Path:
    """The same environment, with what docs/embedding.md uses besides."""
    run(sys.executable, "-m", "pip", "--python", venv_python, "install", "-q", "--no-compile", "pip", "numba>=0.60")
    return venv_python


@pytest.fixture(scope="session")
def venv_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel, what it needs, and what a build of an extension needs."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    needed = ["scikit-build-core>=1.0,<2", "pybind11>=3.0,<4", "pytest>=8", "hypothesis"]
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", wheel, *needed)
    return python
