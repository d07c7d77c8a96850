"""What one unit of a quantity is: the kind of contract and its multiplier, from whatever says it first."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DataError, InvalidConfigError
from .catalogue import venues
from .listing import Venue

__all__ = ["Contract", "Quantities", "contract_in_rows", "settle_contract", "venues_that_own"]

_HELP = (
    'give --contract and --multiplier (contract= and multiplier= in Python): "linear" and the base currency in one, or '
    '"inverse" and the USD in one; linear and 1 where quantities are in the base currency'
)


@dataclass(frozen=True, slots=True)
class Contract:
    """
    What one unit of a quantity stands for.

    Attributes
    ----------
    kind : {"linear", "inverse"}
    multiplier : float
        Base currency (linear) or USD (inverse) in one unit.
    source : str
        What says so, in words; "assumed": nothing does.
    """

    kind: str
    multiplier: float
    source: str

    @property
    def text(self) -> str:
        """In words, such as "inverse contracts of 100 USD"."""
        if self.kind == "linear" and self.multiplier == 1:
            return "linear contract, quantities in the base currency"
        return f"{self.kind} contracts of {self.multiplier:.15g} {'USD' if self.kind == 'inverse' else 'base currency'}"


@dataclass(frozen=True, slots=True)
class Quantities:
    """
    What a file says of its quantities.

    Attributes
    ----------
    name : str
        The file, for messages.
    venues : tuple of str
        Of the catalogue, whose layout it has; empty: the layout tells none.
    unit : {"base", "contracts", ""}
        What the layout's quantities are; "": that goes by symbol, or is not known.
    rows : tuple of str and float, or None
        Kind and multiplier that amounts in the rows say; ``("", 0.0)``: they are those of neither kind.
    whole : bool
        Whether many quantities were seen and all are whole, at a price of which nobody trades whole units.
    """

    name: str
    venues: tuple[str, ...] = ()
    unit: str = ""
    rows: tuple[str, float] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Fact:
    kind: str
    multiplier: float | None
    name: str


def settle_contract(
    symbol: str | None,
    among: Sequence[Venue],
    files: Sequence[Quantities],
    *,
    kind: str | None = None,
    multiplier: float | None = None,
) -> tuple[Contract, list[str]]:
    """
    Settle what one unit of a quantity is: what is given, else what rows say, else the layout, else the catalogue.

    Parameters
    ----------
    symbol : str, optional
    among : sequence of Venue
        The venues it may be of; empty: the symbol alone has to tell.
    files : sequence of Quantities
        Empty for arrays.
    kind, multiplier : optional
        What the caller gave.

    Returns
    -------
    contract : Contract
    notes : list of str
        What contradicts each other.

    Raises
    ------
    DataError
        If files are of different contracts, or of a quanto.
    InvalidConfigError
        If quantities are contracts and nothing says how large one is.
    """
    fact = _known(symbol, among)
    rows = contract_in_rows(files)
    label = symbol or (files[0].name if files else "quantities")
    if kind is not None and multiplier is not None:
        notes = []
        if rows is not None and rows[0] and rows != (kind, multiplier):
            notes.append(f"{files[0].name}: the rows say {_text(*rows)}; {_text(kind, multiplier)} is given, and used")
        return Contract(kind, multiplier, "given"), notes
    if (kind is None) != (multiplier is None):
        _refuse_half(kind, rows[0] if rows is not None and rows[0] else fact.kind if fact is not None else None, label)
    if (fact is not None and fact.kind == "quanto") or (rows is not None and not rows[0] and _has_quantos(among)):
        where = fact.name if fact is not None else label
        raise DataError(
            f"{where} is a quanto contract, priced in one currency and settled in another: liqcore does linear and "
            "inverse ones only"
        )
    if rows is not None and rows[0]:
        notes = []
        if fact is not None and (fact.kind != rows[0] or fact.multiplier not in (None, rows[1])):
            said = _text(fact.kind, fact.multiplier)
            notes.append(f"{files[0].name}: the rows say {_text(*rows)}; {fact.name} is {said}: another market?")
        if multiplier not in (None, rows[1]):
            notes.append(
                f"{files[0].name}: the rows say {_text(*rows)}; a multiplier of {multiplier:g} is given, and used"
            )
        return Contract(rows[0], multiplier or rows[1], "the rows" if multiplier is None else "given"), notes
    if fact is not None and fact.multiplier is not None:
        notes = []
        if multiplier not in (None, fact.multiplier):
            said = _text(fact.kind, fact.multiplier)
            notes.append(f"{fact.name} is {said}; a multiplier of {multiplier:g} is given, and used")
        return Contract(fact.kind, multiplier or fact.multiplier, fact.name if multiplier is None else "given"), notes
    units = {file.unit for file in files}
    if fact is None and units == {"base"}:
        source = "the layout" if kind is None and multiplier is None else "given"
        return Contract(kind or "linear", multiplier or 1.0, source), []
    if fact is not None or "contracts" in units:
        missing = "the multiplier of a contract" if fact is not None and kind is None else "what a contract is"
        if multiplier is None or (fact is None and kind is None):
            raise InvalidConfigError(f"{label}: the quantities are contracts, and {missing} is not known: {_HELP}")
        assert fact is not None or kind is not None
        return Contract(kind or fact.kind, multiplier, "given"), []  # type: ignore[union-attr]
    if kind is None and multiplier is None and _suspected(symbol, files):
        raise InvalidConfigError(
            f"{label}: all quantities are whole numbers, as of contracts whose size is not known: {_HELP}"
        )
    source = "assumed" if kind is None and multiplier is None else "given"
    return Contract(kind or "linear", multiplier or 1.0, source), []


def _refuse_half(kind: str | None, known: str | None, label: str) -> None:
    """Refuse another kind of contract than is known without its multiplier, which counts something else then."""
    if kind is not None and known is not None and kind != known:
        raise InvalidConfigError(
            f"contract must be {known}, as {label} is said to be, was {kind}: give the multiplier, too, if it is so"
        )


def _known(symbol: str | None, among: Sequence[Venue]) -> _Fact | None:
    """What the catalogue says of a symbol."""
    if symbol is None:
        return None
    for venue in among:
        if (listing := venue.listed(symbol)) is not None:
            return _Fact(listing.contract, listing.multiplier, listing.name)
    for venue in among:
        if (family := venue.family(symbol)) is not None:
            return _Fact(family.contract, family.multiplier, f"{venue.name}:{symbol}")
    return _known(symbol, own) if not among and (own := venues_that_own(symbol)) else None


def venues_that_own(symbol: str) -> list[Venue]:
    """Return the venue that alone writes symbols so; empty: none does."""
    families = ((venue, venue.family(symbol)) for venue in venues().values())
    return [venue for venue, family in families if family is not None and family.own]


def contract_in_rows(files: Sequence[Quantities]) -> tuple[str, float] | None:
    """Return the contract that the rows of files say; DataError if they say several."""
    said = {file.rows: file.name for file in files if file.rows is not None and file.rows[0]}
    if len(said) > 1:
        (one, first), (other, second) = list(said.items())[:2]
        raise DataError(f"{second}: expected contracts as in {first} ({_text(*one)}), found {_text(*other)}")
    if said:
        return next(iter(said))
    return next((file.rows for file in files if file.rows is not None), None)


def _has_quantos(among: Sequence[Venue]) -> bool:
    return any(family.contract == "quanto" for venue in among for family in venue.families)


def _suspected(symbol: str | None, files: Sequence[Quantities]) -> bool:
    """Whether whole quantities are those of contracts: of a coin in USD itself, or where a venue has both kinds."""
    if not files or not all(file.whole for file in files):
        return False
    name = (symbol or "").upper()
    in_usd = "USD" in name.replace("USDT", "").replace("USDC", "")
    return in_usd or any(len(file.venues) > 1 for file in files)


def _text(kind: str, multiplier: float | None) -> str:
    return Contract(kind, multiplier, "").text if multiplier is not None else kind
