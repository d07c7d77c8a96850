"""The house: imports only go down, nothing goes round in a circle, and no room outgrows its walls."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "liqcore"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES, MOST_LINES_OF_A_CLASS = 700, 500
OF_THE_PACKAGE_ITSELF = {"_core", "__version__"}  # what a module may take from `liqcore`; other names are another's


def test_imports_only_go_down() -> None:
    """
    The contract stands in pyproject.toml; imports inside functions and for types alone count too.

    In a process of its own: the linter switches off all loggers that there are, which other tests read.
    """
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "python")}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    graph = grimp.build_graph("liqcore", cache_dir=None)
    for module in graph.find_modules_that_directly_import("liqcore"):  # `from .. import _core`, see below
        graph.remove_import(importer=module, imported="liqcore")
    return graph


def circles(graph: Any) -> list[set[str]]:
    """The sets of modules that reach each other, two or more: Tarjan's strongly connected components."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in sorted(graph.find_modules_directly_imported_by(module)):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            at = stack.index(module)
            component = set(stack[at:])
            del stack[at:]
            if len(component) > 1:
                found.append(component)

    for module in sorted(graph.modules):
        if module not in number:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle(imports: grimp.ImportGraph) -> None:
    assert circles(imports) == []


def test_a_circle_would_be_found() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [{"a", "b", "c"}]


def taken_from_the_package(path: Path) -> Iterator[str]:
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth and node.module is None:
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module == "liqcore":
            yield from (name.name for name in node.names)
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == "liqcore")


def test_no_module_takes_public_names_by_way_of_the_package() -> None:
    """Which would be an import of anything at all, unseen by the contract."""
    floors = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    allowed = OF_THE_PACKAGE_ITSELF | floors  # of a floor or module: the contract sees those
    inner = [path for path in MODULES if path != PACKAGE / "__init__.py"]
    assert {
        (path.name, name) for path in inner for name in taken_from_the_package(path) if name not in allowed
    } == set()


def test_the_rooms_stay_small() -> None:
    """A file of more lines, or a class, says why in its first lines: a comment that begins with "Long because"."""
    large = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if "# Long because" in "\n".join(text.splitlines()[:12]):
            continue
        if (lines := text.count("\n")) > MOST_LINES:
            large.append(f"{path.relative_to(PACKAGE)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ClassDef):
                continue
            if (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_CLASS:
                large.append(f"{path.relative_to(PACKAGE)}: class {node.name}, {lines} lines")
    assert large == []
