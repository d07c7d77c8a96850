"""The goals: what each figure should be, and whether it was."""

from __future__ import annotations

from dataclasses import dataclass

from measure import Figure


@dataclass
class Goal:
    """
    One row of the table of goals, filled in by the part that measures it.

    `wanted` is a least value, or with `at_most` a greatest one, of `figure`, whose format `text` is. A goal that was
    not measured says why in `reason`.
    """

    what: str
    wanted: float
    text: str
    at_most: bool = False
    figure: Figure | None = None
    how: str = ""
    reason: str = "its part was not run"

    @property
    def met(self) -> bool | None:
        """None where it was not measured."""
        if self.figure is None:
            return None
        return self.figure.median <= self.wanted if self.at_most else self.figure.median >= self.wanted

    @property
    def far_off(self) -> bool:
        """Worse than the goal by more than two."""
        if self.figure is None:
            return False
        return self.figure.median > 2 * self.wanted if self.at_most else 2 * self.figure.median < self.wanted

    @property
    def verdict(self) -> str:
        """In words."""
        return {True: "met", False: "not met", None: f"not measured: {self.reason}"}[self.met]

    def measured(self, figure: Figure, how: str, wanted: float | None = None) -> None:
        """Fill in the figure, a sentence on how it was found, and, where the machine decides it, the goal."""
        self.figure, self.how = figure, how
        if wanted is not None:
            self.wanted = wanted

    def as_markdown(self) -> str:
        """Return a row of the table."""
        sign = "<=" if self.at_most else ">="
        found = ""
        if self.figure is not None:
            median, low, high = (self.text.format(x) for x in (self.figure.median, self.figure.low, self.figure.high))
            found = median if low == high else f"{median} ({low} to {high})"
        return f"| {self.what} | {sign} {self.text.format(self.wanted)} | {found} | {self.verdict} | {self.how} |"


def all_goals() -> dict[str, Goal]:
    """Return the goals, not measured yet."""
    ns = "{:,.0f} ns"
    return {
        "loop": Goal("batch, job J, to the numba loop with consumption", 12, "{:.1f}x"),
        "histogram": Goal("batch, job J, to boost-histogram's best fill of projected levels", 25, "{:.1f}x"),
        "bandwidth": Goal("batch, job J, share of the read bandwidth", 0.40, "{:.0%}"),
        "threads": Goal("two threads to one", 1.8, "{:.2f}x"),
        "p50": Goal("live, one trade in C++, windows of a second: p50", 25, ns, at_most=True),
        "p99": Goal("... p99", 100, ns, at_most=True),
        "p99.9": Goal("... p99.9", 1_000, ns, at_most=True),
        "python": Goal("live, from Python: one trade a call", 350, ns, at_most=True),
        "python_1000": Goal("... 1,000 trades a call, each", 8, "{:,.1f} ns", at_most=True),
        "pointer": Goal("... one trade from numba through the C function pointer", 15, "{:,.1f} ns", at_most=True),
        "profile": Goal(
            "another leverage profile, same tiers, no pass over the ticks: time with 8 times the trades",
            2,
            "{:.2f}x",
            True,
        ),
        "footprints": Goal("other tiers from stored footprints, to the pass from the tick store", 10, "{:.1f}x"),
        "features": Goal("all features of this moment, five tiers, a day's book", 50, "{:,.1f} us", at_most=True),
        "disk": Goal("tick store to heatmap, one core, million rows/s", 60, "{:,.1f}"),
        "resident": Goal("resident memory at most, from a day to a year", 300, "{:,.0f} MB", at_most=True),
        "polars": Goal("tick store to heatmap, to polars' plain histogram of the same file", 5, "{:.1f}x"),
        "csv": Goal("zipped CSV into the store, one core, million rows/s", 5, "{:,.1f}"),
        "startup": Goal("import time over numpy's", 50, "{:,.0f} ms", at_most=True),
    }
