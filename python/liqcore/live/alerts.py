"""Alerts without a page: rules over what sinks are told, each event told once, and once more after no restart."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
from msgspec import Struct

from ..errors import InvalidConfigError
from ..feeds.events import SIMULATED, Change, Liquidation, Market, Side
from ..render.labels import amount, price_text
from ..words.alert import AlertRule
from ..words.times import format_duration, iso
from .happened import KINDS, Column, Happened, ZoneNews
from .outside import Files

SIDES: tuple[Side, ...] = ("long", "short")
UNDER = 0.8
"""Levels that were told are told again only once they have been below this share of the rule's amount."""
MORE = 2.0
"""What is told again sooner than usual: as many times more than was told."""
_RECENT = 1000  # alerts of a rule and market that are looked at


class Alert(Struct, frozen=True):
    """
    Something that a rule asks for has happened.

    Attributes
    ----------
    market, rule : str
        ``venue:symbol``, and the rule as it is written.
    about : str
        "approached" or "swept" (a zone), "levels", "told" or "reckoned" (liquidated, by the venue or the engine),
        "gap", "stale" (a stream that has gone silent), "offline", "lost" (alerts that could not be told).
    ts : int
        Time of the event, ns since the UNIX epoch.
    time : str
        The same in words, UTC.
    text : str
        One sentence.
    side : str
        "long", "short"; "": neither.
    price : float or None
        The last one.
    usd : float or None
        How much. What the venue told of are dollars, all else is as `unit` says.
    unit : str
        What the amount stands for, such as "relative level: opened turnover" or "told by the venue".
    low, high : float or None
        Of a zone, price.
    stream : str
        Of a gap and the like: "trades", "marks" and so on.
    since, until : int
        Of a gap, ns; 0: not known.
    """

    market: str
    rule: str
    about: str
    ts: int
    time: str
    text: str
    side: str = ""
    price: float | None = None
    usd: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    stream: str = ""
    since: int = 0
    until: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """What tells apart things that are told again only after a while."""
        return self.market, self.rule, self.about, self.side, self.stream


class Outlet(Protocol):
    """Takes alerts to somebody, in the background."""

    def put(self, alert: Alert) -> None:
        """Take one; it must not keep the caller waiting."""


class _Line(Struct):
    """What one event has changed: a line of the file in which alerts are kept."""

    market: str
    kind: str
    ts: int
    number: int
    alerts: list[Alert] = []
    under: list[tuple[str, ...]] = []


_LINE = msgspec.json.Decoder(_Line)


class Alerts:
    """
    Tells what rules ask for: a `Sink`. It reads no clock; times are those of the events.

    An event is told once. The same zone, levels, liquidations and gaps of a rule, market and side are told again only
    after `again_ns`, or where the amount is twice what was told; levels, moreover, only once they have been below 80 %
    of the rule's amount, so that a price that flaps floods nobody.

    Parameters
    ----------
    rules : sequence of str or AlertRule
    outlets : sequence of Outlet
    markets : sequence of Market, optional
        Those that are followed; a rule of another one is refused.
    again_ns : int, default 15 minutes
    unit : str, default "relative level"
        What the engine's amounts stand for.
    since : int, default 0
        What has happened before, ns, is not told: history that an engine begins with.
    path : Path, optional
        A file that alerts are kept in, a line of JSON for each event that told some. What stands there is not told
        again when a killed process goes on from its last checkpoint, and holds the rest back as if nothing had been.
    files : Files, optional
        Needed with a path.

    Attributes
    ----------
    outlets : list of Outlet
    told : int
        How many alerts there were.
    error : str
        Why they cannot be kept at present; empty: they can.

    Raises
    ------
    InvalidConfigError
        If a rule breaks its rule, or is of a market that is not followed.
    """

    def __init__(
        self,
        rules: Iterable[str | AlertRule],
        outlets: Sequence[Outlet] = (),
        *,
        markets: Sequence[Market] = (),
        again_ns: int = 900_000_000_000,
        unit: str = "relative level",
        since: int = 0,
        path: Path | None = None,
        files: Files | None = None,
    ) -> None:
        self._rules = [rule if isinstance(rule, AlertRule) else AlertRule.of(rule) for rule in rules]
        self.outlets = list(outlets)
        self._again_ns, self._unit, self._since = again_ns, unit, since
        self._before: dict[tuple[str, str], tuple[int, int]] = {}  # the last that was told before this process began
        self._recent: dict[tuple[str, ...], list[Alert]] = {}
        self._over: set[tuple[str, ...]] = set()
        self.told = 0
        known = {str(market).lower(): str(market) for market in markets}
        for number, rule in enumerate(self._rules):
            if rule.market and known:
                if rule.market.lower() not in known:
                    raise InvalidConfigError(
                        f"alerts.rules: a rule must be of a market that is followed ({', '.join(known.values())}), "
                        f'was "{rule}"'
                    )
                self._rules[number] = AlertRule(rule.on, rule.what, rule.side, rule.above, rule.within,
                                                known[rule.market.lower()])  # fmt: skip
        assert path is None or files is not None, "a path needs files"
        self._path, self._files = path, files
        self._file: BinaryIO | None = None
        self._begin = b""  # of the next line
        self.error = ""

    def put(self, happened: Happened, number: int) -> None:
        """Judge it, and hand on what is to be told."""
        self._open()
        if isinstance(happened, Liquidation):
            return
        ts = happened.end if isinstance(happened, Column) else happened.ts
        line = _Line(str(happened.market), KINDS[type(happened)], ts, number)
        # By time first: under another configuration the journal is read anew, and the same numbers are of other events.
        if ts < self._since or (ts, number) <= self._before.get((line.market, line.kind), (0, 0)):
            return
        for rule in self._rules:
            if not rule.market or rule.market == line.market:
                self._judge(rule, happened, line)
        if not line.alerts and not line.under:
            return
        self._apply(line)
        self._keep(line)
        self.told += len(line.alerts)
        for alert in line.alerts:
            for outlet in self.outlets:
                outlet.put(alert)

    def sync(self) -> None:
        """Return once the alerts that were told are on the disk."""
        if self._file is not None and self._files is not None:
            self._files.sync(self._file)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _open(self) -> None:
        """Open the file, now that something happens: by then the journals are this process's own."""
        if self._path is None or self._files is None or self._file is not None:
            return
        try:
            self._load(self._path, self._files)
            self._file = self._files.append(self._path)
            self.error = ""
        except OSError as error:
            self.error = str(error)

    def _keep(self, line: _Line) -> None:
        """Write a line; where that fails (the disk is full) alerts are told all the same."""
        if self._file is None:
            return
        data = self._begin + msgspec.json.encode(line) + b"\n"
        try:
            written = self._file.write(data)
            self.error = "" if written == len(data) else "the disk is full"
        except OSError as error:
            self.error = str(error)
        self._begin = b"\n" if self.error else b""  # what stands there of a line is none

    def _load(self, path: Path, files: Files) -> None:
        whole = size = 0
        with suppress(FileNotFoundError), files.read(path) as file:
            for text in file:
                size += len(text)
                if not text.endswith(b"\n"):
                    break
                with suppress(msgspec.MsgspecError):  # somebody has been at it: what can be read counts
                    line = _LINE.decode(text)
                    self._before[line.market, line.kind] = (line.ts, line.number)
                    self._apply(line)
                whole = size
        if whole < size:  # a line that a killed process has not written to its end
            files.cut(path, whole)

    def _apply(self, line: _Line) -> None:
        """Remember what was told."""
        for alert in line.alerts:
            recent = self._recent.setdefault(alert.key, [])
            recent.append(alert)
            recent[:] = [one for one in recent if alert.ts - one.ts < self._again_ns][-_RECENT:]
            if alert.about == "levels":
                self._over.add(alert.key)
        self._over.difference_update(line.under)

    def _judge(self, rule: AlertRule, happened: Happened, line: _Line) -> None:
        """Add to a line what a rule has to say of an event."""
        found: Iterator[Alert] = iter(())
        if rule.on == "zone" and isinstance(happened, ZoneNews):
            found = self._zone(rule, happened)
        elif rule.on == "levels" and isinstance(happened, Column):
            found = self._levels(rule, happened, line)
        elif rule.on == "liquidated" and isinstance(happened, Column):
            found = self._liquidated(rule, happened)
        elif rule.on in ("gap", "offline") and isinstance(happened, Change):
            found = self._stream(rule, happened)
        line.alerts += found

    def _is_new(self, alert: Alert) -> bool:
        """Whether the same has not been told a short while ago, or less than half of it."""
        for one in self._recent.get(alert.key, ()):
            if alert.ts - one.ts >= self._again_ns:
                continue
            if alert.low is not None and alert.high is not None and one.low is not None and one.high is not None:
                if alert.low <= one.high and alert.high >= one.low:
                    return False
            elif alert.usd is None or one.usd is None or alert.usd < MORE * one.usd:
                return False
        return True

    def _zone(self, rule: AlertRule, news: ZoneNews) -> Iterator[Alert]:
        if (rule.what or news.what) != news.what or (rule.side or news.side) != news.side or not news.usd > rule.above:
            return
        where = price_text(news.low) if news.low == news.high else f"{price_text(news.low)} to {price_text(news.high)}"
        what = f"{amount(news.usd, 'usd')} of {news.side}s"
        price = price_text(news.price)
        said = (
            f"price {price} has come near {where}: {what} ({self._unit})"
            if news.what == "approached"
            else f"price {price} has reached {where}, where {what} were ({self._unit})"
        )
        alert = _alert(rule, news.what, news.ts, news.market, said, side=news.side, price=news.price, usd=news.usd,
                       unit=self._unit, low=news.low, high=news.high)  # fmt: skip
        if self._is_new(alert):
            yield alert

    def _levels(self, rule: AlertRule, column: Column, line: _Line) -> Iterator[Alert]:
        within = next((row for row in column.levels if row[0] == rule.within), None)
        if within is None:
            return
        for side, usd in zip(SIDES, within[1:], strict=True):
            if rule.side and rule.side != side:
                continue
            where = "below" if side == "long" else "above"
            price = price_text(column.price)
            said = f"{amount(usd, 'usd')} of {side}s within {rule.within:g}% {where} {price} ({self._unit})"
            alert = _alert(rule, "levels", column.end, column.market, said, side=side, price=column.price, usd=usd,
                           unit=self._unit)  # fmt: skip
            if alert.key in self._over:
                if usd < UNDER * rule.above:
                    line.under.append(alert.key)
            elif usd > rule.above and self._is_new(alert):
                yield alert

    def _liquidated(self, rule: AlertRule, column: Column) -> Iterator[Alert]:
        length = format_duration(column.end - column.start)
        for about, amounts, unit in (
            ("told", (column.realised_long, column.realised_short), "told by the venue"),
            ("reckoned", (column.liquidated_long, column.liquidated_short), f"reckoned; {self._unit}"),
        ):
            for side, usd in zip(SIDES, amounts, strict=True):
                if (rule.what or about) != about or (rule.side or side) != side or not usd > rule.above:
                    continue
                said = (
                    f"{amount(usd, 'usd')} of {side}s liquidated in {length} ({unit}), price {price_text(column.price)}"
                )
                alert = _alert(rule, about, column.end, column.market, said, side=side, price=column.price, usd=usd,
                               unit=unit)  # fmt: skip
                if self._is_new(alert):
                    yield alert

    def _stream(self, rule: AlertRule, change: Change) -> Iterator[Alert]:
        stream, why = change.kind.replace("_", " "), f": {change.why}" if change.why else ""
        if rule.on == "gap" and change.state == "gap open" and change.kind == "trades":
            span = (
                f"from {iso(change.since)} to {iso(change.until)}" if change.since and change.until else "for a while"
            )
            about, said = "gap", f"trades are missing {span}{why}"
        elif rule.on == "gap" and change.state == "stale":
            since = f" since {iso(change.since)}" if change.since else ""
            about, said = "stale", f"no {stream}{since}{why}"
        elif rule.on == "offline" and change.state == "connecting" and change.kind == "trades" and change.since:
            about, said = "offline", f"the connection is lost; the last trade came {iso(change.since)}{why}"
        else:
            return
        alert = _alert(rule, about, change.ts, change.market, said, stream=change.kind, since=change.since,
                       until=change.until)  # fmt: skip
        if self._is_new(alert):
            yield alert


def _alert(rule: AlertRule, about: str, ts: int, market: Market, said: str, **values: object) -> Alert:
    """Make an alert: its sentence begins with the time and the market."""
    time, synthetic = iso(ts), "SYNTHETIC " if market == SIMULATED else ""
    return Alert(str(market), str(rule), about, ts, time, f"{time} {synthetic}{market}: {said}", **values)  # type: ignore[arg-type]
