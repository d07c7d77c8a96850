"""Ten clients of one server, as `live_load.py clients` has a hundred: what they share, whatever the time it takes."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from client_load import check_clients


def test_clients_share_frames() -> None:
    figures = check_clients(10, 1.5, seed=3)
    assert figures["frames a second a client"] > 0
    assert figures["bytes of a frame"] < figures["bytes of a full frame"] / 10
