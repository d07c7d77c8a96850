"""What a heatmap asks of what lies behind it: whatever answers these questions will do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq
from liqcore.history.histories import Histories
from liqcore.market.prices import of_one_market


class Elsewhere:
    """Histories that lie elsewhere: it has what `Histories` names and nothing more."""

    def __init__(self, answers: Histories) -> None:
        self.__answers = answers
        self.leverage = answers.leverage
        self.tick_size, self.ticks_per_bin = answers.tick_size, answers.ticks_per_bin
        self.window_ns, self.first_ns = answers.window_ns, answers.first_ns
        self.whole, self.complete = answers.whole, answers.complete
        self.times, self.candles, self.segment = answers.times, answers.candles, answers.segment
        self.extent, self.columns, self.layers = answers.extent, answers.columns, answers.layers
        self.age, self.since, self.check_unit = answers.age, answers.since, answers.check_unit

    def __len__(self) -> int:
        return len(self.__answers)

    def reweighed(self, leverage: lq.LeverageProfile, /) -> Elsewhere:
        return Elsewhere(self.__answers.reweighed(leverage))

    def save(self, path: Any, key: str, said: Mapping[str, Any]) -> Path:
        return self.__answers.save(path, key, said)


def heatmaps() -> dict[str, lq.Heatmap]:
    market = lq.simulate(days=0.2, trades_per_day=40_000, seed=5)
    own = lq.Config().replace(instrument={"mmr": 0.004})
    hm = lq.heatmap(trades=market.trades, symbol="SIM", venue="a", config=own)
    late = tuple(column[len(column) // 2 :] for column in (market.trades.ts, market.trades.price, market.trades.qty))
    sell = market.trades.taker_sell[len(market.trades) // 2 :]
    other = lq.heatmap(trades=(*late, sell), symbol="SIM", venue="b", window="10m", config=own)
    return {"one": hm, "several": lq.merge_venues([hm, other])}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["one", "several"])
def test_whatever_answers_is_a_heatmap(kind: str, tmp_path: Path) -> None:
    hm = heatmaps()[kind]
    seen = lq.Heatmap(Elsewhere(hm._shown.histories), hm._shown.view, hm.meta)
    for name in ("times", "prices", "long", "short", "values", "liquidated", "candles", "open_interest", "complete"):
        assert getattr(seen, name).tobytes() == getattr(hm, name).tobytes(), name
    half = int(hm.times[len(hm.times) // 2])
    share = {float(hm.leverage.tiers[1]): 1.0}
    for answer in (
        lambda of: of.select(side="long", opened_within="1h", threshold="p50").values.tolist(),
        lambda of: of.rebin(step=2 * of.step, window="1h").liquidated.tolist(),
        lambda of: of.reweigh(share).long.tolist(),
        lambda of: of.at(half).long.tolist(),
        lambda of: of.map(half).long.tolist(),
        lambda of: of.age(half).since_ns.tolist(),
        lambda of: repr(of.zones(half)),
        lambda of: repr(of.swept(half)),
        lambda of: repr(of.sensitivity(half, models=[hm])),
    ):
        assert answer(seen) == answer(hm)
    assert seen.save(tmp_path / "seen.parquet").read_bytes() == hm.save(tmp_path / "hm.parquet").read_bytes()


def test_prices_of_one_market_lie_within_a_factor_of_two() -> None:
    assert of_one_market(100.0, 199.0)
    assert of_one_market(100.0, 51.0)
    assert not of_one_market(100.0, 200.0)
    assert not of_one_market(100.0, 50.0)
