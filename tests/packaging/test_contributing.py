"""
CONTRIBUTING.md is enough: three patches, made by a reader new to the code from that page alone, still apply and work.

Each adds a pretend thing (a setting, a trade format, a model) and touches only files that its section names. Where code
has moved so far that a patch no longer applies, make it anew from the page, which then may need another word, too.
"""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, run

PATCHES = Path(__file__).parent / "patches"
COPIED = ("cpp", "python", "tests", "docs", "tools", "examples", "bench", "licenses")
FILES = ("pyproject.toml", "CMakeLists.txt", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile")
SECTIONS = {"setting": "Add a setting", "venue_layout": "Add a trade format", "model": "Add a model"}

SETTING = """
import liqcore as lq
from liqcore.config import Config
trades = lq.simulate(days=0.05, trades_per_day=20_000).trades
hm = lq.heatmap(trades=trades, symbol="SIM", watermark="draft")
assert hm.meta["watermark"] == "draft" == hm.meta["config"]["render"]["watermark"]
assert "watermark" not in lq.heatmap(trades=trades, symbol="SIM").meta
assert Config.resolve(env={"LIQCORE_RENDER_WATERMARK": "draft"}).render.watermark == "draft"
assert "watermark" in Config().dump() and Config().hash == Config.loads("").hash
"""
VENUE_LAYOUT = """
import pathlib, tempfile, liqcore as lq
path = pathlib.Path(tempfile.mkdtemp()) / "moonx-BTCUSDT-2026-06-12.csv"
path.write_text("seq,when,px,vol,maker_sold\\n2,1781222399212,42001.5,0.25,false\\n1,1781222399211,42000.5,0.5,true\\n")
reader = lq.read_trades(path)
(batch,) = reader
(file,) = reader.report.files
assert (file.format, file.symbol, file.time_unit) == ("moonx", "BTCUSDT", "ms")
assert batch.taker_sell.tolist() == [False, True]
path.unlink(); path.parent.rmdir()
"""
MODEL = """
import liqcore as lq
eng = lq.Engine(lq.Instrument(tick_size=1.0, lot_size=1.0), model="mirror", leverage={10: 1.0}, half_life=None)
eng.open_interest(0, 0.0); eng.trade(1, 1000.0, 1.0, False); eng.open_interest(2, 43.0)
assert eng.stats.opened.tolist() == [[22.0], [22.0]]  # 43 / 2, half to even
eng.open_interest(3, 22.0)
assert abs(eng.stats.live[0, 0] - 22 * 22 / 43) < 1e-9
"""


def touched(patch: Path) -> list[str]:
    return re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(encoding="utf-8"), flags=re.M)


def named_in(section: str) -> list[re.Pattern[str]]:
    """The files that a section of CONTRIBUTING.md names, ``<venue>`` and the like standing for any word."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^## {section}$(.*?)^## ", text, flags=re.M | re.S)
    names = {*re.findall(r"`([\w./<>-]+\.\w+)`", body), *re.findall(r"\]\(([\w./-]+)\)", body)}
    return [re.compile(re.sub(r"<\w+>", "[a-z0-9_]+", name.replace(".", r"\."))) for name in sorted(names)]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_patch_touches_only_files_that_its_section_names(name: str) -> None:
    files = touched(PATCHES / f"{name}.patch")
    named = named_in(SECTIONS[name])
    assert files
    assert [file for file in files if not any(pattern.fullmatch(file) for pattern in named)] == []


def test_every_file_that_the_page_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`((?:cpp|docs|python|tests|tools)/[\w./-]+\.\w+)`", text))
    assert len(names) > 30
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources, as a newcomer has them."""
    folder = tmp_path / "liqcore"
    built = shutil.ignore_patterns("__pycache__", "*.so", "lib", "include/liqcore/liqcore.pc", ".hypothesis")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=built)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    shutil.rmtree(folder / "python" / "liqcore" / "include", ignore_errors=True)
    return folder


def apply(patch: Path, folder: Path) -> None:
    # Outside of any repository, so that git takes the folder as it is; a few lines of context may have changed.
    done = subprocess.run(
        ["git", "apply", "--verbose", "-C1", str(patch)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{patch.name} does not apply any more:\n{done.stderr}"


def python(folder: Path, *arguments: str) -> str:
    paths = f"{folder / 'python'}:{folder / 'tests' / 'python'}"
    return run("env", f"--chdir={folder}", f"PYTHONPATH={paths}", sys.executable, "-B", *arguments)


def run_tests(folder: Path, *arguments: str) -> None:
    python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'temporary'}", *arguments)


def unpack_compiled(wheel: Path, folder: Path) -> None:
    """Put the compiled parts of a wheel into a copy of the sources."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.match(r"liqcore/(_core\.|lib/|include/)", name) and not name.endswith(".pyi"):
                archive.extract(name, folder / "python")


@pytest.mark.parametrize(
    ("name", "script", "own_tests"),
    [
        ("setting", SETTING, ["test_settings.py", "test_config.py", "test_docs_reference.py"]),
        ("venue_layout", VENUE_LAYOUT, ["test_sources.py", "test_docs_reference.py"]),
    ],
)
def test_a_patch_in_python_works(name: str, script: str, own_tests: list[str], copy: Path, wheel: Path) -> None:
    unpack_compiled(wheel, copy)
    apply(PATCHES / f"{name}.patch", copy)
    for file in touched(PATCHES / f"{name}.patch"):
        if file.endswith(".py"):
            ast.parse((copy / file).read_text(encoding="utf-8"))
    python(copy, "-c", script)
    run_tests(copy, *(f"tests/python/{test}" for test in own_tests))


def test_a_patch_of_the_core_works(copy: Path, tmp_path: Path) -> None:
    apply(PATCHES / "model.patch", copy)
    command = ["-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "built", copy]
    run(sys.executable, *command, env={"CCACHE_BASEDIR": str(tmp_path), "CCACHE_NOHASHDIR": "1"})
    (built,) = (tmp_path / "built").glob("*.whl")
    unpack_compiled(built, copy)
    python(copy, "-c", MODEL)
    run_tests(copy, "tests/python/test_models.py", "tests/python/test_reference_models.py", "-k", "mirror")
