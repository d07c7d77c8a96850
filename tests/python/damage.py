"""Damage to files, from a seed: what tests and the soak do to every kind of file that the package reads."""

from __future__ import annotations

import random


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
