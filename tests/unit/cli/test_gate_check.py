"""The gate on paper: the controls of the real one, and nothing unknown is taken for good."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from interlock.cli.gate_check import UNREADABLE, paper_gate, verdicts
from interlock.cli.gate_snapshot import GateSnapshot
from interlock.cli.main import app
from interlock.gate.config import GateConfig
from interlock.gate.controls.table import CONTROLS
from interlock.runtime.config import load_desk_file
from interlock.wire.base import tag_of
from interlock.wire.build import build_of
from interlock.wire.orders import OrderIntent
from typer.testing import CliRunner

ROOT = Path(__file__).parents[3]
DESK_FILE = ROOT / "deploy" / "desks" / "params.toml"
NOW = 1_228_251_600_000_000_000
GOOD_STATE = {
    "trading": "active",
    "epoch": 1,
    "reconciled": True,
    "policy_version": 4,
    "stored_policy_version": 4,
    "references": {"IBM": {"price": "62.41", "ts_event": NOW}},
    "positions": {},
    "working": [],
    "approved": [],
    "stored_epoch": 1,
    "stored_counts": {"approvals": 2, "notional_micros": 5},
    "counts": {"approvals": 2, "notional_micros": 5},
    "standing": {"stage": "demo"},
    "features": {"IBM": {"ts_event": NOW}},
    "cash": "30000",
    "equity": {"day_start": "30000", "week_start": "30000", "high": "30000"},
    "day_notional": "0",
    "fills": {},
    "approvals_at": [],
    "attempts_at": [],
    "entries": {},
}
OLD_STATE_NAMES = (
    "trading", "epoch", "reconciled", "policy_version", "stored_policy_version", "references",
    "positions", "working", "approved",
)  # fmt: skip
INTENT = {
    "type": tag_of(OrderIntent),
    "message_id": "m",
    "decision_id": "d",
    "ts_event": NOW,
    "desk": "params",
    "intent_id": "intent-1",
    "account": "paper-params",
    "venue": "paper",
    "strategy": "threshold",
    "instrument_id": "IBM",
    "side": "buy",
    "order_type": "market",
    "quantity": "80",
    "limit_price": None,
    "time_in_force": "gtc",
    "reduce_only": False,
    "reference_price": "62.41",
    "ts_market": NOW,
    "policy_version": 4,
    "reasons": [],
    "currency": "USD",
    "build": build_of(),
}


@pytest.fixture
def files(tmp_path):
    def write(state, *intents):
        (tmp_path / "state.json").write_text(json.dumps(state))
        lines = [i if isinstance(i, str) else json.dumps(i) for i in intents]
        (tmp_path / "intents.jsonl").write_text("\n".join(lines))
        return [
            *("gate", "check", "--desk", str(DESK_FILE), "--now", str(NOW), "--json"),
            *("--state", str(tmp_path / "state.json")),
            *("--intents", str(tmp_path / "intents.jsonl")),
        ]

    return write


def asked(words):
    answer = CliRunner().invoke(app, words)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, [json.loads(line) for line in answer.stdout.splitlines()]


def codes(verdict):
    return [failure["code"] for failure in verdict["failures"]]


def test_a_sound_intent_is_approved(files):
    code, (verdict,) = asked(files(GOOD_STATE, INTENT))
    assert code == 0
    assert verdict == {
        "line": 1,
        "approved": True,
        "intent_id": "intent-1",
        "instrument_id": "IBM",
        "side": "buy",
        "quantity": "80",
        "failures": [],
    }


@pytest.mark.parametrize(
    ("missing", "control"),
    [
        ("trading", "state.trading"),
        ("reconciled", "state.reconciled"),
        ("policy_version", "version.policy"),
        ("stored_policy_version", "state.policy_store"),
        ("references", "price.reference"),
        ("positions", "state.reconciled"),
        ("working", "state.reconciled"),
        ("approved", "state.reconciled"),
        ("stored_epoch", "state.policy_store"),
        ("stored_counts", "state.policy_store"),
        ("counts", "state.reconciled"),
        ("standing", "state.reconciled"),
        ("features", "age.features"),
        ("cash", "loss.account"),
        ("equity", "loss.account"),
        ("day_notional", "loss.account"),
        ("fills", "state.reconciled"),
        ("approvals_at", "state.reconciled"),
        ("attempts_at", "state.reconciled"),
        ("entries", "state.reconciled"),
    ],
)
def test_a_part_of_the_state_that_is_missing_denies(files, missing, control):
    state = {name: value for name, value in GOOD_STATE.items() if name != missing}
    code, (verdict,) = asked(files(state, INTENT))
    assert code == 1
    assert control in codes(verdict)


def test_an_empty_state_denies_and_says_everything(files):
    code, (verdict,) = asked(files({}, INTENT))
    assert code == 1
    assert codes(verdict) == [
        "state.trading",
        "state.reconciled",
        "state.policy_store",
        "version.policy",
        "price.reference",
        "loss.account",
        "age.features",
    ]


def test_a_state_file_of_an_earlier_release_is_read_and_denied_for_what_it_lacks(files):
    old = {name: GOOD_STATE[name] for name in OLD_STATE_NAMES}
    code, (verdict,) = asked(files(old, INTENT))
    assert code == 1
    assert codes(verdict) == [
        "state.reconciled", "state.policy_store", "loss.account", "age.features",
    ]  # fmt: skip


def test_every_part_of_the_state_is_in_the_good_one_or_needs_no_value():
    needless = {"breaks", "parameters", "do_not_trade"}
    assert GOOD_STATE.keys() | needless == set(GateSnapshot.__struct_fields__)


@pytest.mark.parametrize(
    ("more", "control"),
    [
        ({"stored_epoch": 2}, "state.policy_store"),
        ({"stored_counts": {"approvals": 1, "notional_micros": 5}}, "state.counters"),
        ({"do_not_trade": ["ibm"]}, "permission.list"),
        ({"parameters": {"bucket_cap_pct.core": 1.0}}, "position.bucket"),
        ({"parameters": {"max_position_pct": 1.0}}, "position.name"),
        ({"standing": {"cap_scales": {"core": 0.1}}}, "position.bucket"),
        ({"standing": {"disabled": ["threshold"]}}, "permission.strategy"),
        ({"cash": "4000"}, "cash.power"),
        ({"day_notional": "59000"}, "cash.day"),
        ({"attempts_at": [NOW] * 300}, "rate.runaway"),
        ({"approvals_at": [NOW] * 10}, "rate.second"),
        ({"entries": {"threshold": 500}}, "repeat.entries"),
        ({"equity": {**GOOD_STATE["equity"], "day_start": "32000"}}, "loss.day"),
        ({"equity": {**GOOD_STATE["equity"], "week_start": "36000"}}, "loss.week"),
        ({"equity": {**GOOD_STATE["equity"], "high": "36000"}}, "loss.drawdown"),
        ({"equity": {**GOOD_STATE["equity"], "losses_in_row": 5}}, "loss.in_row"),
    ],
)
def test_each_part_of_the_state_reaches_its_control(files, more, control):
    code, (verdict,) = asked(files({**GOOD_STATE, **more}, INTENT))
    assert code == 1
    assert control in codes(verdict)


def test_what_was_approved_counts_for_the_next(files):
    state = {**GOOD_STATE, "positions": {"IBM": "30"}}
    second = {**INTENT, "intent_id": "intent-2", "quantity": "15"}
    code, (first, later, again) = asked(files(state, INTENT, second, INTENT))
    assert code == 1
    assert first["approved"]
    assert codes(later) == ["position.notional"]
    assert "duplicate.intent" in codes(again)


def test_a_working_order_of_an_alias_counts_for_the_instrument(files):
    order = {
        "client_order_id": "il-1",
        "instrument_id": "GOOGL",
        "side": "buy",
        "quantity": "100",
        "filled": "10",
    }
    state = {
        **GOOD_STATE,
        "references": {"GOOGL": {"price": "70", "ts_event": NOW}},
        "features": {"GOOGL": {"ts_event": NOW}},
        "working": [order],
    }
    intent = {**INTENT, "instrument_id": "GOOG", "quantity": "20", "reference_price": "70"}
    _, (verdict,) = asked(files(state, intent))
    assert verdict["failures"] == [
        {
            "code": "position.notional",
            "observed": "7700",
            "limit": "7500",
            "holds": "position, all working orders and this one, in one instrument",
            "level": "deny",
        }
    ]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"type": "order.submit.v1"}', json.dumps({**INTENT, "side": "up"})]
)
def test_a_line_that_cannot_be_read_is_denied_and_the_others_go_on(files, line):
    code, (first, second) = asked(files(GOOD_STATE, line, "", INTENT))
    assert code == 1
    assert codes(first) == [UNREADABLE]
    assert second["approved"]
    assert second["line"] == 3


@pytest.mark.parametrize("quantity", ["NaN", "-NaN", "sNaN", "Infinity", "0", "-5", "1E+999999"])
def test_no_quantity_that_is_no_size_passes(files, quantity):
    code, (verdict,) = asked(files(GOOD_STATE, {**INTENT, "quantity": quantity}))
    assert code == 1
    assert verdict["failures"]


@pytest.mark.parametrize(
    "state",
    [
        [],
        {**GOOD_STATE, "traiding": "active"},
        {**GOOD_STATE, "positions": {"IBM": "NaN"}},
        {**GOOD_STATE, "references": {"IBM": {"price": "Infinity", "ts_event": NOW}}},
    ],
)
def test_a_state_that_is_none_is_one_line(files, state):
    code, (answer,) = asked(files(state, INTENT))
    assert code == 2
    assert "is no state of a gate" in answer["error"]


def test_a_file_that_is_absent_is_one_line(tmp_path):
    words = ["gate", "check", "--desk", str(DESK_FILE), "--state", str(tmp_path / "s"), "--intents"]
    code, (answer,) = asked([*words, str(tmp_path / "i"), "--json"])
    assert code == 2
    assert "cannot be read" in answer["error"]


def test_one_line_for_people(files):
    words = [word for word in files(GOOD_STATE, INTENT, INTENT) if word != "--json"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 1
    approved, denied = answer.stdout.splitlines()
    assert approved == "approved intent-1 buy 80 IBM"
    assert denied.startswith("denied   intent-1 buy 80 IBM: duplicate.intent intent-1 (allowed: ")
    assert "; one intent is approved at most once, for ever)" in denied


def test_unknown_parts_stand_among_the_breaks():
    desk_file = load_desk_file(DESK_FILE)
    config = desk_file.section("gate", GateConfig)
    snapshot = GateSnapshot(reconciled=True, positions={"IBM": Decimal(1)})
    gate = paper_gate(desk_file.desk, config, "hash", snapshot, NOW)
    assert gate.state.breaks[:2] == ["working not given", "approved not given"]
    assert not gate.state.reconciled
    assert list(verdicts(gate, [], NOW)) == []


def test_the_controls_are_listed_in_their_order():
    code, (rows,) = asked(["gate", "controls", "--json"])
    assert code == 0
    assert [row["code"] for row in rows] == [control.code for control in CONTROLS]
    table = CliRunner().invoke(app, ["gate", "controls", "--markdown"]).stdout.splitlines()
    assert len(table) == len(CONTROLS) + 2
    assert {line.count("|") for line in table} == {6}
    assert {row["level"] for row in rows} == {"deny", "disable", "reduce", "halt"}
