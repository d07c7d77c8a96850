"""What no file of market data comes near, and a hostile one may go beyond: refused before it is held."""

from dataclasses import dataclass


@dataclass(slots=True)
class Limits:
    """
    Limits of what is read; whoever has files beyond them sets others.

    Attributes
    ----------
    json_bytes : int
        Of JSON in one file, unpacked: it takes some ten times that in memory.
    columns : int
        Names in the objects of one JSON file.
    unpacked : int
        How many times a packed text file may be larger unpacked; 64 MiB are always allowed. Text of trades unpacks to
        some 3 to 20 times its packed size.
    """

    json_bytes: int = 256 << 20
    columns: int = 1_000
    unpacked: int = 1_000


limits = Limits()
