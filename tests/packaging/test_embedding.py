"""
docs/embedding.md works as it is copied: its files are written down and its commands run, section by section.

A block after a line `<!-- file: NAME -->` is a file; `$ ` lines of a console block are commands, run in the section's
folder in one shell, and the lines between them what they print. PREFIX is an installed shared library, LIQCORE the
sources. A block after `<!-- not run -->` is left out (tests/python/test_documentation.py runs the others).
"""

import re
from pathlib import Path

import pytest
from conftest import CCACHE, ROOT, run

PAGE = ROOT / "docs" / "embedding.md"
QUIET = ("cmake ", "export ")  # commands that print what the page need not show


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.M)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {title: text for title, text in found.items() if "<!-- file:" in text}


def files(text: str) -> dict[str, str]:
    return dict(re.findall(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", text, flags=re.M | re.S))


def commands(text: str) -> list[tuple[str, str]]:
    """Every command with what it is said to print."""
    out = []
    for before, block in re.findall(r"^([^\n]*)\n```console\n(.*?)^```$", text, flags=re.M | re.S):
        if before == "<!-- not run -->":
            continue
        for command, printed in re.findall(r"^\$ ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", block, flags=re.M):
            out.append((command, printed))
    return out


def test_every_section_is_found() -> None:
    assert len(sections()) == 5
    for title, text in sections().items():
        assert files(text), title
        assert commands(text), title
        assert text.count("<!-- file:") == len(files(text)), title
    assert "$ cmake --install" in PAGE.read_text(encoding="utf-8")  # what the fixtures do in other words


@pytest.mark.parametrize("title", list(sections()))
def test_a_section_runs_as_it_is_copied(
    title: str, shared_prefix: Path, source: Path, embedding_python: Path, tmp_path: Path
) -> None:
    text = sections()[title]
    for name, code in files(text).items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    env = {
        "PREFIX": str(shared_prefix),
        "LIQCORE": str(source),
        "PATH": f"{embedding_python.parent}:/usr/local/bin:/usr/bin:/bin",
        "CMAKE_CXX_COMPILER_LAUNCHER": CCACHE,
    }
    lines = ["set -e", f"cd '{tmp_path}'"]
    for i, (command, _) in enumerate(commands(text)):
        lines += [f"exec >'{tmp_path}/said.{i}' 2>&1", command]
    (tmp_path / "commands.sh").write_text("\n".join(lines), encoding="utf-8")
    try:
        run("bash", tmp_path / "commands.sh", env=env)
    except AssertionError:
        said = sorted(tmp_path.glob("said.*"), key=lambda path: int(path.suffix[1:]))
        raise AssertionError(said[-1].read_text()) from None
    for i, (command, printed) in enumerate(commands(text)):
        said = (tmp_path / f"said.{i}").read_text()
        if printed:
            assert said == printed, command
        elif not command.startswith((*QUIET, "cc ")):
            assert command.startswith("python -m pip") or said.strip(), f"{command}: prints nothing"
