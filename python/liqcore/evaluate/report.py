"""What a score says: numbers for programs, sentences and tables for people."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .._core import tier_name
from ..errors import InvalidConfigError
from ..render.page import Measure
from ..render.picture import Picture
from ..render.png import draw_png
from ..words.numbers import plain_values
from .ladder import Gain
from .lift import Lift
from .measures import Estimate
from .picture import LEAST_HEIGHT, LEAST_WIDTH, layout
from .score import Dollars, Part


@dataclass(frozen=True, slots=True, repr=False)
class Score:
    """
    How right a map is.

    Attributes
    ----------
    statement : dict
        What was scored: ``markets`` (name, bars, span, share without liquidations, ...), ``feed``, ``complete``,
        ``model``, ``leverage``, ``half_life``, ``bar``, ``block``, ``split``, ``draws``, ``seed``, ``version``.
    path_conditional : Part or None
        The map updated in the bar against what is liquidated in it; the nulls see the bar's prices, too. None where
        there are too few blocks of time to fit and to test.
    frozen : Part or None
        The map as it stood when the bar began; neither it nor the nulls see anything later.
    plain : list of (str, Estimate, Estimate)
        Of each map as it is, unfitted, and of range x volume: Spearman's correlation with the truth, and what the map
        has more.
    dollars : Dollars
        Predicted and realised.
    lift : dict of str to dict
        For single liquidations, by market: ``"frozen"`` and ``"whole"`` lists of `Lift`, and the shares of the USD that
        count.
    notes : list of str
        What whoever reads it should know.
    """

    statement: dict[str, Any]
    path_conditional: Part | None
    frozen: Part | None
    plain: list[tuple[str, Estimate, Estimate]]
    dollars: Dollars
    lift: dict[str, dict[str, Any]]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """One sentence on what the map adds to all nulls together."""
        sentences = []
        for name, part in (("given the bar's prices", self.path_conditional), ("as a forecast", self.frozen)):
            if part is None:
                sentences.append(f"{name}: not enough time to say")
                continue
            gain, without = part.strongest, part.levels[-2].spearman.value
            if math.isnan(gain.spearman.low):
                said = "no interval: too few blocks of time"
            elif gain.positive:
                said = f"adds {number(gain.spearman)} to all nulls together, whose rank correlation is {without:.3f}"
            elif gain.spearman.high < 0:
                said = f"makes all nulls together worse, {number(gain.spearman)}"
            else:
                said = f"adds nothing to all nulls together, {number(gain.spearman)}"
            sentences.append(f"{name}: {said}")
        return "; ".join(sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values; NaN is None."""
        lifts = {
            market: {kind: [asdict(one) for one in of] if isinstance(of, list) else of for kind, of in said.items()}
            for market, said in self.lift.items()
        }
        said: dict[str, Any] = plain_values(
            {
                "verdict": self.verdict,
                "statement": self.statement,
                "path_conditional": None if self.path_conditional is None else asdict(self.path_conditional),
                "frozen": None if self.frozen is None else asdict(self.frozen),
                "plain": [
                    {"name": name, "spearman": asdict(of), "gain": asdict(gain)} for name, of, gain in self.plain
                ],
                "dollars": asdict(self.dollars),
                "lift": lifts,
                "notes": self.notes,
            }
        )
        return said

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_text(self) -> str:
        """Return tables and sentences for people."""
        lines = [self.verdict, "", *statement_lines(self.statement)]
        for title, part in (
            ("Given the bar's prices (path_conditional): the nulls see the same prices", self.path_conditional),
            ("As a forecast (frozen): nothing later than the bar's start", self.frozen),
        ):
            if part is not None:
                lines += ["", title, "", *_part(part)]
        lines += ["", "As they are, unfitted: rank correlation with what was liquidated", ""]
        rows = [[name, number(of), "" if name == "map" else number(gain)] for name, of, gain in self.plain]
        lines += table(["", "Spearman", "the map has more"], rows)
        for market, said in self.lift.items():
            lines += _lift(market, said)
        lines += ["", *_dollars(self.dollars)]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)

    def render(
        self,
        path: str | os.PathLike[str] | BinaryIO | None = None,
        *,
        width: int = 1600,
        height: int = 900,
        theme: str = "dark",
    ) -> Path | bytes | None:
        """
        Draw what the map adds to each null, and how reliable the fitted model is.

        Parameters
        ----------
        path : path or binary file, optional
            Where to, as PNG; without it the bytes are returned.
        width, height : int
            Pixels, at least 640 and 480.
        theme : {"dark", "light"}

        Raises
        ------
        InvalidConfigError
            If the size or theme cannot be, the path does not end in ``.png``, or nothing could be fitted.
        LiqcoreError
            If Pillow is not installed.
        """
        return render(self, path, width=width, height=height, theme=theme)

    def __repr__(self) -> str:
        return f"Score({self.verdict})"


def render(
    score: Score, path: str | os.PathLike[str] | BinaryIO | None, *, width: int, height: int, theme: str
) -> Path | bytes | None:
    """Draw a score; see `Score.render`."""
    parts = [
        (title, part)
        for title, part in (
            ("given the bar's prices, the map adds to", score.path_conditional),
            ("as a forecast, the map adds to", score.frozen),
        )
        if part is not None
    ]
    if not parts:
        raise InvalidConfigError("score must have been fitted to be drawn: there was not enough time")
    said = score.statement
    names = ", ".join(one["name"] for one in said["markets"])
    title = [f"score of a map: {names}", f"bars of {said['bar']}"]
    footer = [
        *(part for line in statement_lines(said) for part in line.split("; ")),
        "gain in Spearman's rank correlation, 95 % intervals from whole blocks drawn anew",
    ]

    def laid_out(measure: Measure) -> Picture:
        return layout(
            [*title, f"{said['split']['tested']} blocks of {said['block']}"],
            score.verdict.split("; "),
            footer,
            [(title, part.gains) for title, part in parts],
            parts[0][1].reliability,
            width=width,
            height=height,
            theme=theme,
            software=f"liqcore {said['version']}",
            synthetic=False,
            measure=measure,
        )

    return draw_png(laid_out, path, (width, height), theme, least=(LEAST_WIDTH, LEAST_HEIGHT))


def number(of: Estimate, digits: int = 4) -> str:
    """Write a number with its interval."""
    if math.isnan(of.value):
        return "-"
    if math.isnan(of.low):
        return f"{of.value:+.{digits}f}"
    return f"{of.value:+.{digits}f} [{of.low:+.{digits}f}, {of.high:+.{digits}f}]"


def statement_lines(said: dict[str, Any]) -> list[str]:
    """Say what was scored: markets, feed, map, split."""
    lines = []
    for one in said["markets"]:
        lines.append(
            f"{one['name']}: {one['bars']:,} bars of {said['bar']}, {one['from']} to {one['to']}; nothing liquidated "
            f"in {one['zero']:.0%} of bars and sides; {one['left_out']:,} bars outside the candles or in the warm-up; "
            f"candles of {one['interval']}, {one['missing']:.1%} missing, taker sides {one['sides']}"
        )
    split = said["split"]
    exponent = f" of exponent {said['exponent']:g}" if "exponent" in said else ""
    scope = "complete" if said["complete"] else "floors: feeds of venues leave liquidations out"
    lines += [
        f"feed: {said['feed'] or 'not said'}; totals are {scope}",
        f"map: {said['model']}{exponent}, {_profile(said)}",
        f"split: {split['blocks']} blocks of {said['block']}, {split['trained']} only train, {split['tested']} are "
        f"each predicted from all before them (first: {split['first_test']})",
        "markets: those that were given; what has been delisted or was never collected is not among them",
    ]
    return lines


def _profile(said: dict[str, Any]) -> str:
    """Say which leverage and half-lives: those of a fitted profile by its name."""
    if "fitted" in said:
        return f"fitted, {said['fitted']}"
    return f"leverage {_shares(said['leverage'])}, half-life {said['half_life']}"


def _shares(of: dict[float, float]) -> str:
    """Write a profile's weights; of many tiers the first and the last."""
    if len(of) > 12:
        return f"{tier_name(min(of))} to {tier_name(max(of))}, {len(of)} tiers"
    return ", ".join(f"{tier_name(tier)} {weight:.3g}" for tier, weight in of.items())


def _part(part: Part) -> list[str]:
    rows = [
        [one.name, number(one.spearman, 3), f"{one.correlation.value:.3f}", f"{one.log_score.value:+.3f}"]
        for one in part.levels
    ]
    lines = table(["model", "Spearman", "r of logs", "log score"], rows)
    lines += ["", *_gains("the map adds to", part.gains)]
    worst = max(part.gains, key=lambda gain: -1.0 if math.isnan(gain.inflation) else gain.inflation)
    if not math.isnan(worst.inflation):
        lines.append(
            f"errors are up to {worst.inflation:.1f} times those of independent bars and sides: all together are worth "
            f"{worst.effective:,.0f} of them"
        )
    return [*lines, "", *_gains("for comparison", part.controls, added=True)]


def _gains(title: str, gains: Sequence[Gain], *, added: bool = False) -> list[str]:
    rows = [
        [
            f"{one.added}, over {one.over}" if added else one.over,
            number(one.spearman),
            number(one.frozen),
            number(one.in_bar),
            f"{one.log_score.value:+.4f}",
        ]
        for one in gains
    ]
    split = any(one.in_bar.value != 0 for one in gains)
    head = [title, "gain in Spearman", "of it standing before", "opened in the bar", "log score"]
    if not split:
        rows, head = [[*row[:2], row[4]] for row in rows], [*head[:2], head[4]]
    return table(head, rows)


def _lift(market: str, said: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for kind, title in (
        ("frozen", "as the map stood before the bar"),
        ("whole", "with what opened in the bar"),
    ):
        of: list[Lift] = said[kind]
        used = said[f"{kind}_used"]
        lines += [
            "",
            f"{market}: USD of single liquidations in the top quarter of the rows that were reached, {title} (1: as "
            f"blind); {used['used']:.0%} of the USD counts, {used['outside']:.0%} lies outside the rows, "
            f"{used['few']:.0%} in bars with fewer than 4",
            "",
        ]
        rows = [[one.name, number(one.lift, 2), "" if one.name == "map" else number(one.gain, 2)] for one in of]
        lines += table(["chosen by", "lift", "the map has more"], rows)
    return lines


def _dollars(said: Dollars) -> list[str]:
    ratios = [ratio for _, ratio in said.weekly if math.isfinite(ratio)]
    span = f"; by week {min(ratios):.3g} to {max(ratios):.3g}" if ratios else ""
    low = "" if math.isnan(said.ratio.low) else f" [{said.ratio.low:.3g}, {said.ratio.high:.3g}]"
    return [
        f"dollars: the map says {said.ratio.value:.3g}{low} times what was liquidated{span}",
        f"the map says nothing of {said.silent:.0%} of bars and sides"
        + (f", and of those {said.missed:.0%} had liquidations" if said.silent else ""),
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table, two spaces between columns."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
