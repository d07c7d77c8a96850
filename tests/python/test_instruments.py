import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest

import liqcore as lq
from liqcore.market.catalogue import find_listing

BRACKETS = [
    {
        "bracket": 1,
        "initialLeverage": 150,
        "notionalCap": 300000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0.0,
    },
    {
        "bracket": 2,
        "initialLeverage": 100,
        "notionalCap": 800000,
        "notionalFloor": 300000,
        "maintMarginRatio": 0.005,
        "cum": 300.0,
    },
]


# --- the catalogue ---


def test_every_venue_of_the_catalogue_loads_and_names_its_sources():
    known = lq.venues()
    assert {
        "binance-usdm",
        "binance-coinm",
        "bybit-linear",
        "bybit-inverse",
        "gate",
        "kucoin",
        "htx",
        "okx",
        "bitmex",
        "hyperliquid",
        "dydx",
        "kraken",
        "deribit",
    } == set(known)
    for venue in known.values():
        assert venue.source
        for listing in venue.instruments.values():
            assert listing.contract in ("linear", "inverse")
            assert listing.trigger in ("mark", "last", "oracle")
            assert (listing.tick_size is None) == (listing.grid_source is None)
            for dated in listing.schedules:
                assert dated.source
            for one, next_one in zip(listing.schedules, listing.schedules[1:], strict=False):
                assert one.end is not None
                assert next_one.start is not None
                assert one.end <= next_one.start


@pytest.mark.parametrize(
    ("name", "rate", "most"),
    [
        ("binance-usdm:BTCUSDT", 0.004, 150),
        ("bybit-linear:BTCUSDT", 0.0033, 150),
        ("okx:BTC-USDT-SWAP", 0.004, 100),
        ("bitmex:XBTUSD", 0.005, 100),
        ("hyperliquid:BTC", 0.0125, 40),
        ("dydx:BTC-USD", 0.012, 50),
        ("kraken:PI_XBTUSD", 0.01, 50),
        ("deribit:BTC_USDC-PERPETUAL", 0.01, 50),
    ],
)
def test_first_tier_of_bitcoin(name, rate, most):
    margin = find_listing(name).schedule().margin
    assert margin.rate == rate
    assert margin.max_leverage == most


def test_an_instrument_has_grid_contract_and_terms():
    btc = lq.instrument("binance-usdm:BTCUSDT")
    assert (btc.venue, btc.symbol, btc.contract) == ("binance-usdm", "BTCUSDT", "linear")
    assert (btc.tick_size, btc.lot_size, btc.multiplier) == (0.1, 0.001, 1.0)
    assert len(btc.margin.risk_tiers) == 12
    assert btc.assumed == ()
    coin = lq.instrument("binance-coinm:BTCUSD_PERP")
    assert (coin.contract, coin.multiplier) == ("inverse", 100)
    swap = lq.instrument("okx:BTC-USDT-SWAP")
    assert (swap.multiplier, swap.margin.fee, swap.margin.unit) == (0.01, 0.0005, "quantity")
    assert not swap.margin.has_amounts


def test_terms_are_those_of_the_time():
    before = lq.instrument("bybit-linear:BTCUSDT", at="2025-09-01T23:59:59")
    after = lq.instrument("bybit:BTCUSDT", at=np.datetime64("2025-09-02"))
    assert (before.margin.basis, after.margin.basis) == ("entry", "mark")
    assert lq.instrument("bybit:BTCUSDT").margin == after.margin
    nanoseconds = int(np.datetime64("2024-06-01", "ns").astype(np.int64))
    assert lq.instrument("hyperliquid:BTC", at=nanoseconds).margin.max_leverage == 50
    assert lq.instrument("hyperliquid:BTC").margin.max_leverage == 40
    assert lq.instrument("bitmex:XBTUSD", at="2020-06-01").margin.rate == 0.004


def test_bitmex_steps_raise_both_rates():
    tiers = lq.instrument("bitmex:XBTUSD").margin.risk_tiers
    assert tiers[0] == {"floor": 0.0, "cap": 200.0, "rate": 0.005, "max_leverage": 100.0}
    assert tiers[1] == {"floor": 200.0, "cap": 350.0, "rate": 0.01, "max_leverage": pytest.approx(1 / 0.015)}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nyse:BTCUSDT", {}, 'venue must be one of binance-coinm, .* was "nyse"'),
        ("okx:DOGE", {}, 'symbol must be one of BTC-USDT-SWAP, .* was "DOGE"'),
        ("hyperliquid:SOL", {}, "tick_size must be given for hyperliquid:SOL: it is not in the catalogue"),
        ("okx:BTC-USD-SWAP", {}, "margin must be given for okx:BTC-USD-SWAP: its terms are not in the catalogue"),
        (
            "bitmex:XBTUSD",
            {"at": "2022-05-01"},
            "margin must be given for bitmex:XBTUSD at 2022-05-01: .* 2024-03-19 to now",
        ),
        ("bitmex:XBTUSD", {"at": "yesterday"}, "at must be ISO text"),
    ],
)
def test_what_is_not_known_is_asked_for(name, options, message):
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.instrument(name, **options)


def test_what_the_caller_knows_fills_the_gaps():
    inst = lq.instrument("okx:BTC-USD-SWAP", margin=lq.MarginSchedule.flat(0.004, fee=0.0005), lot_size=0.1)
    assert (inst.lot_size, inst.tick_size, inst.contract) == (0.1, 0.1, "inverse")


def test_instruments_travel_with_their_tiers():
    inst = lq.instrument("binance-usdm:ETHUSDT")
    assert pickle.loads(pickle.dumps(inst)) == inst


# --- files of one's own ---

OWN = """
venue = "mine"
liquidation_fee = 0.0006
[instruments.BTCUSDT]
tick_size = 0.1
lot_size = 0.001
tiers = [ { cap = 300000, rate = 0.004, amount = 0, max_leverage = 150 }, { rate = 0.005, amount = 300 } ]
[instruments.FLAT]
tick_size = 1.0
lot_size = 1.0
contract = "inverse"
basis = "mark"
rate = 0.01
"""


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    inst = lq.instrument("mine:BTCUSDT", catalogue=path)
    assert (inst.margin.fee, len(inst.margin.risk_tiers)) == (0.0006, 2)
    assert lq.instrument("mine:FLAT", catalogue=path).margin == lq.MarginSchedule.flat(0.01, fee=0.0006)
    listing = lq.venues(path)["mine"].instruments["BTCUSDT"]
    assert listing.schedules[0].source == "mine.toml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("amount = 300", "amount = 400", "mine BTCUSDT tier 2: amount must be 300"),
        ("rate = 0.01\n", "", "mine:FLAT"),
        ("tick_size = 0.1", "ticksize = 0.1", 'mine.toml: expected the keys .* of BTCUSDT, found "ticksize"'),
        ('venue = "mine"', 'exchange = "mine"', "mine.toml: expected a venue and its instruments, found no venue"),
        ("[instruments.FLAT]", "[instruments.FLAT", "mine.toml: expected TOML, found"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(lq.LiqcoreError, match=message):
        lq.instrument("mine:FLAT", catalogue=path)


# --- answers of others ---


def test_a_binance_leverage_bracket_answer(tmp_path):
    answer = [{"symbol": "BTCUSDT", "brackets": BRACKETS}, {"symbol": "ETHUSDT", "brackets": BRACKETS[:1]}]
    margin = lq.schedule_from_binance(answer, "BTCUSDT")
    assert [row["amount"] for row in margin.risk_tiers] == [0, 300]
    assert margin.max_leverage == 150
    path = tmp_path / "brackets.json"
    path.write_text(json.dumps(answer))
    assert lq.schedule_from_binance(path, "BTCUSDT") == margin
    with pytest.raises(lq.InvalidConfigError, match="symbol must be given: answer holds 2 of them"):
        lq.schedule_from_binance(answer)
    with pytest.raises(lq.DataError, match=r"brackets\.json: expected tiers of XRPUSDT, found BTCUSDT, ETHUSDT"):
        lq.schedule_from_binance(path, "XRPUSDT")
    with pytest.raises(lq.DataError, match="expected a leverageBracket answer"):
        lq.schedule_from_binance({"code": -2015, "msg": "Invalid API-key"})


def test_a_binance_coin_margined_answer():
    coin = {"bracket": 1, "initialLeverage": 125, "qtyCap": 50, "qtylFloor": 0, "maintMarginRatio": 0.004, "cum": 0}
    margin = lq.schedule_from_binance({"symbol": "BTCUSD_PERP", "brackets": [coin]}, contract="inverse")
    assert margin.risk_tiers == [{"floor": 0, "cap": 50, "rate": 0.004, "amount": 0, "max_leverage": 125}]


def test_a_wrong_bracket_names_venue_symbol_and_tier():
    broken = [BRACKETS[0], BRACKETS[1] | {"notionalFloor": 350000}]
    with pytest.raises(lq.InvalidConfigError, match="binance-usdm BTCUSDT tier 2: floor must be the cap of tier 1"):
        lq.schedule_from_binance({"symbol": "BTCUSDT", "brackets": broken})


def unified(info):
    return [
        {
            "tier": b["bracket"],
            "currency": "USDT",
            "minNotional": b["notionalFloor"],
            "maxNotional": b["notionalCap"],
            "maintenanceMarginRate": b["maintMarginRatio"],
            "maxLeverage": b["initialLeverage"],
            "info": b if info else {},
        }
        for b in BRACKETS
    ]


def test_unified_leverage_tiers_of_ccxt():
    by_symbol = {"BTC/USDT:USDT": unified(True), "ETH/USDT:USDT": unified(True)[:1]}
    given = lq.schedule_from_ccxt(by_symbol, "BTC/USDT:USDT")
    derived = lq.schedule_from_ccxt(unified(False))
    assert given == lq.schedule_from_binance({"symbol": "BTCUSDT", "brackets": BRACKETS})
    assert derived.risk_tiers[1]["amount"] == pytest.approx(300)
    assert not lq.schedule_from_ccxt(unified(False), amounts="none").has_amounts
    with pytest.raises(lq.DataError, match="expected unified leverage tiers"):
        lq.schedule_from_ccxt([])
    with pytest.raises(lq.DataError, match="expected maintenanceMarginRate in each tier"):
        lq.schedule_from_ccxt([{"minNotional": 0}])


@pytest.mark.parametrize("size", [1, 0.01])
def test_tiers_one_contract_apart_are_joined(size: float) -> None:
    # As OKX lists them: whole contracts, each tier from the one after the last.
    listed = [(0, 1000, 0.004, 100), (1001, 4000, 0.005, 90), (4001, 50000, 0.01, 50)]
    rows = [
        {"minNotional": low * size, "maxNotional": high * size, "maintenanceMarginRate": rate, "maxLeverage": most}
        for low, high, rate, most in listed
    ]
    schedule = lq.schedule_from_ccxt(rows, amounts="none", unit="quantity")
    assert [tier["rate"] for tier in schedule.risk_tiers] == [0.004, 0.005, 0.01]
    ends = [(tier["floor"], tier["cap"]) for tier in schedule.risk_tiers]
    assert ends == [(0, 1001 * size), (1001 * size, 4001 * size), (4001 * size, 50000 * size)]
    rows[2]["minNotional"] = 4002 * size
    with pytest.raises(lq.InvalidConfigError, match=r"tier 2: floor must be the cap of tier 1 .* a gap"):
        lq.schedule_from_ccxt(rows, amounts="none", unit="quantity")


# --- inferred from files ---


def trades_file(folder, name, header=True):
    rows = ["agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"] if header else []
    for i in range(200):
        rows.append(
            f"{i},{60000 + i / 10:.1f},{0.001 * (1 + i % 7):.3f},{i},{i},{1717200000000 + i},{['false', 'true'][i % 2]}"
        )
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


def test_an_instrument_inferred_from_files_of_a_known_market(tmp_path):
    inst = lq.Instrument.infer(trades_file(tmp_path, "BTCUSDT-aggTrades-2024-06-01.csv"))
    assert (inst.symbol, inst.venue, inst.tick_size, inst.lot_size) == ("BTCUSDT", "binance-usdm", 0.1, 0.001)
    assert len(inst.margin.risk_tiers) == 12
    assert inst.assumed == ("venue",)  # read off the layout, which gets borrowed
    named = lq.Instrument.infer(trades_file(tmp_path, "BTCUSDT-aggTrades-2024-06-02.csv"), venue="binance-usdm")
    assert named.assumed == ()


def test_an_instrument_inferred_from_files_of_an_unknown_market(tmp_path):
    inst = lq.Instrument.infer([trades_file(tmp_path, "WIFUSDT-aggTrades-2024-06-01.csv")])
    assert inst.symbol == "WIFUSDT"
    assert inst.margin == lq.MarginSchedule.flat(0.004)
    assert set(inst.assumed) == {"contract", "multiplier", "tick_size", "lot_size", "margin"}
    assert "assumed=['contract'" in repr(inst)
    assert pickle.loads(pickle.dumps(inst)).assumed == inst.assumed


def test_prices_of_a_catalogue_instrument():
    okx = lq.instrument("okx:BTC-USDT-SWAP")
    assert lq.liquidation_price("long", 60_000, 10, schedule=okx) == pytest.approx(54_000 / (1 - 0.0045), rel=1e-15)
    assert lq.why_no_price("long", 60_000, 10, qty=11, schedule=okx) == lq.NoPrice.TOO_LARGE.text
    coin = lq.instrument("binance-coinm:BTCUSD_PERP")
    assert lq.liquidation_price("short", 60_000, 10, schedule=coin) == pytest.approx(60_000 * 0.996 / 0.9, rel=1e-15)
    with pytest.raises(lq.InvalidConfigError, match='contract must be that of the instrument \\("inverse"\\)'):
        lq.liquidation_price("short", 60_000, 10, schedule=coin, contract="linear")
    assert math.isnan(lq.liquidation_price("long", 60_000, 60, schedule=lq.instrument("hyperliquid:BTC")))


def test_leverage_leans_on_what_a_venue_has_published() -> None:
    known = lq.venues()
    shares = known["hyperliquid"].leverage.profile.to_dict()
    assert (shares[2], shares[5], round(sum(share for tier, share in shares.items() if tier > 7), 12)) == (
        0.36,
        0.49,
        0.15,
    )
    shares = known["binance-usdm"].leverage.profile.to_dict()
    assert round(sum(share for tier, share in shares.items() if tier >= 20), 12) == 0.6
    assert shares[125] == 0.21
    shares = known["bitmex"].leverage.profile.to_dict()
    assert 22 <= sum(tier * share for tier, share in shares.items()) <= 30
    for venue in known.values():
        default = venue.leverage
        assert bool(default.published) == bool(default.source) == bool(default.date), venue.name
        assert default.assumed, venue.name
        assert set(default.half_life) == set(default.profile.tiers)
    assert known["okx"].leverage.profile == lq.LeverageProfile.preset("default")
    assert known["hyperliquid"].leverage.half_life == {2: "30d", 5: "30d", 10: "30d", 20: "30d", 40: "7d"}


def test_a_venues_leverage_is_a_preset() -> None:
    inst = lq.Instrument(tick_size=0.1, lot_size=0.001)
    engine = lq.Engine(inst, leverage="hyperliquid")
    assert engine.leverage == lq.venues()["hyperliquid"].leverage.profile
    with pytest.raises(lq.InvalidConfigError, match=r'leverage must be one of default, integer-125, .*was "okx"'):
        lq.Engine(inst, leverage="okx")


def test_leverage_of_a_catalogue_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    head = 'venue = "mine"\n[leverage]\n{}\n[instruments.X]\nrate = 0.01\n'
    path.write_text(head.format('shares = { "3" = 0.5, "7" = 0.5 }\npublished = "all of it"'))
    assert lq.venues(path)["mine"].leverage.profile.to_dict() == {3: 0.5, 7: 0.5}
    path.write_text(head.format('published = "nothing"'))
    with pytest.raises(lq.DataError, match="expected shares under leverage"):
        lq.venues(path)
