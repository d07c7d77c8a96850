"""
What binaries depend on has not changed: functions of the shared library, layouts of the structs of liqcore.h.

abi/LIQCORE_1.txt lists both for 64-bit Linux. Additions are added to it; a change or a removal breaks programs, and
needs another LIQ_ABI_VERSION and another list.
"""

import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT, run

HEADER = ROOT / "cpp" / "include" / "liqcore" / "liqcore.h"
LISTED = Path(__file__).parent / "abi" / "LIQCORE_1.txt"


def declarations() -> str:
    return re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.S)


def structs() -> dict[str, list[str]]:
    """Members of every struct, in order."""
    found = re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", declarations(), flags=re.S)
    return {name: re.findall(r"(\w+)(?:\[\w+\])?;", body) for name, body in found}


def constants() -> list[str]:
    bodies = re.findall(r"^enum \{(.*?)\};", declarations(), flags=re.S | re.M)
    return re.findall(r"\b(LIQ_\w+) =", "".join(bodies))


@pytest.fixture(scope="module")
def layout(shared_prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a compiler makes of the header: sizes, offsets and values."""
    folder = tmp_path_factory.mktemp("abi")
    lines = []
    for name, members in structs().items():
        lines.append(f'printf("struct {name} %zu\\n", sizeof({name}));')
        for member in members:
            size = f"sizeof((({name}*)0)->{member})"
            lines.append(f'printf("  {member} %zu %zu\\n", offsetof({name}, {member}), {size});')
    lines += [f'printf("constant {name} %d\\n", {name});' for name in constants()]
    program = "#include <liqcore/liqcore.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) + "\n}\n"
    (folder / "layout.c").write_text(program)
    run("cc", "-std=c11", f"-I{shared_prefix}/include", folder / "layout.c", "-o", folder / "layout")
    return run(folder / "layout").splitlines()


def functions(library: Path) -> list[str]:
    lines = run("nm", "--dynamic", "--defined-only", "--with-symbol-versions", library).splitlines()
    return sorted(name for line in lines if (name := line.split()[-1]).startswith("liq_"))


def test_functions_and_layouts_are_those_listed(shared_prefix: Path, layout: list[str]) -> None:
    if sys.platform != "linux" or sys.maxsize < 2**32:
        pytest.skip("the list is of 64-bit Linux")
    now = [f"function {name}" for name in functions(shared_prefix / "lib" / "libliqcore.so")] + layout
    assert now == LISTED.read_text(encoding="utf-8").splitlines(), "see the top of this file"


def test_every_function_of_the_header_is_exported_and_no_other(shared_prefix: Path) -> None:
    declared = sorted(re.findall(r"^LIQCORE_C_EXPORT[^(]*?\b(liq_\w+)\(", declarations(), flags=re.M))
    assert [name.partition("@")[0] for name in functions(shared_prefix / "lib" / "libliqcore.so")] == declared
    assert len(declared) > 30


def test_structs_and_constants_are_found() -> None:
    assert (
        len(structs()) == declarations().count("typedef struct liq_") - 4
    )  # engine, features, publisher and snapshot are opaque
    assert structs()["liq_counts"] == ["size", "rows", "used", "rounded_qty", "rejected"]
    assert {"LIQ_OFF_GRID", "LIQ_FAILED", "LIQ_MODEL_VENDOR", "LIQ_QUANTITY"} <= set(constants())


def test_the_abi_numbers_agree() -> None:
    version = (ROOT / "cpp" / "include" / "liqcore" / "version.hpp").read_text(encoding="utf-8")
    (cpp,) = re.findall(r"#define LIQCORE_ABI_VERSION (\d+)", version)
    (c,) = re.findall(r"#define LIQ_ABI_VERSION (\d+)", declarations())
    assert cpp == c == LISTED.stem.rpartition("_")[2]
