"""`liqcore stops`, `cascade` and `impact`: tables, JSON, files, and what is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq
from recorded import data_dir

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from liqcore.cli.app import app
from liqcore.cli.scenarios import book_levels

CLI = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"


def run(*args: str) -> Any:
    return CliRunner().invoke(app, list(args), prog_name="liqcore")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    market = lq.simulate(seed=5, days=1.0, trades_per_day=40_000)
    hm = lq.heatmap(trades=market.trades)
    hm.meta |= {"symbol": "X", "venue": "test", "synthetic": True}
    return hm.save(tmp_path_factory.mktemp("saved") / "hm.parquet")


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def test_a_cascade_as_table_json_and_files(saved: Path) -> None:
    hm = lq.load_heatmap(saved)
    said = run("cascade", str(saved), "--scale", "0.03", "-q")
    assert said.exit_code == 0, said.output
    for words in ("fall of 10%", "rise of 1%", "overshoot", "p95", "100x", "not a forecast", "3 % of them are taken"):
        assert words in said.output
    asked = ("cascade", str(saved), "--side", "short", "--shock", "0,2", "--order", "20M", "--volume", "1.5B")
    done = run(*asked, "--json", "-q", "-o", "c.csv", "-o", "c.json", "-o", "c.png")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    (found,) = answer["cascades"]
    wanted = lq.cascade(hm, [0, 2], side="short", order=20e6, volume=1.5e9)
    assert [row["end_price"] for row in found["scenarios"]] == wanted.end_price.tolist()
    assert found["volume"] == 1.5e9
    assert "volume as given" in found["daily"]
    assert json.loads(Path("c.json").read_text()) == answer
    assert sorted(os.listdir()) == ["c.csv", "c.json", "c.png"]
    text = CLI.read_text(encoding="utf-8")
    keys = [*answer, *found, *found["scenarios"][0]]
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_stops_as_table_json_and_files(saved: Path) -> None:
    hm = lq.load_heatmap(saved)
    asked = ("stops", str(saved), "--side", "short", "--scale", "0.03", "--risk", "20", "--money", "1k",
             "--threshold", "p95", "-q")  # fmt: skip
    said = run(*asked, "-o", "s.png", "-o", "s.csv")
    assert said.exit_code == 0, said.output
    for words in ("beyond the cluster", "filled at", "may hold", "not a forecast"):
        assert words in said.output
    answer = json.loads(run(*asked, "--json").stdout)
    wanted = lq.stops(hm, side="short", scale=0.03, risk=20, money=1_000, threshold="p95")
    assert [stop["price"] for stop in answer["stops"]] == [stop.price for stop in wanted]
    assert len(wanted) > 0
    text = CLI.read_text(encoding="utf-8")
    assert [key for key in [*answer, *answer["stops"][0]] if f"`{key}`" not in text] == []


def test_real_stop_orders_and_an_order_book_are_read(saved: Path) -> None:
    price = lq.load_heatmap(saved).map().price
    orders = [{"coin": "X", "side": "A", "triggerPx": str(price * 0.995), "sz": "50", "isTrigger": True, "oid": 1}]
    Path("orders.json").write_text(json.dumps(orders))
    Path("bids.csv").write_text(f"price,qty\n{price * 0.999},50\n{price * 0.9},1000000\n")
    said = run(
        "cascade", str(saved), "--side", "long", "--shock", "1", "--orders", "orders.json", "--book", "bids.csv", "-q"
    )
    assert said.exit_code == 0, said.output
    assert "stop orders" in said.output
    assert "OPTIMISTIC" in said.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size,px\n40,1000\n", None),
        ("1000,40\n999,40\n", None),
        ("a,b\n1000,40\n", "book.csv: expected columns price and quantity, found a, b"),
        ("price,usd\n1000,40\n", "book.csv: expected columns price and quantity, found price, usd"),
        ("price,qty\n1000,40\nx,y\n", "book.csv: expected a price and a quantity in line 3"),
        ("1000,40\n999\n", "book.csv: expected a price and a quantity in line 2"),
    ],
)
def test_a_book_is_read_by_what_its_header_names(tmp_path: Path, text: str, said: str | None) -> None:
    path = tmp_path / "book.csv"
    path.write_text(text)
    if said is None:
        assert book_levels(path)[0] == (1000.0, 40.0)  # type: ignore[index]
    else:
        with pytest.raises(lq.DataError) as error:
            book_levels(path)
        assert said in str(error.value)


def test_the_impact_of_a_recorded_day() -> None:
    folder = data_dir()
    asked = ("impact", "--candles", str(folder / "klines" / "BTCUSDT-1m-2026-03.zip"), "-l",
             str(folder / "liquidations" / "okx-2026-03-04.csv.gz"), "--coin", "BTC", "--scale", "0.01", "--gap", "1m",
             "--block", "15m")  # fmt: skip
    said = run(*asked)
    assert said.exit_code == 0, said.output
    for words in ("29 sweeps", "Y at exponent 0.5", "95 % from", "moved", "predicted", "upper bound", "not forecasts"):
        assert words in said.output
    answer = json.loads(run(*asked, "--json").stdout)
    assert len(answer["sweeps"]) == 29
    text = CLI.read_text(encoding="utf-8")
    assert [key for key in [*answer, *answer["sweeps"][0]] if f"`{key}`" not in text] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["cascade", "SAVED", "--side", "up"], 'error: --side must be "long", "short" or "both", was "up"'),
        (["cascade", "SAVED", "-o", "x.png"], "error: -o goes with --side long or short"),
        (["cascade", "SAVED", "--book", "x.csv"], "error: --book goes with --side long (bids) or short (asks)"),
        (["cascade", "SAVED", "--shock", "-1"], "error: shock must be 0 or above, and below 100 percent, was -1"),
        (["cascade", "SAVED", "--shock", "a"], 'error: --shock must be percentages such as "1,2,5", was "a"'),
        (["cascade", "SAVED", "--order", "much"], 'error: --order must be an amount such as 250000 or 20M, was "much"'),
        (["cascade", "SAVED", "--coin", "X"], "error: --coin goes with --orders"),
        (
            ["cascade", "SAVED", "--side", "long", "-o", "x.svg"],
            "error: -o must end in .png (picture), .csv (table) or",
        ),
        (["cascade", "SAVED", "--orders", "none.json"], "error: none.json: no such file"),
        (["stops", "SAVED", "--side", "up"], 'error: --side must be "long" or "short", was "up"'),
        (["stops", "SAVED", "--side", "long", "--risk", "0"], "error: risk must be above 0 and below 100, was 0.0"),
        (["impact", "-l", "x.csv"], "error: TRADES or --candles must be given, neither was"),
    ],
)
def test_wrong_arguments_are_refused_in_a_line(saved: Path, args: list[str], said: str) -> None:
    outcome = run(*(str(saved) if arg == "SAVED" else arg for arg in args), *(["-q"] if args[0] != "impact" else []))
    assert outcome.exit_code == 2
    assert said in outcome.output
    assert os.listdir() == []
