"""Trade archives of BitMEX: one file a day holds all symbols; sizes in contracts."""

from dataclasses import replace

from . import bybit

# The columns are those of Bybit's files, which took them from here; the time is text.
LAYOUTS = (
    replace(
        bybit.LAYOUTS[0],
        name="bitmex",
        text_time=True,
        units=("text",),
        venues=("bitmex",),
        contracts=".*",
        unit="contracts; homenotional in coins",
        defects="all symbols in one file: choose one with `symbol=`; quantos are refused",
    ),
)
