"""Objects that were made without __init__ hold nothing: they say so, and pickles of what cannot be pickled do."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import liqcore as lq
from liqcore import _core

CLASSES = [
    value
    for value in vars(_core).values()
    if isinstance(value, type) and not issubclass(value, BaseException) and value.__module__.startswith("liqcore")
]
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_nothing_of_an_object_without_init_can_be_read(cls: Any) -> None:
    unmade = cls.__new__(cls)
    seen = 0
    for name, member in vars(cls).items():
        if isinstance(member, property):
            with pytest.raises((TypeError, RuntimeError)):
                getattr(unmade, name)
            seen += 1
        elif not name.startswith("__") and callable(getattr(cls, name)):
            for given in ((), (0,), (unmade,), ("long",), (1.0, 2.0)):
                if not isinstance(member, staticmethod):
                    with pytest.raises((TypeError, RuntimeError)):
                        getattr(unmade, name)(*given)
                    seen += 1
    assert seen > 0
    for protocol in PROTOCOLS:
        with pytest.raises((TypeError, RuntimeError)):
            pickle.dumps(unmade, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickles_of_every_protocol(protocol: int) -> None:
    profile, instrument = lq.LeverageProfile({10: 1.0}), lq.Instrument(tick_size=0.5, lot_size=0.001)
    assert pickle.loads(pickle.dumps((profile, instrument), protocol)) == (profile, instrument)
    engine = lq.Engine(instrument)
    engine.trade(10**18, 100.0, 1.0, False)
    assert pickle.loads(pickle.dumps(engine, protocol)).to_bytes() == engine.to_bytes()
    with pytest.raises(TypeError, match=r"cannot pickle 'Stats' object"):
        pickle.dumps(engine.stats, protocol)
