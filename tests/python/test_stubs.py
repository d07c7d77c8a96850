"""
The types of the native module (`_core.pyi`) say what the module does.

stubtest (`make lint`) compares the names of things, but `inspect` finds no signature of pybind11's functions: it would
not see a renamed argument. The signature that pybind11 writes into every docstring comes from the bindings themselves.
"""

import ast
import io
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore import _core, arrow
from liqcore.tables.parquet import read_footer, write_table

STUB = Path(str(_core.__file__)).with_name("_core.pyi")
Function = ast.FunctionDef

# --- signatures ---


def stub_functions(text: str) -> Iterator[tuple[str, Function]]:
    """Yield every function of a stub with its dotted name; properties are not functions."""
    for node in ast.parse(text).body:
        if isinstance(node, Function):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, Function) and "property" not in map(ast.unparse, member.decorator_list):
                    yield f"{node.name}.{member.name}", member


def runtime_signature(name: str) -> Function | None:
    """Return the signature at the head of a native function's docstring; None if it has none (no constructor)."""
    target: Any = _core
    for part in name.split("."):
        target = getattr(target, part)
    head = (target.__doc__ or "").partition("\n")[0]
    if not head.startswith(target.__name__ + "("):
        return None
    (function,) = ast.parse(f"def {head}: ...").body
    assert isinstance(function, Function)
    return function


def arguments(function: Function) -> list[tuple[str, str, str | None]]:
    """Return kind, name and default of each argument; a positional-only one has no name to speak of."""
    spec = function.args
    defaults = [None] * (len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)) + list(spec.defaults)
    by_position = [*(("positional", "") for _ in spec.posonlyargs), *(("any", arg.arg) for arg in spec.args)]
    out = [(kind, name, default) for (kind, name), default in zip(by_position, defaults, strict=True)]
    out += [("keyword", arg.arg, default) for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    return [(kind, name, default and ast.unparse(default)) for kind, name, default in out]


def differences(text: str) -> list[str]:
    """Compare all functions of a stub with the module; say what differs."""
    out = []
    for name, function in stub_functions(text):
        runtime = runtime_signature(name)
        if runtime is None:
            if function.args.vararg is None:
                out.append(f"{name}: no signature at run time")
            continue
        said, true = arguments(function), arguments(runtime)
        if len(said) == len(true):
            if runtime.name.startswith("__") and runtime.name != "__init__":
                continue  # called by an operator or by pickle: nobody names the arguments
            # The stub may leave a default's value out, not that there is one.
            said = [s if s[2] != "..." or t[2] is None else (*s[:2], t[2]) for s, t in zip(said, true, strict=True)]
        if said != true:
            out.append(f"{name}: the stub says {ast.unparse(function.args)}, it is {ast.unparse(runtime.args)}")
    return out


def test_arguments_are_those_of_the_bindings() -> None:
    assert differences(STUB.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "function"),
    [
        ("def touch(self, low:", "def touch(self, lowest:", "Engine.touch"),
        ("def touch(self, low:", "def touch(self, *, low:", "Engine.touch"),
        ("def marks(self, ts: _Times, price", "def marks(self, price: _Times, ts", "Engine.marks"),
        ('fee: _Number = 0.0, basis: str = "mark"', 'fee: _Number = 0.0, basis: str = "entry"', "MarginSchedule.flat"),
        ("def parse_id(word: str)", "def parse_id(word: str = ...)", "parse_id"),
        ("def combine(earlier: Segment, later", "def combine(first: Segment, later", "combine"),
    ],
)
def test_a_wrong_argument_in_the_stub_is_found(old: str, new: str, function: str) -> None:
    text = STUB.read_text()
    assert text.count(old) == 1
    assert [found.partition(":")[0] for found in differences(text.replace(old, new))] == [function]


# --- values ---


@pytest.fixture(scope="module")
def samples() -> dict[str, list[Any]]:
    """Objects of every native class; where a value may be None, one with and one without."""
    instrument = lq.Instrument(tick_size=0.5, lot_size=0.001)
    engines = [
        lq.Engine(instrument, leverage={10: 0.5, 100: 0.5}, half_life=None, window="1m"),
        lq.Engine(instrument, leverage={10: 0.5, 100: 0.5}, half_life="1h", window="1m"),
    ]
    fresh, opening = lq.Engine(instrument), lq.Engine(instrument, model="none")
    opening.advance(0)
    for engine in engines:
        ts = 10**18 + np.array([1, 2, 70, 400], dtype=np.int64) * 1_000_000_000
        engine.trades(ts, np.array([60_000.0, 59_000.0, 60_500.0, 60_000.0]), np.ones(4), np.zeros(4, np.bool_))
        engine.mark(10**18 + 401_000_000_000, 60_001.0)
    histories = [history for history, _ in (engine._history(True) for engine in engines) if history is not None]
    room = [np.empty(1, dtype) for dtype in (np.int64, np.float64, np.float64, np.bool_, np.int64)]
    counts = _core.parse_trades(b"1,2.5,3,1\n", *room, time_column=0, price_column=1, qty_column=2, side_column=3)
    builder = _core.FootprintBuilder(
        tick_size=0.5, lot_size=0.001, span_bps=5.0, cut_ns=60_000_000_000, ends=None, outlier=0.0
    )
    builder.trades(np.array([10**18]), np.array([60_000.0]), np.ones(1), np.zeros(1, np.bool_))
    readers = [_core.ArrowReader.of_stream(arrow.export_table({"price": np.ones(1)})) for _ in range(2)]
    batch = readers[0].next()
    assert batch is not None
    publishers = [lq.Publisher() for _ in range(3)]
    for engine, publisher in zip([engines[0], fresh], publishers, strict=False):
        publisher.publish(engine)
    file = io.BytesIO()
    write_table(file, "x.parquet", {"time": np.arange(3), "price": np.ones(3)}, stats=["time"], metadata={"a": "b"})
    footer = read_footer(file, lq.DataError)
    chunk = footer.groups[0].chunks[0]
    pages = _core.parquet_pages(file.getbuffer()[chunk.begin : chunk.begin + chunk.size], chunk)
    return {
        "ParquetFooter": [footer],
        "ParquetColumn": footer.columns,
        "ParquetGroup": footer.groups,
        "ParquetChunk": footer.groups[0].chunks,
        "ParquetPage": pages,
        "ArrowBatch": [batch],
        "ArrowReader": readers,
        "MarginSchedule": [instrument.margin],
        "Instrument": [instrument],
        "LeverageProfile": [engines[0].leverage],
        "Opened": [opening.open("long", 60_000.0, 1.0)],
        "PriceAxis": [engines[0].axis],
        "Stats": [engine.stats for engine in engines],
        "Segment": [segment for engine in engines for segment in engine.segments()],
        "History": histories,
        "Engine": [*engines, fresh],
        "FeatureReader": [lq.FeatureReader()],
        "Publisher": publishers,
        "Snapshot": [publisher.snapshot() for publisher in publishers[:2]],
        "FootprintStream": [builder.finish()],
        "FootprintBuilder": [builder],
        "RowCounts": [counts],
        "RunCounts": _core.merge_trades([(*(np.array([one]) for one in (1, 0.5, 2.0, True)), None, 0, False)])[-1],
        "TradeCheck": [_core.check_trades(np.array([1]), np.array([0.5]), np.array([2.0]))],
    }


def stub_types() -> dict[str, Any]:
    """Run the stub as the Python file that it also is, and return its names."""
    module = types.ModuleType("stub")
    exec(compile("from __future__ import annotations\n" + STUB.read_text(), STUB, "exec"), module.__dict__)
    return module.__dict__


def fits(value: object, hint: Any, names: dict[str, Any]) -> bool:
    """Whether a value is of a type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (types.UnionType, typing.Union):
        return any(fits(value, each, names) for each in args)
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and value.dtype == np.dtype(typing.get_args(args[1])[0])
    if origin is list:
        return isinstance(value, list) and all(fits(each, args[0], names) for each in value)
    if origin is tuple and args[1:] == (Ellipsis,):
        return isinstance(value, tuple)
    if origin is tuple:
        pairs = zip(value, args, strict=True) if isinstance(value, tuple) else None
        return pairs is not None and all(fits(each, kind, names) for each, kind in pairs)
    if origin is dict:
        return isinstance(value, dict) and all(
            fits(key, args[0], names) and fits(each, args[1], names) for key, each in value.items()
        )
    if typing.is_typeddict(hint):
        entries = typing.get_type_hints(hint, names)
        return isinstance(value, dict) and all(fits(value[key], kind, names) for key, kind in entries.items())
    if hint is None or hint is types.NoneType:
        return value is None
    return type(value) is getattr(_core, hint.__name__, hint)


def getters(stub_class: type) -> Iterator[tuple[str, types.FunctionType, bool]]:
    """Yield properties, and methods that take no argument (True)."""
    for name, member in vars(stub_class).items():
        if isinstance(member, property):
            assert isinstance(member.fget, types.FunctionType)
            yield name, member.fget, False
        elif isinstance(member, types.FunctionType) and not name.startswith("__"):
            takes = member.__code__
            if takes.co_argcount + takes.co_kwonlyargcount == 1:
                yield name, member, True


def test_properties_and_plain_calls_return_what_the_stub_says(samples: dict[str, list[Any]]) -> None:
    names = stub_types()
    wrong, seen = [], 0
    for class_name, objects in samples.items():
        for name, getter, is_method in getters(names[class_name]):
            hint = typing.get_type_hints(getter, names)["return"]
            for each in objects:
                if name == "_state" and each.clock is None:
                    continue  # an engine that has seen nothing has no state to tell
                value = getattr(each, name)() if is_method else getattr(each, name)
                seen += 1
                if not fits(value, hint, names):
                    wrong.append(f"{class_name}.{name} is {type(value).__name__} {value!r}, the stub says {hint}")
    assert wrong == []
    assert seen > 100


def test_the_stub_covers_every_class_of_the_module(samples: dict[str, list[Any]]) -> None:
    assert sorted(samples) == sorted(name for name, value in vars(_core).items() if isinstance(value, type))
