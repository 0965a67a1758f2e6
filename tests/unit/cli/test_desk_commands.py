"""Commands that read or steer a desk: what they show, and what they say where there is none."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.cli.commands.orders import HEAD, order_cells
from interlock.cli.commands.policy import parameter_diff
from interlock.cli.commands.scorecard import rules_of
from interlock.cli.commands.standing import criteria_cells, promotion_head
from interlock.cli.commands.trace import trace_lines
from interlock.cli.main import app
from interlock.ledger.decision import Decision
from interlock.ledger.rows import PolicyVersionRow
from interlock.model.values import Stage
from interlock.policy.config import PolicyConfig
from interlock.runtime.config import load_desk_file
from interlock.testkit.desk_messages import ids
from interlock.wire.policy import ParameterChange, PromotionAssessed, PromotionCriterion
from msgspec.structs import replace
from typer.testing import CliRunner

DESK_FILE = str(Path(__file__).parents[3] / "deploy" / "desks" / "params.toml")
NO_DATA = "holds no data of a desk"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["trace", "abc"], NO_DATA),
        (["orders"], NO_DATA),
        (["postmortem"], NO_DATA),
        (["postmortem", "--day", "yesterday"], "is no day: write 2008-10-10"),
        (["approvals", "list"], NO_DATA),
        (["approvals", "approve", "abc", "--by", "ann"], "no desk runs in"),
        (["approvals", "approve", "abc", "--by", " "], "--by is empty"),
        (["approvals", "approve", "abc"], "missing option '--by'"),
        (["approvals", "reject", "abc", "--by", "ann"], "missing option '--reason'"),
        (["approvals", "reject", "abc", "--by", "ann", "--reason", " "], "--reason is empty"),
        (["policy", "show"], NO_DATA),
        (["policy", "history"], NO_DATA),
        (["policy", "diff", "1", "2"], NO_DATA),
        (["scorecard", "--desk", DESK_FILE], NO_DATA),
        (["scorecard", "--desk", DESK_FILE, "--since", "soon"], "no length of time"),
        (["scorecard", "--desk", "absent"], "no desk 'absent'"),
        (["scorecard"], "missing option '--desk'"),
        (["export", "--desk", DESK_FILE, "--out", "there"], NO_DATA),
        (["export", "--desk", DESK_FILE], "missing option '--out'"),
        (["kill", "too hot"], "no desk runs in"),
        (["kill", " ", "--by", "ann"], "REASON is empty"),
        (["kill"], "missing argument"),
        (["resume", "--by", "ann"], "no desk runs in"),
        (["resume", "--by", ""], "--by is empty"),
        (["resume"], "missing option '--by'"),
        (["trace", "abc", "--postgres", "postgresql://127.0.0.1:1/x"], "cannot be read"),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, words, wrong):
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 2
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("interlock: ")
    assert wrong in line
    assert list(tmp_path.iterdir()) == []


def version(number, parameters, *, decision_id="d", proposal_id=None):
    return PolicyVersionRow(
        message_id="m",
        decision_id=decision_id,
        ts_event=0,
        desk="params",
        version=number,
        parameters=parameters,
        changes=[ParameterChange(name="a", old=None, new=1.0)],
        author="rules",
        reason="",
        proposal_id=proposal_id,
        config_hash="",
    )


def test_a_diff_names_what_differs_and_what_is_new_or_gone():
    old, new = (
        version(1, {"a": 1.0, "b": 2.0, "c": 3.0}),
        version(2, {"a": 1.5, "b": 2.0, "d": 4.0}),
    )
    assert parameter_diff(old, new) == [("a", 1.0, 1.5), ("c", 3.0, None), ("d", None, 4.0)]
    assert parameter_diff(old, old) == []


def test_the_scorecard_takes_its_rules_from_the_policy_section():
    config = load_desk_file(Path(DESK_FILE)).section("policy", PolicyConfig)
    rules = rules_of(config)
    bounds = rules.bounds["threshold_bps"]
    assert (bounds.low, bounds.high, bounds.step) == (0.3, 3.0, 0.2)
    assert rules.window_ns == 900 * 10**9
    assert (rules.seen_at_least, rules.applied_at_most) == (6, 2)
    assert rules.accept_rate_at_most == 0.30


def test_an_order_that_was_denied_shows_why_and_dashes():
    row = {
        "ts_event": 0,
        "status": "denied",
        "side": "buy",
        "requested_quantity": Decimal(5),
        "instrument_id": "SPY",
        "order_type": None,
        "filled_quantity": None,
        "entry_price": None,
        "exit_price": None,
        "detail": "size.lot",
        "reasons": ["entry"],
        "decision_id": "d",
    }
    cells = order_cells(row)
    assert len(cells) == len(HEAD)
    assert cells == ("1970-01-01", "denied", "buy 5 SPY -", "-", "-", "-", "size.lot", "d")


def decision(set_by):
    return Decision(
        decision_id="d",
        spans=[],
        messages=[{"tag": "data.bar.v1", "subject": "data.bar"}],
        model_calls=[],
        proposals=[],
        orders=[],
        denials=[{"code": "size.lot", "observed": "1.5", "limit": "whole lots of 1"}],
        fills=[],
        set_by=set_by,
    )


def test_a_decision_without_spans_shows_its_messages():
    shown = trace_lines(decision(None), [])
    assert shown[1] == "its spans were not kept; these are the messages:"
    assert shown[2] == "  data.bar.v1  data.bar"
    assert shown[-1] == "denied    size.lot: 1.5 (allowed: whole lots of 1)"


@pytest.mark.parametrize(
    ("set_by", "how"),
    [
        (version(1, {}, decision_id="other"), "set by rules"),
        (version(2, {}, proposal_id="p"), "set by this decision"),
        (
            version(2, {}, decision_id="other", proposal_id="p"),
            "set by a proposal of rules: interlock trace other",
        ),
    ],
)
def test_a_decision_names_the_one_that_set_its_policy(set_by, how):
    assert trace_lines(decision(set_by), [])[-1].endswith(f"(a none -> 1), {how}")


def test_s3_9_stage_show_lists_each_criterion_with_what_was_seen_and_what_is_needed():
    shown = PromotionAssessed(
        **ids("shown"),
        ts_event=0,
        stage=Stage.DEMO,
        next_stage=Stage.DEMO_TESTING,
        day=14_215,
        criteria=[
            PromotionCriterion(name="sharpe", observed="0.91", needed="above 0.8", holds=True),
            PromotionCriterion(name="sessions", observed="3", needed="10", holds=False),
        ],
    )
    assert promotion_head(shown) == (
        "next stage demo_testing, as of 2008-12-02: 1 of 2 criteria missing"
    )
    assert criteria_cells(shown) == [
        ("sharpe", "holds", "0.91", "above 0.8"),
        ("sessions", "missing", "3", "10"),
    ]
    assert promotion_head(replace(shown, stage=Stage.FULL, next_stage=None)) == (
        "there is no further stage"
    )
