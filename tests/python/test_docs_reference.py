"""The reference pages say what the code says: keys, options, names, formats and row kinds are complete."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

import liqcore as lq
from liqcore.cli.app import app
from liqcore.config.sections import SETTINGS
from liqcore.config.toml import toml_value
from liqcore.sources.open_interest import OPEN_INTEREST_LAYOUTS
from liqcore.sources.trade_files import format_names

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def config_rows() -> list[str]:
    rows = []
    for entries in SETTINGS.values():
        for name, entry in entries.items():
            default = f"left out: {entry.unset}" if entry.default is None else f"`{toml_value(entry.default)}`"
            rows.append(f"| `{name}` | {default} | {entry.rule.text} | {entry.doc} |")
    return rows


def test_every_setting_stands_in_the_configuration_page() -> None:
    lines = page("config.md").splitlines()
    assert [line for line in lines if line.startswith("| `")] == config_rows()
    assert [line[4:-1] for line in lines if line.startswith("## [")] == list(SETTINGS)


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


def test_every_row_kind_stands_in_the_archive_page() -> None:
    header = (ROOT / "cpp/include/liqcore/archive.hpp").read_text(encoding="utf-8")
    kinds = re.findall(r"^  (\w+) = (\d+),", header, re.MULTILINE)
    assert len(kinds) == 22
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
