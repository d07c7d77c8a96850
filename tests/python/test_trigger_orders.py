"""Stop orders as venues publish them."""

import json
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq

OPEN = {
    "coin": "BTC", "side": "A", "limitPx": "58000.0", "sz": "0.5", "oid": 1, "timestamp": 1_767_571_200_000,
    "triggerCondition": "Price below 59000", "isTrigger": True, "triggerPx": "59000.0", "children": [],
    "isPositionTpsl": False, "reduceOnly": True, "orderType": "Stop Market", "origSz": "0.5",
}  # fmt: skip


def written(folder: Path, text: str, name: str = "orders.json") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_open_orders_of_users(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        OPEN,
        {**OPEN, "oid": 2, "side": "B", "triggerPx": "61000.0", "sz": "2", "orderType": "Stop Limit"},
        {**OPEN, "oid": 3, "orderType": "Take Profit Market", "triggerPx": "65000.0"},
        {**OPEN, "oid": 4, "orderType": "Limit", "isTrigger": False, "triggerPx": "0.0"},
        {**OPEN, "oid": 5, "sz": "0.0", "isPositionTpsl": True},
    ]
    orders = lq.read_trigger_orders(written(tmp_path, json.dumps(rows)))
    assert orders.price.tolist() == [59_000.0, 61_000.0]
    assert orders.qty.tolist() == [0.5, 2.0]
    assert orders.sell.tolist() == [True, False]
    assert orders.left_out == {"take_profit": 1, "limit": 1, "no_quantity": 1}
    assert orders.symbol == "BTC"
    assert orders.below(60_000).price.tolist() == [59_000.0]
    assert orders.above(62_000).price.tolist() == []


def test_order_statuses_a_line_the_last_of_an_order_counts(tmp_path: Path) -> None:
    lines = [
        {"time": "2026-01-05T00:00:00", "user": "0x0", "status": "open", "order": OPEN},
        {
            "time": "2026-01-05T00:00:01",
            "user": "0x0",
            "status": "open",
            "order": {**OPEN, "oid": 2, "triggerPx": "58500"},
        },
        {"time": "2026-01-05T00:00:02", "user": "0x0", "status": "canceled", "order": OPEN},
    ]
    orders = lq.read_trigger_orders(written(tmp_path, "\n".join(json.dumps(line) for line in lines), "statuses.jsonl"))
    assert orders.price.tolist() == [58_500.0]
    assert orders.left_out == {"not_open": 1}


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    text = "symbol,side,trigger_price,qty\nBTC,sell,59000,0.5\nETH,buy,3100,4\n"
    path = written(tmp_path, text, "orders.csv")
    assert lq.read_trigger_orders(path, symbol="ETH").sell.tolist() == [False]
    with pytest.raises(
        lq.DataError, match=r"orders.csv: expected one symbol, found .*BTC.*ETH.*: choose one with symbol="
    ):
        lq.read_trigger_orders(path)
    with pytest.raises(lq.DataError, match="expected orders of SOL"):
        lq.read_trigger_orders(path, symbol="SOL")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,price\n1,2\n", "orders.txt: expected columns side, price and quantity, or JSON of orders"),
        ("{broken", "orders.txt: expected JSON, or JSON a line"),
        ("[1, 2]", "orders.txt: expected orders, each an object with side, trigger price and quantity, found a number"),
        ("", "orders.txt: expected columns side, price and quantity, or JSON of orders, found nothing"),
        (
            '[{"side": "A"}, {"side": "B"}]',
            "orders.txt: expected orders with side, trigger price and quantity, 2 of 2 have none",
        ),
        ("[" * 100_000, "orders.txt: expected JSON"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(lq.DataError) as error:
        lq.read_trigger_orders(written(tmp_path, text, "orders.txt"))
    assert said in str(error.value)


def test_an_empty_file_has_no_orders(tmp_path: Path) -> None:
    assert len(lq.read_trigger_orders(written(tmp_path, "[]"))) == 0
