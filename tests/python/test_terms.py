"""An instrument's terms are whole wherever they go: plain values, configuration, saved engines, results."""

import json
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

import liqcore as lq
from liqcore.config.build import instrument_of as configured
from liqcore.market.terms import instrument_of, instrument_settings, instrument_values

START = 1_700_000_100_000_000_000
TIERS = [
    {"cap": 300_000.0, "rate": 0.004, "amount": 0.0, "max_leverage": 150.0},
    {"cap": 800_000.0, "rate": 0.005, "amount": 300.0, "max_leverage": 100.0},
    {"rate": 0.0065, "amount": 1_500.0, "max_leverage": 75.0},
]
TABLE = lq.MarginSchedule.tiers(TIERS, fee=0.0005)
SCHEDULES = {
    "table": TABLE,
    "sized": TABLE.assuming({10: 1e6, 25.5: 400_000.0}),
    "entry": lq.MarginSchedule.tiers(TIERS, basis="entry"),
    "capped": lq.MarginSchedule.tiers([{"cap": 5.0, "rate": 0.01}]),
    "amount": lq.MarginSchedule.tiers([{"rate": 0.01, "amount": 0.0, "max_leverage": 50}]),
    "quantity": lq.MarginSchedule.tiers([{"cap": 5.0, "rate": 0.01}, {"rate": 0.02}], unit="quantity", fee=0.001),
    "sloped": lq.MarginSchedule.sloped(0.01, 0.00005, max_leverage=50, basis="entry"),
    "sloped, no maximum": lq.MarginSchedule.sloped(0.01, 0.00005).assuming({20: 3.0}),
    "no slope": lq.MarginSchedule.sloped(0.01, 0.0),
}
FLAT = [
    lq.MarginSchedule.flat(0.004),
    lq.MarginSchedule.flat(0.0, fee=0.01),
    lq.MarginSchedule.flat(0.01, basis="entry"),
    lq.MarginSchedule.tiers([{"rate": 0.0125, "max_leverage": 40}], fee=0.001),
]
LISTED = [
    "binance-usdm:BTCUSDT",
    "binance-coinm:BTCUSD_PERP",
    "bitmex:XBTUSD",
    "bybit-linear:BTCUSDT",
    "deribit:BTC_USDC-PERPETUAL",
    "hyperliquid:BTC",
    "okx:BTC-USDT-SWAP",
]


def traded(margin: lq.MarginSchedule, **options: Any) -> lq.Instrument:
    return lq.Instrument(**{"symbol": "X", "tick_size": 0.5, "lot_size": 0.001, "margin": margin} | options)


def listed(name: str) -> lq.Instrument:
    return lq.instrument(name, tick_size=0.5, lot_size=0.001)


@st.composite
def schedules(draw: st.DrawFn) -> lq.MarginSchedule:
    basis = draw(st.sampled_from(["mark", "entry"]))
    fee = draw(st.floats(0, 0.1)) if basis == "mark" else 0.0
    count = draw(st.integers(1, 6))
    rates = sorted(draw(st.lists(st.floats(0, 0.5), min_size=count, max_size=count, unique=True)))
    most = [draw(st.none() | st.floats(1, 1 / max(rate, 1e-3))) for rate in rates]
    rows: list[dict[str, float]] = [{"rate": rate} for rate in rates]
    for row, leverage in zip(rows, most, strict=True):
        if leverage is not None and leverage * row["rate"] <= 1:
            row["max_leverage"] = leverage
    if draw(st.booleans()):
        slope = draw(st.floats(0, 1))
        margin = lq.MarginSchedule.sloped(**rows[0], slope=slope, fee=fee, basis=basis)
    else:
        caps = sorted(draw(st.lists(st.floats(1e-3, 1e12), min_size=count, max_size=count, unique=True)))
        for row, cap in zip(rows, caps if draw(st.booleans()) else caps[:-1], strict=False):
            row["cap"] = cap
        amounts = draw(st.sampled_from(["given", "derived"]))  # given: none are
        unit = draw(st.sampled_from(["notional", "quantity"])) if amounts == "given" else "notional"
        margin = lq.MarginSchedule.tiers(rows, fee=fee, basis=basis, unit=unit, amounts=amounts)
    return margin.assuming(draw(st.dictionaries(st.floats(1, 125), st.floats(1e-3, 1e9), max_size=3)))


instruments = st.builds(
    lq.Instrument,
    symbol=st.sampled_from(["", "BTCUSDT", "Ω"]),
    venue=st.sampled_from(["", "binance-usdm"]),
    contract=st.sampled_from(["linear", "inverse"]),
    tick_size=st.floats(1e-9, 1e3),
    lot_size=st.floats(1e-9, 1e3),
    multiplier=st.floats(1e-9, 1e3),
    margin=schedules(),
)


@given(instruments)
def test_plain_values_and_back_give_the_instrument(inst: lq.Instrument) -> None:
    text = json.dumps(instrument_values(inst), allow_nan=False)
    assert instrument_of(json.loads(text)) == inst


@given(instruments)
def test_a_configuration_says_it_whole(inst: lq.Instrument) -> None:
    config = lq.Config().replace(instrument=instrument_settings(inst))
    assert configured(config) == inst
    again = lq.Config.loads(config.dump())
    assert (again, again.hash, again.dump()) == (config, config.hash, config.dump())
    assert configured(again) == inst
    assert lq.Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("margin", FLAT, ids=str)
def test_four_values_say_all_of_flat_terms(margin: lq.MarginSchedule) -> None:
    values = instrument_values(traded(margin))
    assert list(values)[6:] == ["mmr", "fee", "basis", "max_leverage"]
    assert "risk" not in lq.Config().replace(instrument=instrument_settings(traded(margin))).to_dict()["instrument"]


def test_a_configuration_without_risk_tiers_has_the_hash_of_before_they_were() -> None:
    assert lq.Config().hash == "c2a35a897fa2aeed"
    own = {"symbol": "BTCUSDT", "tick_size": 0.1, "lot_size": 0.001, "mmr": 0.005, "max_leverage": 125}
    assert lq.Config().replace(instrument=own).hash == "da47ef6ffedf1c0a"
    table = {"tiers": [{"rate": 0.005, "max_leverage": 125}]}  # which two keys say as well
    own.pop("mmr")
    assert lq.Config().replace(instrument=own | {"risk": table}).hash == "da47ef6ffedf1c0a"


# --- engines ---


def saved(inst: lq.Instrument, path: Any) -> tuple[lq.Engine, lq.Engine]:
    eng = lq.Engine(inst, leverage={5: 0.5, 20: 0.5})
    eng.trade(START, 60_000.0, 1.0, False)
    eng.save(path)
    return eng, lq.Engine.load(path)


@pytest.mark.parametrize("margin", [*SCHEDULES.values(), *FLAT], ids=str)
def test_a_loaded_engine_has_the_whole_terms(tmp_path: Any, margin: lq.MarginSchedule) -> None:
    inst = traded(margin, venue="mine", contract="inverse", multiplier=100.0, assumed=["tick_size", "margin"])
    eng, back = saved(inst, tmp_path / "engine.liq")
    assert back.instrument == inst
    assert back.instrument.assumed == ("tick_size", "margin")
    for each in (eng, back):
        each.trade(START + 1, 60_500.0, 2.0, True)
    for side in ("long", "short"):
        assert np.array_equal(eng.levels(side), back.levels(side))


@pytest.mark.parametrize("name", LISTED)
def test_a_loaded_engine_has_the_terms_of_the_catalogue(tmp_path: Any, name: str) -> None:
    inst = listed(name)
    _, back = saved(inst, tmp_path / "engine.liq")
    assert back.instrument == inst


@settings(max_examples=20)
@given(margin=schedules())
def test_a_loaded_engine_has_any_terms(tmp_path_factory: pytest.TempPathFactory, margin: lq.MarginSchedule) -> None:
    reason = lq.NoPrice(margin.level_reason("long", "linear", 1.0))
    assume(reason in (lq.NoPrice.NONE, lq.NoPrice.NEVER))  # terms under which nobody can hold anything make no engine
    eng = lq.Engine(traded(margin), leverage={1: 1.0})
    eng.trade(START, 60_000.0, 1.0, False)
    path = eng.save(tmp_path_factory.mktemp("engine") / "engine.liq")
    assert lq.Engine.load(path).instrument == eng.instrument


# --- runs and results ---


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.1, trades_per_day=40_000)


@pytest.mark.parametrize("margin", SCHEDULES.values(), ids=SCHEDULES)
def test_an_instrument_takes_effect_whole_and_survives_the_file(
    tmp_path: Any, market: lq.Market, margin: lq.MarginSchedule
) -> None:
    inst = traded(margin, tick_size=0.1)
    options: dict[str, Any] = {"leverage": {5: 0.5, 10: 0.25, 20: 0.25}}
    hm = lq.heatmap(trades=market.trades, instrument=inst, **options)
    eng = lq.Engine(inst, **options)
    eng.feed(trades=market.trades)
    direct = eng.heatmap()
    assert np.array_equal(hm.long, direct.long)
    assert np.array_equal(hm.short, direct.short)
    hm.save(tmp_path / "hm.parquet")
    back = lq.load_heatmap(tmp_path / "hm.parquet")
    assert instrument_of(hm.meta["instrument"]) == instrument_of(back.meta["instrument"]) == inst
    assert configured(lq.Config.load(tmp_path / "hm.parquet")) == inst
    assert configured(lq.Config.from_dict(direct.meta["config"])) == inst
    again = lq.heatmap(trades=market.trades, config=tmp_path / "hm.parquet")
    assert np.array_equal(again.values, hm.values)
    assert again.meta["config_hash"] == hm.meta["config_hash"]


def test_only_an_assumed_size_goes_beyond_the_first_tier(market: lq.Market) -> None:
    def values(margin: lq.MarginSchedule) -> Any:
        inst = lq.Instrument(tick_size=0.1, lot_size=0.001, margin=margin)
        return lq.heatmap(trades=market.trades, instrument=inst, leverage={10: 0.5, 50: 0.5}).values

    first = lq.MarginSchedule.tiers([{"rate": 0.004, "max_leverage": 150}], fee=0.0005)
    assert np.array_equal(values(TABLE), values(first))
    assert np.array_equal(values(TABLE.assuming({25: 1e9})), values(first))
    assert not np.array_equal(values(TABLE.assuming({50: 1e9})), values(first))


def test_the_terms_of_the_catalogue_are_those_of_the_instrument(market: lq.Market) -> None:
    hm = lq.heatmap(trades=market.trades, venue="binance-usdm", symbol="BTCUSDT")
    assert instrument_of(hm.meta["instrument"]).margin == lq.instrument("binance-usdm:BTCUSDT").margin
    assert len(hm.meta["instrument"]["risk"]["tiers"]) == 12


# --- the setting instrument.risk ---

FILE = """
[instrument]
fee = 0.0005
mmr = 0.004

[instrument.risk]
tiers = [
    { cap = 300000, rate = 0.004, amount = 0, max_leverage = 150 },
    { cap = 800000, rate = 0.005, amount = 300, max_leverage = 100 },
    { rate = 0.0065, amount = 1500, max_leverage = 75 },
]
sizes = { "10" = 1000000 }
"""


def test_a_file_gives_tiers() -> None:
    config = lq.Config.loads(FILE, "f")
    inst = configured(config.replace(instrument={"tick_size": 0.1, "lot_size": 0.1}))
    assert inst.margin == TABLE.assuming({10: 1e6})
    assert (config.instrument.mmr, config.instrument.max_leverage) == (0.004, 150.0)
    assert config.origin("instrument.max_leverage") == "f:6"
    assert hash(config) == hash(lq.Config.loads(FILE))


def test_a_variable_gives_tiers() -> None:
    text = "{ tiers = [{ cap = 5, rate = 0.01 }, { rate = 0.02 }], unit = 'quantity' }"
    config = lq.Config.resolve(env={"LIQCORE_INSTRUMENT_RISK": text})
    assert config.instrument.risk == lq.MarginSchedule.tiers(
        [{"cap": 5.0, "rate": 0.01}, {"rate": 0.02}], unit="quantity"
    )
    assert config.origin("instrument.mmr") == "LIQCORE_INSTRUMENT_RISK"


def test_a_rate_of_ones_own_takes_the_place_of_tiers_and_the_other_way_round() -> None:
    tiers = lq.Config.loads(FILE)
    flat = tiers.replace(instrument={"mmr": 0.01})
    assert (flat.instrument.risk, flat.instrument.mmr) == (None, 0.01)
    assert lq.Config.resolve(env=None, flags={"instrument.mmr": "0.01"}).instrument.risk is None
    assert tiers.replace(instrument={"max_leverage": 50}).instrument.risk is None
    assert tiers.replace(instrument={"fee": 0.0}).instrument.risk == tiers.instrument.risk
    back = flat.replace(instrument={"risk": {"tiers": [{"cap": 1e6, "rate": 0.02}, {"rate": 0.05}]}})
    assert (back.instrument.mmr, back.instrument.max_leverage) == (0.02, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"risk": 0.004}, "instrument.risk must be a table of rising tiers .*, was 0.004"),
        ({"risk": {"rows": []}}, 'was one with the key "rows"'),
        ({"risk": {}}, "was one whose tiers are no list of tables"),
        ({"risk": {"tiers": [0.1]}}, "was one whose tiers are no list of tables"),
        ({"risk": {"tiers": []}}, "was one with tiers must hold at least one tier"),
        ({"risk": {"tiers": [{"rate": "x"}]}}, "was one with tier 1: rate must be a number"),
        ({"risk": {"tiers": [{"cap": 5, "rate": 0.1}, {"rate": 0.05}]}}, "was one with tier 2: rate must be above"),
        ({"risk": {"tiers": [{"rate": 0.1}], "sizes": 5}}, "was one whose sizes are no table"),
        ({"risk": {"tiers": [{"rate": 0.1}], "sizes": {"x": 5}}}, "was one with could not convert"),
        ({"risk": {"tiers": [{"rate": 0.1}], "sizes": {"10": 0}}}, "was one with size assumed for leverage 10 must be"),
        ({"risk": {"tiers": [{"rate": 0.1}], "unit": "lots"}}, "was one with unit must be one of"),
        ({"risk": {"tiers": [{"rate": 0.1, "cap": 5}], "slope": 0.1}}, "was one with a slope, which takes"),
        ({"risk": {"tiers": [{"rate": 0.1}], "slope": "x"}}, "was one with"),
        ({"risk": TABLE}, "was one with a fee or basis of its own"),
        ({"risk": {"tiers": TIERS}, "mmr": 0.01}, "instrument.mmr must be that of instrument.risk, 0.004, was 0.01"),
        (
            {"risk": {"tiers": TIERS}, "max_leverage": 20},
            r"instrument.max_leverage must be that of instrument.risk, 150.0, was 20.0",
        ),
        (
            {"risk": {"tiers": [{"rate": 0.1}]}, "max_leverage": 5},
            "instrument.max_leverage must be left out, was 5.0",
        ),
    ],
)
def test_tiers_that_are_none_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.Config().replace(instrument=change)


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        ({"tiers": [{"rate": False}]}, "true or false for a number"),
        ({"tiers": [{"rate": 0.01, "cap": True}, {"rate": 0.02}]}, "true or false for a number"),
        ({"tiers": [{"rate": 0.01}], "sizes": {"10": True}}, "true or false for a number"),
        ({"tiers": [{"rate": 0.01}], "sizes": {"10": 1.0, "10.0": 7.0}}, "gives a leverage two sizes"),
    ],
)
def test_tiers_are_as_strict_as_other_settings(risk: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=f"instrument.risk must be .*{message}"):
        lq.Config().replace(instrument={"risk": risk})


def test_a_variable_that_holds_more_than_tiers_is_refused() -> None:
    more = '{ tiers = [{ rate = 0.01 }] }\n[window]\nlength = "1m"'
    with pytest.raises(lq.InvalidConfigError, match=r"^LIQCORE_INSTRUMENT_RISK: instrument\.risk must be a table"):
        lq.Config.resolve(env={"LIQCORE_INSTRUMENT_RISK": more})


def test_what_tiers_decide_comes_from_where_they_stand() -> None:
    """Also where the file gives the usual rate beside them, which they go before."""
    tiers = "{ cap = 1e6, rate = 0.01, max_leverage = 50.0 }, { rate = 0.02, max_leverage = 20.0 }"
    config = lq.Config.loads(f"[instrument]\nmmr = 0.004\n[instrument.risk]\ntiers = [{tiers}]\n", "x.toml")
    assert (config.instrument.mmr, config.instrument.max_leverage) == (0.01, 50.0)
    for name in ("mmr", "max_leverage", "risk"):
        assert config.origin(f"instrument.{name}") == "x.toml:3"
