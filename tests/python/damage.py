"""Damage to files, from a seed: what tests and the soak do to every kind of file that the package reads."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HOSTILE = (-1, 0, 1, 2**31, 2**40, 2**62, 2**63, 1e300, -1.5, 0.5, "x", "", None, True, [], {}, [1], {"a": 1})


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A file with a bit flipped, bytes overwritten, cut out, doubled, put elsewhere or its end cut off."""
    found = bytearray(content)
    kind = rng.randrange(7)
    at = rng.randrange(len(found)) if rng.random() < 0.6 else max(0, len(found) - 1 - rng.randrange(2048))
    if kind <= 1:
        found[at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        for _ in range(rng.randint(2, 20)):
            found[rng.randrange(len(found))] = rng.randrange(256)
    elif kind == 3:
        del found[at : at + rng.randint(1, 64)]
    elif kind == 4:
        piece = found[at : at + rng.randint(1, 4096)]
        found[at:at] = piece
    elif kind == 5:
        found[at : at + 8] = rng.choice([b"\xff" * 8, bytes(8), rng.randbytes(8)])
    else:
        del found[at:]
    return bytes(found)


def edit_header(path: Path, key: str, rng: random.Random) -> None:
    """Put something hostile in the place of a value of a saved file's header, or leave a part of it out."""
    from fastparquet import ParquetFile
    from fastparquet.writer import update_file_custom_metadata

    with path.open("rb") as file:
        header = json.loads(ParquetFile(file).key_value_metadata[key])
    parent, name = rng.choice(list(_places(header)))
    if rng.random() < 0.2:
        del parent[name]
    else:
        parent[name] = rng.choice(HOSTILE)
    update_file_custom_metadata(str(path), {key: json.dumps(header)})


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Where the values of JSON stand, those of what only tells of a file's making aside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        if depth == 0 and name == "meta":
            for known in ("venues", "instrument"):
                if known in inner:
                    yield inner, known
            continue
        yield value, name
        yield from _places(inner, depth + 1)
