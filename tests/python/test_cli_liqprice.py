import pytest

pytest.importorskip("typer")

from liqcore.cli import main


def run(capsys, *args):
    code = main(args)
    out, err = capsys.readouterr()
    return code, out, err


def test_price_of_a_catalogue_instrument(capsys):
    code, out, _ = run(
        capsys, "liqprice", "--venue", "binance-usdm:BTCUSDT", "--side", "long", "--entry", "60000", "--leverage", "25"
    )
    assert code == 0
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["liquidation"] == "57,831.33"
    assert lines["distance"] == "-3.6145% of the entry"
    assert lines["bankruptcy"] == "57,600.00"
    assert lines["formula"].startswith("M + s q (P - e) = (m + f) q P - c")
    assert lines["terms"] == "m = 0.4000%, f = 0.0000%; risk tier 1 of 12"
    assert lines["trigger"] == "mark price"
    assert "leverageBracket" in lines["source"]


def test_the_risk_tier_of_a_large_position(capsys):
    args = ["--venue", "binance-usdm", "--symbol", "BTCUSDT", "--side", "short", "--entry", "60000", "--leverage", "25"]
    code, out, _ = run(capsys, "liqprice", *args, "--qty", "20")
    assert code == 0
    assert "62,071.54" in out  # (1.2 M + 48,000 + 1,500) / (20 x 1.0065)
    assert "m = 0.6500%, f = 0.0000%, c = 1500; risk tier 3 of 12" in out


def test_terms_of_a_date(capsys):
    args = ["--venue", "bybit:BTCUSDT", "--side", "long", "--entry", "20000", "--leverage", "50", "--at", "2024-01-01"]
    code, out, _ = run(capsys, "liqprice", *args)
    assert code == 0
    assert "19,700.00" in out
    assert "M + s q (P - e) = m q e - c" in out


def test_no_price_is_said_in_words(capsys):
    code, out, _ = run(capsys, "liqprice", "--side", "long", "--entry", "60000", "--leverage", "1", "--mmr", "0.004")
    assert code == 0
    assert "liquidation  none: the margin covers every loss: never liquidated" in out
    assert "bankruptcy   none" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--side", "buy", "--entry", "1", "--leverage", "2", "--mmr", "0.1"], '--side must be "long" or "short"'),
        (["--side", "long", "--entry", "1", "--leverage", "2"], "--venue or --mmr must be given"),
        (["--side", "long", "--entry", "1", "--mmr", "0.1"], "leverage or margin must be given"),
        (["--side", "long", "--entry", "-1", "--leverage", "2", "--mmr", "0.1"], "the position must be possible"),
        (["--side", "long", "--entry", "1", "--leverage", "2", "--venue", "x:y"], "venue must be one of"),
        (["--side", "long", "--entry", "1", "--leverage", "2", "--venue", "okx", "--mmr", "0.1"], "--mmr goes without"),
        (
            ["--side", "long", "--entry", "1", "--leverage", "2", "--mmr", "0.1", "--at", "2024"],
            "--at goes with --venue",
        ),
    ],
)
def test_wrong_arguments_are_one_line(capsys, args, message):
    code, _, err = run(capsys, "liqprice", *args)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_info_shows_the_catalogue(capsys):
    code, out, _ = run(capsys, "info", "--venues")
    assert code == 0
    assert "binance-usdm:BTCUSDT" in out
    assert "until 2025-09-02: 20 risk tiers, 0.500% up to 100x, on the entry value" in out
    assert "margin terms: not known" in out
