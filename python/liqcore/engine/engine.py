"""The engine: market events in, live levels, columns and maps out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import Instrument, LeverageProfile, PriceAxis, Snapshot, Stats
from ..errors import InvalidConfigError
from ..market.leverage import HalfLives, Shares, half_lives, profile_for
from ..tables.batch import TradeBatch, is_table
from ..words.times import Length, parse_duration
from .arrays import arrays_of, side_arrays
from .events import EventStats, feed_events
from .feature_reader import REACHES, FeatureReader
from .saving import Saving

if TYPE_CHECKING:
    from ..config.config import Config
    from ..tables.footprint_stream import FootprintStream
    from ..views.heatmap import Heatmap
    from ..views.map import LiquidationMap


MOST_TICKS = 2**31 - 2  # of a price, whichever way it is rounded


class Engine(Saving):
    """
    Estimates where leveraged positions would be liquidated, from a stream of market events.

    Streaming one trade at a time, batches of any size and everything at once give identical bits. Rows that cannot be
    used are counted by reason in `stats` and change nothing. One engine is used by one thread at a time (another one
    gets a RuntimeError); any number of engines run in parallel, and the array methods release the GIL.

    Parameters
    ----------
    instrument : Instrument
        What is traded.
    leverage : LeverageProfile, mapping or str, optional
        Tiers (leverages, or distances of levels from the entry such as "0.2%") and shares; if not given the preset
        "default", or "auto" where the instrument's venue is in the catalogue: the same, with what lies above the
        market's highest leverage at that one. Shares are weights: the book holds every tier in full. Tiers above the
        instrument's maximum leverage, where that is known, are left out and their shares divided among the rest;
        `dropped_leverage` says which.
    axis : PriceAxis, optional
        A fixed axis: levels outside are counted. By default the engine chooses bins of about one basis point from the
        first price, and grows.
    book_step : float, optional
        Width of a bin of an automatic axis, price.
    axis_limit : int, default 1_048_576
        Where an automatic axis ends, in bins above price zero: about a hundred times the first price. Trades, marks,
        candles and vendor events that reach a price there are rejected as ``off_range``, levels there counted as
        overflow.
    window : str or duration, default "5m"
        Length of a column, aligned to the UNIX epoch.
    model : {"flow", "presence", "oi", "blend", "vendor", "none"}
        What opens and closes positions; docs/theory/models.md defines each. "flow": every trade opens its quantity on
        the aggressor's side. "presence": so does the time that is spent at a price, or a mixture of time and volume.
        "oi": open interest opens both sides as it rises, and closes everything in proportion as it falls. "blend": as
        "oi", and a part of the turnover opens and closes in between. "vendor": events open both sides, candles touch.
        "none": only the trigger and the verbs act (`open`, `open_level`, `touch`, `scale`), for models of your own.
    trigger : {"last", "mark", "candle"}, optional
        What liquidates: every trade, mark prices (as venues do), or candles. "candle" with the model "vendor", which
        takes no other, and "last" with the rest.
    maker_share : float, default 0
        Part (0 to 1, to the nearest 1/1024) that opens on the maker's side as well; for "flow" and "presence".
    half_life : "default", None, duration or mapping of leverage to duration
        Time in which half of what is open closes, applied at window ends. "default": for "flow" and "presence" 1 day
        from 100x and for distances, 3 days from 50x, 7 days from 25x, 30 days below; none for the others. None: nothing
        decays, and with these two all lots are whole. Tiers missing from a mapping do not decay.
    taker_tilt : float, default 0
        How far taker imbalance moves the entry prices of the two sides apart (0 to 1, kept to the nearest 1/1024),
        never their totals; for "oi" and "blend".
    churn : float, default 0.1
        Part of the turnover that opens and closes between two samples of open interest (0 to 1, kept to the nearest
        1/1024); for "blend".
    event_threshold : float, optional
        A rise of open interest by more than this quantity is an event; for "vendor". By default none is.
    reconciled : bool, default False
        Open interest corrects the book at every sample: what was liquidated is a part of its fall, and a layer above it
        is scaled down to it. The model is then sequential; `corrections` says how much was corrected.
    candle_price : {"hlc3", "close", "open", "ohlc4", "hl2"}
        Price of a candle at which its volumes open, in every model: the mean of high, low and close, of all four, or of
        high and low; its close or its open.
    outlier : float, default 0
        How far a price may lie from the one before it, as a share of it, before it is rejected as an ``outlier`` until
        others agree (docs/theory/ticks.md). 0: every price is believed. `from_config` takes the configuration's, 0.1.
    exponent : float, default 0
        For "presence": from 0, by time at price alone, to 1, by volume alone, as "flow". Below 1 a relative level.
    keep : int, optional
        Number of closed windows kept (older ones are folded together); by default all.
    threads : int, default 1
        Threads that long arrays of trades are spread over by whole windows, 1 to 256, the caller's included; more than
        one start with the engine and end with it. Results do not depend on it: the same bits, but with half-lives for
        the last digits of the fractions in `stats`. One is best for live use.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule; the message names argument, rule and value.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> inst = lq.Instrument(symbol="BTCUSDT", tick_size=0.5, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
    >>> eng = lq.Engine(inst, leverage={10: 0.6, 50: 0.4}, half_life=None)
    >>> ts = np.array([1781222400, 1781222460, 1781222520], dtype=np.int64) * 1_000_000_000
    >>> stats = eng.trades(ts, np.array([60_000.0, 60_010.0, 59_000.0]), np.array([1.0, 0.5, 2.0]),
    ...                    np.array([False, False, True]))
    >>> stats.used, stats.opened[0].tolist(), stats.liquidated[0].tolist()  # longs: the fall took the 50x ones
    (3, [1500.0, 1500.0], [0.0, 1500.0])
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        leverage: LeverageProfile | Shares | str | None = None,
        axis: PriceAxis | None = None,
        book_step: float | None = None,
        axis_limit: int = 1_048_576,
        window: Length = "5m",
        model: str = "flow",
        trigger: str | None = None,
        maker_share: float = 0.0,
        half_life: Length | HalfLives | None = "default",
        taker_tilt: float = 0.0,
        churn: float | None = None,
        event_threshold: float | None = None,
        reconciled: bool = False,
        candle_price: str = "hlc3",
        outlier: float = 0.0,
        exponent: float | None = None,
        keep: int | None = None,
        threads: int = 1,
    ) -> None:
        for name, value, kind in (("instrument", instrument, Instrument), ("axis", axis, PriceAxis | None)):
            if not isinstance(value, kind):
                raise TypeError(f"{name} must be of type {getattr(kind, '__name__', 'PriceAxis')}, was {value!r}")
        asked = profile = profile_for(leverage, instrument)
        dropped: Mapping[float, object] = {}
        if instrument.margin.max_leverage is not None:
            from ..market.margin import drop_leverage

            profile, dropped = drop_leverage(asked, instrument)
        decay = half_lives(half_life, asked) if model in ("flow", "presence") or half_life != "default" else []
        kept = [ns for tier, ns in zip(asked.tiers.tolist(), decay, strict=False) if tier not in dropped]
        if keep is not None and keep < 1:
            raise InvalidConfigError(f"keep must be at least 1, was {keep}")
        if not 1 <= threads <= 256:
            raise InvalidConfigError(f"threads must be between 1 and 256, was {threads}")
        super().__init__(
            instrument=instrument,
            leverage=profile,
            axis=axis,
            ticks_per_bin=0 if book_step is None else _ticks_in(book_step, instrument.tick_size),
            axis_limit=axis_limit,
            window_ns=parse_duration(window, name="window"),
            model=model,
            trigger=trigger or ("candle" if model == "vendor" else "last"),
            maker_share=maker_share,
            half_life_ns=kept,
            keep=keep,
            threads=threads,
            taker_tilt=taker_tilt,
            churn=churn,
            event_threshold=event_threshold,
            reconciled=reconciled,
            candle_price=candle_price,
            outlier=outlier,
            exponent=exponent,
        )
        self.dropped_leverage = tuple(sorted(dropped))
        self.notes = []

    @classmethod
    def from_config(cls, config: Config, *, threads: int = 1, keep: int | None = None) -> Engine:
        """
        Make the engine that a configuration describes.

        The configuration must name the tick and lot size; `liqcore.heatmap` finds them out from the data.
        How many `threads` there are and how many closed windows to `keep` are no settings: results do not depend on
        the first, and columns alone on the second.

        Raises
        ------
        InvalidConfigError
            If a setting breaks its rule, or the tick or lot size is missing.
        """
        from ..config.build import axis_of, instrument_of, profile_of
        from ..config.sections import SETTINGS

        instrument = instrument_of(config)
        axis, book_step = axis_of(config, instrument)
        model: dict[str, Any] = {one.argument: getattr(config.model, one.name) for one in SETTINGS["model"].values()}
        model["model"] = model["model"] or "flow"
        model["half_life"] = None if model["half_life"] == "none" else model["half_life"]
        engine = cls(
            instrument,
            leverage=profile_of(config),
            axis=axis,
            book_step=book_step,
            axis_limit=config.axis.limit,
            outlier=config.source.outlier,
            window=config.window.length,
            threads=threads,
            keep=keep,
            **model,
        )
        engine.fitted = config.leverage.fitted
        return engine

    def trades(self, ts: Any, price: Any = None, qty: Any = None, taker_sell: Any = None) -> Stats:
        """
        Feed trades: arrays, read in place, without a copy, while the GIL is released; or one table of them.

        Parameters
        ----------
        ts : ndarray of int64 or datetime64[ns], shape (n,), C-contiguous
            Times, ns since the UNIX epoch, UTC. A row before the engine's clock is rejected as late. Or, in place of
            all four, a `TradeBatch`, or an Arrow table, fed batch by batch as it comes (docs/how-to/arrow.md).
        price, qty : ndarray of float64, shape (n,), C-contiguous
            As the venue prints them.
        taker_sell : ndarray of bool, shape (n,), C-contiguous
            True where the aggressor sold.

        Returns
        -------
        Stats
            What this call did. Any split of the input into calls gives the same bits.

        Raises
        ------
        TypeError
            If a dtype or memory layout differs, such as a column of a structured array (see `feed_events`) or every
            other row: nothing is converted silently.
        InvalidConfigError
            If lengths differ, or a jump goes over more than a million windows; nothing of the call has happened then.
        DataError
            If a table cannot be used: a column is missing, of another type, or holds nulls; the stream fails. Batches
            before that one have been fed, and the message says how many rows.
        """
        if price is None and qty is None and taker_sell is None:
            if isinstance(ts, TradeBatch):
                return super().trades(ts.ts, ts.price, ts.qty, ts.taker_sell)
            if is_table(ts):
                from ..sources.tables import feed_trades

                return feed_trades(super().trades, ts)
        return super().trades(ts, price, qty, taker_sell)

    def feed_events(self, events: NDArray[Any], *, clock: str = "exch") -> EventStats:
        """
        Feed the trades of a structured array, read in place; other events are passed over and counted.

        The fields are gathered a few thousand rows at a time, so no column is copied as a whole. The GIL is released
        meanwhile. The bits are those of the same trades as arrays.

        Parameters
        ----------
        events : structured ndarray, shape (n,)
            Any stride and alignment. Either events of hftbacktest (fields ev, exch_ts, local_ts, px, qty, further ones
            are not read): trades (code 2) that carry the flag of the clock are fed, their flags for buy and sell say
            what the aggressor did. Or rows that all are trades, with fields named as the columns of files are (such as
            ts, price, qty, and taker_sell, is_buyer_maker or side): times int64 ns or datetime64[ns], price and
            quantity float64, the side bool, one byte of 0 or 1, or words.
        clock : {"exch", "local"}
            Of events with two times: when they happened, or when they were received.

        Returns
        -------
        EventStats
            ``stats`` of the trades, and ``passed_over``, a count of the other rows by kind.

        Raises
        ------
        TypeError
            If it is no structured array, or a field is of another type.
        DataError
            If a field is missing, or a side says neither buy nor sell.
        InvalidConfigError
            If the clock is none, or a jump goes over more than a million windows; nothing has happened then.

        Examples
        --------
        >>> import numpy as np
        >>> import liqcore as lq
        >>> eng = lq.Engine(lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001), leverage={10: 1.0})
        >>> rows = np.array([(10**18, 60_000.0, 1.0, "buy"), (10**18 + 60, 60_010.0, 0.5, "sell")],
        ...                 [("ts", "i8"), ("price", "f8"), ("qty", "f8"), ("side", "U4")])
        >>> eng.feed_events(rows).stats
        Stats(rows=2, used=2, rounded_qty=0)
        """
        return feed_events(self, events, clock)

    def candles(
        self,
        ts_open: NDArray[np.int64],
        open: NDArray[np.float64],
        high: NDArray[np.float64],
        low: NDArray[np.float64],
        close: NDArray[np.float64],
        buy_qty: NDArray[np.float64] | None = None,
        sell_qty: NDArray[np.float64] | None = None,
        *,
        interval: Length = "1m",
    ) -> Stats:
        """
        Feed candles in place of trades: the resolution of the result is then a candle.

        A candle acts at its last nanosecond: it touches [low, high] (unless the trigger is "mark"), then opens its
        taker volumes at `candle_price`.

        Parameters
        ----------
        ts_open : ndarray of int64 or datetime64[ns], shape (n,)
            Opening times, ns.
        open, high, low, close : ndarray of float64, shape (n,)
            Prices.
        buy_qty, sell_qty : ndarray of float64, shape (n,), optional
            Volume of aggressive buys and sells, quantity. Leave both out for candles that only touch.
        interval : duration, default "1m"
            Length of a candle.

        Returns
        -------
        Stats
            What this call did.

        Raises
        ------
        InvalidConfigError
            If candle volumes and trades of one market are of the same time.
        """
        interval_ns = parse_duration(interval, name="interval")
        return self._candles(ts_open, open, high, low, close, buy_qty, sell_qty, interval_ns)

    def feed(
        self,
        *,
        trades: Any = None,
        marks: Any = None,
        open_interest: Any = None,
        candles: Any = None,
        vendor_events: Any = None,
        interval: Length = "1m",
    ) -> Stats:
        """
        Feed several streams at once, merged by time; at equal times mark, trade, vendor event, candle, open interest.

        Parameters
        ----------
        trades : TradeBatch, tuple of arrays (ts, price, qty, taker_sell) or Arrow table, optional
            A table by itself is fed batch by batch, as by `trades`; beside other streams it is read whole first.
        marks : tuple of arrays (ts, price) or Arrow table, optional
        open_interest : tuple of arrays (ts, quantity) or Arrow table, optional
        candles : Candles, tuple of arrays (ts_open, open, high, low, close, buy_qty, sell_qty) or table, optional
            The volumes may be None.
        vendor_events : tuple of arrays (ts, price, qty), optional
            For the model "vendor".
        interval : duration, default "1m"
            Length of a candle, where `candles` does not say it.

        Returns
        -------
        Stats
            What this call did.
        """
        others = (marks, open_interest, candles, vendor_events)
        if is_table(trades):
            if all(other is None for other in others):
                return self.trades(trades)
            from ..sources.tables import read_trades

            trades = read_trades(trades)
        interval_ns = getattr(candles, "interval_ns", None) or parse_duration(interval, name="interval")
        return self._feed(
            arrays_of(trades, ("ts", "price", "qty", "taker_sell")),
            *side_arrays(marks, open_interest, candles, interval_ns),
            arrays_of(vendor_events, ("ts", "price", "qty")),
            interval_ns,
        )

    def replay(
        self,
        footprints: FootprintStream,
        *,
        marks: Any = None,
        open_interest: Any = None,
        candles: Any = None,
        interval: Length = "1m",
    ) -> Stats:
        """
        Feed trades that were summed into runs, merged by time with other streams: the same bits as from the trades.

        Parameters
        ----------
        footprints : FootprintStream
            From `liqcore.footprints`.
        marks, open_interest, candles, interval
            As for `feed`, sorted by time; the candles' volumes must be left out.

        Returns
        -------
        Stats
            What this call did. Trades are counted one by one, and so are the rows that `liqcore.footprints` rejected.

        Raises
        ------
        InvalidConfigError
            If the result would not be exact; nothing of the call has happened then. That is: a run within which the
            order of trades matters to a tier (its level comes as near as the run is wide), a run over the end of a
            window (make the window a multiple of the stream's cut), over a mark with trigger "mark" (give
            `liqcore.footprints` the marks) or over the end of a candle; another tick or lot size; a stream that begins
            before the engine's clock.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
        >>> stream = lq.footprints(trades=market.trades, symbol="SIM")
        >>> inst = lq.Instrument(symbol="SIM", tick_size=stream.tick_size, lot_size=stream.lot_size)
        >>> other, same = lq.Engine(inst, leverage={5: 0.5, 20: 0.5}), lq.Engine(inst, leverage={5: 0.5, 20: 0.5})
        >>> other.replay(stream) == same.feed(trades=market.trades), other.segments() == same.segments()
        (True, True)
        """
        interval_ns = getattr(candles, "interval_ns", None) or parse_duration(interval, name="interval")
        return self._replay(
            footprints._native,
            *side_arrays(marks, open_interest, candles, interval_ns),
            interval_ns,
        )

    def scale(
        self,
        factor: float | Mapping[float, float] | NDArray[np.float64],
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        """
        Multiply live levels by a factor in [0, 1]; what is lost is booked as closed.

        Parameters
        ----------
        factor : float, mapping of leverage to float, or ndarray of float64, shape (tiers,) or (2, tiers)
            One for all, one a tier (1 where a mapping has none), or one a tier for longs and for shorts.
        low, high : float, optional
            Prices: only levels in the bins from that of `low` to that of `high`; without one of them, all beyond the
            other. What is left of a bin below half a lot is then closed at once, and the engine is `sequential` from
            now on: what is taken away depends on what is there.
        """
        shape = (2, len(self.leverage))
        if isinstance(factor, Mapping):
            of_tiers = np.ones(shape[1])
            for leverage, value in factor.items():
                of_tiers[self.leverage.index(leverage)] = value
            factor = of_tiers
        try:
            factors = np.ascontiguousarray(np.broadcast_to(np.asarray(factor, dtype=np.float64), shape)).ravel()
        except ValueError:
            raise InvalidConfigError(
                f"factor must be one number, or of shape ({shape[1]},) or {shape}, had shape {np.shape(factor)}"
            ) from None
        part = None
        if low is not None or high is not None:
            tick = self.instrument.tick_size
            part = tick if low is None else float(low), MOST_TICKS * tick if high is None else float(high)
        self._scale(factors, part)

    def heatmap(self, *, step: float | None = None, unit: str = "usd", snapshot: Snapshot | None = None) -> Heatmap:
        """
        Columns of the closed windows that are kept, the unfinished one last; they stay when the engine goes on.

        Parameters
        ----------
        step : float, optional
            Height of the rows, price; a multiple of the book's bins. By default five bins; fewer where a bin is a tick
            and five are over 5 basis points of the price at which the first window kept opens.
        unit : {"usd", "quantity"}
            Of the values.
        snapshot : Snapshot, optional
            What this engine published: the columns of then. May be asked on any thread, also while the engine is fed.

        Raises
        ------
        InvalidConfigError
            If the engine has seen no price yet, or step breaks its rule.
        """
        from ..history.one import OneHistory
        from ..history.view import whole_view
        from ..views.heatmap import Heatmap
        from .describe import config_of, describe

        of = self if snapshot is None else snapshot
        history, unfinished = of._history(True)
        if history is None:
            raise InvalidConfigError("the engine has seen no price yet: feed it before asking for a heatmap")
        meta = describe(self, self.dropped_leverage, of, fitted=self.fitted)
        if self.notes:
            meta["notes"] = list(self.notes)
        config = config_of(self, of.axis, step, fitted=self.fitted)
        meta |= {"config": config.to_dict(), "config_hash": config.hash}
        one = OneHistory(history, self.leverage, not unfinished, meta["instrument"])
        return Heatmap(one, whole_view(one, step=step, unit=unit), meta)

    def map(self, *, step: float | None = None, snapshot: Snapshot | None = None) -> LiquidationMap:
        """Return the liquidation map of this moment, or of a snapshot: USD by price bin, tier and side."""
        return self.heatmap(step=step, snapshot=snapshot).map()

    def features(self, *, reaches: Sequence[float] = REACHES) -> dict[str, float]:
        """
        Return what a strategy wants to know of this moment, by name: docs/how-to/features.md says what each means.

        As of what the engine was fed, at its clock: ``eng.advance(ts)`` first, to read as of a time. A strategy that
        reads often keeps a `FeatureReader`, which allocates nothing and has more options.

        Parameters
        ----------
        reaches : sequence of float, default (0.5, 1, 2, 5)
            Percent of the price, rising.
        """
        reader = FeatureReader(reaches=reaches)
        return dict(zip(reader.names, reader.read(self).tolist(), strict=True))


def _ticks_in(step: float, tick_size: float) -> int:
    """Return how many ticks a bin is high; InvalidConfigError where it is no whole number of them."""
    return PriceAxis(low=0.0, high=step, step=step, tick_size=tick_size).ticks_per_bin
