"""What the score `positions` says: numbers for programs, sentences and tables for people."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..render.page import Measure
from ..render.picture import Picture
from ..render.png import draw_png
from ..words.numbers import plain_values
from .ladder import Gain
from .measures import Estimate
from .picture import LEAST_HEIGHT, LEAST_WIDTH, layout
from .placed import EQUAL, Nearness
from .report import number, table

NONE = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True, repr=False)
class PositionsScore:
    """
    How near the levels of a map are to those of real positions.

    Attributes
    ----------
    statement : dict
        What was scored: ``markets`` (name, snapshots, span, USD, ...), ``feed``, ``model``, ``leverage``,
        ``half_life``, ``block``, ``split``, ``draws``, ``seed``, ``version``.
    sides : dict of str to list of Nearness
        ``"both"``, ``"long"``, ``"short"``: the map and each null.
    notes : list of str
        What whoever reads it should know.
    """

    statement: dict[str, Any]
    sides: dict[str, list[Nearness]]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """One sentence on the map beside its nulls."""
        own, *nulls = self.sides["both"]
        words = []
        for kind, test in (
            ("nearer than", lambda one: one.emd_gain.low > 0),
            ("farther than", lambda one: one.emd_gain.high < 0),
            ("no different from", lambda one: not (one.emd_gain.low > 0 or one.emd_gain.high < 0)),
        ):
            if names := [one.name for one in nulls if test(one)]:
                words.append(f"{kind} {', '.join(names)}")
        helps = [one.name for one in nulls if one.mixed_gain.low > 0]
        mixed = f"mixed in, it brings nearer: {', '.join(helps)}" if helps else "mixed in, it brings no null nearer"
        far = f"the map's levels are {100 * own.emd.value:.3g}% of the price from the real ones"
        return f"{far}: {'; '.join(words)}; {mixed}"

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values; NaN is None."""
        sides = {side: [asdict(one) for one in of] for side, of in self.sides.items()}
        said: dict[str, Any] = plain_values(
            {"verdict": self.verdict, "statement": self.statement, "positions": sides, "notes": self.notes}
        )
        return said

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_text(self) -> str:
        """Return tables and sentences for people."""
        lines = [self.verdict, "", *self._statement()]
        for side, of in self.sides.items():
            what = "longs and shorts" if side == "both" else f"{side}s"
            lines += ["", f"{what}: distance in log price, rank correlation, overlap of the top tenth", ""]
            lines += table(
                ["", "distance", "correlation", "overlap"],
                [[one.name, number(one.emd), number(one.correlation, 3), number(one.overlap, 3)] for one in of],
            )
            lines += ["", *table(
                ["the map has more than", "distance", "correlation", "overlap", "the null with the map mixed in"],
                [
                    [
                        one.name, number(one.emd_gain), number(one.correlation_gain, 3), number(one.overlap_gain, 3),
                        number(one.mixed_gain),
                    ]
                    for one in of[1:]
                ],
            )]  # fmt: skip
        return "\n".join([*lines, "", *self.notes] if self.notes else lines)

    def render(
        self,
        path: str | os.PathLike[str] | BinaryIO | None = None,
        *,
        width: int = 1600,
        height: int = 900,
        theme: str = "dark",
    ) -> Path | bytes | None:
        """
        Draw what the map has more than each null, as `Score.render` does.

        Raises
        ------
        InvalidConfigError
            If the size or theme cannot be, or the path does not end in ``.png``.
        LiqcoreError
            If Pillow is not installed.
        """
        of = self.sides["both"][1:]
        parts = [
            ("by how much the map is nearer, log price, than", [_gain(one.name, one.emd_gain) for one in of]),
            ("brings nearer, mixed in", [_gain(one.name, one.mixed_gain) for one in of]),
            ("more rank correlation than", [_gain(one.name, one.correlation_gain) for one in of if one.name != EQUAL]),
        ]
        said = self.statement
        names = ", ".join(one["name"] for one in said["markets"])
        title = [f"map and real positions: {names}", f"{said['split']['tested']} blocks of {said['block']}"]
        footer = [
            *(part for line in self._statement() for part in line.split("; ")),
            "95 % intervals from whole blocks drawn anew",
        ]

        def laid_out(measure: Measure) -> Picture:
            return layout(
                title,
                self.verdict.split("; "),
                footer,
                parts,
                (),
                width=width,
                height=height,
                theme=theme,
                software=f"liqcore {said['version']}",
                synthetic=False,
                measure=measure,
            )

        return draw_png(laid_out, path, (width, height), theme, least=(LEAST_WIDTH, LEAST_HEIGHT))

    def _statement(self) -> list[str]:
        said = self.statement
        split = said["split"]
        lines = [
            f"{one['name']}: {one['snapshots']} snapshots, {one['from']} to {one['to']}, ${one['usd']:,.0f} a "
            f"snapshot, in {one['bins']} bins of {one['step']:.2%} a side; {one['left_out']} snapshots outside the "
            f"candles or in the warm-up; candles of {one['interval']}, taker sides {one['sides']}"
            for one in said["markets"]
        ]
        leverage = said["leverage"]
        return [
            *lines,
            f"positions: {said['feed'] or 'not said whose'}; a sample of accounts, where others are is not known",
            f"map: {said['model']}, {len(leverage)} tiers from {min(leverage):g}x to {max(leverage):g}x, half-life "
            f"{said['half_life']}",
            f"split: {split['blocks']} blocks of {said['block']}, {split['trained']} only train, {split['tested']} are "
            f"compared (first: {split['first_test']})",
            "markets: those that were given; what has been delisted or was never collected is not among them",
        ]

    def __repr__(self) -> str:
        return f"PositionsScore({self.verdict})"


def _gain(name: str, of: Estimate) -> Gain:
    return Gain("map", name, of, NONE, NONE, NONE, math.nan, math.nan)
