"""Trade archives of HTX (Huobi): contracts with the quantity in coins beside them; spot in coins."""

from .layout import TradeLayout

_FILE_NAME = r"(?P<symbol>[A-Z0-9]+(?:-[A-Z0-9]+)*?)-trades?-"

LAYOUTS = (
    TradeLayout(
        name="htx-contracts", units=("ms",),
        columns=("id", "price", "amount", "quantity", "direction", "ts"),
        time="ts", price="price", quantity="amount", base="quantity", side="direction", id="id",
        venues=("htx",), contracts=".*", headerless=True, file_name=_FILE_NAME,
        unit="contracts; quantity in coins",
        defects="with or without header",
    ),
    TradeLayout(
        name="htx-spot", units=("ms",),
        columns=("id", "price", "amount", "ts", "direction"),
        time="ts", price="price", quantity="amount", side="direction", id="id",
        headerless=True, file_name=_FILE_NAME,
        defects="with or without header",
    ),
)  # fmt: skip
