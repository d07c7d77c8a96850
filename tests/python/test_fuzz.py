"""A seeded part of the damaged files that `make soak` reads: none crashes, hangs or is read as something else."""

from __future__ import annotations

import fuzz


def test_damaged_files_are_refused_or_read_right() -> None:
    counts, failures = fuzz.run(500, first_seed=1)
    assert failures == []
    assert sum(counts.values()) == 500
    assert len({kind for kind, _ in counts}) >= 12


def test_seeds_that_failed() -> None:
    """A venue's tick edited to where its bins and another's are in a ratio beyond 64 bits."""
    for seed in (408_925,):
        assert fuzz.run(1, first_seed=seed)[1] == []
