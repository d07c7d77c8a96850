"""The blocks of the documentation that need packages of others run, each alone."""

import shutil
from pathlib import Path

import pytest

from test_documentation import Block, blocks_of, pages, run_python
from test_documentation import trade_file as trade_file

pytestmark = pytest.mark.integration

BLOCKS = [block for page in pages() for block in blocks_of(page) if block.needs]


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{block.page.stem}-{block.needs}") for block in BLOCKS])
def test_python_that_needs_packages_of_others(
    block: Block, trade_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(trade_file, tmp_path)
    monkeypatch.chdir(tmp_path)
    run_python([block])


def test_there_are_such_blocks() -> None:
    assert {"hftbacktest", "nautilus_trader"} <= {block.needs for block in BLOCKS}
