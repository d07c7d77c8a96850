"""
Liquidation and bankruptcy prices as the venues compute them.

Every price solves "equity = maintenance margin"; docs/theory/venues.md lists the formulas with their sources. Amounts
of money are in the margin currency: quote for linear contracts, coin for inverse ones.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from .._core import Instrument, LeverageProfile, MarginSchedule
from ..errors import InvalidConfigError

SideLike: TypeAlias = str | Sequence[str] | ArrayLike
Terms: TypeAlias = MarginSchedule | Instrument
_NUMBERS = ("entry", "leverage", "qty", "margin", "added_margin", "open_fee", "other_pnl", "other_maintenance", "mmr",
            "fee", "maintenance_amount")  # fmt: skip


class NoPrice(enum.IntEnum):
    """Why a position has no liquidation price; `text` says it in words."""

    NONE = 0
    INVALID = 1
    NO_POSITION = 2
    NEVER = 3
    LEVERAGE_TOO_HIGH = 4
    TOO_LARGE = 5

    @property
    def text(self) -> str:
        """Return the reason in words; empty for `NONE`."""
        return _TEXTS[self]


_TEXTS = {
    NoPrice.NONE: "",
    NoPrice.INVALID: "an argument is missing, not finite or out of its range",
    NoPrice.NO_POSITION: "maintenance margin and fee take the whole margin at the entry: there is no such position",
    NoPrice.NEVER: "the margin covers every loss: never liquidated",
    NoPrice.LEVERAGE_TOO_HIGH: "the leverage is above the maximum of the position's risk tier",
    NoPrice.TOO_LARGE: "the position is above the cap of the last risk tier",
}


class _Given(TypedDict, total=False):
    """The keywords of `liquidation_price`, for its overloads."""

    mmr: ArrayLike | None
    contract: str | None
    basis: str | None
    fee: ArrayLike | None
    maintenance_amount: ArrayLike | None
    qty: ArrayLike | None
    margin: ArrayLike | None
    added_margin: ArrayLike | None
    open_fee: ArrayLike | None
    other_pnl: ArrayLike | None
    other_maintenance: ArrayLike | None
    schedule: Terms | None


@overload
def liquidation_price(
    side: SideLike,
    entry: ArrayLike,
    leverage: ArrayLike | None = ...,
    *,
    return_reason: Literal[False] = ...,
    **given: Unpack[_Given],
) -> Any: ...


@overload
def liquidation_price(
    side: SideLike,
    entry: ArrayLike,
    leverage: ArrayLike | None = ...,
    *,
    return_reason: Literal[True],
    **given: Unpack[_Given],
) -> tuple[Any, Any]: ...


def liquidation_price(
    side: SideLike,
    entry: ArrayLike,
    leverage: ArrayLike | None = None,
    *,
    mmr: ArrayLike | None = None,
    contract: str | None = None,
    basis: str | None = None,
    fee: ArrayLike | None = None,
    maintenance_amount: ArrayLike | None = None,
    qty: ArrayLike | None = None,
    margin: ArrayLike | None = None,
    added_margin: ArrayLike | None = None,
    open_fee: ArrayLike | None = None,
    other_pnl: ArrayLike | None = None,
    other_maintenance: ArrayLike | None = None,
    schedule: Terms | None = None,
    return_reason: bool = False,
) -> Any:
    """
    Compute the price at which positions are liquidated: where equity has fallen to maintenance margin.

    All numbers may be arrays; they are broadcast against each other, and float64 arrays are read in place. A million
    positions take about 10 ms.

    Parameters
    ----------
    side : "long", "short", or array of either (or of +1 and -1)
        Side of the position.
    entry : float or array
        Average entry price, quote per base unit. Where `margin` is an account's equity at the mark price (Hyperliquid,
        dYdX, ApeX), the mark price.
    leverage : float or array, optional
        Notional at entry / initial margin, at least 1. Must be given unless `margin` is, and is ignored where it is.
    mmr : float or array, optional
        Maintenance margin rate, fraction of notional (0.004 is 0.4 %). Must be given unless `schedule` is. BitMEX adds
        the next funding rate to it.
    contract : {"linear", "inverse"}, optional
        Margined in the quote or in the base currency. [default: that of an instrument given as schedule, else "linear"]
    basis : {"mark", "entry"}, optional
        Whether maintenance is a share of the notional at the mark or at the entry price. [default: "mark"]
    fee : float or array, optional
        Liquidation fee rate, charged at the liquidation price; must be 0 with basis "entry". [default: 0]
    maintenance_amount : float or array, optional
        What the venue takes off maintenance margin in the position's risk tier ("cum"); needs `qty`. [default: 0]
    qty : float or array, optional
        Base units (linear) or USD (inverse), above 0. Without it: the first risk tier, isolated margin.
    margin : float or array, optional
        Margin behind the position: isolated margin, or with cross margin the wallet balance; needs `qty`.
        [default: notional / leverage]
    added_margin : float or array, optional
        Margin added to an isolated position; needs `qty`. [default: 0]
    open_fee : float or array, optional
        Opening fee rate that leaves the margin (Hyperliquid). [default: 0]
    other_pnl, other_maintenance : float or array, optional
        Unrealised profit and maintenance margin of the account's other positions (cross); need `qty`. [default: 0]
    schedule : MarginSchedule or Instrument, optional
        Terms of a venue instead of `mmr`, `fee`, `basis` and `maintenance_amount`. With maintenance amounts the risk
        tier is that of the notional at the liquidation price.
    return_reason : bool
        Return why there is no price as well.

    Returns
    -------
    float or ndarray of float64
        Quote per base unit; NaN where there is no such price. A float if every argument is a single number.
        With a margin of one's own (cross) the price may lie on the far side of the entry.
    NoPrice or ndarray of uint8
        Only with `return_reason`: 0 where there is a price, else a `NoPrice`.

    Raises
    ------
    InvalidConfigError
        If arguments do not go together; numbers out of their range give NaN and `NoPrice.INVALID`.

    Examples
    --------
    >>> import liqcore as lq
    >>> round(lq.liquidation_price("long", 60_000, 25, mmr=0.004), 2)
    57831.33
    >>> lq.liquidation_price(["long", "short"], 10.0, 5, mmr=0.01, maintenance_amount=0.01, qty=1)
    array([ 8.07070707, 11.89108911])
    >>> lq.liquidation_price("long", 60_000, 1, mmr=0.004, return_reason=True)
    (nan, <NoPrice.NEVER: 3>)
    """
    numbers = _numbers(locals())
    terms, contract = _terms(schedule, contract)
    if terms is None and mmr is None:
        raise InvalidConfigError("mmr or schedule must be given, neither was")
    if terms is not None:
        for name, value in (("mmr", mmr), ("basis", basis), ("fee", fee), ("maintenance_amount", maintenance_amount)):
            if value is not None:
                raise InvalidConfigError(f"{name} goes without schedule, which has its own")
    basis = basis or "mark"
    if basis == "entry" and fee is not None and np.any(np.asarray(fee) != 0):
        raise InvalidConfigError('fee must be 0 with basis "entry" (those venues leave it out of the price)')
    sides, arrays, shape = _columns(side, numbers)
    price, reason = _core.liquidation_prices(
        sides, arrays, contract=contract, basis=basis, schedule=terms, want_reason=return_reason
    )
    return _answer(price, reason, shape, return_reason)


def bankruptcy_price(
    side: SideLike,
    entry: ArrayLike,
    leverage: ArrayLike | None = None,
    *,
    contract: str | None = None,
    qty: ArrayLike | None = None,
    margin: ArrayLike | None = None,
    added_margin: ArrayLike | None = None,
    open_fee: ArrayLike | None = None,
    other_pnl: ArrayLike | None = None,
    other_maintenance: ArrayLike | None = None,
    return_reason: bool = False,
) -> Any:
    """
    Compute the price at which positions have lost their whole margin.

    The arguments are those of `liquidation_price`.

    Returns
    -------
    float or ndarray of float64
        Quote per base unit; NaN where the margin covers every loss. With `return_reason` also a `NoPrice`.

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.bankruptcy_price("long", 20_000, 50)
    19600.0
    >>> lq.bankruptcy_price("long", 60_000, 2, contract="inverse")
    40000.0
    """
    sides, arrays, shape = _columns(side, _numbers(locals()))
    price, reason = _core.bankruptcy_prices(sides, arrays, contract=contract or "linear")
    return _answer(price, reason, shape, return_reason)


def why_no_price(side: SideLike, entry: ArrayLike, leverage: ArrayLike | None = None, **terms: Any) -> Any:
    """
    Say in words why a position has no liquidation price.

    The arguments are those of `liquidation_price`.

    Returns
    -------
    str or ndarray of str
        Empty where there is a price.

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.why_no_price("long", 60_000, 1, mmr=0.004)
    'the margin covers every loss: never liquidated'
    """
    _, reason = liquidation_price(side, entry, leverage, return_reason=True, **terms)
    if isinstance(reason, NoPrice):
        return reason.text
    return np.array([each.text for each in NoPrice])[reason]


def hedge_liquidation_price(
    long_entry: float,
    long_qty: float,
    short_entry: float,
    short_qty: float,
    *,
    margin: float,
    mmr: float | None = None,
    fee: float = 0.0,
    schedule: Terms | None = None,
    contract: str | None = None,
) -> tuple[float, float]:
    """
    Compute the prices between which an account with a long and a short of one symbol survives (hedge mode, cross).

    Maintenance margin rises with the price on both legs, so an account can have a price below, one above, or both.

    Parameters
    ----------
    long_entry, short_entry : float
        Average entry prices.
    long_qty, short_qty : float
        Base units (linear) or USD (inverse); at least 0.
    margin : float
        Wallet balance, plus the unrealised profit of other symbols, minus their maintenance margin.
    mmr, fee : float
        Flat terms, or
    schedule : MarginSchedule or Instrument
        the venue's; each leg has the risk tier of its own notional.
    contract : {"linear", "inverse"}, optional
        As in `liquidation_price`.

    Returns
    -------
    below, above : float
        A fall to the first or a rise to the second liquidates; NaN where none does.

    Raises
    ------
    InvalidConfigError
        If an argument is out of its range, or maintenance margin exceeds equity at every price.

    Examples
    --------
    >>> import liqcore as lq
    >>> below, above = lq.hedge_liquidation_price(100.0, 3, 110.0, 1, margin=50.0, mmr=0.01)
    >>> round(below, 4), above  # 50 + 3 (P - 100) - (P - 110) = 0.01 (3 + 1) P
    (71.4286, nan)
    """
    terms, contract = _terms(schedule, contract)
    if terms is None:
        if mmr is None:
            raise InvalidConfigError("mmr or schedule must be given, neither was")
        terms = MarginSchedule.flat(mmr, fee=fee)
    elif mmr is not None or fee != 0.0:
        raise InvalidConfigError("mmr and fee go without schedule, which has its own")
    below, above, code = _core.hedge_liquidation_prices(
        long_entry, long_qty, short_entry, short_qty, margin, contract=contract, schedule=terms
    )
    reason = NoPrice(code)
    if reason is NoPrice.NO_POSITION:
        raise InvalidConfigError(f"margin must exceed maintenance margin at some price, was {margin:g}")
    if reason in (NoPrice.INVALID, NoPrice.TOO_LARGE):
        raise InvalidConfigError(
            f"{reason.text}: long_entry={long_entry:g}, long_qty={long_qty:g}, short_entry={short_entry:g}, "
            f"short_qty={short_qty:g}, margin={margin:g}"
        )
    return below, above


def drop_leverage(
    profile: LeverageProfile, schedule: Terms, *, contract: str | None = None
) -> tuple[LeverageProfile, dict[float, NoPrice]]:
    """
    Drop the leverage tiers that a venue does not offer and share their part out over the rest.

    Parameters
    ----------
    profile : LeverageProfile
        What was asked for.
    schedule : MarginSchedule or Instrument
        The venue's terms.
    contract : {"linear", "inverse"}, optional
        As in `liquidation_price`.

    Returns
    -------
    profile : LeverageProfile
        The tiers that exist, with shares that sum to 1 and the intensity as it was; the same object if none was
        dropped.
    dropped : dict of float to NoPrice
        The leverages left out, and why.

    Raises
    ------
    InvalidConfigError
        If no tier is left.

    Examples
    --------
    >>> import liqcore as lq
    >>> btc = lq.MarginSchedule.tiers([{"rate": 0.0125, "max_leverage": 40}])
    >>> profile, dropped = lq.drop_leverage(lq.LeverageProfile({10: 0.25, 20: 0.25, 100: 0.5}), btc)
    >>> profile.to_dict(), list(dropped)
    ({10.0: 0.5, 20.0: 0.5}, [100.0])
    """
    terms, contract = _terms(schedule, contract)
    if terms is None:
        raise InvalidConfigError("schedule must be a MarginSchedule or an Instrument, was None")
    dropped: dict[float, NoPrice] = {}
    for tier in profile.tiers.tolist():
        reason = NoPrice(terms.level_reason("long", contract, tier))
        if reason in (NoPrice.NO_POSITION, NoPrice.LEVERAGE_TOO_HIGH, NoPrice.TOO_LARGE):
            dropped[tier] = reason
    if not dropped:
        return profile, dropped
    kept = {tier: share for tier, share in profile.to_dict().items() if tier not in dropped}
    total = sum(kept.values())
    if not total > 0:
        most = f"at most {terms.max_leverage:g}" if terms.max_leverage else f"below {1 / (terms.rate + terms.fee):g}"
        raise InvalidConfigError(f"leverage must be {most} here, the profile's lowest was {profile.tiers.min():g}")
    return LeverageProfile({tier: s / total for tier, s in kept.items()}, intensity=profile.intensity), dropped


def _terms(schedule: Terms | None, contract: str | None) -> tuple[MarginSchedule | None, str]:
    """Return the schedule, and the contract that goes with it."""
    if isinstance(schedule, Instrument):
        if contract is not None and contract != schedule.contract:
            raise InvalidConfigError(
                f'contract must be that of the instrument ("{schedule.contract}"), was "{contract}"'
            )
        return schedule.margin, schedule.contract
    if schedule is not None and not isinstance(schedule, MarginSchedule):
        raise TypeError(f"schedule must be a MarginSchedule or an Instrument, was a {type(schedule).__name__}")
    return schedule, contract or "linear"


def _numbers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what is a number, or an array of them, from the arguments of a function."""
    return {name: arguments[name] for name in _NUMBERS if name in arguments}


def _columns(
    side: Any, columns: Mapping[str, Any]
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float64]], tuple[int, ...]]:
    """Make columns of one length, where they go together; single numbers stay single."""
    if columns["leverage"] is None and columns["margin"] is None:
        raise InvalidConfigError("leverage or margin must be given, neither was")
    if columns["qty"] is None:
        for name in ("margin", "added_margin", "other_pnl", "other_maintenance", "maintenance_amount"):
            value = columns.get(name)
            if value is not None and (name == "margin" or np.any(np.asarray(value) != 0)):
                raise InvalidConfigError(f"qty must be given with {name}, was not")
    sides = _sides(side)
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in columns.items() if value is not None}
    try:
        shape = np.broadcast_shapes(sides.shape, *(array.shape for array in arrays.values()))
    except ValueError:
        named: dict[str, NDArray[Any]] = {"side": sides, **arrays}
        shapes = ", ".join(f"{name} {array.shape}" for name, array in named.items() if array.ndim)
        raise InvalidConfigError(f"the arguments must have shapes that go together, were {shapes}") from None

    def flat(array: Any) -> Any:
        if array.size == 1 and array.shape != shape:
            return array.reshape(1)
        return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)

    return flat(sides), {name: flat(array) for name, array in arrays.items()}, shape


def _sides(side: Any) -> NDArray[np.uint8]:
    """Sides as the core takes them: 0 long, 1 short."""
    if isinstance(side, str):
        if side not in ("long", "short"):
            raise InvalidConfigError(f'side must be "long" or "short", was "{side}"')
        return np.array(side == "short", dtype=np.uint8)
    sides = np.asarray(side)
    if sides.dtype.kind in "UO":
        short = sides == "short"
        known = short | (sides == "long")
    else:
        short = sides == -1
        known = short | (sides == 1)
    if not np.all(known):
        bad = sides[~np.asarray(known)].ravel()[0]
        raise InvalidConfigError(f'side must hold "long" or "short" (or 1 and -1), held {bad!s}')
    return np.asarray(short, dtype=np.bool_).view(np.uint8)


def _answer(price: NDArray[np.float64], reason: NDArray[np.uint8], shape: tuple[int, ...], return_reason: bool) -> Any:
    if shape == ():
        found = float(price[0])
        return (found, NoPrice(int(reason[0]))) if return_reason else found
    prices = price.reshape(shape)
    return (prices, reason.reshape(shape)) if return_reason else prices
