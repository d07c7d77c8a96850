"""
What takes too long for `make test-all`: `make soak`, which builds the presets first. Prints its figures at the end.

C++ tests under sanitizers with LIQCORE_SOAK=1, which gives them their long sizes; the random comparison of C++
(tests/cpp/streams_test.cpp) over STREAMS streams under the first sanitizer; damaged FILES of every kind; live replays
under KILLS, a burst, 24 recorded hours, a hundred clients; simulated cascades whose law is measured; where Clang is,
RUNS of each libFuzzer target (tests/fuzz); then the property tests of Python in rounds, each from another seed. A
failure ends it with the seed; SEED=... ROUNDS=1 runs that round again.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

Figures = dict[str, float]

MOST_BYTES = {"archive": 128, "engine": 64}
"""Of the inputs of a fuzzer, where a longer one would only take longer; 4,096 of the others."""


def run(command: list[str], **env: str) -> str:
    """Run a command, show what it says as it says it, and return that; exit if it fails."""
    print("$", *[f"{name}={value}" for name, value in env.items()], *command, flush=True)
    said = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **env}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if not re.search(r"Passed +[\d.]+ sec|^ +Start +\d+", line):
                print(line, end="", flush=True)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return "".join(said)


def sanitized(preset: str, jobs: str) -> Figures:
    said = run(["ctest", "--preset", preset, "-j", jobs], LIQCORE_SOAK="1")
    (count,) = re.findall(r"0 tests failed out of (\d+)", said)
    return {"tests": int(count)}


def streams(preset: str, count: int, first: int, jobs: int) -> Figures:
    """Compare random streams, a share of them in each process."""
    command = [f"build/{preset}/tests/cpp/liqcore_tests", "--gtest_filter=Streams.*"]
    share = -(-count // jobs)
    # Most of the time went into the sanitizer's notes on memory that streams make and free at once.
    lean = "malloc_context_size=1:quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
    processes = []
    for seed in range(first, first + count, share):
        env = {
            "LIQCORE_STREAMS": str(min(share, first + count - seed)),
            "LIQCORE_STREAMS_SEED": str(seed),
            "ASAN_OPTIONS": lean,
        }
        print("$", *[f"{name}={value}" for name, value in env.items()], *command, flush=True)
        processes.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **env}
            )
        )
    outputs = [process.communicate()[0] for process in processes]
    for process, said in zip(processes, outputs, strict=True):
        if process.returncode != 0:
            sys.exit(said)
    total: Figures = {}
    for said in outputs:
        for number, unit in re.findall(r"(\d+) (streams|events|windows|ways|replays)\b", said):
            total[unit] = total.get(unit, 0) + int(number)
    return total


def damaged_files(count: int, seed: int) -> Figures:
    """Read damaged files of every kind; `fuzz.py` says what came of them."""
    run([sys.executable, "tests/python/fuzz.py", str(count), "--seed", str(seed)])
    return {"files": count}


def live(kills: int, seed: int) -> dict[str, Figures]:
    """Kill replays, take a burst, replay 24 hours, serve a hundred; each says its figures, and fails where it must."""
    table: dict[str, Figures] = {}
    for name, command in (
        (f"{kills} kills of a replay from seed {seed}", ["crashes.py", str(kills), str(seed)]),
        ("A burst of ten seconds", ["live_load.py", "burst"]),
        ("24 recorded hours", ["live_load.py", "memory"]),
        ("A hundred websocket clients", ["live_load.py", "clients"]),
        ("The page over eight hours", ["page_load.py", "8", "100"]),
    ):
        if command[-1] == "memory" and not os.path.isdir(os.environ.get("LIQCORE_DATA", "../shared/data")):
            print("left out, as there is no recorded market data:", name)
            continue
        said = run([sys.executable, f"tests/python/{command[0]}", *command[1:]]).splitlines()[-1]
        pairs = (part.split(" ", 1) for part in said.split(", "))
        table[name] = {unit: float(number.replace(",", "")) for number, unit in pairs}
    return table


def fuzzers(runs: int, seed: int, jobs: int) -> dict[str, Figures]:
    """Run each libFuzzer target, as many at once as there are jobs."""
    table: dict[str, Figures] = {}
    waiting = sorted(glob.glob("build/fuzz/tests/fuzz/liqcore_fuzz_*[!.]"))
    while waiting:
        began = time.monotonic()
        batch, waiting = waiting[:jobs], waiting[jobs:]
        processes = []
        for path in batch:
            corpus = f"tests/fuzz/corpora/{path.rpartition('_')[2]}"
            found = tempfile.mkdtemp(prefix="liqcore-fuzz-")  # what is found goes there, not into the tree
            most = MOST_BYTES.get(path.rpartition("_")[2], 4096)
            command = [path, f"-runs={runs}", f"-seed={seed % 2**31}", f"-max_len={most}", "-print_final_stats=1"]
            command += [found, *([corpus] if os.path.isdir(corpus) else [])]
            print("$", *command, flush=True)
            said = subprocess.PIPE
            processes.append(subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, text=True))
        for path, process in zip(batch, processes, strict=True):
            told = process.communicate()[0]
            if process.returncode != 0:
                sys.exit(f"{told[-10_000:]}\nfailed: {path}")
            (done,) = re.findall(r"stat::number_of_executed_units: (\d+)", told)
            table[f"libFuzzer, {path.rpartition('_')[2]}"] = {
                "runs": int(done),
                "seconds": time.monotonic() - began,
            }
    return table


def scores(seeds: int) -> Figures:
    """Score maps that liquidations ignore; how often an interval says otherwise."""
    said = run(
        [sys.executable, "-m", "pytest", "-q", "-rP", "tests/python/test_score.py", "-k", "ignore"],
        LIQCORE_SCORE_SEEDS=str(seeds),
    )
    ((above, count, below),) = re.findall(r"(\d+) of (\d+) intervals lie above zero, (\d+) below", said)
    return {"markets": int(count), "intervals above zero": int(above), "below": int(below)}


def calibrations(seeds: int) -> Figures:
    """Calibrate markets of known weights, and others that liquidations ignore; how often a verdict says otherwise."""
    said = run(
        [sys.executable, "-m", "pytest", "-q", "-rP", "tests/python/test_calibrate.py", "-k", "ignore or recovered"],
        LIQCORE_CALIBRATE_SEEDS=str(seeds),
    )
    ((above, count, below),) = re.findall(r"(\d+) of (\d+) intervals lie above zero, (\d+) below", said)
    return {"markets": int(count), "intervals above zero": int(above), "below": int(below)}


def impacts(seeds: int, first: int) -> Figures:
    """Measure the law of simulated cascades; how often the intervals hold it."""
    said = run([sys.executable, "tests/python/sweeps.py", "--seeds", str(seeds), "--first", str(first)])
    ((count, of_y, of_exponent),) = re.findall(r"of (\d+) seeds.* Y in ([\d.]+)%, the exponent in ([\d.]+)%", said)
    return {"seeds": int(count), "% hold Y": float(of_y), "% hold the exponent": float(of_exponent)}


def properties(seed: int, jobs: str) -> Figures:
    options = ["-m", "hypothesis", "--hypothesis-profile", "soak", f"--hypothesis-seed={seed}"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        jobs,
        *options,
        "--hypothesis-show-statistics",
        "tests/python",
    ]
    print("$", *command, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nfailed with SEED={seed}")
    (count,) = re.findall(r"(\d+) passed", done.stdout)
    examples = sum(int(number) for number in re.findall(r"- (\d+) passing", done.stdout))
    return {"tests": int(count), "examples": examples}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", default=str(os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=20, help="of the property tests")
    parser.add_argument("--streams", type=int, default=1_000_000, help="of the random comparison of C++")
    parser.add_argument("--files", type=int, default=20_000, help="damaged files of every kind")
    parser.add_argument("--kills", type=int, default=200, help="of replays; 0: no load of live code at all")
    parser.add_argument("--runs", type=int, default=10_000_000, help="of each libFuzzer target that is built")
    parser.add_argument("--scores", type=int, default=200, help="of maps that liquidations ignore")
    parser.add_argument("--calibrations", type=int, default=100, help="of maps that liquidations ignore, and follow")
    parser.add_argument("--impacts", type=int, default=200, help="of seeds of simulated cascades")
    parser.add_argument("--seed", type=int, help="of the first round and stream; the next ones count on from it")
    parser.add_argument("presets", nargs="*", help="built sanitizer presets")
    given = parser.parse_args()
    first = given.seed if given.seed is not None else time.time_ns() % 2**32

    table: dict[str, Figures] = {}
    for preset in given.presets:
        began = time.monotonic()
        table[f"C++, {preset}"] = {**sanitized(preset, given.jobs), "seconds": time.monotonic() - began}
    if given.presets and given.streams:
        began = time.monotonic()
        name = f"Random streams, {given.presets[0]}, from seed {first}"
        figures = streams(given.presets[0], given.streams, first, int(given.jobs))
        table[name] = {**figures, "seconds": time.monotonic() - began}
    if given.files:
        began = time.monotonic()
        figures = damaged_files(given.files, first)
        table[f"Damaged files from seed {first}"] = {**figures, "seconds": time.monotonic() - began}
    if given.kills:
        table |= live(given.kills, first)
    if given.runs:
        table |= fuzzers(given.runs, first, int(given.jobs))
    if given.scores:
        began = time.monotonic()
        table["Scores"] = {**scores(given.scores), "seconds": time.monotonic() - began}
    if given.calibrations:
        began = time.monotonic()
        table["Calibrations"] = {**calibrations(given.calibrations), "seconds": time.monotonic() - began}
    if given.impacts:
        began = time.monotonic()
        table["Impact"] = {**impacts(given.impacts, first), "seconds": time.monotonic() - began}
    began = time.monotonic()
    total: Figures = {"tests": 0, "examples": 0}
    for seed in range(first, first + given.rounds):
        for name, value in properties(seed, given.jobs).items():
            total[name] += value
    if given.rounds:
        name = f"Python, {given.rounds} rounds from seed {first}"
        table[name] = {**total, "seconds": time.monotonic() - began}
    for name, figures in table.items():
        print(f"{name}:", ", ".join(f"{value:,.0f} {unit}" for unit, value in figures.items()))


if __name__ == "__main__":
    main()
