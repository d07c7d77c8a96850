"""
Run the benchmarks: `python bench/run.py [PART...]`, all parts by default; results go to out/bench/.

With `check` it runs nothing and fails if the last results are worse than their goals by more than two.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "python"), str(HERE.parent / "build" / "release" / "bench" / "cpp")]

import report as reports  # noqa: E402  (finds what the folders above hold)

PARTS = (
    "batch", "live", "tables", "reuse", "views", "features", "published", "disk", "startup", "symbols", "growth",
    "margin", "instructions",
)  # fmt: skip


def main(names: list[str]) -> str | None:
    """Run the parts named, and return what is wrong, if anything."""
    if names == ["check"]:
        return check(reports.FOLDER / "bench.json")
    if unknown := set(names) - set(PARTS):
        return f"PART must be of {', '.join(PARTS)}, or check; was {', '.join(sorted(unknown))}"
    reports.refuse_debug_build()
    report = reports.Report()
    try:
        for name in names or PARTS:
            reports.progress(name)
            import_module(name).measure(report)
    finally:  # what was measured before a wrong answer stays
        page = report.write()
        print(page.read_text())
        print(f"written: {page}, {page.with_suffix('.json')}")
    return None


def check(results: Path) -> str | None:
    """Say which figures are worse than their goals by more than two; None if there are none."""
    if not results.exists():
        return f"{results} is not there: run `make bench` first"
    goals = json.loads(results.read_text())["goals"].values()
    far_off = [
        f"{goal['what']}: {goal['figure']['median']:.3g}, goal {goal['wanted']:.3g}"
        for goal in goals
        if goal["far_off"]
    ]
    print(f"{sum(goal['figure'] is not None for goal in goals)} of {len(goals)} goals were measured")
    return "worse than the goal by more than two:\n" + "\n".join(far_off) if far_off else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
