"""Small ones of what `live_load.py` measures: what holds whatever the time it takes."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from client_load import check_clients
from rate_load import check_rate


def test_clients_share_frames() -> None:
    figures = check_clients(10, 1.0, trades=20_000, seed=3)
    assert figures["frames a second a client"] > 0
    assert figures["bytes of a frame"] < figures["bytes of a full frame"] / 10


def test_of_a_venue_that_sends_as_fast_as_is_taken_nothing_is_lost() -> None:
    assert check_rate(5_000)["messages"] == 5_000
