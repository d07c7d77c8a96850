"""What `import liqcore` brings along, and what it waits with."""

import pkgutil
import subprocess
import sys

import pytest

import liqcore as lq


def run(code: str) -> list[str]:
    """Run code in a fresh interpreter; return the words that it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_import_brings_nothing_heavy() -> None:
    loaded = run("import sys, liqcore; print(*{name.partition('.')[0] for name in sys.modules})")
    heavy = {"PIL", "dask", "fastparquet", "matplotlib", "pandas", "pyarrow", "rich", "typer", "xarray"}
    heavy |= {"asyncio", "mcap", "msgspec", "websockets", "zstandard"}
    assert "numpy" in loaded
    assert heavy.isdisjoint(loaded)


def test_readers_settings_pictures_and_the_simulator_come_on_first_use() -> None:
    late = [f"liqcore.{name}" for name in ("config", "render", "runs", "simulation", "sources", "views")]
    loaded = run("import sys, liqcore; print(*sys.modules)")
    assert {*late, "liqcore.feeds", "liqcore.integrations", "liqcore.live"}.isdisjoint(loaded)
    use = "lq.read_trades; lq.heatmap; lq.render.RenderOptions; lq.simulate"
    used = run(f"import sys, liqcore as lq; {use}; print(*sys.modules)")
    assert set(late) <= set(used)


@pytest.mark.parametrize("module", ["render", "sources"])
def test_subpackages_need_no_import_of_their_own(module: str) -> None:
    assert run(f"import liqcore as lq; print(lq.{module}.__name__)") == [f"liqcore.{module}"]


def test_every_public_name_is_there() -> None:
    assert sorted(set(lq.__all__)) == sorted(lq.__all__)
    assert set(lq.__all__) <= set(dir(lq))
    assert run("from liqcore import *; import liqcore; print(all(name in globals() for name in liqcore.__all__))") == [
        "True"
    ]


def test_no_module_at_the_top_bears_the_name_of_a_public_one() -> None:
    """Importing such a module would put it in the place of the function."""
    modules = {module.name for module in pkgutil.iter_modules(lq.__path__)}
    assert modules.isdisjoint(lq.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'liqcore' has no attribute 'nothing'"):
        _ = lq.nothing
