"""A test that leaves something behind fails, and is told what."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os, subprocess, sys, tempfile, threading, time
import pytest

kept = []

def test_thread():
    threading.Thread(target=time.sleep, args=(60,), name="sleeper", daemon=True).start()

def test_file(tmp_path):
    kept.append(open(tmp_path / "left.txt", "w"))

def test_temporary():
    os.close(tempfile.mkstemp(prefix="left-")[0])

def test_working_folder():
    open("left.csv", "w").close()

def test_unfinished(tmp_path):
    (tmp_path / ".map.png.77.part").touch()

def test_process():
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

def test_nobody_waits():
    kept.append(subprocess.Popen([sys.executable, "-c", ""]))
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)

@pytest.mark.leaves_behind
def test_without_a_reason():
    pass

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with open(tmp_path_factory.mktemp("shared") / "held.txt", "w") as file:
        yield file

def test_clean(tmp_path, shared):
    with open(tmp_path / "a.txt", "w") as file, tempfile.TemporaryFile() as other:
        pass
    threading.Thread(target=time.sleep, args=(0.2,)).start()  # ends in time
    subprocess.run([sys.executable, "-c", ""], check=True)
    (tmp_path / "result.png").touch()

def test_garbage(tmp_path):
    loop = [open(tmp_path / "a.txt", "w")]
    loop.append(loop)  # closed when garbage is collected, not before

@pytest.mark.leaves_behind("to see whether it may")
def test_exempt():
    kept.append(open(os.devnull))
    tempfile.mkdtemp()

def test_fails(tmp_path):
    file = open(tmp_path / "held by the traceback.txt", "w")
    assert False, "for another reason"
"""

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looked up in /proc")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("project")
    (folder / "test_it.py").write_text(TESTS)
    (folder / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    (folder / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {Path(__file__).parent.as_posix()}\nmarkers = leaves_behind(reason)"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    environment = os.environ | {
        "COLUMNS": "1000",
        "LEAKS_GRACE_S": "2",
    }  # no line is cut; what is left behind there never ends
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("thread", "thread sleeper ("),
        pytest.param("file", "left.txt (descriptor ", marks=LINUX),
        ("temporary", "left-"),
        ("working_folder", "left.csv"),
        ("unfinished", ".map.png.77.part"),
        pytest.param("process", "-c input())", marks=LINUX),
        pytest.param("nobody_waits", "(ended, not waited for)", marks=LINUX),
        ("without_a_reason", "takes a reason"),
    ],
)
def test_a_test_that_leaves_something_behind_fails(outcome: str, test: str, what: str) -> None:
    (line,) = (line for line in outcome.splitlines() if line.startswith(f"ERROR test_it.py::test_{test} - "))
    assert what in line


@pytest.mark.parametrize("test", ["clean", "garbage", "exempt"])
def test_a_test_that_tidies_up_passes(outcome: str, test: str) -> None:
    lines = [line for line in outcome.splitlines() if f"test_it.py::test_{test}" in line]
    assert lines == [f"PASSED test_it.py::test_{test}"]


def test_a_failure_is_told_by_itself(outcome: str) -> None:
    assert "FAILED test_it.py::test_fails - AssertionError: for another reason" in outcome
    assert "ERROR test_it.py::test_fails" not in outcome
