"""What of the adapter of nautilus_trader works where that is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = "import sys; sys.modules['nautilus_trader'] = None\n"


def run(code: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-c", WITHOUT + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_files_of_a_catalogue_are_found_without_nautilus_trader(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "trade_tick" / "BTCUSDT-PERP.BINANCE"
    folder.mkdir(parents=True)
    (folder / "1.parquet").touch()
    done = run(
        "from liqcore.integrations.nautilus import instrument_of, trade_files\n"
        f"print([path.name for path in trade_files({str(tmp_path)!r}, 'BTCUSDT-PERP.BINANCE')])"
    )
    assert (done.stdout.strip(), done.stderr) == ("['1.parquet']", "")


def test_the_indicator_names_what_it_needs() -> None:
    done = run("from liqcore.integrations.nautilus import LiquidationFeatures")
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "ImportError: LiquidationFeatures needs nautilus_trader: pip install nautilus_trader"
    )


def test_what_the_module_lacks_is_an_attribute_error() -> None:
    from liqcore.integrations import nautilus

    with pytest.raises(AttributeError, match=r"module 'liqcore\.integrations\.nautilus' has no attribute 'Nothing'"):
        _ = nautilus.Nothing
