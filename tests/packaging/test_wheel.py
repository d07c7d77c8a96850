"""The wheel's headers, library and CMake package, used by an extension of a stranger; the sdist."""

import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import OUTPUT, ROOT, STRANGERS, build, configure, run

CORE = re.compile(r"liqcore/_core\.[\w-]+\.so")


@pytest.fixture(scope="module")
def contents(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


def ask(python: Path, code: str) -> str:
    """What a Python program prints that runs outside the tree."""
    return run(python, "-I", "-W", "error", "-c", code).strip()


def test_the_wheel_holds_the_library_once(contents: list[str]) -> None:
    assert [name for name in contents if re.search(r"\.(so|a)\b", name) and not CORE.fullmatch(name)] == [
        "liqcore/lib/libliqcore.so",
        "liqcore/lib/libliqcore.so.1",
    ]
    assert {"liqcore/py.typed", "liqcore/_core.pyi", "liqcore/include/liqcore/liqcore.h"} <= set(contents)
    if shutil.which("npm"):  # else it is built without
        assert "liqcore/page/page.html" in contents
    assert {"liqcore/lib/cmake/liqcore/liqcoreConfig.cmake", "liqcore/lib/pkgconfig/liqcore.pc"} <= set(contents)
    headers = {path.name for path in (ROOT / "cpp/include/liqcore").glob("*.h*")}
    assert {Path(name).name for name in contents if "/include/" in name} == headers
    assert [name for name in contents if not re.match(r"liqcore/|liqcore-[\d.]+\.dist-info/", name)] == []


def test_paths(venv_python: Path) -> None:
    flags = {"--cmakedir": "get_cmake_dir", "--includedir": "get_include", "--library": "get_library"}
    flags["--pkgconfigdir"] = "get_pkgconfig_dir"
    said = run(venv_python, "-m", "liqcore", *flags).split()
    assert (
        said
        == ask(
            venv_python, f"import liqcore as lq; print({', '.join(f'lq.{name}()' for name in flags.values())})"
        ).split()
    )
    for path in said:
        assert Path(path).exists()
        assert Path(path).is_relative_to(venv_python.parents[1])


def test_an_extension_feeds_an_engine_of_python(venv_python: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--python", venv_python)
    run(*pip, "install", "-q", "--no-build-isolation", "--no-deps", STRANGERS / "extension")
    code = """
    import {first}, {second}, pathlib
    import liqcore as lq
    eng = lq.Engine(lq.Instrument(tick_size=0.5, lot_size=0.001), leverage={{10: 1.0}}, half_life=None)
    feeder.feed(eng.ptr, 4)
    print(eng.stats.used, feeder.opened_lots(eng.ptr), feeder.wrong_setting())
    maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
    print(sum("libliqcore" in line and "r-xp" in line for line in maps))
    """
    for first, second in (("liqcore", "feeder"), ("feeder", "liqcore")):
        program = "\n".join(line.strip() for line in code.format(first=first, second=second).splitlines())
        assert ask(venv_python, program).splitlines() == [
            "4 4000.0 share of leverage 10x must be finite and at least 0, was -1",
            "1",  # one library in the process
        ]


def test_cmake_and_pkg_config_on_the_wheel(venv_python: Path, tmp_path: Path) -> None:
    cmake_dir, pkgconfig_dir, library = run(
        venv_python, "-m", "liqcore", "--cmakedir", "--pkgconfigdir", "--library"
    ).split()
    configure(STRANGERS / "find_package", tmp_path / "build", f"-Dliqcore_DIR={cmake_dir}")
    build(tmp_path / "build")
    assert run(tmp_path / "build" / "stranger") == OUTPUT
    flags = run("pkg-config", "--cflags", "--libs", "liqcore", env={"PKG_CONFIG_PATH": pkgconfig_dir}).split()
    for linker in ("bfd", "lld"):
        compiler = "clang" if linker == "lld" else "cc"
        if shutil.which(compiler) and shutil.which(f"ld.{linker}"):
            program = tmp_path / linker
            run(compiler, f"-fuse-ld={linker}", STRANGERS / "plain_c" / "main.c", *flags, "-o", program)
            assert run(program, env={"LD_LIBRARY_PATH": str(Path(library).parent)}) == "linked\n"


def test_without_a_library_the_error_says_so(venv_python: Path) -> None:
    code = (
        "import liqcore as lq, liqcore.native.sdk as s, pathlib; s._ROOT = pathlib.Path('/nowhere'); lq.get_library()"
    )
    with pytest.raises(AssertionError, match="has no headers and library for C"):
        ask(venv_python, code)


def test_tests_of_the_tree_pass_on_the_installed_package(venv_python: Path, source: Path) -> None:
    tests = [source / "tests" / "python" / f"test_{name}.py" for name in ("import", "cfunc", "engine")]
    assert " passed" in run(venv_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", source, *tests)


def test_the_sdist_holds_everything_but_ci(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("there is no git to list the files with")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, ROOT)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    tracked = set(run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard").split())
    page = "python/liqcore/page/page.html"  # made from web/, where npm is
    assert names - {"PKG-INFO", page} == {name for name in tracked if not name.startswith(".ci/")}
    assert (page in names) == (ROOT / page).exists()


def test_the_sdist_is_the_same_whoever_builds_it(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("there is no git to list the files with")
    built = []
    for i, mask in enumerate((0o022, 0o077)):
        before = os.umask(mask)  # modes and times of a checkout are its own
        try:
            run("git", "clone", "-q", ROOT, tmp_path / str(i))
            run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", tmp_path, tmp_path / str(i))
        finally:
            os.umask(before)
        (path,) = tmp_path.glob("*.tar.gz")
        built.append(path.read_bytes())
        path.unlink()
    assert built[0] == built[1]


def test_the_wheel_holds_the_licences_of_what_is_compiled_in(contents: list[str]) -> None:
    licences = {name.rpartition("/")[2] for name in contents if "/licenses/" in name}
    assert licences == {"LICENSE", "fancy-canvas.txt", "lightweight-charts.txt", "pybind11.txt"}
