"""`interlock reason parse`: a value or a code."""

import json

import pytest
from interlock.cli.main import app
from typer.testing import CliRunner

GOOD = '{"threshold_bps": 1.1, "confidence": "80%", "rationale": "calm"}'


def parse(*words, text=None):
    answer = CliRunner().invoke(app, ["reason", "parse", *words], input=text)
    return answer.exit_code, answer.stdout, answer.stderr


def test_an_answer_on_standard_input_is_read():
    code, out, _ = parse("--schema", "param-proposal", text=f"Sure!\n```json\n{GOOD}\n```")
    assert code == 0
    value = {"threshold_bps": 1.1, "confidence": 80, "rationale": "calm"}
    assert json.loads(out) == {"ok": True, "value": value}


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "empty"),
        (b"I would rather not.", "no_json"),
        (b'{"threshold_bps": 9, "confidence": 80, "rationale": "x"}', "out_of_range"),
        (b'{"threshold_bps": 1.1, "confi', "truncated"),
        (b"\xff\xfe\x00", "no_json"),
    ],
)
def test_a_refused_answer_has_a_code_and_exits_with_1(tmp_path, body, refusal):
    path = tmp_path / "answer.txt"
    path.write_bytes(body)
    code, out, _ = parse("--schema", "param-proposal", str(path))
    assert code == 1
    answer = json.loads(out)
    assert (answer["ok"], answer["code"]) == (False, refusal)
    assert answer["reason"]


def test_an_unknown_schema_lists_those_known():
    code, _, err = parse("--schema", "horoscope", text=GOOD)
    assert code == 2
    assert "known are allocation, decision, param-proposal, post-mortem, " in err


def test_a_file_that_is_absent_is_one_line(tmp_path):
    code, _, err = parse("--schema", "param-proposal", str(tmp_path / "none"))
    assert code == 2
    assert "cannot be read" in err


BUY = {
    "symbol": "BTC/USD",
    "action": "buy",
    "target_weight_pct": 5,
    "confidence": 70,
    "stop_loss_pct": 4,
    "take_profit_pct": 8,
    "rationale": "momentum",
}


def test_only_the_instruments_asked_about_are_read():
    text = json.dumps({"decisions": [BUY]})
    code, out, _ = parse("--schema", "allocation", "--symbols", "ETH/USD, BTC/USD", text=text)
    assert code == 0
    assert json.loads(out)["value"]["decisions"][0]["symbol"] == "BTC/USD"
    code, out, _ = parse("--schema", "allocation", "--symbols", "ETH/USD", text=text)
    assert (code, json.loads(out)["code"]) == (1, "unknown_symbol")
    code, out, _ = parse("--schema", "allocation", text=text)
    assert code == 0


def test_an_endless_answer_is_refused_by_its_length(tmp_path):
    path = tmp_path / "answer.txt"
    path.write_bytes(GOOD.encode() + b" " * 10_000_000)
    code, out, _ = parse("--schema", "param-proposal", str(path))
    assert (code, json.loads(out)["code"]) == (1, "too_long")
