"""`cmake --install`, and those who build on what it installs."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import OUTPUT, STRANGERS, build, configure, install_library, run

OUR_FLAGS = re.compile(r"-W|-ffp-contract|-fvisibility|-fsanitize|-fno-omit|-mavx|LIQCORE_|cpp/src")


def find_package(prefix: Path, folder: Path, *options: str) -> str:
    """Build the stranger on the library in a prefix; return what it prints."""
    configure(STRANGERS / "find_package", folder, f"-DCMAKE_PREFIX_PATH={prefix}", *options)
    build(folder)
    return run(folder / "stranger")


def compile_command(folder: Path, file: str) -> list[str]:
    """The words of one compile command of a build folder."""
    commands = json.loads((folder / "compile_commands.json").read_text())
    (command,) = (entry["command"] for entry in commands if entry["file"].endswith("/" + file))
    return shlex.split(command)


def needed(binary: Path) -> set[str]:
    return set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", binary)))


@pytest.fixture(params=["static", "shared"])
def prefix(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(f"{request.param}_prefix")
    return path


def test_find_package(prefix: Path, tmp_path: Path) -> None:
    assert find_package(prefix, tmp_path, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON") == OUTPUT
    leaked = [word for word in compile_command(tmp_path, "main.cpp") if OUR_FLAGS.search(word)]
    assert leaked == []
    assert ("libliqcore.so.1" in needed(tmp_path / "stranger")) == ("shared" in prefix.parent.name)


def test_a_moved_prefix_still_works(prefix: Path, tmp_path: Path) -> None:
    moved = tmp_path / "else where"
    shutil.copytree(prefix, moved, symlinks=True)
    hidden = prefix.rename(prefix.with_name("hidden"))
    try:
        assert find_package(moved, tmp_path / "build") == OUTPUT
        env = {"PKG_CONFIG_PATH": str(moved / "lib" / "pkgconfig")}
        (include,) = shlex.split(run("pkg-config", "--cflags", "liqcore", env=env))
        assert Path(include.removeprefix("-I")).resolve() == moved / "include"
    finally:
        hidden.rename(prefix)
    texts = (path for path in moved.rglob("*") if path.suffix in {".cmake", ".pc"})
    assert [path for path in texts if str(prefix.parent) in path.read_text()] == []


@pytest.mark.parametrize(
    ("wanted", "accepted"), [("0.1", True), ("0.1.0", True), ("0.0", False), ("0.2", False), ("1.0", False)]
)
def test_find_package_refuses_another_version(shared_prefix: Path, tmp_path: Path, wanted: str, accepted: bool) -> None:
    options = (f"-DCMAKE_PREFIX_PATH={shared_prefix}", f"-DWANTED={wanted}")
    said = configure(STRANGERS / "find_package", tmp_path, *options, fails=not accepted)
    assert accepted or "liqcoreConfig.cmake, version: 0.1.0" in said


def test_pkg_config_and_plain_c(prefix: Path, tmp_path: Path) -> None:
    env = {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    shared = "shared" in prefix.parent.name
    flags = run("pkg-config", "--cflags", "--libs", *([] if shared else ["--static"]), "liqcore", env=env).split()
    assert run("pkg-config", "--modversion", "liqcore", env=env) == "0.1.0\n"
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic-errors", "-Werror"]
    run("cc", *strict, STRANGERS / "plain_c" / "main.c", *flags, "-o", tmp_path / "program")
    assert ("-lstdc++" in flags) != shared
    assert run(tmp_path / "program", env={"LD_LIBRARY_PATH": str(prefix / "lib")}) == "linked\n"


def test_a_cmake_project_in_c_alone(shared_prefix: Path, tmp_path: Path) -> None:
    configure(STRANGERS / "plain_c", tmp_path, f"-DCMAKE_PREFIX_PATH={shared_prefix}")
    build(tmp_path)
    assert run(tmp_path / "stranger") == "linked\n"


@pytest.mark.parametrize("shared", [False, True])
def test_add_subdirectory(source: Path, tmp_path: Path, shared: bool) -> None:
    options = [
        f"-DLIQCORE_SOURCE={source}",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        f"-DCMAKE_INSTALL_PREFIX={tmp_path}/prefix",
    ]
    # Release as everywhere here, so that ccache knows the files; as a flag, so that the parent has no build type.
    options += ["-DCMAKE_CXX_FLAGS=-O3 -DNDEBUG", *(["-DBUILD_SHARED_LIBS=ON"] if shared else [])]
    said = configure(STRANGERS / "subdirectory", tmp_path / "build", *options)
    values = dict(re.findall(r"parent (\w+)=\[(.*)\]", said))
    assert values.pop("BUILD_SHARED_LIBS") == ("ON" if shared else "")
    assert len(values) == 6
    assert set(values.values()) == {""}

    build(tmp_path / "build")
    assert run(tmp_path / "build" / "stranger") == OUTPUT
    assert [word for word in compile_command(tmp_path / "build", "main.cpp") if OUR_FLAGS.search(word)] == []
    assert "-Wall" in compile_command(tmp_path / "build", "engine.cpp")  # so that the check above can fail
    assert "No tests were found" in run("ctest", "--test-dir", tmp_path / "build")
    run("cmake", "--install", tmp_path / "build")
    assert [path.name for path in (tmp_path / "prefix").rglob("*") if path.is_file()] == ["stranger"]


def test_exported_names(shared_prefix: Path) -> None:
    """Nothing but the two promises: C functions, and C++ names of this ABI, each in its version node."""
    lines = run(
        "nm", "--dynamic", "--defined-only", "--with-symbol-versions", shared_prefix / "lib" / "libliqcore.so.1"
    )
    names = [line.split()[-1] for line in lines.splitlines() if " A " not in line]
    assert [name for name in names if name.startswith("liq_")]
    wrong = [
        name
        for name in names
        if not re.fullmatch(r"liq_\w+@@LIQCORE_1|_Z(NK?|T[ISV]N)7liqcore4abi1\w+@@LIQCORE_CXX_1", name)
    ]
    assert wrong == []
    assert "[libliqcore.so.1]" in run("readelf", "-d", shared_prefix / "lib" / "libliqcore.so")


def test_what_the_headers_declare_is_exported(static_prefix: Path) -> None:
    """A function of a public class that is hidden would only fail at a stranger's link."""
    texts = [path.read_text() for path in (static_prefix / "include" / "liqcore").glob("*.hpp")]
    public = {
        name for text in texts for name in re.findall(r"^(?:class|struct) (?:LIQCORE_EXPORT )?(\w+) ", text, re.M)
    }
    assert {"Engine", "Account", "Cells"} <= public
    symbols = run("readelf", "--symbols", "--wide", "--demangle", static_prefix / "lib" / "libliqcore.a")
    kept = [line for line in symbols.splitlines() if re.search(r"FUNC +GLOBAL HIDDEN", line)]
    names = [line.split("(")[0] for line in kept]  # without the types of arguments
    members = [found.groups() for name in names if (found := re.search(r"liqcore::abi1::(\w+)::(~?\w+)", name))]
    assert ("Pool", "work") in members  # so that the next line can fail
    assert [member for member in members if member[0] in public] == []


def test_the_options_do_what_they_say(source: Path, tmp_path: Path) -> None:
    flags = {
        "-DLIQCORE_WERROR=ON": "-Werror",
        "-DLIQCORE_SANITIZE=address,undefined": "-fsanitize=address,undefined",
    }
    for option, flag in flags.items():
        for given in (True, False):
            folder = tmp_path / f"{flag}{given}"
            configure(source, folder, *([option] if given else []))
            assert (flag in compile_command(folder, "engine.cpp")) == given
    configure(source, tmp_path / "none", "-DLIQCORE_INSTALL=OFF", f"-DCMAKE_INSTALL_PREFIX={tmp_path}/prefix")
    run("cmake", "--install", tmp_path / "none")
    assert not (tmp_path / "prefix").exists()


def test_clang(source: Path, shared_prefix: Path, tmp_path: Path) -> None:
    """Library and stranger, by Clang; and a stranger by Clang on a library by GCC."""
    if shutil.which("clang++") is None:
        pytest.skip("there is no clang++")
    clang = ["-DCMAKE_CXX_COMPILER=clang++"]
    if shutil.which("ld.lld"):
        clang.append("-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld")
    assert find_package(shared_prefix, tmp_path / "on-gcc", *clang) == OUTPUT
    own = [*clang, "-DLIQCORE_WERROR=ON", "-DBUILD_SHARED_LIBS=ON"]
    if shutil.which("ld.lld"):
        own.append("-DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld")
    assert find_package(install_library(source, tmp_path, *own), tmp_path / "on-clang", *clang) == OUTPUT
