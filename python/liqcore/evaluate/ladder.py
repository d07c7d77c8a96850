"""What a map adds to each null: models fitted day by day on what came before, with and without the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .amounts import Floats, Ints
from .fit import Forecast, walk_forward
from .measures import Drawings, Estimate, drawn


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """
    One market's bars, each twice: as longs and as shorts see it.

    Attributes
    ----------
    truth : ndarray of float64, shape (2, bars)
        USD liquidated.
    block : ndarray of int64, shape (bars,)
        Number of the block of time (a day), rising, the same for all markets.
    features : mapping of str to ndarray of float64, shape (2, n, bars)
        By name.
    priors : mapping of str to ndarray of float64, shape (n, n)
        Covariance of the coefficients of those features before anything is seen (`walk_forward`), by the same names;
        where there is none, a plain ridge.
    """

    truth: Floats
    block: Ints
    features: Mapping[str, Floats]
    priors: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Split:
    """
    How blocks of time are divided.

    Attributes
    ----------
    blocks, first_test : int
        How many there are; the first that is predicted. Those before it only train, and each later one is predicted
        from all before it.
    """

    blocks: int
    first_test: int

    @classmethod
    def of(cls, blocks: int) -> Split:
        """A third of the blocks, and at least seven, only train."""
        return cls(blocks, min(max(7, -(-blocks // 3)), blocks))

    @property
    def tested(self) -> int:
        """How many blocks are predicted."""
        return self.blocks - self.first_test


@dataclass(frozen=True, slots=True)
class Level:
    """How well one model does: Spearman's correlation, correlation of logs, log score (nats a bar and side)."""

    name: str
    spearman: Estimate
    correlation: Estimate
    log_score: Estimate


@dataclass(frozen=True, slots=True)
class Gain:
    """
    What one more thing adds to a model.

    Attributes
    ----------
    added, over : str
        Names of both.
    spearman, log_score : Estimate
        Differences, paired: both models in the same drawings.
    frozen, in_bar : Estimate
        Parts of `spearman`: what the levels that stood before the bar add, and what those opened in it add to that.
    inflation : float
        Deviation of `spearman` with whole blocks drawn, over that with single cases drawn.
    effective : float
        Cases divided by the square of `inflation`.
    """

    added: str
    over: str
    spearman: Estimate
    log_score: Estimate
    frozen: Estimate
    in_bar: Estimate
    inflation: float
    effective: float

    @property
    def positive(self) -> bool:
        """Whether the interval of the gain lies above zero."""
        return self.spearman.low > 0


@dataclass(frozen=True, slots=True)
class _Draws:
    """Of one model: measures in each drawing, by blocks and by single cases."""

    spearman: Floats
    correlation: Floats
    log_score: Floats
    single: Floats


class Ladder:
    """
    Fits models to markets, and compares them.

    Parameters
    ----------
    cases : sequence of Cases
        One a market; what is said is the mean over the markets, and drawings take the same blocks of all.
    split : Split
    draws, seed : int
        Of the intervals.
    """

    def __init__(self, cases: Sequence[Cases], split: Split, *, draws: int, seed: int) -> None:
        self._split = split
        counts = drawn(split.tested, draws, seed)
        self._markets = [_Market(one, split, counts, min(draws, 200), seed + 1) for one in cases]
        self._known: dict[tuple[str, ...], _Draws] = {}

    @property
    def tested(self) -> int:
        """Count the cases that are predicted, of all markets."""
        return sum(int(market.tested.sum()) for market in self._markets)

    def level(self, name: str, *features: str) -> Level:
        """Return how well the model of some features does."""
        found = self._model(features)
        of = self._estimate
        return Level(name, of(found.spearman), of(found.correlation), of(found.log_score))

    def gain(self, added: str, over: str, base: Sequence[str], more: Sequence[str], standing: int = 1) -> Gain:
        """
        Return what features add to a model.

        Parameters
        ----------
        added, over : str
            Names for people.
        base : sequence of str
            Features of the model that is there.
        more : sequence of str
            What is added: first what stood before the bar; the others on top.
        standing : int
            How many of `more` stood before the bar.
        """
        without, frozen, whole = (self._model((*base, *more[:n])) for n in (0, standing, len(more)))
        difference = whole.spearman - without.spearman
        single = (whole.single - without.single)[1:]
        deviation = float(np.nanstd(single))
        inflation = float(np.nanstd(difference[1:])) / deviation if deviation > 0 else float("nan")
        of = self._estimate
        return Gain(
            added,
            over,
            of(difference),
            of(whole.log_score - without.log_score),
            of(frozen.spearman - without.spearman),
            of(whole.spearman - frozen.spearman),
            inflation,
            self.tested / inflation**2 if inflation > 0 else float("nan"),
        )

    def reliability(self, *features: str, parts: int = 10) -> tuple[tuple[float, float], ...]:
        """Return predicted and realised, mean of log10(1 + USD), of each tenth of the predictions, of all markets."""
        pairs = [market.predicted(features) for market in self._markets]
        predicted, realised = (np.concatenate(column) / np.log(10.0) for column in zip(*pairs, strict=True))
        order = np.argsort(predicted, kind="stable")
        cuts = [some for some in np.array_split(order, parts) if len(some)]
        return tuple((float(predicted[some].mean()), float(realised[some].mean())) for some in cuts)

    def _estimate(self, draws: Floats) -> Estimate:
        return Estimate.of(draws, self._split.tested)

    def _model(self, features: tuple[str, ...]) -> _Draws:
        if features not in self._known:
            of_markets = [market.model(features) for market in self._markets]
            names = ("spearman", "correlation", "log_score", "single")
            self._known[features] = _Draws(
                *(np.mean([getattr(one, name) for one in of_markets], axis=0) for name in names)
            )
        return self._known[features]


class _Market:
    """The cases of one market in order of time, and the drawings of those that are predicted."""

    def __init__(self, cases: Cases, split: Split, counts: Floats, singles: int, seed: int) -> None:
        bars = cases.truth.shape[1]
        self._order = np.argsort(np.concatenate((cases.block, cases.block)), kind="stable")
        self._block = np.concatenate((cases.block, cases.block))[self._order]
        self._truth = np.log1p(cases.truth).reshape(-1)[self._order]
        self._side = np.repeat([0.0, 1.0], bars)[self._order]
        self._cases = cases
        self._first_test = split.first_test
        self.tested = self._block >= split.first_test
        truth, block = self._truth[self.tested], self._block[self.tested] - split.first_test
        self._by_block = Drawings(truth, block, counts)
        self._by_case = Drawings(truth, np.arange(len(truth)), drawn(len(truth), singles, seed))

    def table(self, names: Sequence[str]) -> tuple[Floats, Floats | None]:
        """Return features of all cases, the side first, and their prior; None: a plain ridge."""
        columns = [self._cases.features[name].transpose(0, 2, 1).reshape(len(self._order), -1) for name in names]
        table = np.column_stack([self._side, *(column[self._order] for column in columns)])
        if not any(name in self._cases.priors for name in names):
            return table, None
        prior, at = np.eye(table.shape[1]), 1
        for name, column in zip(names, columns, strict=True):
            rows = slice(at, at := at + column.shape[1])
            prior[rows, rows] = self._cases.priors.get(name, prior[rows, rows])
        return table, prior

    def _forecast(self, names: Sequence[str]) -> Forecast:
        table, prior = self.table(names)
        return walk_forward(table, self._truth, self._block, self._first_test, prior)

    def predicted(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Return predicted and true logs of the cases that are predicted."""
        return self._forecast(names).mean[self.tested], self._truth[self.tested]

    def model(self, names: Sequence[str]) -> _Draws:
        """Fit one model, and measure it in each drawing."""
        forecast = self._forecast(names)
        mean, spread, truth = forecast.mean[self.tested], forecast.spread[self.tested], self._truth[self.tested]
        log_score = -0.5 * ((truth - mean) / spread) ** 2 - np.log(spread) - 0.5 * np.log(2 * np.pi)
        return _Draws(
            self._by_block.rank_correlation(mean),
            self._by_block.correlation(mean),
            self._by_block.mean(log_score),
            self._by_case.rank_correlation(mean),
        )
