"""Trade archives of Gate: no header; futures tell the side by the sign of the size, spot by 1 (sold) and 2 (bought)."""

from .layout import TradeLayout

_FILE_NAME = r"(?P<symbol>[A-Z0-9]*[A-Z][A-Z0-9]*_[A-Z]+)-\d{6}"

LAYOUTS = (
    TradeLayout(
        name="gate-futures", units=("s",),
        columns=("timestamp", "dealid", "price", "size"),
        time="timestamp", price="price", quantity="size", side="", id="dealid",
        venues=("gate",), contracts=".*", headerless=True, file_name=_FILE_NAME,
        unit="contracts",
        defects="none known",
    ),
    TradeLayout(
        name="gate-spot", units=("s",),
        columns=("timestamp", "dealid", "price", "amount", "side"),
        time="timestamp", price="price", quantity="amount", side="side", one_is_sell=True, id="dealid",
        headerless=True, file_name=_FILE_NAME,
        defects="none known",
    ),
)  # fmt: skip
