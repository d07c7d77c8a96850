"""The reference pages say what the code says: keys, options, names, formats and row kinds are complete."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import typer

import liqcore as lq
from liqcore.cli.app import app
from liqcore.config.sections import setting_keys
from liqcore.sources.candle_layouts import CANDLE_LAYOUTS
from liqcore.sources.formats import TRADE_LAYOUTS
from liqcore.sources.open_interest import OPEN_INTEREST_LAYOUTS
from liqcore.sources.trade_files import format_names

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING")), *sorted(DOCS.rglob("*.md"))]


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["config.md", "cli.md", "formats.md"])
def test_the_tables_of_settings_and_options_are_those_of_the_declarations(name: str) -> None:
    spec = importlib.util.spec_from_file_location("liqcore_tools_reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert page(name) == tool.pages()[name], "run: python tools/reference.py"


def test_every_setting_stands_in_the_configuration_page() -> None:
    found = re.findall(r"^## \[(\w+)\]|^\| `(\w+)` ", page("config.md"), re.MULTILINE)
    section, keys = "", []
    for head, key in found:
        section = head or section
        keys += [f"{section}.{key}"] if key else []
    assert keys == setting_keys()


def options(command: Any, path: str) -> list[str]:
    if hasattr(command, "commands"):
        return [name for sub, child in command.commands.items() for name in options(child, f"{path} {sub}")]
    found = (name for entry in command.params if entry.param_type_name == "option" for name in entry.opts)
    return [path, *(f"{path} {name}" for name in found if name not in ("-h", "--help"))]


def test_every_command_and_option_stands_in_the_command_line_page() -> None:
    text = page("cli.md")
    names = options(typer.main.get_command(app), "liqcore")
    assert "liqcore heatmap --window" in names
    assert [name for name in names if name.split()[-1] not in text] == []


def test_every_public_name_stands_in_the_python_page() -> None:
    text = page("python.md")
    names = [name for name in lq.__all__ if not name.startswith("__")]
    assert [name for name in names if not re.search(rf"`lq\.{name}\b", text)] == []


def test_every_header_stands_in_the_cpp_page() -> None:
    text = page("cpp.md")
    headers = [path.name for path in (ROOT / "cpp/include/liqcore").glob("*.h*")]
    assert headers
    assert [name for name in headers if f"`{name}`" not in text] == []


def test_every_trade_format_stands_in_the_formats_page() -> None:
    text = page("formats.md")
    assert [name for name in format_names() if name != "auto" and f"`{name}`" not in text] == []


def test_every_open_interest_layout_stands_in_the_formats_page() -> None:
    text = page("formats.md")
    names = {layout.name for layout in OPEN_INTEREST_LAYOUTS}
    assert names
    assert [name for name in names if f"| `{name}` |" not in text] == []


def rows_of(text: str) -> dict[str, list[str]]:
    """Cells of the tables' rows by what stands in the first; the longest, where a name stands in several tables."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    return {cells[0].strip("`"): cells for cells in sorted(rows, key=len)}


def test_every_layout_says_columns_unit_side_order_and_defects() -> None:
    rows = rows_of(page("formats.md"))
    for layout in TRADE_LAYOUTS:
        cells = rows[layout.name]
        assert len(cells) == 7
        assert all(cells), layout.name
        assert [name for name in layout.columns if name not in cells[1]] == []
    for candles in CANDLE_LAYOUTS:
        cells = rows[candles.name]
        assert len(cells) == 5
        assert all(cells), candles.name
        assert [name for name in candles.columns if name not in cells[1]] == []
    for samples in OPEN_INTEREST_LAYOUTS:
        assert len(rows[samples.name]) == 4
        assert all(rows[samples.name]), samples.name


def test_every_row_kind_stands_in_the_archive_page() -> None:
    header = (ROOT / "cpp/include/liqcore/archive.hpp").read_text(encoding="utf-8")
    kinds = re.findall(r"^  (\w+) = (\d+),", header, re.MULTILINE)
    assert len(kinds) == 23
    found: dict[str, str] = {}
    for numbers, names in re.findall(r"^\| ([\d, ]+) \| ([\w, ]+) \|", page("archive.md"), re.MULTILINE):
        found |= dict(zip(names.split(", "), numbers.split(", "), strict=True))
    assert found == dict(kinds)


def test_names_in_the_glossary_are_those_of_the_sources() -> None:
    folders = [ROOT / "cpp", ROOT / "python" / "liqcore"]
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".hpp", ".h", ".cpp", ".py")]
    words = {word for path in sources for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    names = re.findall(r"`([A-Za-z_.]+)`", (DOCS / "glossary.md").read_text(encoding="utf-8"))
    assert len(names) > 50
    assert [name for name in names if name.rpartition(".")[2] not in words | {"code"}] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


def test_the_page_on_the_api_has_every_request_parameter_field_status_and_metric(tmp_path: Path) -> None:
    for needed in ("msgspec", "starlette", "httpx", "prometheus_client", "nanoarrow"):
        pytest.importorskip(needed)
    from serving import Served

    served = Served(tmp_path)
    said = served.ask("/openapi.json").json()
    text = page("api.md")
    names = set()
    for path, methods in said["paths"].items():
        operation = methods["get"]
        names |= {path, *(parameter["name"] for parameter in operation["parameters"])}
        schema = operation["responses"]["200"]["content"].popitem()[1]["schema"]
        form = said["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        if path != "/markets":  # as its own answer says
            names |= set(form.get("properties", ()))
        assert all(
            f"| {status}" in text or f", {status} |" in text for status in operation["responses"] if status != "200"
        )
    metrics = re.findall(r"^# TYPE (liqcore_\w+)", served.ask("/metrics").text, re.MULTILINE)
    names |= {name for name in metrics if not name.endswith("_created")}
    told = set(re.findall(r"/?[\w.]+", " ".join(re.findall(r"`([^`]*)`", text))))
    assert names - told == set()
