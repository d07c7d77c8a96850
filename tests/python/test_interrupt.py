"""Ctrl-C while the command line loads its packages ends it as quietly as later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("after", [0.05, 0.1, 0.2, 0.4, 0.8])
def test_an_interrupt_while_packages_load_says_nothing(after: float, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "liqcore", "demo", "-q", "--days", "60", "-o", str(tmp_path / "x.png")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background has it ignored
    ) as process:
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    if b"Traceback" in said:  # Python itself has not come to us yet
        assert b"liqcore" not in said
    else:
        assert process.returncode in (130, -signal.SIGINT)
    assert list(tmp_path.iterdir()) == []
