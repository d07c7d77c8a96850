"""
The examples of the documentation run: docstrings, and the Python and C++ blocks of README.md and docs/.

Python blocks of a page run in order, in one namespace, in a folder that holds `trades.csv.gz` alone (simulated, laid
out as a Binance aggTrades file). Comment lines directly below a statement are the last lines that the block has printed
by then, if it has printed anything. C++ blocks with a `main` are compiled and run. A block that comes after a line
`<!-- not run -->` is left out; one after `<!-- file: NAME -->` or `<!-- needs NAME -->` is run elsewhere
(tests/packaging/test_embedding.py, tests/integration/test_pages.py).
"""

import ast
import contextlib
import doctest
import functools
import gzip
import importlib
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq
from liqcore import _core

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(lq.__file__).parent
IS_WHEEL = (Path(_core.__file__).parent / "include").exists()  # else headers and library are not beside it

# --- docstrings ---


def modules_with_examples() -> list[str]:
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
    parts = [("liqcore", *path.relative_to(PACKAGE).with_suffix("").parts) for path in files]
    return [".".join(part for part in names if part != "__init__") for names in parts]


def native_docstrings() -> Iterator[tuple[str, str]]:
    """Yield name and docstring of everything in the native module; doctest does not look into extension types."""
    for name, value in vars(_core).items():
        members = vars(value).items() if isinstance(value, type) else ()
        for path, each in [(name, value), *((f"{name}.{member}", each) for member, each in members)]:
            if not isinstance(each, str) and isinstance(doc := getattr(each, "__doc__", None), str):
                yield f"_core.{path}", doc


def run_doctest(test: doctest.DocTest) -> None:
    out = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=out.write)
    assert runner.failures == 0, out.getvalue()


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "liqcore.native.sdk" and not IS_WHEEL:
        pytest.skip("this liqcore was not installed from a wheel")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # an example need not tidy up
    tests = [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]
    assert tests
    for test in tests:
        run_doctest(test)


@pytest.mark.parametrize(
    ("name", "doc"), [pytest.param(*pair, id=pair[0]) for pair in native_docstrings() if ">>> " in pair[1]]
)
def test_examples_in_native_docstrings(name: str, doc: str) -> None:
    run_doctest(doctest.DocTestParser().get_doctest(doc, {}, name, None, None))


def test_the_native_docstrings_are_found() -> None:
    names = {name for name, doc in native_docstrings() if ">>> " in doc}
    assert {"_core.Instrument", "_core.PriceAxis", "_core.LeverageProfile"} <= names
    assert "_core.Engine.trade" in dict(native_docstrings())


# --- pages ---


@dataclass(frozen=True)
class Block:
    page: Path
    line: int  # of the first line of code, from 1
    language: str
    code: str
    needs: str = ""  # package of others


@functools.cache
def blocks_of(page: Path) -> tuple[Block, ...]:
    """Find the fenced blocks of a page that are to be run."""
    found = []
    start: int | None = None
    fence = language = before = needs = ""
    skipped = False
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if start is None and (match := re.match(r"(`{3,})(\w*)", line)):
            fence, language = match.groups()
            start, skipped = number + 1, before == "<!-- not run -->" or before.startswith("<!-- file:")
            needs = match[1] if (match := re.fullmatch(r"<!-- needs (\w+) -->", before)) else ""
        elif start is not None and line.strip() == fence:
            if not skipped:
                found.append(Block(page, start, language, "\n".join(lines[start - 1 : number - 1]) + "\n", needs))
            start = None
        if line.strip():
            before = line.strip()
    assert start is None, f"{page}:{start}: this block is not closed"
    return tuple(found)


def pages(root: Path = ROOT) -> list[Path]:
    return [path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.exists()]


def run_python(blocks: list[Block]) -> None:
    """Run blocks of one page in one namespace, and compare what they print with what they say they print."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks:
        lines = block.code.splitlines()
        printed = io.StringIO()
        for statement in ast.parse(block.code, str(block.page)).body:
            assert statement.end_lineno is not None
            end = statement.end_lineno
            ast.increment_lineno(statement, block.line - 1)  # a traceback shows the page
            with contextlib.redirect_stdout(printed):
                exec(compile(ast.Module([statement], []), str(block.page), "exec"), namespace)
            said = []
            while end + len(said) < len(lines) and lines[end + len(said)].startswith("#"):
                said.append(lines[end + len(said)])
            if said and printed.getvalue():
                shown = [f"# {line}".rstrip() for line in printed.getvalue().splitlines()]
                assert shown[-len(said) :] == said, f"{block.page}:{block.line + end}: this is not what is printed"


@pytest.fixture(scope="session")
def trade_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trades = lq.simulate(seed=20, days=0.5, trades_per_day=20_000).trades
    path = tmp_path_factory.mktemp("documentation") / "trades.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n")
        for i, (ts, price, qty, sell) in enumerate(
            zip(trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist(), strict=True)
        ):
            file.write(f"{i},{price:.1f},{qty:.3f},{i},{i},{ts // 1_000_000},{str(sell).lower()}\n")
    return path


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(ROOT)))
        for page in pages()
        if any(block.language == "python" and not block.needs for block in blocks_of(page))
    ],
)
def test_python_on_the_pages(page: Path, trade_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(trade_file, tmp_path)
    monkeypatch.chdir(tmp_path)
    run_python([block for block in blocks_of(page) if block.language == "python" and not block.needs])


def test_a_page_says_what_its_blocks_print(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\n# A comment.\nx = 2\n# Another.\nprint(x)\nprint(x + 1)\n# 2\n# 3\n```\n\n"
        "<!-- not run -->\n\n```python\nraise SystemExit\n```\n\n"
        "<!-- needs numba -->\n```python\nimport numba\n```\n"
        "````python\nx += 1\n````\n```console\n$ ls\n```\n\n"
        "```python\nprint()\nfor i in range(2):\n    print(i + x)\n# 3\n# 4\nprint(i)\n# 2\n```\n"
    )
    blocks = [block for block in blocks_of(page) if block.language == "python"]
    assert [(block.line, block.needs) for block in blocks] == [(2, ""), (19, "numba"), (22, ""), (29, "")]
    blocks = [block for block in blocks if not block.needs]
    run_python(blocks[:2])
    with pytest.raises(AssertionError, match=r"page.md:35: this is not what is printed"):
        run_python(blocks)


# --- C++ ---


@pytest.fixture(scope="session")
def link() -> list[str]:
    """Arguments to compile with: the installed wheel's headers and library, or for a module from the tree its own."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++ to build the C++ examples with")
    if IS_WHEEL:
        return ["-I", lq.get_include(), lq.get_library(), f"-Wl,-rpath,{Path(lq.get_library()).parent}"]
    return ["-I", str(ROOT / "cpp" / "include"), str(library()), "-pthread"]


def library() -> Path:
    """The static library: one that an earlier build left and that is newer than its sources, or a new one."""
    sources = [*(ROOT / "cpp").rglob("*.[ch]pp"), ROOT / "CMakeLists.txt"]
    changed = max(path.stat().st_mtime for path in sources)
    for cache in (ROOT / "build").glob("*/CMakeCache.txt"):
        built = cache.with_name("libliqcore.a")
        plain = "\nLIQCORE_SANITIZE:STRING=\n" in cache.read_text(encoding="utf-8")
        if plain and built.exists() and built.stat().st_mtime > changed:
            return built
    folder = ROOT / "build" / "documentation"
    configure = ["cmake", "-S", str(ROOT), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Debug"]
    for command in (configure, ["cmake", "--build", str(folder), "-j", "2", "--target", "liqcore"]):
        subprocess.run(command, check=True, capture_output=True)
    return folder / "libliqcore.a"


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{page.relative_to(ROOT)}:{block.line}")
        for page in pages()
        for block in blocks_of(page)
        if block.language == "cpp" and "int main" in block.code
    ],
)
def test_cpp_on_the_pages(block: Block, link: list[str], tmp_path: Path) -> None:
    source, program = tmp_path / "example.cpp", tmp_path / "example"
    source.write_text(f'#line {block.line} "{block.page}"\n{block.code}', encoding="utf-8")
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wno-sign-conversion", "-Werror"]
    compile_ = ["g++", "-std=c++20", *warnings, str(source), *link, "-o", str(program)]
    for command in (compile_, [str(program)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
